//! From what buildx pushed under its handle to the image that people pull: annotations are added,
//! public tags are moved. The only writer of tags (DESIGN 4.3, "Tags are ours").

use super::registry::{Fetched, Kind, Reason, Reference, Registry, oci};
use crate::plan::claim::{CREATED, REVISION};
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;

/// How many images are worked on at once.
pub const CONNECTIONS: usize = 8;

/// Publishes images.
pub struct Publish<'a> {
    /// Where to
    pub registry: &'a Registry,
}

/// The annotations of an index (OCI image specification, "Pre-Defined Annotation Keys"). What was
/// built of a tree that differs from its commit names no revision.
pub fn annotations(
    revision: Option<&str>,
    version: Option<&str>,
    created: &str,
) -> BTreeMap<String, String> {
    let pairs = [
        (REVISION, revision),
        ("org.opencontainers.image.version", version),
        (CREATED, Some(created)),
    ];
    pairs.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))).collect()
}

impl Publish<'_> {
    /// The index that buildx pushed.
    ///
    /// It is read by its digest: under the tag another run's index may stand by now.
    pub fn pushed(&self, image: &str, digest: &str) -> Result<Fetched> {
        let pushed = image.parse::<Reference>()?.with_digest(digest)?;
        let index = self.read(&pushed)?;
        if !index.is_index() {
            anyhow::bail!(
                "`{pushed}` is a {}, not an index: buildx was told to make one",
                index.media_type
            );
        }
        Ok(index)
    }

    /// Adds annotations to an index that buildx pushed, and writes it back under its handle.
    pub fn annotate(
        &self,
        image: &str,
        index: Fetched,
        handle: &str,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Fetched> {
        let bytes = oci::annotated(&index.bytes, annotations)
            .with_context(|| format!("cannot annotate `{image}@{}`", index.digest))?;
        let digest = oci::digest_of(&bytes);
        let annotated = Fetched { bytes, media_type: index.media_type, digest };
        self.put(image, &annotated, handle)?;
        Ok(annotated)
    }

    /// Writes an index under a handle.
    pub fn put(&self, image: &str, index: &Fetched, handle: &str) -> Result<()> {
        let handle = image.parse::<Reference>()?.with_tag(handle)?;
        self.registry
            .put_manifest(&handle, &index.media_type, &index.bytes)
            .with_context(|| format!("cannot write `{handle}`"))?;
        Ok(())
    }

    /// Moves tags, in this order. Gives those that were moved, also before an error.
    pub fn move_tags(
        &self,
        image: &str,
        index: &Fetched,
        tags: &[String],
    ) -> (Vec<String>, Result<()>) {
        let repository = match image.parse::<Reference>() {
            Ok(repository) => repository,
            Err(error) => return (Vec::new(), Err(error.into())),
        };
        match self.registry.place(&repository, index, tags) {
            Ok(placed) => (placed.tags, Ok(())),
            Err(halted) => (halted.moved.clone(), Err(halted.into())),
        }
    }

    fn read(&self, reference: &Reference) -> Result<Fetched> {
        let absent = || Reason::new(Kind::Rejected, reference.to_string(), "it is not there");
        let found = self.registry.get_manifest(reference).known();
        found
            .and_then(|found| found.ok_or_else(absent))
            .with_context(|| format!("cannot read `{reference}`"))
    }
}
