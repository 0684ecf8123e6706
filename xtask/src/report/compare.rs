//! Two reports held against each other: which steps lost their cache, which became slower. Pure.

use super::data::{Report, Step, rounded};
use super::{bytes, percent, seconds};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What takes so much longer is slower: by this factor …
const FACTOR: f64 = 1.2;
/// … and by so many seconds at least, since short steps vary.
const SECONDS: f64 = 0.5;

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It came from a cache before, and ran now
    LostCache,
    /// It ran both times, and took longer
    Slower,
    /// It was not there before, and ran now
    New,
    /// It ran both times, and took less
    Faster,
    /// It ran before, and came from a cache now
    GainedCache,
}

/// A step that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Changed {
    /// What became of it
    pub change: Change,
    /// The service
    pub service: String,
    /// The stage
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stage: String,
    /// The instruction
    pub step: String,
    /// Its line in the Dockerfile now
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Seconds before; absent where it was not there
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
    /// Seconds now
    pub now: f64,
}

/// Steps that differ: by what became of them, and then those that cost most first.
pub fn compare(before: &Report, now: &Report) -> Vec<Changed> {
    let known = by_key(before);
    let mut changed: Vec<Changed> = by_key(now)
        .into_iter()
        .filter_map(|(key, step)| {
            let before = known.get(&key).copied();
            changed(key, before, step)
        })
        .collect();
    changed.sort_by(|a, b| a.change.cmp(&b.change).then(b.cost().total_cmp(&a.cost())));
    changed
}

type Key = (String, String, String);

/// Of several with one key, the one that took longest.
fn by_key(report: &Report) -> BTreeMap<Key, &Step> {
    let mut all: BTreeMap<Key, &Step> = BTreeMap::new();
    let done = |step: &&Step| ["ran", "cached"].contains(&step.result.as_str());
    for step in report.timeline.iter().filter(|step| step.is_counted()).filter(done) {
        let longest = all.entry(step.key()).or_insert(step);
        if step.seconds() > longest.seconds() {
            *longest = step;
        }
    }
    all
}

fn changed(key: Key, before: Option<&Step>, now: &Step) -> Option<Changed> {
    let ran = |step: &Step| step.result == "ran";
    let change = match before {
        None => ran(now).then_some(Change::New),
        Some(before) => match (ran(before), ran(now)) {
            (false, true) => Some(Change::LostCache),
            (true, false) => Some(Change::GainedCache),
            (false, false) => None,
            (true, true) if is_more(before.seconds(), now.seconds()) => Some(Change::Slower),
            (true, true) if is_more(now.seconds(), before.seconds()) => Some(Change::Faster),
            (true, true) => None,
        },
    };
    let (service, stage, step) = key;
    let (before, line) = (before.map(|step| rounded(step.seconds())), now.line);
    change.map(|change| Changed {
        change,
        service,
        stage,
        step,
        line,
        before,
        now: rounded(now.seconds()),
    })
}

fn is_more(than: f64, seconds: f64) -> bool {
    seconds >= than * FACTOR && seconds - than >= SECONDS
}

impl Changed {
    /// Seconds that it costs more, or saves.
    fn cost(&self) -> f64 {
        match self.change {
            Change::LostCache | Change::New => self.now,
            _ => (self.now - self.before.unwrap_or_default()).abs(),
        }
    }

    fn told(&self) -> String {
        let stage = if self.stage.is_empty() { String::new() } else { format!(" {}", self.stage) };
        let before = self.before.map(seconds).unwrap_or_default();
        let now = seconds(self.now);
        let took = match self.change {
            Change::LostCache | Change::New => now,
            Change::GainedCache => format!("was {before}"),
            Change::Slower | Change::Faster => format!("{before} -> {now}"),
        };
        format!("{took}  {}{stage}: {}", self.service, self.step)
    }
}

/// For people.
pub fn text(before: &Report, now: &Report, changed: &[Changed]) -> String {
    let mut text = String::new();
    let rate = |report: &Report| report.hit_rate.map(percent);
    let size = |of: fn(&Report) -> Option<u64>| (of(before).map(bytes), of(now).map(bytes));
    let rows = [
        ("seconds", (Some(seconds(before.seconds)), Some(seconds(now.seconds)))),
        ("hit rate", (rate(before), rate(now))),
        ("pulled", size(|report| report.pulled)),
        ("pushed", size(|report| report.pushed)),
        ("network", size(|report| report.network)),
    ];
    for (name, (before, now)) in rows.into_iter().filter(|(_, (a, b))| a.is_some() || b.is_some()) {
        let or_unknown = |value: Option<String>| value.unwrap_or_else(|| "unknown".into());
        // Writing to a string cannot fail.
        writeln!(text, "{name:<10}{} -> {}", or_unknown(before), or_unknown(now)).ok();
    }
    let parts = [
        (Change::LostCache, "lost their cache"),
        (Change::Slower, "became slower"),
        (Change::New, "are new"),
        (Change::Faster, "became faster"),
        (Change::GainedCache, "come from a cache now"),
    ];
    for (change, what) in parts {
        let of = changed.iter().filter(|changed| changed.change == change);
        let lines: String = of.map(|changed| format!("  {}\n", changed.told())).collect();
        if !lines.is_empty() {
            write!(text, "\nsteps that {what}:\n{lines}").ok();
        }
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(steps: &[(&str, &str, f64)]) -> Report {
        let step = |(name, result, took): &(&str, &str, f64)| Step {
            services: vec!["web".into()],
            number: Some((1, 1)),
            name: (*name).into(),
            result: (*result).into(),
            end: *took,
            ..Step::default()
        };
        Report { timeline: steps.iter().map(step).collect(), ..Report::default() }
    }

    #[track_caller]
    fn case(before: (&str, f64), now: (&str, f64), expected: Option<Change>) {
        let of = |(result, took)| report(&[("RUN make", result, took)]);
        let found = compare(&of(before), &of(now));
        assert_eq!(found.first().map(|changed| changed.change), expected);
    }

    #[test]
    fn a_step_is_slower_by_a_fifth_and_half_a_second() {
        case(("ran", 10.0), ("ran", 12.0), Some(Change::Slower));
        case(("ran", 10.0), ("ran", 11.9), None);
        case(("ran", 1.0), ("ran", 1.4), None);
        case(("ran", 12.0), ("ran", 10.0), Some(Change::Faster));
    }

    #[test]
    fn a_cache_is_lost_and_gained() {
        case(("cached", 0.0), ("ran", 0.1), Some(Change::LostCache));
        case(("ran", 5.0), ("cached", 0.0), Some(Change::GainedCache));
        case(("cached", 0.0), ("cached", 3.0), None);
        case(("failed", 0.0), ("ran", 3.0), Some(Change::New));
    }

    #[test]
    fn what_costs_most_comes_first() {
        let before =
            report(&[("RUN a", "cached", 0.0), ("RUN b", "cached", 0.0), ("RUN c", "ran", 1.0)]);
        let now = report(&[("RUN a", "ran", 1.0), ("RUN b", "ran", 9.0), ("RUN c", "ran", 30.0)]);
        let found = compare(&before, &now);
        let steps: Vec<&str> = found.iter().map(|changed| changed.step.as_str()).collect();
        assert_eq!(steps, ["RUN b", "RUN a", "RUN c"]);
        let text = text(&before, &now, &found);
        assert!(text.contains("steps that lost their cache:\n  9.0 s  web: RUN b\n"), "{text}");
        assert!(text.ends_with("steps that became slower:\n  1.0 s -> 30 s  web: RUN c"), "{text}");
    }
}
