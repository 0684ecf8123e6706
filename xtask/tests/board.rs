//! The table of a run, drawn from recorded streams: what a terminal of a given size shows.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use xtask::docker::progress::Progress;
use xtask::report::board::{Board, Change, Row, Size, State, Tone};
use xtask::report::text::columns;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/progress")
}

fn read(file: String) -> String {
    std::fs::read_to_string(folder().join(file)).unwrap()
}

struct Stream {
    lines: Vec<String>,
    targets: Vec<String>,
}

impl Stream {
    fn new(name: &str) -> Self {
        let history: Value = serde_json::from_str(&read(format!("{name}.history.json"))).unwrap();
        let targets = history["targets"].as_array().unwrap();
        let targets = targets.iter().map(|t| t.as_str().unwrap().into()).collect();
        let lines = read(format!("{name}.jsonl")).lines().map(str::to_owned).collect();
        Self { lines, targets }
    }

    fn board(&self, usual: &[(&str, f64)]) -> Board {
        let usual: BTreeMap<&str, f64> = usual.iter().copied().collect();
        let row = |target: &String| Row {
            service: target.clone(),
            usual: usual.get(target.as_str()).copied(),
            ..Row::default()
        };
        Board::of(self.targets.iter().map(row).collect())
    }
}

/// When a line was written: the last time that it holds.
fn time_of(line: &str) -> Option<f64> {
    let times = line.match_indices("\"2026-").map(|(at, _)| &line[at + 1..]);
    let mut times: Vec<&str> = times.filter_map(|rest| rest.split('"').next()).collect();
    times.sort();
    let last = times.pop()?;
    let whole = xtask::time::seconds_of_rfc3339(last)? as f64;
    let fraction = last.trim_end_matches('Z').split_once('.').map_or("0", |(_, digits)| digits);
    Some(whole + format!("0.{fraction}").parse::<f64>().unwrap())
}

struct Shown {
    board: Board,
    changes: Vec<String>,
    began: f64,
    now: f64,
}

/// After so many hundredths of the stream.
fn shown(stream: &Stream, hundredths: usize, usual: &[(&str, f64)]) -> Shown {
    let mut board = stream.board(usual);
    let mut progress = Progress::new(&stream.targets);
    let (mut began, mut now, mut changes) = (None, 0.0_f64, Vec::new());
    let lines = &stream.lines[..stream.lines.len() * hundredths / 100];
    for (number, line) in lines.iter().enumerate() {
        progress.line(line);
        now = time_of(line).unwrap_or(now).max(now);
        began = began.or(Some(now));
        // Not at every line: as on a terminal.
        if stream.targets.len() > 10 && number % 100 > 0 && number + 1 < lines.len() {
            continue;
        }
        let changed = board.take(&progress, now);
        changes.extend(changed.iter().map(|(place, change)| {
            let change = if *change == Change::Began { "begins" } else { "ends" };
            format!("{} {change}", board.rows()[*place].service)
        }));
    }
    Shown { board, changes, began: began.unwrap_or_default(), now }
}

#[test]
fn screens_are_as_expected() {
    let usual = [("a", 6.0), ("b", 4.0)];
    let cases = [
        ("cold-three", 30, (80, 24)),
        ("cold-three", 70, (80, 24)),
        ("cold-three", 70, (200, 50)),
        ("cold-three", 100, (80, 24)),
        ("base-is-pulled", 60, (80, 24)),
        ("one-of-three-fails", 100, (80, 24)),
        ("cancelled", 70, (80, 24)),
        ("odd-names-and-warnings", 85, (60, 10)),
        ("linked", 60, (80, 24)),
        ("hundred", 60, (80, 24)),
        ("hundred", 85, (200, 50)),
        ("hundred", 100, (80, 24)),
    ];
    for (name, hundredths, (width, height)) in cases {
        let shown = shown(&Stream::new(name), hundredths, &usual);
        let size = Size { width, height };
        let lines = shown.board.lines(size, shown.began, shown.now + 2.0);
        let mark = |tone| match tone {
            Tone::Plain => ' ',
            Tone::Bold => '*',
            Tone::Dim => '.',
            Tone::Red => '!',
        };
        let lines = lines.iter().map(|line| format!("{}|{}\n", mark(line.tone), line.text));
        let screen: String = lines.collect();
        let path = folder().join(format!("screens/{name}-{hundredths}-{width}x{height}"));
        if std::env::var_os("XTASK_ACCEPT").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &screen).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(screen, expected, "{}: `XTASK_ACCEPT=1` writes it anew", path.display());
    }
}

/// Whatever the size and the moment: it fits, and in the last line of a hundred the rest is counted.
#[test]
fn it_always_fits() {
    for name in ["hundred", "odd-names-and-warnings", "one-of-three-fails", "linked"] {
        let stream = Stream::new(name);
        for hundredths in [0, 5, 25, 50, 75, 100] {
            let shown = shown(&stream, hundredths, &[("a", 9.0), ("s001", 5.0)]);
            for (width, height) in
                [(80, 24), (200, 50), (40, 10), (20, 5), (10, 3), (3, 2), (1, 1), (500, 200)]
            {
                let lines =
                    shown.board.lines(Size { width, height }, shown.began, shown.now + 100.0);
                let fits = lines.len() < height.max(2);
                assert!(fits, "{name} {width}x{height}: {} lines", lines.len());
                for line in &lines {
                    assert!(columns(&line.text) < width.max(1), "{width}: {:?}", line.text);
                    assert!(!line.text.contains(char::is_control), "{:?}", line.text);
                }
                let rows = shown.board.rows().len();
                if height > rows + 1 {
                    assert_eq!(lines.len(), rows + 1);
                }
            }
        }
    }
}

/// A terminal breaks lines that have become too long. What then does not fit is pushed into the
/// scroll-back, where nothing can take it back.
#[test]
fn a_smaller_terminal_pushes_nothing_into_the_scroll_back() {
    for name in ["hundred", "odd-names-and-warnings", "cold-three", "linked"] {
        let shown = shown(&Stream::new(name), 60, &[]);
        for (width, height) in [(200, 50), (120, 40), (80, 24), (300, 24)] {
            let lines = shown.board.lines(Size { width, height }, shown.began, shown.now);
            let rows = |line: &String| columns(line).div_ceil(80).max(1);
            let texts = lines.iter().map(|line| line.text.clone());
            let rows: usize = texts.map(|text| rows(&text)).sum();
            let most = if lines.len() > 23 { lines.len() } else { 23 };
            assert!(rows <= most, "{name} {width}x{height}: {rows} rows of {} lines", lines.len());
        }
    }
}

#[test]
fn each_service_begins_and_ends_once() {
    for name in ["cold-three", "warm-three", "from-registry-cache", "hundred", "two-platforms"] {
        let stream = Stream::new(name);
        let mut board = stream.board(&[]);
        let mut progress = Progress::new(&stream.targets);
        let mut changes: BTreeMap<String, Vec<Change>> = BTreeMap::new();
        for (number, line) in stream.lines.iter().enumerate() {
            progress.line(line);
            // Not at every line: as on a terminal.
            if number % 50 > 0 {
                continue;
            }
            for (place, change) in board.take(&progress, time_of(line).unwrap_or_default()) {
                changes.entry(board.rows()[place].service.clone()).or_default().push(change);
            }
        }
        progress.end(true);
        for (place, change) in board.take(&progress, 2e9) {
            changes.entry(board.rows()[place].service.clone()).or_default().push(change);
        }
        assert_eq!(changes.len(), stream.targets.len(), "{name}");
        for (service, changes) in changes {
            let ended = changes.iter().filter(|change| **change == Change::Ended).count();
            let began = changes.iter().filter(|change| **change == Change::Began).count();
            assert!(ended >= 1 && began <= 1, "{name}: {service}: {changes:?}");
        }
        assert!(board.rows().iter().all(|row| matches!(row.state, State::Done(_))), "{name}");
    }
}

#[test]
fn what_fails_and_what_is_cancelled_with_it() {
    let failed = shown(&Stream::new("one-of-three-fails"), 100, &[]);
    let said: Vec<String> = failed.board.rows().iter().map(Row::said).collect();
    assert_eq!(failed.board.counts().by_outcome(), "1 cached, 1 failed", "{said:?}");
    assert!(failed.changes.contains(&"b ends".to_owned()), "{:?}", failed.changes);
    assert!(!failed.changes.contains(&"c ends".to_owned()), "{:?}", failed.changes);
}

#[test]
fn the_rest_is_that_of_the_longest_way() {
    let row = |service: &str, usual: Option<f64>, needs: &[&str]| Row {
        service: service.into(),
        usual,
        needs: needs.iter().map(|on| (*on).to_owned()).collect(),
        ..Row::default()
    };
    #[track_caller]
    fn case(rows: Vec<Row>, now: f64, rest: Option<f64>) {
        assert_eq!(Board::of(rows).rest(now), rest);
    }
    case(vec![row("a", None, &[]), row("b", None, &[])], 0.0, None);
    case(vec![row("a", Some(5.0), &[]), row("b", Some(3.0), &[])], 0.0, Some(5.0));
    // app stands on base, and comes before it.
    case(vec![row("app", Some(5.0), &["base"]), row("base", Some(3.0), &[])], 0.0, Some(8.0));
    // What is not known counts as the median.
    case(vec![row("a", None, &["b"]), row("b", Some(3.0), &[])], 0.0, Some(6.0));
    let running = |began, usual| Row {
        state: State::Running(None),
        began: Some(began),
        ..row("a", Some(usual), &[])
    };
    case(vec![running(100.0, 10.0)], 104.0, Some(6.0));
    // It takes longer than it did: nothing is said.
    case(vec![running(100.0, 10.0)], 111.0, None);
    // A circle cannot be in a plan; it costs no more than a wrong number.
    assert!(
        Board::of(vec![row("a", Some(1.0), &["b"]), row("b", Some(1.0), &["a"])]).rest(0.0) > None
    );
}
