//! What is measured: scenarios, and the cases that each consists of. Pure.

use crate::context::event::Kind;
use crate::plan::tags::{Known, tags};
use clap::ValueEnum;
use semver::Version;
use serde::{Deserialize, Serialize};

/// A kind of work. They run in this order: each leaves published what the next starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// The first build of all services, published
    Cold,
    /// Nothing changed: as a pull request and as a push, on a warm and on an empty engine
    Noop,
    /// Everything built again from the caches of the registry, on an empty engine: nothing is skipped
    Warm,
    /// A commit that changes no service, published
    DevCommit,
    /// One file of one service changed: as a pull request and as a push
    OneEdit,
    /// One file of a service changed that others build on: as a pull request and as a push
    BaseEdit,
    /// A pull request that changes one file, on an empty engine
    Pr,
    /// A release of what `dev` has published
    Release,
    /// A plan of an unchanged tree, against a registry that has nothing
    Plan,
}

/// What a run is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A pull request: the cache is read, nothing is pushed
    Pr,
    /// A push to `dev`: images, tags and caches are pushed
    Dev,
    /// A version tag: five tags of each image
    Release,
}

/// What an engine knows beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Nothing, and its registry is empty too
    New,
    /// What it has built before
    Warm,
    /// Nothing; the registry has what was published
    Fresh,
    /// There is none
    #[serde(rename = "none")]
    Without,
}

/// What is committed before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change {
    /// Nothing
    #[default]
    Nothing,
    /// A file that no service sends
    Elsewhere,
    /// A file of a service that nothing builds on
    Leaf,
    /// A file of a service that others build on, where there is one
    Base,
}

/// One row of the table for all contestants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Case {
    /// The scenario
    pub scenario: Scenario,
    /// What the run is taken for
    pub event: Event,
    /// What the engine knows
    pub engine: Engine,
    /// What is committed before
    #[serde(skip)]
    pub change: Change,
}

impl Case {
    /// Whether it is the same case, of whichever run.
    pub fn is_as(self, other: Self) -> bool {
        let key = |case: Self| (case.scenario, case.event, case.engine);
        key(self) == key(other)
    }
}

impl Scenario {
    /// What it consists of.
    pub fn cases(self) -> Vec<Case> {
        use Change::{Base, Elsewhere, Leaf, Nothing};
        use Engine::{Fresh, New, Warm, Without};
        use Event::{Dev, Pr};
        let case = |event, engine, change| Case { scenario: self, event, engine, change };
        match self {
            Self::Cold => vec![case(Dev, New, Nothing)],
            Self::Noop => vec![
                case(Pr, Warm, Nothing),
                case(Dev, Warm, Nothing),
                case(Pr, Fresh, Nothing),
                case(Dev, Fresh, Nothing),
            ],
            Self::Warm => vec![case(Pr, Fresh, Nothing), case(Dev, Fresh, Nothing)],
            Self::DevCommit => vec![case(Dev, Warm, Elsewhere)],
            Self::OneEdit => vec![case(Pr, Warm, Leaf), case(Dev, Warm, Leaf)],
            Self::BaseEdit => vec![case(Pr, Warm, Base), case(Dev, Warm, Base)],
            Self::Pr => vec![case(Pr, Fresh, Leaf)],
            Self::Release => vec![case(Event::Release, Warm, Elsewhere)],
            Self::Plan => vec![case(Pr, Without, Nothing)],
        }
    }

    /// As it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Noop => "noop",
            Self::Warm => "warm",
            Self::DevCommit => "dev-commit",
            Self::OneEdit => "one-edit",
            Self::BaseEdit => "base-edit",
            Self::Pr => "pr",
            Self::Release => "release",
            Self::Plan => "plan",
        }
    }
}

impl Event {
    /// As it is written everywhere, and as `--event` takes those that are no release.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pr => "pr",
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }

    /// The tags that it moves (DESIGN 4.3). The n-th release is v0.1.n.
    pub fn tags(self, revision: &str, release: u64) -> Vec<String> {
        let kind = match self {
            Self::Pr => Kind::Pr,
            Self::Dev => Kind::Dev,
            Self::Release => Kind::Release(Version::new(0, 1, release)),
        };
        tags(&kind, revision, &Known::Known(Vec::new())).moves
    }
}

impl Engine {
    /// As it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Warm => "warm",
            Self::Fresh => "fresh",
            Self::Without => "none",
        }
    }
}

/// The contestants of a run in the order in which they come: each is first as often as any other.
pub fn rotated<T: Copy>(contestants: &[T], run: usize) -> Vec<T> {
    let mut order = contestants.to_vec();
    if !order.is_empty() {
        order.rotate_left(run % contestants.len());
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line_and_of_the_report() {
        for scenario in Scenario::value_variants() {
            let value = scenario.to_possible_value().unwrap();
            assert_eq!(value.get_name(), scenario.name());
            assert_eq!(serde_json::to_value(scenario).unwrap(), scenario.name());
        }
    }

    #[test]
    fn everyone_is_first_once() {
        assert_eq!(rotated(&[1, 2, 3], 0), [1, 2, 3]);
        assert_eq!(rotated(&[1, 2, 3], 1), [2, 3, 1]);
        assert_eq!(rotated(&[1, 2, 3], 5), [3, 1, 2]);
        assert!(rotated(&[] as &[u8], 4).is_empty());
    }
}
