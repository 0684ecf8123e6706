//! What stands in the registry, asked once, in parallel. Unknown stays unknown.

use super::event::version_of_tag;
use crate::docker::publish::REVISION;
use crate::docker::registry::{Answer, AtOnce, Fetched, Reference, Registry};
use crate::plan::cache;
use crate::plan::facts::Facts;
use crate::plan::tags::Known;
use anyhow::Result;
use semver::Version;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many connections ask at once.
const THREADS: usize = 8;
/// How long a run at a desk, or one that only looks, waits for all answers together.
pub const LOCAL: Duration = Duration::from_secs(2);

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

/// A published image, and the commit that it says it was built of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The digest of its index
    pub digest: String,
    /// The commit, full hex
    pub revision: String,
}

/// The images of each service that may be what the tree says, the likeliest first: that of this very
/// commit, then that of `dev`. Only an index that names its commit by an annotation counts.
pub fn images(
    registry: &Registry,
    facts: &Facts,
    services: &[String],
    within: Option<Duration>,
) -> Result<BTreeMap<String, Vec<Published>>> {
    let tags = [facts.handle(), "dev".to_owned()];
    let asked: Vec<(&String, String)> = services
        .iter()
        .flat_map(|service| tags.iter().map(move |tag| (service, tag)))
        .map(|(service, tag)| (service, format!("{}:{tag}", facts.image(service))))
        .collect();
    let references =
        asked.iter().map(|(_, name)| name.parse()).collect::<Result<Vec<Reference>, _>>()?;
    let answers = registry.get_manifests(references, AtOnce { threads: THREADS, within });
    let mut found: BTreeMap<String, Vec<Published>> = BTreeMap::new();
    for ((service, _), answer) in asked.into_iter().zip(answers) {
        if let Some(published) = answer.found().as_ref().and_then(published) {
            found.entry(service.clone()).or_default().push(published);
        }
    }
    Ok(found)
}

fn published(index: &Fetched) -> Option<Published> {
    let text: serde_json::Value = serde_json::from_slice(&index.bytes).ok()?;
    let revision = text["annotations"][REVISION].as_str()?.to_owned();
    Some(Published { digest: index.digest.clone(), revision })
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
