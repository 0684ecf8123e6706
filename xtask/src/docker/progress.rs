//! buildx's `--progress=rawjson` as a stream of lines, folded into a state. Pure, and tolerant of
//! what it does not know: an unknown field or line is passed over, never an error.

mod counts;
mod line;
mod step_name;
mod vertex;

pub use counts::Steps;
pub use step_name::StepName;
pub use vertex::{Run, Status, Vertex, Warning};

use line::{Line, RawVertex};
use std::collections::{BTreeMap, BTreeSet};
use step_name::with_target;
use vertex::is_cancel;

/// What is known of a bake after the lines so far.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// buildx names a target only where there are several
    only_target: Option<String>,
    vertexes: BTreeMap<String, Vertex>,
    /// Lines that were not JSON: what buildx says at the end of a failure
    text: Vec<String>,
    /// How it ended
    ended: Option<bool>,
}

/// Something worth telling at once.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// A step of an instruction began
    Started(String),
    /// A step of an instruction ended after so many seconds
    Done(String, f64),
    /// A step was there already
    Cached(String),
    /// A step failed
    Failed(String),
    /// The target's image is written
    Exported(String),
    /// Something is tried again
    Again(String),
}

/// The first thing that went wrong, without what was only cancelled because of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedStep {
    /// The targets under which it was shown
    pub targets: BTreeSet<String>,
    /// The name without the target: `[builder 3/6] RUN make`
    pub name: String,
    /// What BuildKit says
    pub error: String,
    /// The last lines of its log
    pub log: Vec<String>,
}

impl Progress {
    /// For a bake of these targets.
    pub fn new(targets: &[String]) -> Self {
        let only_target = if let [only] = targets { Some(only.clone()) } else { None };
        Self { only_target, ..Self::default() }
    }

    /// Takes one line of buildx's standard error.
    pub fn line(&mut self, line: &str) -> Vec<Update> {
        if !line.starts_with('{') {
            if !line.trim().is_empty() {
                self.text.push(line.to_owned());
            }
            return Vec::new();
        }
        let Ok(line) = serde_json::from_str::<Line>(line) else { return Vec::new() };
        let mut updates = Vec::new();
        for raw in line.vertexes {
            self.vertex(raw, &mut updates);
        }
        for status in line.statuses {
            self.entry(&status.vertex).take_status(status);
        }
        for log in line.logs {
            self.entry(&log.vertex).take_log(&log);
        }
        for warning in line.warnings {
            self.entry(&warning.vertex).take_warning(warning);
        }
        updates
    }

    /// Nothing more is to come: buildx has ended, well or not.
    pub fn end(&mut self, success: bool) {
        self.ended = Some(success);
    }

    /// Whether buildx has ended, and whether well.
    pub fn ended(&self) -> Option<bool> {
        self.ended
    }

    fn entry(&mut self, digest: &str) -> &mut Vertex {
        let new = || Vertex { digest: digest.to_owned(), ..Vertex::default() };
        self.vertexes.entry(digest.to_owned()).or_insert_with(new)
    }

    fn vertex(&mut self, raw: RawVertex, updates: &mut Vec<Update>) {
        let name = match &self.only_target {
            Some(target) => with_target(&raw.name, target),
            None => raw.name.clone(),
        };
        let vertex = self.entry(&raw.digest);
        let (was_started, was_done) = (vertex.started.is_some(), vertex.completed.is_some());
        vertex.take(raw, &name);
        let step = StepName::parse(&name);
        let ended = vertex.completed.is_some() && !was_done;
        if step.is_export() && ended && vertex.error.is_none() {
            updates.extend(step.target.map(|target| Update::Exported(target.to_owned())));
        }
        if !step.is_step() {
            return;
        }
        if vertex.started.is_some() && !was_started && !vertex.cached {
            updates.push(Update::Started(name.clone()));
        }
        if ended {
            updates.push(match &vertex.error {
                Some(error) if is_cancel(error) => return,
                Some(_) => Update::Failed(name),
                None if vertex.cached => Update::Cached(name),
                None => Update::Done(name, vertex.seconds()),
            });
        }
    }

    /// The steps that failed by themselves.
    pub fn failed_steps(&self) -> Vec<FailedStep> {
        let mut failed = Vec::new();
        for vertex in self.vertexes.values() {
            let Some(error) = vertex.error.as_ref().filter(|error| !is_cancel(error)) else {
                continue;
            };
            let numbered = vertex.names.iter().find(|name| StepName::parse(name).number.is_some());
            let Some(name) = numbered else { continue };
            let targets = vertex.names.iter().filter_map(|name| StepName::parse(name).target);
            failed.push(FailedStep {
                targets: targets.map(str::to_owned).collect(),
                name: StepName::parse(name).without_target(),
                error: error.clone(),
                log: vertex.tail(),
            });
        }
        failed
    }

    /// What buildx said at the end: the target that it names, and the text.
    ///
    /// This is all there is where no step failed: a Dockerfile that cannot be parsed, a registry
    /// that refuses a push.
    pub fn last_words(&self) -> (Option<String>, String) {
        let error = self.text.iter().rev().find_map(|line| line.strip_prefix("ERROR: "));
        let Some(error) = error else { return (None, self.text.join("\n")) };
        let named = error.strip_prefix("target ").and_then(|rest| rest.split_once(": "));
        match named {
            Some((target, text)) => (Some(target.to_owned()), text.to_owned()),
            None => (self.only_target.clone(), error.to_owned()),
        }
    }

    /// The digest of the index (or manifest) that was written for a target.
    pub fn digest(&self, target: &str) -> Option<&str> {
        self.done(target).find_map(Vertex::exported)
    }

    /// The digest of the manifest of the registry cache that was written for a target.
    pub fn cache(&self, target: &str) -> Option<&str> {
        self.done(target).find_map(Vertex::cache_manifest)
    }

    fn done(&self, target: &str) -> impl Iterator<Item = &Vertex> {
        self.vertexes.values().filter(move |vertex| vertex.is_of(target) && vertex.is_done())
    }

    /// Names of the steps that are at work now, with the second at which they began.
    pub fn running(&self) -> Vec<(&str, f64)> {
        let at_work = self.vertexes.values().filter(|vertex| vertex.is_running());
        let named = at_work.filter_map(|v| Some((v.names.first()?.as_str(), v.started?)));
        named.filter(|(name, _)| StepName::parse(name).target.is_some()).collect()
    }

    /// Errors of steps that a build survives: a cache that could not be read or written.
    pub fn cache_warnings(&self) -> Vec<String> {
        let about_caches = self.vertexes.values().filter(|vertex| {
            vertex.names.iter().any(|name| {
                let text = StepName::parse(name).text;
                text.starts_with("importing cache") || text.starts_with("exporting cache")
            })
        });
        let with_error = about_caches.filter_map(|v| Some((v.names.first()?, v.error.as_ref()?)));
        with_error.filter(|(_, e)| !is_cancel(e)).map(|(name, e)| format!("{name}: {e}")).collect()
    }
}

#[cfg(test)]
mod tests;
