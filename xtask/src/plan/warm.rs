//! Whether the registry cache of a service is hot for what a commit builds. Pure.

use super::Request;
use super::claim::FINGERPRINT;
use super::facts::Facts;
use super::look_up::LookUp;
use super::tags::Known;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The annotation of a cache manifest that holds its platforms, which no fingerprint knows of.
pub const PLATFORMS: &str = "io.github.tzervas.autogit.cache.platforms";
/// The annotation that names services which were built along for want of a published image. Once they
/// are published, builds stand on those images, for which this cache is of no use.
pub const BUILT_ALONG: &str = "io.github.tzervas.autogit.cache.built-along";

/// What stands under the tag of the registry cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheManifest {
    /// Its digest
    pub digest: String,
    /// What it says of itself
    pub annotations: BTreeMap<String, String>,
    /// Whether the registry has each of its blobs
    pub blobs: BTreeMap<String, Known<bool>>,
}

/// What a cache is for the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A build finds all of its layers
    Hot,
    /// It does not
    Cold(Cold),
    /// Nobody could tell, and why
    Unknown(String),
}

/// Why a cache is cold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cold {
    /// There is none
    Absent,
    /// The registry has lost blobs of it: builds that read it fail
    Gone(Vec<String>),
    /// It has no layers of this platform
    Platform(String),
    /// It is of another fingerprint, where it says of which
    Other(Option<String>),
    /// No claim names it
    Unclaimed(String),
    /// These services are published by now (or no longer), and were built along with it (or not)
    StandsOnOthers(BTreeSet<String>),
    /// Nobody could ever tell, since the service has no fingerprint
    NoFingerprint(String),
}

impl fmt::Display for Cold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("it is absent"),
            Self::Gone(blobs) => match &blobs[..] {
                [one] => write!(f, "a layer of it is gone ({one})"),
                all => write!(f, "{} layers of it are gone ({})", all.len(), all.join(", ")),
            },
            Self::Platform(platform) => write!(f, "it has no layers of {platform}"),
            Self::Other(None) => f.write_str("it is of another fingerprint"),
            Self::Other(Some(other)) => write!(f, "it is of another fingerprint ({other})"),
            Self::Unclaimed(why) => write!(f, "no claim names it: {why}"),
            Self::StandsOnOthers(services) => {
                let names: Vec<&str> = services.iter().map(String::as_str).collect();
                write!(f, "what it builds on was published or removed since: {}", names.join(", "))
            }
            Self::NoFingerprint(why) => write!(f, "nobody can tell what it is of: {why}"),
        }
    }
}

/// Judges what was read of a service's cache; `None` is a cache that is absent.
///
/// Lost blobs come first: such a cache is not only of no use.
pub fn judge(facts: &Facts, service: &str, cache: &Known<Option<CacheManifest>>) -> State {
    let cache = match cache {
        Known::Unknown(why) => return State::Unknown(why.clone()),
        Known::Known(None) => return State::Cold(Cold::Absent),
        Known::Known(Some(cache)) => cache,
    };
    let gone = cache.blobs.iter().filter(|(_, there)| **there == Known::Known(false));
    let gone: Vec<String> = gone.map(|(digest, _)| digest.clone()).collect();
    if !gone.is_empty() {
        return State::Cold(Cold::Gone(gone));
    }
    let unknown = cache.blobs.iter().find_map(|(digest, there)| match there {
        Known::Unknown(why) => Some(format!("whether {digest} is there: {why}")),
        Known::Known(_) => None,
    });
    if let Some(why) = unknown {
        return State::Unknown(why);
    }
    let fingerprint = match fingerprint(facts, service) {
        Ok(fingerprint) => fingerprint,
        Err(why) => return State::Cold(Cold::NoFingerprint(why)),
    };
    match cache.annotations.get(FINGERPRINT) {
        Some(marked) if *marked == fingerprint => judge_marked(facts, service, cache),
        marked => judge_claimed(facts, service, cache, marked),
    }
}

/// A cache that [`marks`] are on.
fn judge_marked(facts: &Facts, service: &str, cache: &CacheManifest) -> State {
    let listed = |name: &str| -> BTreeSet<String> {
        let names = cache.annotations.get(name).map(String::as_str).unwrap_or_default();
        names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    let there = listed(PLATFORMS);
    let wanted = facts.service(service).map_or(&[][..], |service| &service.platforms);
    if let Some(platform) = wanted.iter().find(|platform| !there.contains(*platform)) {
        return State::Cold(Cold::Platform(platform.clone()));
    }
    let all = facts.graph.with_dependencies([service]);
    let look_ups = all.iter().filter_map(|name| facts.look_ups.get_key_value(name));
    for (name, look_up) in look_ups.filter(|(name, _)| *name != service) {
        if let LookUp::Unknown(why) = look_up {
            return State::Unknown(format!("whether `{name}` is published: {why}"));
        }
    }
    let (before, now) = (listed(BUILT_ALONG), unpublished(facts, service));
    let differ: BTreeSet<String> = before.symmetric_difference(&now).cloned().collect();
    if differ.is_empty() { State::Hot } else { State::Cold(Cold::StandsOnOthers(differ)) }
}

fn judge_claimed(
    facts: &Facts,
    service: &str,
    cache: &CacheManifest,
    marked: Option<&String>,
) -> State {
    let lacks = "it has no image for ";
    match facts.look_ups.get(service) {
        Some(LookUp::Unknown(why)) => State::Unknown(format!("whether it is published: {why}")),
        Some(LookUp::Published(it)) if it.claim.cache.as_ref() == Some(&cache.digest) => State::Hot,
        Some(LookUp::Published(_)) => State::Cold(Cold::Other(marked.cloned())),
        _ if marked.is_some() => State::Cold(Cold::Other(marked.cloned())),
        Some(LookUp::NoClaim(why)) => State::Cold(match why.strip_prefix(lacks) {
            Some(platform) => Cold::Platform(platform.to_owned()),
            None => Cold::Unclaimed(format!(
                "what is published under its fingerprint does not count: {why}"
            )),
        }),
        Some(LookUp::Absent) | None => {
            State::Cold(Cold::Unclaimed("nothing is published of its fingerprint".into()))
        }
    }
}

/// What is written into the manifest of a cache, so that it says what it is of. Nothing where that is
/// not certain.
pub fn marks(facts: &Facts, service: &str) -> Option<BTreeMap<String, String>> {
    let fingerprint = fingerprint(facts, service).ok()?;
    let platforms = facts.service(service)?.platforms.join(",");
    let along: Vec<String> = unpublished(facts, service).into_iter().collect();
    let along = (!along.is_empty()).then(|| (BUILT_ALONG.to_owned(), along.join(",")));
    let marks = [(FINGERPRINT.to_owned(), fingerprint), (PLATFORMS.to_owned(), platforms)];
    Some(marks.into_iter().chain(along).collect())
}

fn fingerprint(facts: &Facts, service: &str) -> Result<String, String> {
    match facts.identities.get(service) {
        Some(Ok(_)) => match facts.claimable(service, &Request::default()) {
            Some(fingerprint) => Ok(fingerprint.whole.clone()),
            None => Err("its files are not as a publishing run has them".into()),
        },
        Some(Err(reasons)) => Err(format!("it has no fingerprint: {}", reasons.join("; "))),
        None => Err("it has no fingerprint".into()),
    }
}

/// What a service builds on and nothing is published of, so that it is built along.
fn unpublished(facts: &Facts, service: &str) -> BTreeSet<String> {
    let is_published =
        |name: &String| facts.look_ups.get(name).is_some_and(|found| found.published().is_some());
    let all = facts.graph.with_dependencies([service]);
    all.into_iter().filter(|name| name != service && !is_published(name)).collect()
}

#[cfg(test)]
mod tests;
