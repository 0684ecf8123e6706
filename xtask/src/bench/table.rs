//! The report as a table for people. Pure.

use super::report::{Report, Row};
use crate::report::percent;

/// The columns; a row that begins like the one above does not repeat it.
const HEAD: [&str; 13] = [
    "scenario",
    "event",
    "engine",
    "by",
    "median",
    "min-max",
    "of ours",
    "of best peer",
    "req/service",
    "pushed",
    "pulled",
    "hits",
    "memory",
];
/// How many columns say which case a row is of.
const CASE: usize = 3;
/// How many columns are texts; numbers are aligned to the right.
const TEXTS: usize = 4;

/// The table, each line without spaces at its end.
pub fn table(report: &Report) -> String {
    let mut lines = vec![HEAD.map(str::to_owned)];
    lines.extend(report.rows.iter().map(cells));
    let width = |column: usize| lines.iter().map(|l| l[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let same = number > 1 && line[..CASE] == lines[number - 1][..CASE];
        let cells = line.iter().enumerate().map(|(column, cell)| match column {
            _ if column < CASE && same => " ".repeat(widths[column]),
            _ if column < TEXTS => format!("{cell:<0$}", widths[column]),
            _ => format!("{cell:>0$}", widths[column]),
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

fn cells(row: &Row) -> [String; HEAD.len()] {
    let traffic = row.traffic.as_ref();
    let or_empty = |text: Option<String>| text.unwrap_or_default();
    [
        row.case.scenario.name().into(),
        row.case.event.name().into(),
        row.case.engine.name().into(),
        row.contestant.clone(),
        seconds(row.seconds.median),
        format!("{}-{}", seconds(row.seconds.min), seconds(row.seconds.max)),
        or_empty(row.times_ours.map(times)),
        or_empty(row.times_fastest_peer.map(times)),
        or_empty(row.requests_per_service.map(|requests| format!("{requests:.1}"))),
        or_empty(traffic.map(|traffic| megabytes(traffic.bytes_pushed))),
        or_empty(traffic.map(|traffic| megabytes(traffic.bytes_pulled))),
        or_empty(row.hit_rate().map(percent)),
        or_empty(row.peak_memory.map(megabytes)),
    ]
}

pub fn seconds(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{seconds:.3}")
    } else if seconds < 100.0 {
        format!("{seconds:.2}")
    } else {
        format!("{seconds:.0}")
    }
}

pub fn times(times: f64) -> String {
    if times >= 10.0 { format!("{times:.0}x") } else { format!("{times:.2}x") }
}

pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::{Run, Steps, compare, tests::report};
    use crate::bench::scenario::Scenario;
    use crate::bench::traffic::Traffic;

    fn rows(case: usize, of: &[(&'static str, f64, Option<u64>)]) -> Vec<Row> {
        let row = |(by, seconds, peak_memory): &(&'static str, f64, Option<u64>)| {
            let traffic = Traffic { requests: 30, bytes_pulled: 1_250_000, ..Traffic::default() };
            let steps = peak_memory.map(|_| Steps { total: 3, cached: 2 });
            let run = Run { seconds: *seconds, traffic, peak_memory: *peak_memory, steps };
            Row::of(Scenario::Noop.cases()[case], by, &[run], 20).unwrap()
        };
        let mut rows: Vec<Row> = of.iter().map(row).collect();
        compare(&mut rows);
        rows
    }

    #[test]
    fn a_case_is_named_once_and_what_is_unknown_is_empty() {
        let mut all = rows(0, &[("xtask", 0.05, Some(21_000_000)), ("bake", 2.0, None)]);
        all.extend(rows(3, &[("xtask", 0.1, None)]));
        let report = Report { rows: all, ..report(&[]) };
        let expected = "\
scenario  event  engine  by     median      min-max  of ours  of best peer  req/service  pushed  pulled    hits   memory
noop      pr     warm    xtask   0.050  0.050-0.050    1.00x         0.03x          1.5  0.0 MB  1.2 MB  66.6 %  21.0 MB
                         bake     2.00    2.00-2.00      40x         1.00x          1.5  0.0 MB  1.2 MB
noop      dev    fresh   xtask   0.100  0.100-0.100    1.00x                        1.5  0.0 MB  1.2 MB
";
        assert_eq!(table(&report), expected);
    }
}
