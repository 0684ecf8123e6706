//! What would make builds faster. Nothing is said that is not sure: each rule has a recorded build where
//! it must speak, and one that looks like it where it must not (`tests/advice.rs`). Pure.

mod args;
mod bases;
mod context;
mod install;
mod mounts;

use super::data::{Advice, Report, Service, Step};
use crate::plan::dockerfile::{Dockerfile, Instruction, Stage};
use std::collections::{BTreeMap, BTreeSet};

/// Steps that take less are worth no advice, in seconds.
const WORTH_IT: f64 = 1.0;

/// What advice is drawn from.
pub struct Evidence<'a> {
    /// The run
    pub now: &'a Report,
    /// The last one before it that built anything
    pub last: Option<&'a Report>,
    /// The Dockerfiles, by service
    pub dockerfiles: &'a BTreeMap<String, Dockerfile>,
    /// Bases that are held by the lock file, by their names
    pub locked: &'a BTreeSet<String>,
    /// Whether the machine with all that it keeps is gone after the run
    pub goes_away: bool,
    /// The files of a service's context that `.dockerignore` lets through, with their sizes: asked only
    /// where it matters
    pub files: &'a dyn Fn(&str) -> Vec<(String, u64)>,
}

/// All advice, what costs most first.
pub fn advice(evidence: &Evidence) -> Vec<Advice> {
    let mut all = bases::moved(evidence);
    for build in builds(evidence) {
        all.extend(install::after_whole_context(&build));
        all.extend(args::volatile(&build));
        all.extend(mounts::caches(&build, evidence.goes_away));
        all.extend(context::not_copied(&build, evidence.files));
    }
    all.sort_by(|a, b| b.seconds.unwrap_or(0.0).total_cmp(&a.seconds.unwrap_or(0.0)));
    all
}

/// A service that was built, with its Dockerfile.
struct Build<'a> {
    service: &'a Service,
    /// Its report in the run before
    before: Option<&'a Service>,
    dockerfile: &'a Dockerfile,
    /// Its own steps, by line
    steps: BTreeMap<usize, &'a Step>,
    /// All that was done for it first
    all: Vec<&'a Step>,
    /// Its steps in the run before
    last: Vec<&'a Step>,
}

fn builds<'a>(evidence: &Evidence<'a>) -> Vec<Build<'a>> {
    let built = evidence.now.services.iter().filter(|service| service.outcome == "built");
    let build = |service: &'a Service| {
        let own = |report: &'a Report| -> Vec<&'a Step> {
            let is_own = |step: &&Step| step.services.first() == Some(&service.service);
            report.timeline.iter().filter(is_own).collect()
        };
        let all = own(evidence.now);
        let counted = all.iter().filter(|step| step.is_counted());
        let same = |other: &&Service| other.service == service.service;
        Some(Build {
            service,
            before: evidence.last.and_then(|last| last.services.iter().find(same)),
            dockerfile: evidence.dockerfiles.get(&service.service)?,
            steps: counted.filter_map(|step| Some((step.line?, *step))).collect(),
            all,
            last: evidence.last.map(own).unwrap_or_default(),
        })
    };
    built.filter_map(build).collect()
}

impl<'a> Build<'a> {
    fn step(&self, instruction: &Instruction) -> Option<&'a Step> {
        self.steps.get(&instruction.lines.0).copied()
    }

    /// What came of the same instruction in the run before.
    fn result_before(&self, step: &Step) -> Option<&'a str> {
        let same = self.last.iter().find(|other| other.key() == step.key());
        same.map(|step| step.result.as_str())
    }

    /// Whether all counted steps of a stage before one were cached, and there is one.
    fn is_warm_before(&self, stage: &Stage, line: usize) -> bool {
        let before = stage.instructions.iter().filter(|it| it.lines.0 < line);
        let mut steps = before.filter_map(|it| self.step(it)).peekable();
        steps.peek().is_some() && steps.all(|step| step.result == "cached")
    }

    fn advice(&self, kind: &str, step: &Step, text: String) -> Advice {
        Advice {
            kind: kind.into(),
            service: self.service.service.clone(),
            step: Some(step.name.clone()),
            line: step.line,
            seconds: Some(super::data::rounded(step.seconds())),
            bytes: None,
            text,
        }
    }
}

/// An instruction as it is quoted: on one line, and not too long.
fn quoted(keyword: &str, text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().take(LONGEST).collect();
    let more = if short.len() < line.len() { "…" } else { "" };
    format!("`{keyword} {short}{more}`")
}

/// The words of an instruction, flags first.
fn flags_and_words(instruction: &Instruction) -> (Vec<&str>, Vec<&str>) {
    let words = instruction.text.split_whitespace();
    let flags: Vec<&str> = words.clone().take_while(|word| word.starts_with("--")).collect();
    let rest = words.skip(flags.len()).collect();
    (flags, rest)
}
