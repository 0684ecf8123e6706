//! Where the parts of an image come from: a folder that buildx wrote, or a registry.

use super::Blobs;
use crate::docker::registry::oci::{Descriptor, Index, media};
use crate::docker::registry::{Fetched, Reference, Registry};
use anyhow::{Context as _, Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use std::fs::File;
use std::io::Read as _;

/// The largest image configuration that is read, in bytes.
const CONFIG_LIMIT: u64 = 16 << 20;

/// An OCI image layout in a folder.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a>(pub &'a Utf8Path);

impl Layout<'_> {
    /// What its `index.json` names.
    pub fn top(&self) -> Result<Vec<Descriptor>> {
        let path = self.0.join("index.json");
        let index: Index = serde_json::from_slice(&read(&path)?)
            .with_context(|| format!("`{path}` is no index"))?;
        Ok(index.manifests)
    }

    fn path(&self, digest: &str) -> Utf8PathBuf {
        self.0.join("blobs").join(digest.replace(':', "/"))
    }

    fn has(&self, digest: &str) -> Option<Utf8PathBuf> {
        Some(self.path(digest)).filter(|path| path.is_file())
    }
}

impl Blobs for Layout<'_> {
    fn text(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        read(&self.path(&descriptor.digest))
    }

    fn layer(&self, descriptor: &Descriptor) -> Result<Utf8PathBuf> {
        Ok(self.path(&descriptor.digest))
    }
}

/// An image in a registry.
pub struct Published<'a> {
    /// The registry
    pub registry: &'a Registry,
    /// The repository
    pub repository: &'a Reference,
    /// Its index
    pub index: &'a Fetched,
    /// Where layers are put
    pub folder: &'a Utf8Path,
    /// Layouts that may have the same layers
    pub near: &'a [Layout<'a>],
}

impl Published<'_> {
    /// What its index is known by.
    pub fn top(&self) -> Descriptor {
        let Fetched { bytes, media_type, digest } = self.index;
        Descriptor {
            media_type: media_type.clone(),
            digest: digest.clone(),
            size: bytes.len() as u64,
            platform: None,
            annotations: Default::default(),
        }
    }

    fn gone(&self, digest: &str) -> anyhow::Error {
        anyhow!("{digest} of `{}` is not in the registry any more", self.repository)
    }
}

impl Blobs for Published<'_> {
    fn text(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        let digest = &descriptor.digest;
        if *digest == self.index.digest {
            return Ok(self.index.bytes.clone());
        }
        let found = if media::is_manifest(&descriptor.media_type) {
            let reference = self.repository.with_digest(digest)?;
            self.registry.get_manifest(&reference).map(|fetched| fetched.bytes).known()
        } else {
            self.registry.get_blob(self.repository, digest, CONFIG_LIMIT).known()
        };
        found?.ok_or_else(|| self.gone(digest))
    }

    fn layer(&self, descriptor: &Descriptor) -> Result<Utf8PathBuf> {
        let digest = &descriptor.digest;
        if let Some(path) = self.near.iter().find_map(|layout| layout.has(digest)) {
            return Ok(path);
        }
        let path = self.folder.join(digest.replace(':', "-"));
        let saved = self.registry.save_blob(self.repository, digest, &path).known()?;
        saved.ok_or_else(|| self.gone(digest))?;
        Ok(path)
    }
}

fn read(path: &Utf8Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = File::open(path).with_context(|| format!("cannot open `{path}`"))?;
    file.read_to_end(&mut bytes).with_context(|| format!("cannot read `{path}`"))?;
    Ok(bytes)
}
