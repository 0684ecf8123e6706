//! What is released already, and what a run of this release has left behind.

use super::event::version_of_tag;
use super::published::THREADS;
use crate::docker::registry::{Answer, AtOnce, Fetched, Reference, Registry};
use crate::docker::release::Shelf;
use crate::plan::facts::Facts;
use crate::plan::release::Releases;
use crate::plan::tags::Known;
use anyhow::Result;
use semver::Version;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What is known of releases before one is made.
#[derive(Clone, Debug)]
pub struct Released {
    /// The versions that count for where shared tags stand: those with a record, or where there is no
    /// record at all yet, those that any of the services has a tag `vX.Y.Z` for
    pub versions: Known<Vec<Version>>,
    /// The images that the journal of this very release names, by service
    pub begun: BTreeMap<String, Fetched>,
}

/// Reads it.
pub fn read(
    registry: &Registry,
    facts: &Facts,
    version: &Version,
    within: Option<Duration>,
) -> Result<Released> {
    let shelf = Shelf::new(&facts.registry)?;
    let asked =
        within.map_or_else(|| registry.clone(), |within| registry.until(Instant::now() + within));
    let releases = match shelf.list(&asked) {
        Ok(releases) => releases,
        Err(error) => {
            let versions = Known::Unknown(error.root_cause().to_string());
            return Ok(Released { versions, begun: BTreeMap::new() });
        }
    };
    let versions = if releases.records.is_empty() {
        match of_services(registry, facts, within)? {
            Known::Known(own) => Known::Known(releases.counting(&own)),
            unknown => unknown,
        }
    } else {
        Known::Known(releases.counting(&[]))
    };
    let begun = begun(&asked, facts, &shelf, &releases, version);
    Ok(Released { versions, begun })
}

/// Best effort: what cannot be read is looked up or built as in any other run.
fn begun(
    registry: &Registry,
    facts: &Facts,
    shelf: &Shelf,
    releases: &Releases,
    version: &Version,
) -> BTreeMap<String, Fetched> {
    if !releases.journals.contains(version) {
        return BTreeMap::new();
    }
    let journal = shelf.journal(registry, version).ok().flatten();
    let of_this_commit = |revision: &str| facts.revision.as_deref() == Some(revision);
    let Some(journal) = journal.filter(|journal| of_this_commit(&journal.revision)) else {
        return BTreeMap::new();
    };
    let read = |(service, placed): (String, crate::plan::release::Placed)| {
        let image = format!("{}@{}", facts.image(&service), placed.digest);
        Some((service, registry.get_manifest(&image.parse().ok()?).found()?))
    };
    journal.services.into_iter().filter_map(read).collect()
}

/// The versions that any of the services has a tag for.
///
/// A repository that refuses to be listed but lets us open an upload is new and ours (GHCR answers
/// 403 for packages that do not exist): it holds no version.
fn of_services(
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
