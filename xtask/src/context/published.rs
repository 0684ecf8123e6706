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

/// The images that were published of this very commit, by service. Only an index that says so by its
/// annotation counts.
pub fn of_commit(
    registry: &Registry,
    facts: &Facts,
    services: &[String],
    within: Option<Duration>,
) -> Result<BTreeMap<String, String>> {
    let Some(revision) = &facts.revision else { return Ok(BTreeMap::new()) };
    let names = services.iter().map(|s| format!("{}:{}", facts.image(s), facts.handle()).parse());
    let references = names.collect::<Result<Vec<Reference>, _>>()?;
    let answers = registry.get_manifests(references, AtOnce { threads: THREADS, within });
    let said = |index: &Fetched| {
        let text: serde_json::Value = serde_json::from_slice(&index.bytes).ok()?;
        text["annotations"][REVISION].as_str().map(str::to_owned)
    };
    let of_commit = |answer: Answer<Fetched>| {
        answer.found().filter(|index| said(index).as_ref() == Some(revision))
    };
    let found = services.iter().zip(answers);
    Ok(found.filter_map(|(s, answer)| Some((s.clone(), of_commit(answer)?.digest))).collect())
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
