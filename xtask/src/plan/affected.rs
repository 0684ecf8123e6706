//! Which services are affected by what differs between two trees: those whose fingerprint differs, and
//! those that have none. Pure.

use super::difference::{Own, own, stand_ins};
use super::facts::{BaseImage, Facts};
use super::fingerprint::{Identity, Part, hex};
use crate::manifest::Base;
use ring::digest::{SHA256, digest};
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A service whose image is to be built anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Affected {
    /// Its name
    pub service: String,
    /// Why, at least one
    pub because: Vec<Because>,
}

/// Why a service is affected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// There was no such service
    New,
    /// Nothing could be read then, so that everything counts
    Unreadable,
    /// Something of this part differs
    Differs(Part),
    /// A submodule in its context is at another commit
    Submodule,
    /// It builds on a service that is affected
    BuildsOn(String),
    /// It had no fingerprint, or has none: it is always built
    NoFingerprint(String),
}

/// The tree that is compared with.
#[derive(Clone, Copy, Debug)]
pub enum Then<'a> {
    /// It was read
    Read(&'a Facts),
    /// It could not be read: then nothing is known to be the same
    Unreadable,
}

/// The affected services, each after what it builds on. `submodules` are services in whose contexts a
/// submodule has changed, which the facts do not show.
pub fn affected(then: Then, now: &Facts, submodules: &BTreeSet<String>) -> Vec<Affected> {
    let identities = match then {
        Then::Read(then) => stand_ins(then, now),
        Then::Unreadable => stand_ins(now, now),
    };
    let all: BTreeSet<String> = now.manifest.services.keys().cloned().collect();
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut affected = Vec::new();
    for service in now.graph.levels(&all).into_iter().flatten() {
        let mut because = of_itself(then, now, &service, &identities);
        if submodules.contains(&service) && because.is_empty() {
            because.push(Because::Submodule);
        }
        let on = now.graph.direct(&service).filter(|on| found.contains(*on));
        because.extend(on.map(|on| Because::BuildsOn(on.to_owned())));
        if !because.is_empty() {
            found.insert(service.clone());
            affected.push(Affected { service, because });
        }
    }
    affected
}

fn of_itself(
    then: Then,
    now: &Facts,
    service: &str,
    identities: &BTreeMap<String, Identity>,
) -> Vec<Because> {
    let then = match then {
        Then::Read(then) if then.service(service).is_none() => return vec![Because::New],
        Then::Read(then) => then,
        Then::Unreadable => return vec![Because::Unreadable],
    };
    let Own { changes, none_then, none_now } = own(then, now, service, identities);
    let parts: BTreeSet<Part> = changes.iter().map(|change| change.part).collect();
    let mut because: Vec<Because> = parts.into_iter().map(Because::Differs).collect();
    because.extend(none_now.into_iter().map(Because::NoFingerprint));
    // What made the difference is mostly told already.
    if because.is_empty() {
        because.extend(none_then.into_iter().map(Because::NoFingerprint));
    }
    because
}

/// External images as two trees are compared by: by the digests that they are locked to, else by name
/// and recipe. What a name stands for today is no difference between trees, and nobody is asked for it.
pub fn bases_by_name(
    facts: &Facts,
    locked: &BTreeMap<String, String>,
) -> BTreeMap<String, BaseImage> {
    let one = |(key, base): (&String, &Base)| {
        let recipe = digest(&SHA256, format!("{key}\n{base:?}").as_bytes());
        let by_name = || format!("sha256:{}", hex(recipe.as_ref()));
        let digest = locked.get(key).cloned().unwrap_or_else(by_name);
        let context = format!("docker-image://{key}@{digest}");
        (key.clone(), BaseImage { context, platforms: Vec::new(), stands_in: false })
    };
    facts.manifest.bases.iter().map(one).collect()
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("new"),
            Self::Unreadable => f.write_str("cannot be compared"),
            Self::Differs(part) => f.write_str(part.name()),
            Self::Submodule => f.write_str("context (a submodule)"),
            Self::BuildsOn(service) => write!(f, "builds on {service}"),
            Self::NoFingerprint(reason) => write!(f, "no fingerprint: {reason}"),
        }
    }
}

impl Serialize for Because {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
