//! Takes what buildx tells into the table.

use super::{Board, Doing, Done, Row, State};
use crate::docker::bake::service_name;
use crate::docker::progress::{Progress, StepName, Vertex};
use crate::report::text::on_one_line;
use std::collections::BTreeMap;

/// What happened to a service since the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Its first step began
    Began,
    /// Nothing more is to come
    Ended,
}

/// What one bake has told of a target so far.
#[derive(Default)]
struct Told<'a> {
    began: Option<f64>,
    ended: Option<f64>,
    doing: Option<(&'a Vertex, StepName<'a>)>,
    bytes: u64,
    exported: bool,
    failed: bool,
    canceled: bool,
}

impl Board {
    /// Takes the state of a bake, and gives what has changed by it.
    pub fn take(&mut self, progress: &Progress, now: f64) -> Vec<(usize, Change)> {
        let mut all: BTreeMap<&str, Told> = BTreeMap::new();
        for vertex in progress.vertexes() {
            if let Some(run) = vertex.runs.last() {
                let late = now - run.completed.unwrap_or(run.started);
                self.delay = Some(self.delay.map_or(late, |delay| delay.min(late)));
            }
            for name in &vertex.names {
                let step = StepName::parse(name);
                if let Some(target) = step.target {
                    all.entry(target).or_default().add(vertex, step);
                }
            }
        }
        let mut changes = Vec::new();
        for (target, mut told) in all {
            // What writes a cache alone exports no image.
            told.exported |= progress.ended() == Some(true);
            let Some(place) = self.places.get(&service_name(target)).copied() else { continue };
            let row = &mut self.rows[place];
            let change = row.update(&told);
            if change == Some(Change::Ended) {
                let steps = progress.steps(target);
                row.count(steps.total, steps.cached);
            }
            changes.extend(change.map(|change| (place, change)));
        }
        changes
    }
}

impl<'a> Told<'a> {
    fn add(&mut self, vertex: &'a Vertex, step: StepName<'a>) {
        let (first, last) = (vertex.runs.first(), vertex.runs.last());
        let earlier = |a: f64, b: f64| a.min(b);
        self.began = min_of(self.began, first.map(|run| run.started), earlier);
        self.ended = min_of(self.ended, last.and_then(|run| run.completed), f64::max);
        self.bytes += vertex.bytes();
        let about_a_cache = step.text.contains("porting cache");
        self.failed |= vertex.error.is_some() && !vertex.is_canceled() && !about_a_cache;
        self.canceled |= vertex.is_canceled();
        self.exported |= step.is_export() && vertex.is_done();
        // Of several the one that began last, and rather an instruction than BuildKit's own.
        let rank = |vertex: &Vertex, step: &StepName| (step.number.is_some(), vertex.started);
        if vertex.is_running()
            && self.doing.as_ref().is_none_or(|(v, s)| rank(vertex, &step) > rank(v, s))
        {
            self.doing = Some((vertex, step));
        }
    }
}

fn min_of(a: Option<f64>, b: Option<f64>, pick: fn(f64, f64) -> f64) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(pick(a, b)),
        (a, b) => a.or(b),
    }
}

impl Row {
    fn all_cached(&self) -> bool {
        self.steps.0 > 0 && self.steps.0 == self.steps.1
    }

    fn count(&mut self, total: usize, cached: usize) {
        self.steps = (total, cached);
        if self.all_cached() && self.state == State::Done(Done::Built) {
            self.state = State::Done(Done::Cached);
        }
    }

    fn update(&mut self, told: &Told) -> Option<Change> {
        // What is skipped or promoted may be read by others, under its own name.
        if matches!(self.state, State::Done(Done::Skipped | Done::Promoted)) {
            return None;
        }
        let had_begun = self.began.is_some();
        let was_done = matches!(self.state, State::Done(_));
        // What is tried again begins again.
        self.began = told.began.or(self.began);
        self.ended = told.ended;
        self.bytes = told.bytes;
        self.state = match &told.doing {
            _ if told.failed => State::Done(Done::Failed),
            Some((vertex, step)) => State::Running(Some(doing(vertex, step))),
            None if told.exported && self.all_cached() => State::Done(Done::Cached),
            None if told.exported => State::Done(Done::Built),
            // It is tried again, without what failed beside it.
            None if told.canceled => State::Waiting,
            None if told.began.is_some() => State::Running(None),
            None => State::Waiting,
        };
        let is_done = matches!(self.state, State::Done(_));
        match (had_begun, was_done, is_done) {
            (_, false, true) => Some(Change::Ended),
            (false, _, false) if self.began.is_some() => Some(Change::Began),
            _ => None,
        }
    }
}

/// `builder 3/6 RUN make`, on one line. What says nothing to a reader is left out: digests, mounts,
/// the numbers of stages without a name.
pub fn said(step: &StepName) -> String {
    let number = step.number.map(|(step, all)| format!("{step}/{all}"));
    let stage = step.stage.filter(|stage| *stage != "internal" && !stage.starts_with("stage-"));
    let words = step.platform.into_iter().chain(stage).chain(number.as_deref());
    let text = match step.text.split_once("@sha256:") {
        Some((image, _)) if step.text.starts_with("FROM ") => image,
        _ => step.text,
    };
    let text = on_one_line(text);
    let told = text.split(' ').filter(|word| !word.starts_with("--mount="));
    words.chain(told).collect::<Vec<_>>().join(" ")
}

fn doing(vertex: &Vertex, step: &StepName) -> Doing {
    let moving = vertex.statuses.iter().filter(|status| status.is_transfer());
    let bytes = moving.fold((0, 0), |(current, total), status| {
        (current + status.current, total + status.total.max(status.current))
    });
    Doing { step: said(step), since: vertex.started.unwrap_or_default(), bytes }
}
