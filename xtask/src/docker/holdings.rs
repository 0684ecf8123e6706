//! Reads all that a repository of a registry holds behind its tags: what `cache` tells and prunes of.

use super::registry::oci::{Index, Manifest, media};
use super::registry::{AtOnce, Fetched, Kind, Reason, Reference, Registry};
use crate::plan::claim;
use crate::plan::prune::{Content, Held};
use crate::time::seconds_of_rfc3339;
use std::collections::{BTreeMap, BTreeSet};

/// How many connections ask at once.
const AT_ONCE: AtOnce = AtOnce { threads: 8, within: None };
/// How deep indexes may lie in each other.
const DEPTH: usize = 4;

/// Reads it. One thing that nobody can tell makes all of it unknown: then nothing may be taken away.
/// A repository that is not there holds nothing.
pub fn read(registry: &Registry, repository: &Reference) -> Result<Held, Reason> {
    let tags = registry.tags(repository).known()?.unwrap_or_default();
    let references = tags.iter().map(|tag| reference(repository.with_tag(tag), repository));
    let references = references.collect::<Result<Vec<_>, _>>()?;
    let mut held = Held::default();
    let mut next = BTreeSet::new();
    for (tag, answer) in tags.iter().zip(registry.get_manifests(references, AT_ONCE)) {
        // One that was taken away since it was listed is not there.
        let Some(fetched) = answer.known()? else { continue };
        held.tags.insert(tag.clone(), fetched.digest.clone());
        next.extend(held.add(&fetched)?);
    }
    for _ in 0..DEPTH {
        next.retain(|digest| !held.manifests.contains_key(digest));
        let wanted: Vec<String> = std::mem::take(&mut next).into_iter().collect();
        if wanted.is_empty() {
            return Ok(held);
        }
        let references = wanted.iter().map(|it| reference(repository.with_digest(it), repository));
        let references = references.collect::<Result<Vec<_>, _>>()?;
        for answer in registry.get_manifests(references, AT_ONCE) {
            // What an index lists and the registry lacks cannot be taken away, nor be broken.
            if let Some(fetched) = answer.known()? {
                next.extend(held.add(&fetched)?);
            }
        }
    }
    Err(Reason::new(Kind::Garbage, repository.name(), "indexes lie in each other without end"))
}

impl Held {
    /// Adds a manifest, and gives the digests that are to be read after it.
    fn add(&mut self, fetched: &Fetched) -> Result<Vec<String>, Reason> {
        let content = content(fetched)?;
        let next = content.parts.iter().chain(&content.cache).cloned().collect();
        self.manifests.insert(fetched.digest.clone(), content);
        Ok(next)
    }
}

fn content(fetched: &Fetched) -> Result<Content, Reason> {
    let size = fetched.bytes.len() as u64;
    let (mut parts, mut blobs) = (Vec::new(), BTreeMap::new());
    let annotations = if fetched.is_index() {
        let Index { manifests, annotations, .. } = fetched.index()?;
        for entry in manifests {
            // Older caches are an index that lists blobs as if they were manifests.
            if media::is_manifest(&entry.media_type) {
                parts.push(entry.digest);
            } else {
                blobs.insert(entry.digest, entry.size);
            }
        }
        annotations
    } else {
        let Manifest { config, layers, annotations, .. } = fetched.manifest()?;
        let all = std::iter::once(config).chain(layers);
        blobs.extend(all.map(|blob| (blob.digest, blob.size)));
        annotations
    };
    let text = |key: &str| annotations.get(key).cloned();
    Ok(Content {
        size,
        parts,
        blobs,
        revision: text(claim::REVISION),
        created: text(claim::CREATED).and_then(|created| seconds_of_rfc3339(&created)),
        cache: text(claim::CACHE),
    })
}

fn reference(
    made: Result<Reference, super::registry::InvalidReference>,
    repository: &Reference,
) -> Result<Reference, Reason> {
    made.map_err(|error| Reason::new(Kind::Garbage, repository.name(), error))
}
