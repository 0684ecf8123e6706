//! Where each service of a run is, as one table for people. Pure: it is given what buildx tells
//! and the time, and gives lines.

mod layout;
mod rest;
mod watch;

pub use layout::{Line, Size, Tone};
pub use watch::{Change, said};

use crate::plan::{Action, Plan};
use std::collections::BTreeMap;

/// All services of a run.
#[derive(Clone, Debug, Default)]
pub struct Board {
    rows: Vec<Row>,
    places: BTreeMap<String, usize>,
    /// By how much the builder's news come late, or its clock goes after ours
    delay: Option<f64>,
}

/// One service.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// Its name
    pub service: String,
    /// What it builds on, as far as that is built too
    pub needs: Vec<String>,
    /// Where it is
    pub state: State,
    /// When its first step began, by the builder's clock
    pub began: Option<f64>,
    /// When its last step so far ended
    pub ended: Option<f64>,
    /// Steps that could be cached, and those that were
    pub steps: (usize, usize),
    /// What it has brought here
    pub bytes: u64,
    /// The seconds that it takes usually
    pub usual: Option<f64>,
}

/// Where a service is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum State {
    /// Nothing of it has begun
    #[default]
    Waiting,
    /// It is built
    Running(Option<Doing>),
    /// Nothing more is to come
    Done(Done),
}

/// What is at work for a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Doing {
    /// The step: `builder 3/6 RUN make`
    pub step: String,
    /// Since when, by the builder's clock
    pub since: f64,
    /// Bytes so far, and of how many where that is known
    pub bytes: (u64, u64),
}

/// What came of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Done {
    /// Built
    Built,
    /// Built, with every step from a cache
    Cached,
    /// Its image was there
    Skipped,
    /// Its image was there, and gets more tags
    Promoted,
    /// A step of it failed
    Failed,
}

impl Done {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Built => "built",
            Self::Cached => "cached",
            Self::Skipped => "skipped",
            Self::Promoted => "promoted",
            Self::Failed => "failed",
        }
    }
}

impl Board {
    /// Nothing has begun. `usual` are the seconds that services took in earlier runs.
    pub fn new(plan: &Plan, usual: &BTreeMap<String, f64>) -> Self {
        let built: Vec<&str> = plan.built().map(|plan| plan.service.as_str()).collect();
        let rows = plan.services.iter().map(|plan| Row {
            service: plan.service.clone(),
            needs: plan
                .depends_on
                .iter()
                .filter(|on| built.contains(&on.as_str()))
                .cloned()
                .collect(),
            state: match plan.action {
                Action::Build => State::Waiting,
                Action::Skip => State::Done(Done::Skipped),
                Action::Promote => State::Done(Done::Promoted),
            },
            usual: usual.get(&plan.service).copied(),
            ..Row::default()
        });
        Self::of(rows.collect())
    }

    /// Of these rows.
    pub fn of(rows: Vec<Row>) -> Self {
        let places = rows.iter().enumerate().map(|(place, row)| (row.service.clone(), place));
        Self { places: places.collect(), rows, delay: None }
    }

    /// In the order of the plan.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How many are where.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for row in &self.rows {
            match &row.state {
                State::Waiting => counts.waiting += 1,
                State::Running(_) => counts.running += 1,
                State::Done(done) => *counts.done.entry(*done).or_default() += 1,
            }
        }
        counts
    }

    /// What is known of the builder's clock, given ours.
    fn builders(&self, now: f64) -> f64 {
        now - self.delay.unwrap_or_default()
    }
}

/// How many services are where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Not begun
    pub waiting: usize,
    /// At work
    pub running: usize,
    /// By what came of them
    pub done: BTreeMap<Done, usize>,
}

impl Counts {
    /// All that nothing more is to come of.
    pub fn all_done(&self) -> usize {
        self.done.values().sum()
    }

    /// `3 built, 2 cached, 1 failed`.
    pub fn by_outcome(&self) -> String {
        let parts = self.done.iter().map(|(done, number)| format!("{number} {}", done.name()));
        parts.collect::<Vec<_>>().join(", ")
    }
}

impl Row {
    /// From its first step to its last.
    pub fn seconds(&self) -> f64 {
        self.began.zip(self.ended).map_or(0.0, |(began, ended)| (ended - began).max(0.0))
    }

    /// What is said of one that is done: `built in 12 s (6 steps, 2 cached)`.
    pub fn said(&self) -> String {
        let took = super::seconds(self.seconds());
        match self.state {
            State::Done(Done::Built | Done::Cached) => {
                let came_to = self.came_to();
                let (done, steps) = came_to.split_once(' ').unwrap_or((&came_to, ""));
                format!("{done} in {took} {steps}").trim_end().to_owned()
            }
            State::Done(Done::Failed) => format!("failed after {took}"),
            _ => self.came_to(),
        }
    }

    /// The same without its time: `built (6 steps, 2 cached)`.
    fn came_to(&self) -> String {
        match (&self.state, self.steps) {
            (State::Done(Done::Built), (total, cached)) if total > 0 => {
                format!("built ({}, {cached} cached)", super::count(total, "step"))
            }
            (State::Done(Done::Cached), _) => "built (all cached)".to_owned(),
            (State::Done(done), _) => done.name().to_owned(),
            _ => String::new(),
        }
    }
}
