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
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// What is known of releases before one is made.
#[derive(Clone, Debug)]
pub struct Released {
    /// The versions that count for where shared tags stand: those with a record, or where there is no
    /// record at all yet, those that any of the services has a tag `vX.Y.Z` for
    pub versions: Known<Vec<Version>>,
    /// The images that the journal of this very release names, by service
    pub begun: BTreeMap<String, Fetched>,
    /// All tags of each service, where these had to be listed
    pub listed: BTreeMap<String, BTreeSet<String>>,
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
            let (begun, listed) = (BTreeMap::new(), BTreeMap::new());
            return Ok(Released { versions, begun, listed });
        }
    };
    let listed = match releases.records.is_empty() {
        true => of_services(registry, facts, within)?,
        false => Known::Known(BTreeMap::new()),
    };
    let (versions, listed) = match listed {
        Known::Known(listed) => {
            let own: BTreeSet<Version> =
                listed.values().flatten().filter_map(|tag| version_of_tag(tag).ok()).collect();
            let own: Vec<Version> = own.into_iter().collect();
            (Known::Known(releases.counting(&own)), listed)
        }
        Known::Unknown(why) => (Known::Unknown(why), BTreeMap::new()),
    };
    let begun = begun(&asked, facts, &shelf, &releases, version);
    Ok(Released { versions, begun, listed })
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

/// All tags of each service.
///
/// A repository that refuses to be listed but lets us open an upload is new and ours (GHCR answers
/// 403 for packages that do not exist): it holds no version.
fn of_services(
    registry: &Registry,
    facts: &Facts,
    within: Option<Duration>,
) -> Result<Known<BTreeMap<String, BTreeSet<String>>>> {
    let services = facts.manifest.services.keys();
    let images = services.clone().map(|service| facts.image(service).parse());
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
    let mut all = BTreeMap::new();
    for (service, answer) in services.zip(answers) {
        match answer.known() {
            Ok(tags) => all.insert(service.clone(), tags.into_iter().flatten().collect()),
            Err(reason) => return Ok(Known::Unknown(reason.to_string())),
        };
    }
    Ok(Known::Known(all))
}
