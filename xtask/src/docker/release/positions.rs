//! Where the tags of a release stand before it moves them.

use super::{Image, Release};
use crate::docker::publish::CONNECTIONS;
use crate::docker::registry::{Fetched, Registry};
use crate::parallel;
use crate::plan::release::Releases;
use crate::plan::tags::{highest_of, is_shared};
use anyhow::{Context as _, Result};
use std::collections::{BTreeMap, BTreeSet};

/// A tag of a service.
type Name = (String, String);

/// What stands under the tags of all images.
///
/// Every tag that a version has for itself is read, and so is what no release owns. Shared tags belong
/// to the releases, whose records tell where they stand: of these one a service is read, and only where
/// it stands elsewhere are all.
pub struct Positions {
    read: BTreeMap<Name, Option<Fetched>>,
    said: BTreeMap<Name, String>,
}

impl Positions {
    /// Finds them. An answer that cannot be had is an error: nothing has been moved yet.
    pub fn read(release: &Release, before: &Releases) -> Result<Self> {
        let said = said(release, before);
        // Shared tags may have moved since, where another version was begun or released.
        let is_alone = before.records.is_empty() && before.unfinished().next().is_none();
        let stands = release.stands.iter().filter(|((_, tag), _)| is_alone || !is_shared(tag));
        let read = stands.map(|(name, there)| (name.clone(), there.clone())).collect();
        let mut positions = Self { read, said };
        let first: Vec<_> =
            release.images.iter().flat_map(|image| positions.to_read(image)).collect();
        positions.ask(release.registry, &first)?;
        let doubtful = release.images.iter().filter(|image| !positions.is_as_said(image));
        let rest: Vec<_> = doubtful
            .flat_map(|image| image.tags.iter().map(move |tag| (image, tag)))
            .filter(|(image, tag)| !positions.read.contains_key(&name(image, tag)))
            .collect();
        positions.ask(release.registry, &rest)?;
        Ok(positions)
    }

    /// What stands under a tag of a service, where that was read.
    pub fn at(&self, service: &str, tag: &str) -> Option<&Fetched> {
        self.read.get(&(service.to_owned(), tag.to_owned()))?.as_ref()
    }

    /// The digest that a tag of a service stands on.
    pub fn digest(&self, service: &str, tag: &str) -> Option<&str> {
        let name = (service.to_owned(), tag.to_owned());
        match self.read.get(&name) {
            Some(read) => read.as_ref().map(|there| there.digest.as_str()),
            None => self.said.get(&name).map(String::as_str),
        }
    }

    /// The tags of an image that have to be read in any case.
    fn to_read<'a>(&self, image: &'a Image) -> Vec<(&'a Image, &'a String)> {
        let is_said = |tag: &&String| self.said.contains_key(&name(image, tag));
        let is_known = |tag: &&String| self.read.contains_key(&name(image, tag));
        let mut wanted: Vec<&String> =
            image.tags.iter().filter(|tag| !is_said(tag) && !is_known(tag)).collect();
        if !wanted.iter().any(|tag| is_shared(tag)) {
            wanted.extend(image.tags.iter().filter(is_said).max_by_key(|tag| super::phase(tag)));
        }
        wanted.into_iter().map(|tag| (image, tag)).collect()
    }

    /// Whether the shared tags of an image that were read stand where the records say.
    fn is_as_said(&self, image: &Image) -> bool {
        image.tags.iter().filter(|tag| is_shared(tag)).all(|tag| {
            let name = name(image, tag);
            let read = self.read.get(&name);
            read.is_none_or(|read| read.as_ref().map(|there| &there.digest) == self.said.get(&name))
        })
    }

    fn ask(&mut self, registry: &Registry, tags: &[(&Image, &String)]) -> Result<()> {
        let read = |(image, tag): &(&Image, &String)| -> Result<Option<Fetched>> {
            let reference = image.repository.with_tag(tag)?;
            let found = registry.get_manifest(&reference).known();
            found.with_context(|| format!("cannot tell where `{reference}` stands"))
        };
        let found = parallel::map(CONNECTIONS, tags, read);
        for ((image, tag), there) in tags.iter().zip(found) {
            self.read.insert(name(image, tag), there?);
        }
        Ok(())
    }
}

fn name(image: &Image, tag: &str) -> Name {
    (image.service.clone(), tag.to_owned())
}

/// Where the records say that shared tags stand. They say nothing of a tag while a higher version is
/// begun or was taken back: it may be on its way. A record that cannot be read says nothing either.
fn said(release: &Release, before: &Releases) -> BTreeMap<Name, String> {
    let tags: BTreeSet<&String> = release.images.iter().flat_map(|image| &image.tags).collect();
    let mut records = BTreeMap::new();
    let mut said = BTreeMap::new();
    for tag in tags.into_iter().filter(|tag| is_shared(tag)) {
        let Some(owner) = highest_of(tag, before.standing()) else { continue };
        let on_their_way = before.unfinished().chain(&before.withdrawn);
        if highest_of(tag, on_their_way).is_some_and(|other| other > owner) {
            continue;
        }
        let record = records
            .entry(owner)
            .or_insert_with(|| release.shelf.record(release.registry, owner).ok().flatten());
        let services = record.iter().flat_map(|record| &record.services);
        said.extend(services.map(|(name, at)| ((name.clone(), tag.clone()), at.digest.clone())));
    }
    said
}
