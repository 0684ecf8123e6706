//! Records, journals and withdrawals of a project, in `<registry>/releases`.

use crate::docker::artifacts;
use crate::docker::registry::{Answer, Reason, Reference, Registry};
use crate::plan::release::{
    Journal, REPOSITORY, Record, Releases, journal_tag, record_tag, withdrawn_tag,
};
use anyhow::{Context as _, Result};
use semver::Version;
use serde::Serialize;
use serde::de::DeserializeOwned;

const JOURNAL: &str = "application/vnd.autogit.release.journal.v1+json";
const RECORD: &str = "application/vnd.autogit.release.record.v1+json";
const WITHDRAWN: &str = "application/vnd.autogit.release.withdrawn.v1+json";

/// Where a project's records are.
#[derive(Clone, Debug)]
pub struct Shelf(Reference);

#[derive(Serialize)]
struct Withdrawn<'a> {
    schema: u32,
    version: &'a str,
    created: &'a str,
}

impl Shelf {
    /// Of the project whose images are below a registry.
    pub fn new(registry: &str) -> Result<Self> {
        Ok(Self(format!("{registry}/{REPOSITORY}").parse()?))
    }

    /// Which versions there are records of. A repository that refuses us but lets us open an upload is
    /// new and ours (GHCR answers 403 for packages that do not exist).
    pub fn list(&self, registry: &Registry) -> Result<Releases> {
        let tags = match registry.tags(&self.0) {
            Answer::Refused(_) if registry.may_push(&self.0).is_ok() => Answer::Absent,
            other => other,
        };
        let tags = tags.known().context("cannot tell which versions are released")?;
        let tags = tags.unwrap_or_default();
        Ok(Releases::of_tags(tags.iter().map(String::as_str)))
    }

    /// Why the registry refuses to list it, where it does.
    pub fn refusal(&self, registry: &Registry) -> Option<Reason> {
        match registry.tags(&self.0) {
            Answer::Refused(reason) => Some(reason),
            _ => None,
        }
    }

    /// The record of a version, if there is one.
    pub fn record(&self, registry: &Registry, version: &Version) -> Result<Option<Record>> {
        self.get(registry, &record_tag(version), RECORD)
    }

    /// The journal of a version, if there is one.
    pub fn journal(&self, registry: &Registry, version: &Version) -> Result<Option<Journal>> {
        self.get(registry, &journal_tag(version), JOURNAL)
    }

    /// Writes a version's record: from then on it is released.
    pub fn put_record(
        &self,
        registry: &Registry,
        version: &Version,
        record: &Record,
    ) -> Result<()> {
        self.put(registry, &record_tag(version), RECORD, record)
    }

    /// Writes a version's journal.
    pub fn put_journal(
        &self,
        registry: &Registry,
        version: &Version,
        journal: &Journal,
    ) -> Result<()> {
        self.put(registry, &journal_tag(version), JOURNAL, journal)
    }

    /// Writes that a version was taken back at a time (RFC 3339).
    pub fn withdraw(&self, registry: &Registry, version: &Version, created: &str) -> Result<()> {
        let text = version.to_string();
        let withdrawn = Withdrawn { schema: 1, version: &text, created };
        self.put(registry, &withdrawn_tag(version), WITHDRAWN, &withdrawn)
    }

    fn get<T: DeserializeOwned>(
        &self,
        registry: &Registry,
        tag: &str,
        artifact_type: &str,
    ) -> Result<Option<T>> {
        let reference = self.0.with_tag(tag)?;
        let found = artifacts::get(registry, &reference, artifact_type).known();
        found.with_context(|| format!("cannot read `{reference}`"))
    }

    fn put<T: Serialize>(
        &self,
        registry: &Registry,
        tag: &str,
        artifact_type: &str,
        document: &T,
    ) -> Result<()> {
        let reference = self.0.with_tag(tag)?;
        let written = artifacts::put(registry, &reference, artifact_type, document);
        written.with_context(|| format!("cannot write `{reference}`"))
    }
}
