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
    /// Adds annotations to the index that buildx pushed, and writes it back under its handle.
    ///
    /// It is read by its digest: under the tag another run's index may stand by now.
    pub fn annotate(
        &self,
        image: &str,
        digest: &str,
        handle: &str,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Fetched> {
        let pushed = image.parse::<Reference>()?.with_digest(digest)?;
        let index = self.read(&pushed)?;
        if !index.is_index() {
            anyhow::bail!(
                "`{pushed}` is a {}, not an index: buildx was told to make one",
                index.media_type
            );
        }
        let bytes = oci::annotated(&index.bytes, annotations)
            .with_context(|| format!("cannot annotate `{pushed}`"))?;
        let digest = oci::digest_of(&bytes);
        let annotated = Fetched { bytes, media_type: index.media_type, digest };
        let handle = pushed.with_tag(handle)?;
        self.registry
            .put_manifest(&handle, &annotated.media_type, &annotated.bytes)
            .with_context(|| format!("cannot write `{handle}`"))?;
        Ok(annotated)
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
