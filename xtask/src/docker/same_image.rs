//! Whether two indexes are of the same images, whatever they say of when and how those were built.

use super::registry::oci::{Descriptor, Platform};
use super::registry::{Fetched, Kind, Reason, Reference, Registry};
use serde_json::Value;
use std::collections::BTreeMap;

/// Where an image's configuration holds its inline cache, which depends on what else the engine has built.
const INLINE_CACHE: &str = "moby.buildkit.cache.v0";
/// The most bytes of a configuration, in which all of an inline cache is.
const LIMIT: u64 = 8_000_000;

/// An image by what a container of it is made of.
#[derive(Debug, PartialEq)]
struct Image {
    layers: Vec<Descriptor>,
    config: Value,
}

/// Whether two indexes of a repository have the same images for the same platforms.
pub fn are_same(
    registry: &Registry,
    repository: &Reference,
    (one, other): (&Fetched, &Fetched),
) -> Result<bool, Reason> {
    let (one, other) = (listed(one)?, listed(other)?);
    if one == other {
        return Ok(true);
    }
    if !one.keys().eq(other.keys()) {
        return Ok(false);
    }
    for (one, other) in one.values().zip(other.values()) {
        if one != other && image(registry, repository, one)? != image(registry, repository, other)?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The digests of an index's images, attestations left out.
fn listed(index: &Fetched) -> Result<BTreeMap<Option<Platform>, String>, Reason> {
    let manifests = index.index()?.manifests.into_iter();
    let images = manifests.filter(|manifest| !manifest.is_attestation());
    Ok(images.map(|image| (image.platform.map(Platform::normal), image.digest)).collect())
}

fn image(registry: &Registry, repository: &Reference, digest: &str) -> Result<Image, Reason> {
    let local = |error: &dyn std::fmt::Display| Reason::new(Kind::Local, repository.name(), error);
    let absent =
        || Reason::new(Kind::Rejected, format!("{repository}@{digest}"), "it is not there");
    let reference = repository.with_digest(digest).map_err(|error| local(&error))?;
    let manifest = registry.get_manifest(&reference).known()?.ok_or_else(absent)?.manifest()?;
    let config = registry.get_blob(repository, &manifest.config.digest, LIMIT).known()?;
    let mut config: Value =
        serde_json::from_slice(&config.ok_or_else(absent)?).map_err(|error| local(&error))?;
    if let Some(fields) = config.as_object_mut() {
        fields.remove(INLINE_CACHE);
    }
    Ok(Image { layers: manifest.layers, config })
}
