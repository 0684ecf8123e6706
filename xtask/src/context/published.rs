//! What stands in the registry, asked once, in parallel. Unknown stays unknown.

use super::event::{Kind, version_of_tag};
use crate::docker::registry::{Answer, AtOnce, Fetched, Reference, Registry};
use crate::plan::facts::Facts;
use crate::plan::look_up::LookUp;
use crate::plan::tags::Known;
use crate::plan::{cache, claim};
use anyhow::Result;
use semver::Version;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many connections ask at once.
const THREADS: usize = 8;

/// Whether the cache tags that the event reads are there, by `<image>:<tag>`.
pub fn cache_tags(
    registry: &Registry,
    facts: &Facts,
    services: &[String],
    within: Option<Duration>,
) -> Result<BTreeMap<String, Known<bool>>> {
    let tags = cache::tags_read(&facts.event.kind);
    let names: Vec<String> = services
        .iter()
        .flat_map(|service| tags.iter().map(|tag| format!("{}:{tag}", facts.image(service))))
        .collect();
    let references =
        names.iter().map(|name| name.parse()).collect::<Result<Vec<Reference>, _>>()?;
    let answers =
        registry.for_each(references, AtOnce { threads: THREADS, within }, Registry::head_manifest);
    let there = answers.into_iter().map(|answer| match answer.known() {
        Ok(found) => Known::Known(found.is_some()),
        Err(reason) => Known::Unknown(reason.to_string()),
    });
    Ok(names.into_iter().zip(there).collect())
}

/// What was found under the fingerprints of services.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What it means, by service
    pub look_ups: BTreeMap<String, LookUp>,
    /// The index of each service whose image is published, byte for byte
    pub indexes: BTreeMap<String, Fetched>,
}

/// Looks fingerprints up, by service: one GET each.
///
/// In a release a repository that refuses us but lets us open an upload is new and ours (GHCR answers
/// 403 for packages that do not exist): nothing is there.
pub fn look_up(
    registry: &Registry,
    facts: &Facts,
    wanted: &BTreeMap<String, String>,
    within: Option<Duration>,
) -> Result<Found> {
    let name = |(service, fingerprint): (&String, &String)| {
        format!("{}:{}", facts.image(service), claim::tag(fingerprint))
    };
    let references =
        wanted.iter().map(|w| name(w).parse()).collect::<Result<Vec<Reference>, _>>()?;
    let may_be_new = matches!(facts.event.kind, Kind::Release(_));
    let at_once = AtOnce { threads: THREADS, within };
    let answers = registry.for_each(references, at_once, move |registry, tag| {
        match registry.get_manifest(tag) {
            Answer::Refused(_) if may_be_new && registry.may_push(tag).is_ok() => Answer::Absent,
            other => other,
        }
    });
    let mut found = Found::default();
    for ((service, fingerprint), answer) in wanted.iter().zip(answers) {
        let platforms = facts.service(service).map_or(&[][..], |service| &service.platforms);
        let look_up = match answer.known() {
            Ok(None) => LookUp::Absent,
            Err(reason) => LookUp::Unknown(reason.to_string()),
            Ok(Some(fetched)) => match fetched.index() {
                Err(reason) => LookUp::NoClaim(reason.to_string()),
                Ok(index) => {
                    let look_up = LookUp::judge(&index, &fetched.digest, fingerprint, platforms);
                    found.indexes.insert(service.clone(), fetched);
                    look_up
                }
            },
        };
        found.look_ups.insert(service.clone(), look_up);
    }
    found.indexes.retain(|service, _| {
        found.look_ups.get(service).is_some_and(|look_up| look_up.published().is_some())
    });
    Ok(found)
}

/// The versions that any of the services has a tag `vX.Y.Z` for.
///
/// A repository that refuses to be listed but lets us open an upload is new and ours (GHCR answers
/// 403 for packages that do not exist): it holds no version.
pub fn released(
    registry: &Registry,
    facts: &Facts,
    within: Option<Duration>,
) -> Result<Known<Vec<Version>>> {
    let images = facts.manifest.services.keys().map(|service| facts.image(service).parse());
    let images = images.collect::<Result<Vec<Reference>, _>>()?;
    let may_be_new = facts.event.kind.pushes();
    let answers =
        registry.for_each(images, AtOnce { threads: THREADS, within }, move |registry, image| {
            match registry.tags(image) {
                Answer::Refused(_) if may_be_new && registry.may_push(image).is_ok() => {
                    Answer::Absent
                }
                other => other,
            }
        });
    let mut versions = Vec::new();
    for answer in answers {
        match answer.known() {
            Ok(tags) => versions
                .extend(tags.into_iter().flatten().filter_map(|tag| version_of_tag(&tag).ok())),
            Err(reason) => return Ok(Known::Unknown(reason.to_string())),
        }
    }
    versions.sort();
    versions.dedup();
    Ok(Known::Known(versions))
}
