//! What a report holds: the shape of `target/xtask/report.json` (docs/report.md). Data only.
//!
//! What cannot be known is absent, never zero.

use crate::plan::EventFields;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the shape.
pub const SCHEMA: u32 = 2;

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Report {
    /// [`SCHEMA`]
    pub schema: u32,
    /// The project's name
    pub project: String,
    /// What caused the run
    pub event: Event,
    /// When it began: RFC 3339, in UTC
    #[serde(skip_serializing_if = "String::is_empty")]
    pub began: String,
    /// How long it took
    pub seconds: f64,
    /// Steps of all services that were built, each once however many services share it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Counts>,
    /// `steps.cached / steps.total`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hit_rate: Option<f64>,
    /// Bytes that came from registries
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulled: Option<u64>,
    /// Bytes that went to registries, caches included
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed: Option<u64>,
    /// Those of them that are registry caches alone
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_pushed: Option<u64>,
    /// Bytes that steps themselves moved (`RUN apt-get …`): over the bridge of an engine of ours
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<u64>,
    /// What caches cost and saved
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// Every service of the plan, in its order
    pub services: Vec<Service>,
    /// Every step that ran or was cached, in the order in which they began
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<Step>,
    /// What would make builds faster, where that is sure
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<Advice>,
}

/// What caused a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// `local`, `pr`, `dev`, `release`
    pub kind: String,
    /// The commit
    pub revision: Option<String>,
    /// The full git ref
    pub r#ref: Option<String>,
    /// Without the `v`
    pub version: Option<String>,
    /// Whether somebody else's repository wrote the code
    pub fork: bool,
}

/// All steps that could be cached, and those that were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// RUN, COPY, ADD, WORKDIR
    pub total: usize,
    /// Those that came from a cache
    pub cached: usize,
}

/// What came of a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Service {
    /// Its name
    pub service: String,
    /// `<registry>/<service>`
    pub image: String,
    /// Its public tags
    pub tags: Vec<String>,
    /// `build`, `skip`, `promote`: what was to be done
    pub action: String,
    /// Why, in words
    pub reason: String,
    /// What differs from what is published, where it was built for that
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// `built`, `skipped`, `promoted`, `failed`, `not-tried`
    pub outcome: String,
    /// The digest of its index
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// From the first to the last of its steps
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Its steps
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Counts>,
    /// `steps.cached / steps.total`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hit_rate: Option<f64>,
    /// Bytes that the engine pulled for it; for what services share, the first of them
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulled: Option<u64>,
    /// Bytes that the engine pushed of it, its cache included
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed: Option<u64>,
    /// Those of them that are its registry cache alone
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_pushed: Option<u64>,
    /// The step that failed
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What was said of it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The services for which it was not tried
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<Vec<String>>,
    /// External images that it was built on, by the name in the Dockerfile: their digests
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bases: BTreeMap<String, String>,
    /// `volatile-args`: a short hash of each value, so that a change of it is seen
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub volatile_args: BTreeMap<String, String>,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Step {
    /// Its place in the list
    pub id: usize,
    /// The services that it was done for, the one whose Dockerfile holds it first
    pub services: Vec<String>,
    /// The stage, `internal`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// 3 of 6
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<(usize, usize)>,
    /// `RUN make`, `exporting to image`
    pub name: String,
    /// The first line of the instruction in the Dockerfile
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Seconds after the run began
    pub start: f64,
    /// The same
    pub end: f64,
    /// `ran`, `cached`, `failed`, `canceled`
    pub result: String,
    /// Bytes that came from a registry
    #[serde(skip_serializing_if = "is_zero")]
    pub pulled: u64,
    /// Bytes that went to a registry
    #[serde(skip_serializing_if = "is_zero")]
    pub pushed: u64,
    /// Bytes of files that were sent to the builder
    #[serde(skip_serializing_if = "is_zero")]
    pub context: u64,
    /// How long it took when it last ran, if it was cached now
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual: Option<f64>,
    /// What the whole run in which it last ran moved over the network, if it was cached now
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
    /// Steps whose results it takes
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<usize>,
    /// Whether the run would have ended earlier had this been faster
    #[serde(skip_serializing_if = "is_false")]
    pub critical: bool,
}

/// What a run moved over the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Moved {
    /// When it began
    pub run: String,
    /// Its [`Report::network`]
    pub bytes: u64,
}

/// What caches cost, and what they saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Cache {
    /// Reading manifests of caches
    pub import_seconds: f64,
    /// Writing caches
    pub export_seconds: f64,
    /// What steps that were cached took when they last ran; absent where that is known of none
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved_seconds: Option<f64>,
    /// Bytes of layers that came from caches, without those of the images that were built on; absent
    /// where the engine is not ours
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulled: Option<u64>,
    /// At most so many bytes did steps that were cached move over the network when they last ran; absent
    /// where that is not known of one of them
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved_bytes: Option<u64>,
}

/// What would make builds faster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Advice {
    /// `copy-before-install`, `arg-that-changes`, `context-not-copied`, `cache-mount`, `base-moved`
    pub kind: String,
    /// The service
    pub service: String,
    /// The step that costs
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Where it stands in the service's Dockerfile
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What it costs
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// The same in bytes
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What is so, and what to do, in words
    pub text: String,
}

impl From<&EventFields> for Event {
    fn from(event: &EventFields) -> Self {
        Self {
            kind: event.kind.into(),
            revision: event.revision.clone(),
            r#ref: event.r#ref.clone(),
            version: event.version.clone(),
            fork: event.fork,
        }
    }
}

impl Counts {
    /// `cached / total`; none of no steps.
    pub fn hit_rate(self) -> Option<f64> {
        (self.total > 0).then(|| rounded(self.cached as f64 / self.total as f64))
    }
}

impl Step {
    /// How long it took.
    pub fn seconds(&self) -> f64 {
        (self.end - self.start).max(0.0)
    }

    /// Whether it is an instruction that could come from a cache.
    pub fn is_counted(&self) -> bool {
        self.number.is_some() && !self.name.starts_with("FROM ")
    }

    /// What it is known by from run to run: service, stage and instruction.
    pub fn key(&self) -> (String, String, String) {
        let service = self.services.first().cloned().unwrap_or_default();
        (service, self.stage.clone().unwrap_or_default(), self.name.clone())
    }
}

/// In thousandths: more is noise.
pub fn rounded(value: f64) -> f64 {
    // No sum of nothing is -0.
    (value * 1000.0).round() / 1000.0 + 0.0
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

fn is_false(value: &bool) -> bool {
    !value
}
