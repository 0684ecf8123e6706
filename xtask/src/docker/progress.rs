//! buildx's `--progress=rawjson` as a stream of lines, folded into a state. Pure, and tolerant of
//! what it does not know: an unknown field or line is passed over, never an error.

mod line;
mod step_name;

pub use step_name::StepName;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use line::{Line, RawVertex, seconds};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use step_name::with_target;

/// How many of the last lines of a step's log are kept.
const LOG_LINES: usize = 20;

/// What is known of a bake after the lines so far.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// buildx names a target only where there are several
    only_target: Option<String>,
    vertexes: BTreeMap<String, Vertex>,
    /// Lines that were not JSON: what buildx says at the end of a failure
    text: Vec<String>,
}

/// A step of a build; its last state counts.
#[derive(Clone, Debug, Default)]
pub struct Vertex {
    /// Each name that it was shown under: a vertex that targets share has several
    pub names: BTreeSet<String>,
    /// When it began, seconds since 1970
    pub started: Option<f64>,
    /// When it ended
    pub completed: Option<f64>,
    /// Whether its result was there already
    pub cached: bool,
    /// Why it failed
    pub error: Option<String>,
    /// The last lines that it printed
    pub log: VecDeque<String>,
    /// Digests of manifests that an exporting step wrote, in order
    exported: Vec<String>,
    /// The digest of the manifest that an exporting step wrote as a registry cache
    cache: Option<String>,
    partial: String,
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

/// Counts of one target's steps (RUN, COPY, ADD, WORKDIR).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// All that could be cached
    pub total: usize,
    /// Those that were
    pub cached: usize,
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
            if let Some(digest) = status.id.strip_prefix("writing cache image manifest ") {
                let vertex = self.vertexes.entry(status.vertex.clone()).or_default();
                vertex.cache = Some(digest.to_owned());
            }
            let exported = ["exporting manifest list ", "exporting manifest "];
            if let Some(digest) = exported.iter().find_map(|start| status.id.strip_prefix(start)) {
                let vertex = self.vertexes.entry(status.vertex).or_default();
                if vertex.exported.last().is_none_or(|last| last != digest) {
                    vertex.exported.push(digest.to_owned());
                }
            }
        }
        for log in line.logs {
            self.vertexes.entry(log.vertex).or_default().append(&log.data);
        }
        updates
    }

    fn vertex(&mut self, raw: RawVertex, updates: &mut Vec<Update>) {
        let name = match &self.only_target {
            Some(target) => with_target(&raw.name, target),
            None => raw.name,
        };
        let vertex = self.vertexes.entry(raw.digest).or_default();
        let (was_started, was_done) = (vertex.started.is_some(), vertex.completed.is_some());
        vertex.started = raw.started.as_deref().and_then(seconds).or(vertex.started);
        vertex.completed = raw.completed.as_deref().and_then(seconds).or(vertex.completed);
        vertex.cached |= raw.cached;
        if !raw.error.is_empty() {
            vertex.error = Some(raw.error);
        }
        let first_name = vertex.names.is_empty();
        vertex.names.insert(name.clone());
        let step = StepName::parse(&name);
        let ended = vertex.completed.is_some() && !was_done;
        let exports = ["exporting to image", "exporting to oci image format"];
        if exports.contains(&step.text) && ended && vertex.error.is_none() {
            updates.extend(step.target.map(|target| Update::Exported(target.to_owned())));
        }
        if step.number.is_none() || step.text.starts_with("FROM ") {
            return;
        }
        if vertex.started.is_some() && !was_started && first_name && !vertex.cached {
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
                log: vertex.log.iter().cloned().chain(vertex.rest()).collect(),
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
        self.done(target).find_map(|vertex| vertex.exported.last()).map(String::as_str)
    }

    /// The digest of the manifest of the registry cache that was written for a target.
    pub fn cache(&self, target: &str) -> Option<&str> {
        self.done(target).find_map(|vertex| vertex.cache.as_deref())
    }

    /// The steps of a target that ended well.
    fn done(&self, target: &str) -> impl Iterator<Item = &Vertex> {
        let of_target = move |vertex: &&Vertex| {
            vertex.names.iter().any(|name| StepName::parse(name).target == Some(target))
        };
        let is_done = |vertex: &&Vertex| vertex.completed.is_some() && vertex.error.is_none();
        self.vertexes.values().filter(of_target).filter(is_done)
    }

    /// Counts a target's steps as they were shown under its name.
    pub fn steps(&self, target: &str) -> Steps {
        let mut steps = Steps::default();
        for vertex in self.vertexes.values() {
            let of_target = vertex.names.iter().map(|name| StepName::parse(name)).any(|name| {
                name.target == Some(target)
                    && name.number.is_some()
                    && !name.text.starts_with("FROM ")
            });
            if of_target && vertex.completed.is_some() && vertex.error.is_none() {
                steps.total += 1;
                steps.cached += usize::from(vertex.cached);
            }
        }
        steps
    }

    /// From the beginning of a target's first step to the end of its last, in seconds.
    pub fn seconds(&self, target: &str) -> f64 {
        let of_target = self.vertexes.values().filter(|vertex| {
            vertex.names.iter().any(|name| StepName::parse(name).target == Some(target))
        });
        let times = of_target.filter_map(|vertex| vertex.started.zip(vertex.completed));
        let span = times.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        span.map_or(0.0, |(start, end)| end - start)
    }

    /// Names of the steps that are at work now, with the second at which they began.
    pub fn running(&self) -> Vec<(&str, f64)> {
        let at_work = self.vertexes.values().filter(|v| v.completed.is_none());
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

impl Vertex {
    /// How long it took, or 0 while it runs.
    pub fn seconds(&self) -> f64 {
        self.started.zip(self.completed).map_or(0.0, |(start, end)| (end - start).max(0.0))
    }

    fn append(&mut self, base64: &str) {
        self.partial
            .push_str(&String::from_utf8_lossy(&STANDARD.decode(base64).unwrap_or_default()));
        while let Some((line, rest)) = self.partial.split_once('\n') {
            self.log.push_back(line.trim_end_matches('\r').to_owned());
            self.partial = rest.to_owned();
            if self.log.len() > LOG_LINES {
                self.log.pop_front();
            }
        }
    }

    fn rest(&self) -> Option<String> {
        (!self.partial.is_empty()).then(|| self.partial.clone())
    }
}

fn is_cancel(error: &str) -> bool {
    error.contains("context canceled") || error.contains("Canceled")
}

#[cfg(test)]
mod tests;
