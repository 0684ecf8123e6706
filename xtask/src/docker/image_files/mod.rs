//! All files of an image, as a container would see them: its layers are read one by one and laid on
//! each other, without an engine and without unpacking anything.

mod blobs;
mod layer;
mod tar;

pub use blobs::{Layout, Published};
pub use layer::Layer;
pub use tar::{Archive, EntryKind, Header};

use super::registry::oci::{Descriptor, Index, Manifest, media};
use crate::parallel::lock;
use crate::plan::verify::{Files, Image, config, is_database};
use crate::process::{Command, Failure, Interruptible, Processes};
use anyhow::{Context as _, Result, anyhow, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::sync::{Arc, Mutex};

/// Where the parts of an image are.
pub trait Blobs {
    /// A manifest, an index or a configuration.
    fn text(&self, descriptor: &Descriptor) -> Result<Vec<u8>>;
    /// A layer, as a file.
    fn layer(&self, descriptor: &Descriptor) -> Result<Utf8PathBuf>;
}

/// Reads images. A layer that several of them have is read once.
pub struct Reader<'a> {
    processes: &'a Processes,
    layers: Mutex<BTreeMap<String, Known>>,
}

/// A layer that was read.
struct Known {
    layer: Arc<Layer>,
    /// How many images had it
    images: usize,
}

impl<'a> Reader<'a> {
    /// Which starts decompressors by `processes`.
    pub fn new(processes: &'a Processes) -> Self {
        Self { processes, layers: Mutex::default() }
    }

    /// The images of an index (or of a single manifest), by platform.
    pub fn images(&self, blobs: &dyn Blobs, top: &Descriptor) -> Result<BTreeMap<String, Image>> {
        let mut images = BTreeMap::new();
        for descriptor in self::images(blobs, top)? {
            let (platform, image) = self.image(blobs, &descriptor)?;
            images.insert(platform, image);
        }
        Ok(images)
    }

    fn image(&self, blobs: &dyn Blobs, descriptor: &Descriptor) -> Result<(String, Image)> {
        let manifest: Manifest = parsed(blobs, descriptor)?;
        let whole: Value = parsed(blobs, &manifest.config)?;
        let mut files = Files::new();
        for layer in &manifest.layers {
            let read = self.layer(blobs, layer);
            let laid = read.and_then(|layer| layer.lay_on(&mut files));
            laid.with_context(|| format!("cannot read the layer {}", layer.digest))?;
        }
        let config = config(&whole);
        let platform = descriptor.platform.clone().map(|platform| platform.normal().to_string());
        let of_config = || -> Option<String> {
            let platform: super::registry::oci::Platform = serde_json::from_value(whole).ok()?;
            Some(platform.normal().to_string())
        };
        let platform = platform.or_else(of_config).context("the image names no platform")?;
        Ok((platform, Image { files, config }))
    }

    /// Forgets the layers that one image alone had: what others have too may come again.
    pub fn forget(&self) {
        lock(&self.layers).retain(|_, known| known.images > 1);
    }

    fn layer(&self, blobs: &dyn Blobs, descriptor: &Descriptor) -> Result<Arc<Layer>> {
        if let Some(known) = lock(&self.layers).get_mut(&descriptor.digest) {
            known.images += 1;
            return Ok(Arc::clone(&known.layer));
        }
        let layer = Arc::new(self.read(&blobs.layer(descriptor)?)?);
        let known = Known { layer: Arc::clone(&layer), images: 1 };
        lock(&self.layers).insert(descriptor.digest.clone(), known);
        Ok(layer)
    }

    /// The bytes say how they are compressed, whatever the media type says.
    fn read(&self, path: &Utf8Path) -> Result<Layer> {
        let mut file = File::open(path).with_context(|| format!("cannot open `{path}`"))?;
        let mut magic = Vec::new();
        file.by_ref().take(4).read_to_end(&mut magic)?;
        file.rewind()?;
        let program = match magic.as_slice() {
            [0x1f, 0x8b, ..] => "gzip",
            [0x28, 0xb5, 0x2f, 0xfd] => "zstd",
            _ => {
                let interrupt = &self.processes.interrupt;
                let layer = Layer::read(Interruptible { reader: file, interrupt }, is_database);
                interrupt.check()?;
                return layer;
            }
        };
        let command = Command::new("decompress a layer", program).args(["-d", "-c"]);
        let layer = self.processes.filter(&command, file, |r| Layer::read(r, is_database));
        layer.map_err(|error| match error.downcast_ref() {
            Some(Failure::NotStarted { .. }) => error
                .context(format!("the layer is compressed: install `{program}` to have it read")),
            _ => error,
        })
    }
}

/// The images of an index, however deep they stand in it; attestations are none.
fn images(blobs: &dyn Blobs, top: &Descriptor) -> Result<Vec<Descriptor>> {
    let (mut images, mut todo) = (Vec::new(), vec![(0, top.clone())]);
    while let Some((depth, descriptor)) = todo.pop() {
        if !media::is_index(&descriptor.media_type) {
            images.push(descriptor);
            continue;
        }
        if depth > 2 {
            bail!("{} is an index within an index within an index", descriptor.digest);
        }
        let index: Index = parsed(blobs, &descriptor)?;
        let inside = index.manifests.into_iter().filter(|entry| !entry.is_attestation());
        todo.extend(inside.map(|entry| (depth + 1, entry)));
    }
    Ok(images)
}

fn parsed<T: serde::de::DeserializeOwned>(blobs: &dyn Blobs, descriptor: &Descriptor) -> Result<T> {
    let text = blobs.text(descriptor)?;
    serde_json::from_slice(&text)
        .map_err(|e| anyhow!("{} is no {}: {e}", descriptor.digest, descriptor.media_type))
}
