//! A job and the rules by which runners hold it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Millis;

/// A job: one pushed ref to work on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Job {
    /// Counts up; the order in which jobs are handed out.
    pub id: i64,
    /// Where it stands.
    pub state: State,
    /// The id of the push event that made it.
    pub event: String,
    /// `name` or `folder/name`
    pub repository: String,
    /// The full name, as `refs/heads/main`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Where the ref stood.
    pub before: String,
    /// Where it stands.
    pub after: String,
    /// Who pushed.
    pub pusher: String,
    /// How often it was claimed.
    pub attempts: u32,
    /// Who claimed it last.
    pub runner: Option<String>,
    /// Why it failed, where the coordinator knows better than the runner.
    pub reason: Option<String>,
    /// When its event came in.
    pub created_at: Millis,
    /// Until when its runner holds it.
    pub lease_expires_at: Option<Millis>,
    /// When it ended.
    pub finished_at: Option<Millis>,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Waits for a runner.
    Queued,
    /// Held by a runner.
    Running,
    /// Ended well.
    Success,
    /// Ended badly, or given up.
    Failure,
}

/// How a runner says that a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Ended well.
    Success,
    /// Ended badly. It is not tried again: only a lost runner is.
    Failure,
}

/// How long a runner holds a job without a word, and how many runners may lose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The length of a lease.
    pub lease: Duration,
    /// After so many expired leases a job has failed.
    pub max_attempts: u32,
}

impl Rules {
    /// When a lease that is given `now` ends.
    pub fn expiry(self, now: Millis) -> Millis {
        now.saturating_add(Millis::try_from(self.lease.as_millis()).unwrap_or(Millis::MAX))
    }
}

impl State {
    /// As it stands in the database and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

impl From<Outcome> for State {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Success,
            Outcome::Failure => Self::Failure,
        }
    }
}
