//! Recorded streams of buildx's rawjson, and what is made of them.
//!
//! A stream `NAME.jsonl` comes with `NAME.history.json`, what `docker buildx history inspect` said of
//! the same builds, and `NAME.expected`, what we say; `XTASK_ACCEPT=1` writes the last anew.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use xtask::docker::progress::{Progress, Steps, Vertex};
use xtask::report::board::{Board, Row, Size};
use xtask::report::text::columns;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/progress")
}

fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        files.filter_map(|file| Some(file.strip_suffix(".jsonl")?.to_owned())).collect();
    names.sort();
    assert!(names.len() >= 25, "{names:?}");
    names
}

fn read(name: &str) -> (Progress, Value) {
    let text = std::fs::read_to_string(folder().join(format!("{name}.history.json"))).unwrap();
    let history: Value = serde_json::from_str(&text).unwrap();
    let targets = history["targets"].as_array().unwrap();
    let targets: Vec<String> = targets.iter().map(|t| t.as_str().unwrap().into()).collect();
    let mut progress = Progress::new(&targets);
    let stream = std::fs::read_to_string(folder().join(format!("{name}.jsonl"))).unwrap();
    for line in stream.lines() {
        progress.line(line);
    }
    (progress, history)
}

#[test]
fn counts_are_those_of_buildxs_history() {
    let mut compared = 0;
    for name in names() {
        let (progress, history) = read(&name);
        // One that was killed has not heard what became of its builds.
        if name == "killed" {
            continue;
        }
        for (target, said) in history["history"].as_object().unwrap() {
            let Steps { total, cached } = progress.counts(target);
            let number = |key: &str| said[key].as_u64().unwrap() as usize;
            assert_eq!((total, cached), (number("total"), number("cached")), "{name}: {target}");
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared}");
}

/// Counted by eye in the Dockerfiles: RUN, COPY, ADD, WORKDIR of all stages that were needed, and
/// those of them that nothing had changed.
#[test]
fn hit_rates_are_those_counted_by_hand() {
    #[track_caller]
    fn case(name: &str, target: &str, cached: usize, total: usize) {
        let (progress, _) = read(name);
        assert_eq!(progress.steps(target), Steps { total, cached }, "{name}: {target}");
    }
    // WORKDIR, COPY, RUN; COPY --from, RUN
    case("cold-three", "a", 0, 5);
    case("from-registry-cache", "c", 5, 5);
    case("warm-three", "b", 5, 5);
    // Only b's file has changed: its WORKDIR stands.
    case("one-file-changed", "a", 5, 5);
    case("one-file-changed", "b", 1, 5);
    // One asks for no cache.
    case("no-cache", "a", 0, 5);
    // WORKDIR and RUN in a stage that both share; COPY, RUN
    case("shared-vertexes", "left", 0, 4);
    case("shared-vertexes", "right", 0, 4);
    case("shared-vertexes-warm", "left", 4, 4);
    // RUN, COPY, and the RUN of the target that it is linked to
    case("linked-warm", "app", 3, 3);
    case("linked-warm", "base", 1, 1);
    // WORKDIR, COPY, RUN, RUN, RUN (git-server one more): the WORKDIRs are done in one, and
    // runner-coordinator is shown git-server's too.
    case("merged-steps", "git-server", 1, 6);
    case("merged-steps", "runner-coordinator", 1, 5);
    // COPY
    case("hundred", "s042", 0, 1);
}

#[test]
fn states_are_as_expected() {
    for name in names() {
        let (progress, history) = read(&name);
        let state = describe(&progress, &history);
        let path = folder().join(format!("{name}.expected"));
        if std::env::var_os("XTASK_ACCEPT").is_some() {
            std::fs::write(&path, &state).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(state, expected, "{name}: `XTASK_ACCEPT=1` writes it anew");
    }
}

fn describe(progress: &Progress, history: &Value) -> String {
    let mut text = String::new();
    for target in history["targets"].as_array().unwrap() {
        let target = target.as_str().unwrap();
        let Steps { total, cached } = progress.steps(target);
        let digest = progress.digest(target).map_or("not exported", |digest| &digest[..19]);
        let cache = progress.cache(target).map_or("no cache", |digest| &digest[..19]);
        let bytes: u64 = progress.vertexes_of(target).iter().map(|vertex| vertex.bytes()).sum();
        let took = progress.seconds(target);
        writeln!(text, "{target}: {cached}/{total} {digest} {cache} {bytes} bytes {took:.3} s")
            .unwrap();
    }
    for step in progress.failed_steps() {
        writeln!(text, "failed: {:?} {}\n  {}", step.targets, step.name, step.error).unwrap();
        step.log.iter().for_each(|line| writeln!(text, "  | {line:?}").unwrap());
    }
    let running: Vec<&str> = progress.running().into_iter().map(|(name, _)| name).collect();
    writeln!(text, "running: {running:?}").unwrap();
    let canceled: Vec<&Vertex> = progress.vertexes().filter(|v| v.is_canceled()).collect();
    canceled.iter().for_each(|v| writeln!(text, "canceled: {:?}", v.names).unwrap());
    progress.cache_warnings().iter().for_each(|w| writeln!(text, "cache: {w}").unwrap());
    for warning in progress.vertexes().flat_map(|vertex| &vertex.warnings) {
        writeln!(text, "warning: {warning:?}").unwrap();
    }
    let (target, words) = progress.last_words();
    if !words.is_empty() {
        writeln!(text, "last words ({target:?}): {words}").unwrap();
    }
    text
}

/// A stream that is damaged in any way is read as far as it can be, and what comes of it holds together.
#[test]
fn damaged_streams_are_survived() {
    let names =
        ["one-of-three-fails", "odd-names-and-warnings", "shared-vertexes", "two-platforms"];
    let streams: Vec<String> = names
        .iter()
        .map(|name| std::fs::read_to_string(folder().join(format!("{name}.jsonl"))).unwrap())
        .collect();
    let targets: Vec<String> = ["a", "b", "left"].iter().map(|t| (*t).to_owned()).collect();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for round in 0..200 {
        let stream = &streams[round % streams.len()];
        let damaged = match random.below(3) {
            0 => random.bytes(stream),
            1 => random.lines(stream),
            _ => random.values(stream),
        };
        let mut progress = Progress::new(&targets[..1 + random.below(3)]);
        let rows = targets.iter().map(|t| Row { service: t.clone(), ..Row::default() });
        let mut board = Board::of(rows.collect());
        for (number, line) in damaged.lines().enumerate() {
            progress.line(line);
            if number % 20 == 0 {
                board.take(&progress, 1.8e9);
                let size = Size { width: 1 + random.below(100), height: 1 + random.below(30) };
                let lines = board.lines(size, 1.8e9, 1.8e9);
                assert!(lines.iter().all(|line| columns(&line.text) < size.width.max(1)));
            }
        }
        progress.failed_steps();
        progress.last_words();
        progress.running();
        progress.cache_warnings();
        for target in &targets {
            let (all, steps) = (progress.counts(target), progress.steps(target));
            assert!(all.cached <= all.total && steps.cached <= steps.total, "round {round}");
            assert!(steps.total <= all.total && steps.cached <= all.cached, "round {round}");
            assert!(progress.seconds(target) >= 0.0, "round {round}");
        }
    }
}

/// Always the same numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn bytes(&mut self, stream: &str) -> String {
        let mut bytes = stream.as_bytes().to_vec();
        for _ in 0..50 {
            let at = self.below(bytes.len());
            bytes[at] = self.below(256) as u8;
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Lost, doubled, out of order, cut.
    fn lines(&mut self, stream: &str) -> String {
        let mut lines: Vec<&str> = stream.lines().collect();
        for _ in 0..30 {
            let (at, other) = (self.below(lines.len()), self.below(lines.len()));
            match self.below(4) {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[other]),
                2 => lines.swap(at, other),
                _ => lines[at] = lines[at].get(..self.below(200)).unwrap_or_default(),
            }
        }
        lines.join("\n")
    }

    /// JSON still, of other values than BuildKit writes.
    fn values(&mut self, stream: &str) -> String {
        let lines: Vec<&str> = stream.lines().collect();
        let damaged = lines.iter().map(|line| match serde_json::from_str::<Value>(line) {
            Ok(mut value) if self.below(5) == 0 => {
                self.damage(&mut value);
                value.to_string()
            }
            _ => (*line).to_owned(),
        });
        damaged.collect::<Vec<_>>().join("\n")
    }

    fn damage(&mut self, value: &mut Value) {
        let deeper = self.below(6) > 0;
        match value {
            Value::Array(all) if deeper && !all.is_empty() => {
                let at = self.below(all.len());
                self.damage(&mut all[at]);
            }
            Value::Object(all) if deeper && !all.is_empty() => {
                let at = self.below(all.len());
                let key = all.keys().nth(at).unwrap().clone();
                self.damage(&mut all[&key]);
            }
            _ => {
                let odd = [
                    Value::Null,
                    (-1).into(),
                    u64::MAX.into(),
                    1e300.into(),
                    "".into(),
                    "[ ] 9/0 ]".into(),
                    "[a 18446744073709551616/1 é] \u{1b}[2J".into(),
                    "9999-99-99T99:99:99Z".into(),
                    "0001-01-01T00:00:00Z".into(),
                    "2026-11-24T11:28:-1e400Z".into(),
                    Value::Array(vec![Value::Null, 1.into()]),
                    serde_json::json!({ "a": {} }),
                ];
                *value = odd[self.below(odd.len())].clone();
            }
        }
    }
}
