//! The report as a table in Markdown, for a summary or a README. Pure.

use super::report::{Report, Row};
use super::table::{megabytes, seconds, times};
use super::verdict::named;
use crate::report::count;
use crate::report::percent;
use std::fmt::Write as _;

/// The table, below the machine and the command.
pub fn markdown(report: &Report) -> String {
    let work = report.work;
    let mut text = format!(
        "{}{}, {} of each, medians (least to most). Peers do the same work in the same run.\n\n",
        count(work.services, "service"),
        if work.files > 0 {
            format!(" with {} each", count(work.files, "file"))
        } else {
            String::new()
        },
        count(report.runs as usize, "run")
    );
    // Writing to a string cannot fail.
    if !report.command.is_empty() {
        writeln!(text, "`{}`\n", report.command).ok();
    }
    if !report.machine.is_empty() {
        writeln!(text, "{}.\n", report.machine.join(", ")).ok();
    }
    text += "| case | by | seconds | of ours | requests a service | pushed | pulled | hit rate | memory |\n";
    text += "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
    let mut last = String::new();
    for row in &report.rows {
        let case = named(row.case);
        let shown = if case == last { "" } else { &case };
        writeln!(text, "| {shown} | {} |", cells(row).join(" | ")).ok();
        last = case;
    }
    text
}

fn cells(row: &Row) -> [String; 8] {
    let traffic = row.traffic.as_ref();
    let or_empty = |text: Option<String>| text.unwrap_or_default();
    let spread = &row.seconds;
    [
        row.contestant.clone(),
        format!("{} ({} to {})", seconds(spread.median), seconds(spread.min), seconds(spread.max)),
        or_empty(row.times_ours.map(times)),
        or_empty(row.requests_per_service.map(|requests| format!("{requests:.1}"))),
        or_empty(traffic.map(|traffic| megabytes(traffic.bytes_pushed))),
        or_empty(traffic.map(|traffic| megabytes(traffic.bytes_pulled))),
        or_empty(row.hit_rate().map(percent)),
        or_empty(row.peak_memory.map(megabytes)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::{Run, Steps, tests::report};

    #[test]
    fn a_case_is_named_once() {
        let steps = Some(Steps { total: 4, cached: 3 });
        let ours = Run { seconds: 0.05, peak_memory: Some(21_000_000), steps, ..Run::default() };
        let bake = Run { seconds: 2.0, ..Run::default() };
        let report = report(&[("xtask", &[ours]), ("bake", &[bake])]);
        let text = markdown(&report);
        let rows: Vec<&str> = text.lines().skip(4).collect();
        assert_eq!(
            rows,
            [
                "| noop pr warm | xtask | 0.050 (0.050 to 0.050) | 1.00x | 0.0 | 0.0 MB | 0.0 MB | 75.0 % | 21.0 MB |",
                "|  | bake | 2.00 (2.00 to 2.00) | 40x | 0.0 | 0.0 MB | 0.0 MB |  |  |",
            ]
        );
    }
}
