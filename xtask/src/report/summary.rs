//! A report as Markdown: what GitHub shows of a run. Pure.

use super::data::{Report, Service, Step};
use super::outcome::short;
use super::timeline::title;
use super::{balance, bytes, count, percent, seconds};
use std::fmt::Write as _;

/// So many of the slowest steps are shown.
const SLOWEST: usize = 5;
/// Steps that took less are not worth a line, in seconds.
const WORTH_A_LINE: f64 = 1.0;

/// The summary.
pub fn markdown(report: &Report) -> String {
    let parts = [
        format!("### {}\n", text(&title(report))),
        format!("{}\n", totals(report)),
        table(report),
        errors(report),
        slowest(report),
        rebuilt(report),
        advice(report),
    ];
    parts.into_iter().filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

/// `3 services: 2 built, 1 skipped in 12 s · hit rate 93.3 % (14 of 15 steps) · …`
fn totals(report: &Report) -> String {
    let mut outcomes: Vec<(&str, usize)> = Vec::new();
    for service in &report.services {
        match outcomes.iter_mut().find(|(outcome, _)| *outcome == service.outcome) {
            Some((_, number)) => *number += 1,
            None => outcomes.push((&service.outcome, 1)),
        }
    }
    let outcomes = outcomes.iter().map(|(outcome, number)| format!("{number} {}", words(outcome)));
    let outcomes: Vec<String> = outcomes.collect();
    let services = count(report.services.len(), "service");
    let mut parts =
        vec![format!("{services}: {} in {}", outcomes.join(", "), seconds(report.seconds))];
    if let (Some(rate), Some(steps)) = (report.hit_rate, report.steps) {
        let all = count(steps.total, "step");
        parts.push(format!("hit rate **{}** ({} of {all})", percent(rate), steps.cached));
    }
    parts.extend(report.pulled.map(|pulled| format!("pulled {}", bytes(pulled))));
    parts.extend(report.pushed.map(|pushed| match report.cache_pushed {
        Some(cache) if cache > 0 => format!("pushed {} ({} cache)", bytes(pushed), bytes(cache)),
        _ => format!("pushed {}", bytes(pushed)),
    }));
    parts.extend(report.network.map(|network| format!("network {}", bytes(network))));
    if let Some(cache) = &report.cache {
        let cost = cache.import_seconds + cache.export_seconds;
        let saved = cache.saved_seconds.map(|saved| format!("saved {}, ", seconds(saved)));
        parts.push(format!(
            "the cache {}cost {} ({} to read, {} to write)",
            saved.unwrap_or_default(),
            seconds(cost),
            seconds(cache.import_seconds),
            seconds(cache.export_seconds)
        ));
        parts.extend(balance::of_bytes(cache));
    }
    parts.join(" · ")
}

fn table(report: &Report) -> String {
    let mut rows = String::from(
        "| Service | Action | Seconds | Steps cached | Hit rate | Pulled | Pushed | Digest |\n\
         |---|---|---:|---:|---:|---:|---:|---|\n",
    );
    for service in &report.services {
        // Writing to a string cannot fail.
        writeln!(rows, "| {} |", row(service).join(" | ")).ok();
    }
    rows
}

fn row(service: &Service) -> [String; 8] {
    let amount = |amount: Option<u64>| amount.map(bytes).unwrap_or_default();
    [
        text(&service.service),
        action(service),
        service.seconds.map(seconds).unwrap_or_default(),
        service.steps.map(|s| format!("{} / {}", s.cached, s.total)).unwrap_or_default(),
        service.hit_rate.map(percent).unwrap_or_default(),
        amount(service.pulled),
        amount(service.pushed),
        service.digest.as_deref().map(|d| format!("`{}`", short(d))).unwrap_or_default(),
    ]
}

/// `build`, and what came of it where it is not what was to be done.
fn action(service: &Service) -> String {
    match service.outcome.as_str() {
        "failed" => format!("{}: **failed**", service.action),
        "not-tried" => format!("{}: not tried", service.action),
        _ => service.action.clone(),
    }
}

fn errors(report: &Report) -> String {
    let failed = report.services.iter().filter_map(|service| {
        let error = service.error.as_ref()?;
        let step = service.step.as_ref().map(|step| format!(" at {}", code(step)));
        let step = step.unwrap_or_default();
        Some(format!("- **{}** failed{step}: {}\n", text(&service.service), code(error)))
    });
    failed.collect()
}

/// The slowest steps that ran, slowest first.
pub fn slowest_steps(report: &Report) -> Vec<&Step> {
    let ran = report.timeline.iter().filter(|step| step.result != "cached");
    let mut ran: Vec<&Step> = ran.filter(|step| !step.services.is_empty()).collect();
    ran.sort_by(|a, b| b.seconds().total_cmp(&a.seconds()));
    ran.retain(|step| step.seconds() >= WORTH_A_LINE);
    ran.truncate(SLOWEST);
    ran
}

fn slowest(report: &Report) -> String {
    let steps = slowest_steps(report);
    if steps.is_empty() {
        return String::new();
    }
    let lines = steps.iter().map(|step| {
        let service = step.services.first().map_or("", String::as_str);
        let name = shortened(&step.name);
        format!("- {} {}: {}\n", seconds(step.seconds()), text(service), code(&name))
    });
    format!("**Slowest steps**\n\n{}", lines.collect::<String>())
}

/// A step may be a whole script.
fn shortened(name: &str) -> String {
    const LONGEST: usize = 100;
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn rebuilt(report: &Report) -> String {
    let built = report.services.iter().filter(|service| service.action == "build");
    let lines: String = built
        .map(|service| {
            let why = service.why.as_ref().unwrap_or(&service.reason);
            format!("- {}: {}\n", text(&service.service), text(why))
        })
        .collect();
    if lines.is_empty() { lines } else { format!("**Why they were built**\n\n{lines}") }
}

fn advice(report: &Report) -> String {
    let lines: String = report
        .advice
        .iter()
        .map(|advice| format!("- **{}**: {}\n", text(&advice.service), prose(&advice.text)))
        .collect();
    if lines.is_empty() { lines } else { format!("**Advice**\n\n{lines}") }
}

fn words(outcome: &str) -> String {
    outcome.replace('-', " ")
}

/// Text that Markdown shows as it is, on one line.
fn text(text: &str) -> String {
    escaped(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        if "\\`*_{}[]<>|#~".contains(character) {
            shown.push('\\');
        }
        shown.push(character);
    }
    shown
}

/// Sentences of ours, in which names stand between backticks.
fn prose(sentences: &str) -> String {
    let parts = sentences.split('`').enumerate();
    parts.map(|(number, part)| if number % 2 == 0 { escaped(part) } else { code(part) }).collect()
}

/// The same as code; a backtick in it needs a longer fence.
fn code(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    let longest = line.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest > 0 { format!("{fence} {line} {fence}") } else { format!("{fence}{line}{fence}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_names_is_shown_as_it_is() {
        assert_eq!(text("a|b <img>\n*x*"), "a\\|b \\<img\\> \\*x\\*");
        assert_eq!(code("echo `date` | wc"), "`` echo `date` \\| wc ``");
        assert_eq!(code("x"), "`x`");
        assert_eq!(
            prose("line 5: `RUN a|b` ran (2 s), since <x>"),
            "line 5: `RUN a\\|b` ran (2 s), since \\<x\\>"
        );
    }
}
