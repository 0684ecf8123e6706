//! One step of a build, and what is known of it.

use super::line::{RawLog, RawStatus, RawVertex, RawWarning, decoded, seconds};
use super::step_name::StepName;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many of the last lines of a step's log are kept.
const LOG_LINES: usize = 20;
/// A line that is longer is cut into several: a step may print without end and without a newline.
const LINE_BYTES: usize = 4096;

/// A step of a build; its last state counts.
#[derive(Clone, Debug, Default)]
pub struct Vertex {
    /// What it is known by; a step that targets share has one
    pub digest: String,
    /// Digests of the steps whose results it takes
    pub inputs: Vec<String>,
    /// Each name that it was shown under: a vertex that targets share has several
    pub names: BTreeSet<String>,
    /// When it began (the last time), seconds since 1970
    pub started: Option<f64>,
    /// When it ended, if it does not run now
    pub completed: Option<f64>,
    /// Each time that it ran, in order: BuildKit runs some steps once a target
    pub runs: Vec<Run>,
    /// Whether its result was there already
    pub cached: bool,
    /// Why it failed
    pub error: Option<String>,
    /// What it does one after the other or beside each other: transfers, pulls, exports
    pub statuses: Vec<Status>,
    /// What BuildKit has to say of the Dockerfile
    pub warnings: Vec<Warning>,
    /// The last lines that it printed
    pub log: VecDeque<String>,
    /// The begun lines of standard output and of standard error, which come one into the other
    pub(super) partial: BTreeMap<i64, Vec<u8>>,
    /// What was told of it under each name
    pub(super) told: BTreeMap<String, Told>,
}

/// What one target told of a step: each has its own clock reading, and its own cache.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    runs: Vec<Run>,
    cached: bool,
}

/// One time that a step ran.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// Seconds since 1970
    pub started: f64,
    /// None while it runs
    pub completed: Option<f64>,
}

/// A part of a step's work.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// What it is: `transferring context:`, `exporting layers`, `sha256:…` of a layer that is pulled
    pub id: String,
    /// So far; bytes where it moves any
    pub current: u64,
    /// Of so many; 0 where that is not known
    pub total: u64,
    /// When it began, seconds since 1970
    pub started: Option<f64>,
    /// When it ended
    pub completed: Option<f64>,
}

/// A remark on a Dockerfile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warning {
    /// In one line
    pub short: String,
    /// More
    pub detail: Vec<String>,
    /// Where it is explained
    pub url: String,
    /// The Dockerfile, as buildx was given it
    pub file: String,
    /// First and last line, from 1
    pub lines: Option<(usize, usize)>,
}

impl Vertex {
    /// How long it took (the last time), or 0 while it runs.
    pub fn seconds(&self) -> f64 {
        self.started.zip(self.completed).map_or(0.0, |(start, end)| (end - start).max(0.0))
    }

    /// Whether it is at work now.
    pub fn is_running(&self) -> bool {
        self.started.is_some() && self.completed.is_none()
    }

    /// Whether it ended well.
    pub fn is_done(&self) -> bool {
        self.completed.is_some() && self.error.is_none()
    }

    /// Whether it was stopped because of something else.
    pub fn is_canceled(&self) -> bool {
        self.error.as_deref().is_some_and(is_cancel)
    }

    /// Whether it is a step of a Dockerfile that could come from a cache: RUN, COPY, ADD, WORKDIR.
    pub fn is_step(&self) -> bool {
        self.names.iter().any(|name| StepName::parse(name).is_step())
    }

    /// Whether it was shown under this target.
    pub fn is_of(&self, target: &str) -> bool {
        self.names.iter().any(|name| StepName::parse(name).target == Some(target))
    }

    /// Whether its result was there already for this target: what one target has built is there for
    /// the next.
    pub fn is_cached_for(&self, target: &str) -> bool {
        let of_target = |name: &str| StepName::parse(name).target == Some(target);
        let mut own = self.told.iter().filter(|(name, _)| of_target(name)).peekable();
        match own.peek() {
            Some(_) => own.any(|(_, told)| told.cached),
            None => self.cached,
        }
    }

    /// Bytes that it brought here: layers of images and caches, files of contexts.
    pub fn bytes(&self) -> u64 {
        self.statuses.iter().filter(|s| s.is_transfer()).map(|s| s.current).sum()
    }

    /// The digest of the index (else the manifest) that it wrote as an image.
    pub fn exported(&self) -> Option<&str> {
        let of = |start: &str| {
            let ids = self.statuses.iter().rev();
            ids.map(|s| s.id.as_str()).find_map(|id| id.strip_prefix(start))
        };
        of("exporting manifest list ").or_else(|| of("exporting manifest "))
    }

    /// The digest of the manifest that it wrote as a registry cache.
    pub fn cache_manifest(&self) -> Option<&str> {
        let ids = self.statuses.iter().rev().map(|status| status.id.as_str());
        ids.into_iter().find_map(|id| id.strip_prefix("writing cache image manifest "))
    }

    /// The end of its log, with a last line that has no newline yet.
    pub fn tail(&self) -> Vec<String> {
        let rest = self.partial.values().filter(|rest| !rest.is_empty());
        let rest = rest.map(|rest| String::from_utf8_lossy(rest).into_owned());
        self.log.iter().cloned().chain(rest).collect()
    }

    /// Takes what is told of it under a name.
    pub(super) fn take(&mut self, raw: RawVertex, name: &str) {
        if let Some(inputs) = raw.inputs.filter(|inputs| !inputs.is_empty()) {
            self.inputs = inputs;
        }
        self.cached |= raw.cached;
        if !raw.error.is_empty() {
            self.error = Some(raw.error);
        }
        if !self.names.contains(name) {
            self.names.insert(name.to_owned());
        }
        let told = self.told.entry(name.to_owned()).or_default();
        told.cached |= raw.cached;
        let Some(started) = raw.started.as_deref().and_then(seconds) else { return };
        let completed = raw.completed.as_deref().and_then(seconds);
        match told.runs.iter_mut().find(|run| run.started.to_bits() == started.to_bits()) {
            Some(run) => run.completed = completed.or(run.completed),
            None => told.runs.push(Run { started, completed }),
        }
        self.runs = merged(self.told.values().flat_map(|told| told.runs.iter().copied()).collect());
        let last = self.runs.last();
        self.started = last.map(|run| run.started);
        self.completed = last.and_then(|run| run.completed);
    }

    pub(super) fn take_status(&mut self, raw: RawStatus) {
        let status = Status {
            current: u64::try_from(raw.current).unwrap_or_default(),
            total: u64::try_from(raw.total).unwrap_or_default(),
            started: raw.started.as_deref().and_then(seconds),
            completed: raw.completed.as_deref().and_then(seconds),
            id: raw.id,
        };
        match self.statuses.iter_mut().rev().find(|known| known.id == status.id) {
            Some(known) => *known = status,
            None => self.statuses.push(status),
        }
    }

    pub(super) fn take_warning(&mut self, raw: RawWarning) {
        let text = |base64: &String| String::from_utf8_lossy(&decoded(base64)).into_owned();
        let range = raw.range.as_ref().and_then(|ranges| ranges.first());
        let warning = Warning {
            short: text(&raw.short),
            detail: raw.detail.iter().flatten().map(text).collect(),
            url: raw.url,
            file: raw.source.map(|source| source.filename).unwrap_or_default(),
            lines: range.map(|range| (range.start.line, range.end.line)),
        };
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    pub(super) fn take_log(&mut self, raw: &RawLog) {
        let mut rest = self.partial.remove(&raw.stream).unwrap_or_default();
        rest.extend(decoded(&raw.data));
        let mut start = 0;
        while let Some(length) = line_length(&rest[start..]) {
            self.push_line(&rest[start..start + length]);
            start += length;
        }
        rest.drain(..start);
        self.partial.insert(raw.stream, rest);
    }

    fn push_line(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        self.log.push_back(line.trim_end_matches(['\n', '\r']).to_owned());
        if self.log.len() > LOG_LINES {
            self.log.pop_front();
        }
    }
}

impl Status {
    /// Whether what it counts are bytes that come here.
    pub fn is_transfer(&self) -> bool {
        self.id.starts_with("sha256:") || self.id.starts_with("transferring ")
    }
}

/// The length of the first line of a log, if it is whole.
fn line_length(text: &[u8]) -> Option<usize> {
    let end = text.iter().take(LINE_BYTES).position(|byte| *byte == b'\n').map(|at| at + 1);
    end.or((text.len() > LINE_BYTES).then_some(LINE_BYTES))
}

/// Targets that wait for the same run tell of it each for itself.
fn merged(mut runs: Vec<Run>) -> Vec<Run> {
    runs.sort_by(|a, b| a.started.total_cmp(&b.started));
    let mut merged: Vec<Run> = Vec::new();
    for run in runs {
        match merged.last_mut() {
            Some(last) if last.completed.is_none_or(|end| run.started < end) => {
                last.completed = last.completed.zip(run.completed).map(|(a, b)| a.max(b));
            }
            _ => merged.push(run),
        }
    }
    merged
}

pub(super) fn is_cancel(error: &str) -> bool {
    error.contains("context canceled") || error.contains("Canceled")
}
