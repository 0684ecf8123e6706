//! The identity of everything that goes into an image (DESIGN 4.5). Pure: from facts to digests.
//!
//! Five parts, each a set of records; what cannot be told for certain leaves the image without a
//! fingerprint, and is told as a reason. A false hit is the worst bug of this program: what is
//! recorded may be too much, never too little.

mod digest;
mod files;
mod images;
mod inputs;
mod record;
mod settings;

pub use digest::hex;
pub use images::{is_folder, is_pinned};
pub use inputs::{Bits, BlobId, Bytes, Entry, Inputs, Kind, Mode, Stamp, Told, Tree};
pub use record::Record;

use super::facts::Facts;
use crate::manifest::Service;
use crate::parallel;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Raised whenever the same inputs are to give another fingerprint.
pub const SCHEMA: u32 = 1;

/// What a fingerprint is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The Dockerfile's bytes and the target stage
    Dockerfile,
    /// Files that are sent: of the context, and of named ones
    Context,
    /// Arguments, labels, ids of secrets, network and the like
    Settings,
    /// External images by digest
    Images,
    /// Services that it builds on, by fingerprint
    Services,
}

/// The fingerprint of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fingerprint {
    /// 64 hex digits
    #[serde(rename = "fingerprint")]
    pub whole: String,
    /// The digest of each part
    pub parts: BTreeMap<Part, String>,
    /// Why nothing that is built of this tree may be published under the fingerprint
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub no_claim: Vec<String>,
}

/// The fingerprint of a service, or the reasons why it has none.
pub type Identity = Result<Fingerprint, Vec<String>>;

/// The fingerprints of services, and of all that they build on.
pub fn identify(facts: &Facts, services: &BTreeSet<String>) -> BTreeMap<String, Identity> {
    let all = facts.graph.with_dependencies(services.iter().map(String::as_str));
    let mut identities = BTreeMap::new();
    for level in facts.graph.levels(&all) {
        let found = parallel::compute(&level, |name| identity(facts, name, &identities));
        identities.extend(level.into_iter().zip(found));
    }
    identities
}

fn identity(facts: &Facts, name: &str, identities: &BTreeMap<String, Identity>) -> Identity {
    let known = records(facts, name, identities);
    if !known.reasons.is_empty() {
        return Err(known.reasons);
    }
    Ok(Fingerprint::of(&known.parts, no_claim(facts, name, identities)))
}

/// What a fingerprint is made of, as far as it can be told.
#[derive(Clone, Debug, Default)]
pub struct Records<'a> {
    /// In each part
    pub parts: BTreeMap<Part, Vec<Record<'a>>>,
    /// Why that is not all. Without reasons it is
    pub reasons: Vec<String>,
}

/// What the fingerprint of a service is made of. `identities` has what it builds on.
pub fn records<'a>(
    facts: &'a Facts,
    name: &str,
    identities: &'a BTreeMap<String, Identity>,
) -> Records<'a> {
    let (Some(service), Some(inputs)) = (facts.service(name), facts.inputs.get(name)) else {
        let reasons = vec!["its files were not read".to_owned()];
        return Records { reasons, ..Records::default() };
    };
    let needs = facts.needs.get(name).into_iter();
    let unclear = needs.flat_map(|needs| needs.unclear.iter().chain(&needs.unpinned));
    let mut reasons: Vec<String> = unclear.cloned().collect();
    let parts = [
        (Part::Dockerfile, files::dockerfile(service, inputs, &mut reasons)),
        (Part::Context, files::contexts(inputs, &mut reasons)),
        (Part::Settings, settings::settings(&facts.manifest.project, service)),
        (Part::Images, images::images(facts, service, &mut reasons)),
        (Part::Services, services(facts, service, identities, &mut reasons)),
    ];
    reasons.sort();
    reasons.dedup();
    Records { parts: parts.into(), reasons }
}

/// Services that it builds on, by the name that the Dockerfile uses.
fn services<'a>(
    facts: &'a Facts,
    service: &Service,
    identities: &'a BTreeMap<String, Identity>,
    reasons: &mut Vec<String>,
) -> Vec<Record<'a>> {
    let mut records = Vec::new();
    let needs = facts.needs.get(&service.name);
    for (used, other) in needs.into_iter().flat_map(|needs| &needs.services) {
        match identities.get(other) {
            Some(Ok(fingerprint)) => {
                let fields = [used.as_str().into(), fingerprint.whole.as_str().into()];
                records.push(Record::new("service", fields));
            }
            _ => reasons.push(format!("it builds on `{other}`, which has no fingerprint")),
        }
    }
    records
}

/// What an image is built on is in it, with its permission bits as they are.
fn no_claim(facts: &Facts, name: &str, identities: &BTreeMap<String, Identity>) -> Vec<String> {
    let mut reasons: Vec<String> =
        facts.inputs.get(name).into_iter().flat_map(of_bits).map(str::to_owned).collect();
    for other in facts.graph.direct(name) {
        let of_other = identities.get(other).and_then(|identity| identity.as_ref().ok());
        let of_other = of_other.into_iter().flat_map(|fingerprint| &fingerprint.no_claim);
        reasons.extend(of_other.map(|reason| format!("it builds on `{other}`: {reason}")));
    }
    reasons
}

/// What speaks against permission bits, once each.
fn of_bits(inputs: &Inputs) -> BTreeSet<&'static str> {
    let trees = inputs.named.values().chain([&inputs.context]).flatten();
    let reason = |bits| match bits {
        Bits::Plain => None,
        Bits::GroupWritable => Some("files are writable by their group (umask 002)"),
        Bits::Absent => Some("this system has no permission bits"),
    };
    trees.filter_map(|tree| reason(tree.bits)).collect()
}

impl Fingerprint {
    fn of(parts: &BTreeMap<Part, Vec<Record>>, no_claim: Vec<String>) -> Self {
        let digest =
            |(part, records): (&Part, &Vec<Record>)| (*part, digest::of_part(*part, records));
        let parts: BTreeMap<Part, String> = parts.iter().map(digest).collect();
        Self { whole: digest::of_parts(&parts), parts, no_claim }
    }
}

impl Part {
    /// As it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dockerfile => "dockerfile",
            Self::Context => "context",
            Self::Settings => "settings",
            Self::Images => "images",
            Self::Services => "services",
        }
    }
}

#[cfg(test)]
mod tests;
