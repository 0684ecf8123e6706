//! How many bytes pushes took, which buildx does not tell: what the manifests list, without what stood
//! in the repository before. And what images consist of, to tell what was pulled.

use super::bake::Definition;
use super::links::Linked;
use super::registry::{Answer, AtOnce, Fetched, Patience, Reason, Reference, Registry, oci};
use crate::plan::tags::Known;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many connections are used.
const THREADS: usize = 8;
/// How long all questions may take: a report is worth no more.
const WITHIN: Duration = Duration::from_secs(10);
/// Tags that layers are most likely under, besides those that a build reads as cache.
const TAGS: [&str; 2] = ["dev", "latest"];

/// Digests of manifests and blobs, with their sizes.
pub type Parts = BTreeMap<String, u64>;

/// What stood in repositories before, by repository (`<host>/<name>`).
pub type There = BTreeMap<String, Repository>;

/// What stood in a repository before.
#[derive(Clone, Debug)]
pub struct Repository {
    /// All that is known to have stood there; unknown where the registry did not say
    pub stood: Known<Parts>,
    /// Layers that were linked into it since
    pub linked: BTreeSet<String>,
}

/// An image that was pushed.
#[derive(Clone, Debug)]
pub struct Image {
    /// The service
    pub service: String,
    /// `<registry>/<service>`
    pub image: Reference,
    /// Its index
    pub index: Fetched,
    /// The digest of the cache manifest that was written with it
    pub cache: Option<String>,
}

/// Bytes that the engine pushed of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Of the image
    pub image: u64,
    /// Of the cache, without what the image has too
    pub cache: u64,
}

/// Asks what stands in the repositories that a definition pushes to.
pub fn before(registry: &Registry, definition: &Definition, linked: &Linked) -> There {
    let wanted: Vec<(Reference, Vec<Reference>)> = wanted(definition);
    let mut there: There = wanted
        .iter()
        .map(|(image, _)| {
            let linked = linked.get(&repository(image)).cloned().unwrap_or_default();
            (repository(image), Repository { stood: Known::Known(Parts::new()), linked })
        })
        .collect();
    let references: Vec<Reference> = wanted.into_iter().flat_map(|(_, all)| all).collect();
    let asked = references.clone();
    for (reference, answer) in asked.iter().zip(ask(registry, references, all)) {
        let Some(entry) = there.get_mut(&repository(reference)) else { continue };
        match (answer, &mut entry.stood) {
            (Answer::Found(parts), Known::Known(all)) => all.extend(parts),
            // GHCR refuses what does not exist yet. Who may push may read.
            (Answer::Absent | Answer::Refused(_), _) => {}
            (Answer::Unknown(why), stood) => *stood = Known::Unknown(why.to_string()),
            (Answer::Found(_), Known::Unknown(_)) => {}
        }
    }
    there
}

/// The bytes of each image that were not there before, as far as the registry answers.
pub fn sent(registry: &Registry, images: Vec<Image>, there: &There) -> BTreeMap<String, Sent> {
    let known: Vec<(Image, BTreeSet<String>)> = images
        .into_iter()
        .filter_map(|image| {
            let Repository { stood, linked } = there.get(&repository(&image.image))?;
            let Known::Known(stood) = stood else { return None };
            Some((image, stood.keys().chain(linked).cloned().collect()))
        })
        .collect();
    let asked: Vec<String> = known.iter().map(|(image, _)| image.service.clone()).collect();
    let answers = ask(registry, known, of_image);
    let found = asked.into_iter().zip(answers);
    found.filter_map(|(service, answer)| Some((service, answer.found()?))).collect()
}

fn ask<I: Send + Sync + 'static, T: Send + 'static>(
    registry: &Registry,
    items: Vec<I>,
    one: fn(&Registry, &I) -> Answer<T>,
) -> Vec<Answer<T>> {
    let at_once = AtOnce { threads: THREADS, within: Some(WITHIN) };
    registry.with_patience(Patience::LOCAL).for_each(items, at_once, one)
}

fn repository(reference: &Reference) -> String {
    format!("{}/{}", reference.host(), reference.name())
}

/// For each image that is pushed: the names under which its layers may stand already.
fn wanted(definition: &Definition) -> Vec<(Reference, Vec<Reference>)> {
    let targets = definition.default_targets().iter().filter_map(|t| definition.target.get(t));
    let wanted = targets.filter_map(|target| {
        let handle = target.tags.first()?.parse::<Reference>().ok()?;
        let caches = target.cache_from.iter().filter_map(|cache| cache.get("ref")?.as_str());
        let caches = caches.filter_map(|cache| cache.parse::<Reference>().ok());
        let caches = caches.filter(|cache| repository(cache) == repository(&handle));
        let tags = TAGS.iter().filter_map(|tag| handle.with_tag(tag).ok());
        let all: BTreeSet<Reference> = caches.chain(tags).chain([handle.clone()]).collect();
        Some((handle, all.into_iter().collect()))
    });
    wanted.collect()
}

/// What the images of these names consist of, as far as their registries answer.
pub fn listed(registry: &Registry, names: Vec<Reference>) -> BTreeMap<String, Parts> {
    let asked: Vec<String> = names.iter().map(Reference::to_string).collect();
    let answers = asked.into_iter().zip(ask(registry, names, all));
    answers.filter_map(|(name, answer)| Some((name, answer.found()?))).collect()
}

/// Everything that a name stands for.
fn all(registry: &Registry, reference: &Reference) -> Answer<Parts> {
    registry.get_manifest(reference).and_then(|top| {
        let mut parts = parts(registry, reference, &top)?;
        parts.insert(top.digest.clone(), top.bytes.len() as u64);
        Ok(parts)
    })
}

/// Digests and sizes of all that a manifest or index lists, down to the blobs. A child that is gone is
/// left out: nothing was pushed of it.
fn parts(registry: &Registry, of: &Reference, top: &Fetched) -> Result<Parts, Reason> {
    if !top.is_index() {
        let manifest = top.manifest()?;
        let blobs = manifest.layers.into_iter().chain([manifest.config]);
        return Ok(blobs.map(|blob| (blob.digest, blob.size)).collect());
    }
    let mut all = Parts::new();
    for entry in top.index()?.manifests {
        let Ok(child) = of.with_digest(&entry.digest) else { continue };
        // An older registry cache is an index that lists blobs, which are no manifests.
        let child = match oci::media::is_manifest(&entry.media_type) {
            true => registry.get_manifest(&child).known()?,
            false => None,
        };
        if let Some(child) = child {
            all.extend(parts(registry, of, &child)?);
        }
        all.insert(entry.digest, entry.size);
    }
    Ok(all)
}

fn of_image(registry: &Registry, (image, there): &(Image, BTreeSet<String>)) -> Answer<Sent> {
    let new = |parts: &Parts, but: &Parts| -> u64 {
        let new = parts.iter().filter(|(digest, _)| !there.contains(*digest));
        new.filter(|(digest, _)| !but.contains_key(*digest)).map(|(_, size)| size).sum()
    };
    let sent = || -> Result<Sent, Reason> {
        let parts_of_image = parts(registry, &image.image, &image.index)?;
        let size = image.index.bytes.len() as u64;
        let mut sent = Sent { image: new(&parts_of_image, &Parts::new()) + size, cache: 0 };
        let cache = image.cache.iter().filter(|digest| !there.contains(*digest));
        for digest in cache {
            let Ok(cache) = image.image.with_digest(digest) else { continue };
            if let Some(cache) = registry.get_manifest(&cache).known()? {
                let parts = parts(registry, &image.image, &cache)?;
                sent.cache += new(&parts, &parts_of_image) + cache.bytes.len() as u64;
            }
        }
        Ok(sent)
    };
    sent().map(Some).into()
}
