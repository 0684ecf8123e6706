//! What is said of a measurement when it is held to something. Pure.

use super::report::Row;
use super::scenario::Case;
use std::fmt;

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// A regression
    Worse,
    /// As it was, or as it has to be
    Same,
    /// An improvement
    Better,
    /// Cannot be told
    Unknown,
}

/// One thing that is said of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `noop pr warm`
    pub case: String,
    /// What it amounts to
    pub weight: Weight,
    /// The figures
    pub text: String,
}

impl Weight {
    /// Of what is the better the more there is of it.
    pub fn opposite(self) -> Self {
        match self {
            Self::Worse => Self::Better,
            Self::Better => Self::Worse,
            other => other,
        }
    }
}

impl Verdict {
    /// What is said of a row.
    pub fn of(row: &Row, weight: Weight, text: impl Into<String>) -> Self {
        Self { case: named(row.case), weight, text: text.into() }
    }
}

/// `noop pr warm`
pub fn named(case: Case) -> String {
    format!("{} {} {}", case.scenario.name(), case.event.name(), case.engine.name())
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.weight {
            Weight::Worse => "WORSE  ",
            Weight::Same => "same   ",
            Weight::Better => "better ",
            Weight::Unknown => "unknown",
        };
        write!(f, "{word}  {}: {}", self.case, self.text)
    }
}
