//! What makes a release a release: records, journals and withdrawals (DESIGN 4.6). Pure.
//!
//! All of it lies as small artifacts in `<registry>/releases`; which there are is told by their tags.

mod journal;

pub use journal::{Journal, Move, Placed, Record};

use crate::context::event::version_of_tag;
use semver::Version;
use std::collections::BTreeSet;

/// The repository of records, below the project's registry.
pub const REPOSITORY: &str = "releases";

/// Which versions there are records, journals and withdrawals of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Releases {
    /// Versions with a record: releases that are, or were, whole
    pub records: BTreeSet<Version>,
    /// Versions that were taken back
    pub withdrawn: BTreeSet<Version>,
    /// Versions that a publish was begun of
    pub journals: BTreeSet<Version>,
}

impl Releases {
    /// From the tags of the repository; tags that are none of ours are passed over.
    pub fn of_tags<'a>(tags: impl IntoIterator<Item = &'a str>) -> Self {
        let mut releases = Self::default();
        for tag in tags {
            let (of, version) = match tag.split_once('-') {
                Some(("journal", rest)) => (&mut releases.journals, rest),
                Some(("withdrawn", rest)) => (&mut releases.withdrawn, rest),
                _ => (&mut releases.records, tag),
            };
            of.extend(version_of_tag(version).ok());
        }
        releases
    }

    /// Versions that are released: whole, and not taken back.
    pub fn standing(&self) -> impl Iterator<Item = &Version> {
        self.records.difference(&self.withdrawn)
    }

    /// Versions that were begun and neither ended nor taken back.
    pub fn unfinished(&self) -> impl Iterator<Item = &Version> {
        self.journals.iter().filter(|v| !self.records.contains(v) && !self.withdrawn.contains(v))
    }

    /// The versions that count for where shared tags stand. Where there is no record at all yet,
    /// these are the services' own version tags (`adopted`).
    pub fn counting(&self, adopted: &[Version]) -> Vec<Version> {
        if self.records.is_empty() {
            return adopted.iter().filter(|v| !self.withdrawn.contains(v)).cloned().collect();
        }
        self.standing().cloned().collect()
    }
}

/// The tag of a version's record.
pub fn record_tag(version: &Version) -> String {
    format!("v{version}")
}

/// The tag of a version's journal.
pub fn journal_tag(version: &Version) -> String {
    format!("journal-v{version}")
}

/// The tag that says that a version was taken back.
pub fn withdrawn_tag(version: &Version) -> String {
    format!("withdrawn-v{version}")
}

#[cfg(test)]
mod tests;
