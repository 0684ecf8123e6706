//! What came of each service, as lines for people.

use super::github::{self, At, Kind};
use super::text::harmless;
use super::{count, seconds};
use crate::docker::build::{Built, Failed, Outcome};
use crate::plan::{Plan, ServicePlan};
use camino::Utf8Path;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Where a failed step stands in its Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The Dockerfile, relative to the root
    pub path: String,
    /// First and last line of the instruction, from 1
    pub lines: (usize, usize),
    /// The text of those lines
    pub text: Vec<String>,
}

/// Where the failed step of a service stands, if that can be told.
pub type PlaceOf<'a> = dyn Fn(&str, &Failed) -> Option<Place> + 'a;

/// One line a service, in the plan's order.
pub fn summary(plan: &Plan, outcomes: &BTreeMap<String, Outcome>) -> String {
    let width = plan.services.iter().map(|s| s.service.len()).max().unwrap_or(0);
    let mut text = String::new();
    for service in &plan.services {
        let line = match outcomes.get(&service.service) {
            Some(Outcome::Built(built)) => built_line(built, &service.tags),
            Some(Outcome::Skipped(digest)) => there_line("skipped", service, digest.as_deref()),
            Some(Outcome::Promoted(digest)) => there_line("promoted", service, Some(digest)),
            Some(Outcome::Failed(_)) => "failed".into(),
            Some(Outcome::NotTried { because }) if because.is_empty() => "not tried".into(),
            Some(Outcome::NotTried { because }) => {
                format!("not tried: {} failed", because.join(", "))
            }
            None => "not tried".into(),
        };
        // Writing to a string cannot fail.
        writeln!(text, "{:width$}  {line}", service.service).ok();
    }
    text.truncate(text.trim_end().len());
    text
}

fn there_line(done: &str, service: &ServicePlan, digest: Option<&str>) -> String {
    let digest = digest.map(|d| format!("  {}", short(d))).unwrap_or_default();
    let tags = service.tags.first().map(|tag| format!("  {tag}")).unwrap_or_default();
    format!("{done}: {}{digest}{tags}", service.reason)
}

/// How many were built, skipped and promoted: `3 of 4 images built, 1 promoted`.
pub fn counts(plan: &Plan, outcomes: &BTreeMap<String, Outcome>) -> String {
    let number = |is: fn(&Outcome) -> bool| outcomes.values().filter(|o| is(o)).count();
    let built = number(|outcome| matches!(outcome, Outcome::Built(_)));
    let there = [
        (number(|outcome| matches!(outcome, Outcome::Skipped(_))), "skipped"),
        (number(|outcome| matches!(outcome, Outcome::Promoted(_))), "promoted"),
    ];
    let to_build = plan.built().count();
    let mut parts = Vec::new();
    if to_build > 0 {
        parts.push(format!("{built} of {} built", count(to_build, "image")));
    }
    for (number, done) in there.into_iter().filter(|(number, _)| *number > 0) {
        let what = if parts.is_empty() { count(number, "image") } else { number.to_string() };
        parts.push(format!("{what} {done}"));
    }
    parts.join(", ")
}

fn built_line(built: &Built, tags: &[String]) -> String {
    let steps = built.steps;
    let cached = match (steps.total, steps.cached) {
        (0, _) => "nothing to do".into(),
        (total, cached) if total == cached => "all cached".into(),
        (total, cached) => format!("{}, {cached} cached", count(total, "step")),
    };
    let digest = built.digest.as_deref().map(|d| format!("  {}", short(d))).unwrap_or_default();
    let tags = tags.first().map(|tag| format!("  {tag}")).unwrap_or_default();
    format!("built in {} ({cached}){digest}{tags}", seconds(built.seconds))
}

/// `sha256:` and twelve digits: enough to tell images apart by eye.
pub fn short(digest: &str) -> &str {
    digest.get(..19).unwrap_or(digest)
}

/// All failures, each with its place and the last lines of its log.
pub fn failures(outcomes: &BTreeMap<String, Outcome>, place_of: &PlaceOf) -> String {
    let mut text = String::new();
    for (service, outcome) in outcomes {
        if let Outcome::Failed(failed) = outcome {
            text.push('\n');
            text.push_str(&failure(service, failed, place_of(service, failed).as_ref()));
        }
    }
    text
}

/// All failures as GitHub notes them at the lines of files; the root is `below` the workspace.
pub fn annotations(
    outcomes: &BTreeMap<String, Outcome>,
    place_of: &PlaceOf,
    below: &Utf8Path,
) -> Vec<String> {
    let failed = outcomes.iter().filter_map(|(service, outcome)| match outcome {
        Outcome::Failed(failed) => Some((service, failed.as_ref())),
        _ => None,
    });
    let one = |(service, failed): (&String, &Failed)| {
        let place = place_of(service, failed);
        let file = place.as_ref().map(|place| below.join(&place.path));
        let at = place.as_ref().zip(file.as_ref());
        let at = at.map(|(place, file)| At { file: file.as_str(), lines: place.lines });
        let error = failed.step.as_ref().map_or(&failed.last_words, |step| &step.error);
        let log = failed.step.iter().flat_map(|step| &step.log).map(|line| harmless(line));
        let text: Vec<String> = [error.clone()].into_iter().chain(log).collect();
        github::annotation(Kind::Error, at, &format!("{service} failed"), &text.join("\n"))
    };
    failed.map(one).collect()
}

fn failure(service: &str, failed: &Failed, place: Option<&Place>) -> String {
    let mut text = String::new();
    let at = place.map(|place| format!("{}:{}: ", place.path, place.lines.0)).unwrap_or_default();
    let Some(step) = &failed.step else {
        return format!("error: {at}`{service}` failed: {}\n", failed.last_words);
    };
    // Writing to a string cannot fail.
    writeln!(text, "error: {at}`{service}` failed: {}", step.error).ok();
    for (number, line) in place.iter().flat_map(|place| (place.lines.0..).zip(&place.text)) {
        writeln!(text, "{number:5} | {}", harmless(line)).ok();
    }
    if place.is_none() {
        writeln!(text, "      | {}", step.name).ok();
    }
    if !step.log.is_empty() {
        writeln!(text, "the last lines that it printed:").ok();
        for line in &step.log {
            writeln!(text, "  | {}", harmless(line)).ok();
        }
    }
    text
}
