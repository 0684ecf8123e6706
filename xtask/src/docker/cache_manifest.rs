//! The manifest of a registry cache: read with all that it names, and marked with what it is of.

use super::registry::{Answer, AtOnce, Fetched, Kind, Reason, Reference, Registry, oci};
use crate::plan::cache::CACHE_TAG;
use crate::plan::tags::Known;
use crate::plan::warm::CacheManifest;
use anyhow::{Context as _, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many connections ask at once.
const THREADS: usize = 8;

/// The registry caches of images, in the order of the images. Each blob of each is asked for.
pub fn read(
    registry: &Registry,
    images: &[String],
    within: Duration,
) -> Result<Vec<Known<Option<CacheManifest>>>> {
    let references: Vec<Reference> = images
        .iter()
        .map(|image| Ok(image.parse::<Reference>()?.with_tag(CACHE_TAG)?))
        .collect::<Result<_>>()?;
    let at_once = AtOnce { threads: THREADS, within: Some(within) };
    let found = registry.get_manifests(references.clone(), at_once);
    let listed: Vec<Answer<Listed>> =
        found.into_iter().map(|answer| answer.and_then(|it| Listed::of(&it))).collect();
    let mut wanted = Vec::new();
    for (reference, listed) in references.iter().zip(&listed) {
        if let Answer::Found(listed) = listed {
            wanted.extend(listed.blobs.iter().map(|digest| (reference.clone(), digest.clone())));
        }
    }
    let answers = registry
        .for_each(wanted, at_once, |registry, (image, digest)| registry.head_blob(image, digest));
    let mut answers = answers.into_iter().map(|answer| match answer.known() {
        Ok(found) => Known::Known(found.is_some()),
        Err(reason) => Known::Unknown(reason.to_string()),
    });
    let caches = listed.into_iter().map(|listed| match listed.known() {
        Ok(None) => Known::Known(None),
        Err(reason) => Known::Unknown(reason.to_string()),
        Ok(Some(Listed { digest, annotations, blobs })) => {
            let blobs = blobs.into_iter().zip(answers.by_ref()).collect();
            Known::Known(Some(CacheManifest { digest, annotations, blobs }))
        }
    });
    Ok(caches.collect())
}

/// Those of some caches (`<image>:<tag>`) that name a layer: themselves, or one of their images. What
/// cannot be read does not.
pub fn naming(registry: &Registry, layer: &str, caches: Vec<String>) -> Vec<String> {
    let lists = |fetched: &Fetched| Listed::of(fetched).is_ok_and(|it| it.blobs.contains(layer));
    let names = |cache: &String| -> Option<bool> {
        let reference: Reference = cache.parse().ok()?;
        let top = registry.get_manifest(&reference).found()?;
        let images = top.index().map(|index| index.manifests).unwrap_or_default();
        let images = images.iter().filter(|image| oci::media::is_manifest(&image.media_type));
        let listed = |image: &oci::Descriptor| -> Option<bool> {
            let image = reference.with_digest(&image.digest).ok()?;
            Some(lists(&registry.get_manifest(&image).found()?))
        };
        Some(lists(&top) || images.filter_map(listed).any(|listed| listed))
    };
    caches.into_iter().filter(|cache| names(cache) == Some(true)).collect()
}

/// Adds annotations to the cache manifest that a build wrote, and writes it back as the cache.
///
/// It is read by its digest: under the tag another run's may stand by now.
pub fn mark(
    registry: &Registry,
    image: &str,
    digest: &str,
    marks: &BTreeMap<String, String>,
) -> Result<()> {
    let written = image.parse::<Reference>()?.with_digest(digest)?;
    let absent = || Reason::new(Kind::Rejected, written.to_string(), "it is not there");
    let manifest = registry.get_manifest(&written).known();
    let manifest = manifest
        .and_then(|found| found.ok_or_else(absent))
        .with_context(|| format!("cannot read the cache `{written}`"))?;
    if manifest.is_index() {
        bail!(
            "the cache `{written}` is a {}: buildx was told to make a manifest",
            manifest.media_type
        );
    }
    let bytes = oci::annotated_manifest(&manifest.bytes, marks)
        .with_context(|| format!("cannot annotate `{written}`"))?;
    let tag = image.parse::<Reference>()?.with_tag(CACHE_TAG)?;
    registry
        .put_manifest(&tag, &manifest.media_type, &bytes)
        .with_context(|| format!("cannot write `{tag}`"))?;
    Ok(())
}

/// A cache manifest, before its blobs were asked for.
struct Listed {
    digest: String,
    annotations: BTreeMap<String, String>,
    blobs: BTreeSet<String>,
}

impl Listed {
    /// Older caches are an index, which lists blobs as if they were manifests.
    fn of(fetched: &Fetched) -> Result<Self, Reason> {
        let digest = fetched.digest.clone();
        let digests = |all: Vec<oci::Descriptor>| all.into_iter().map(|it| it.digest).collect();
        if fetched.is_index() {
            let oci::Index { manifests, annotations, .. } = fetched.index()?;
            return Ok(Self { digest, annotations, blobs: digests(manifests) });
        }
        let oci::Manifest { config, mut layers, annotations, .. } = fetched.manifest()?;
        layers.push(config);
        Ok(Self { digest, annotations, blobs: digests(layers) })
    }
}
