//! External images in the engine's registry, under tags that are moved.

use super::support::{busybox, engine, unique};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;
use xtask::docker::registry::{Fetched, Options, Patience, Reference, Registry};
use xtask::process::Processes;

/// What the file `/base` of each image says.
pub const IMAGES: [&str; 3] = ["zero", "one", "two"];

/// The images.
pub struct Bases {
    pub registry: Registry,
    repository: Reference,
    images: Vec<Fetched>,
}

impl Bases {
    /// Made once in a test file.
    pub fn get() -> &'static Self {
        static MADE: OnceLock<Bases> = OnceLock::new();
        MADE.get_or_init(Self::make)
    }

    fn make() -> Self {
        let place = format!("{}/{}", engine().registry(), unique("differential"));
        let texts = IMAGES.map(|name| format!("FROM busybox:debian\nCOPY <<E /base\n{name}\nE\n"));
        let sections: String = IMAGES.map(|name| format!("[services.{name}]\n")).concat();
        let files: Vec<(&str, &str)> =
            IMAGES.into_iter().zip(texts.iter().map(String::as_str)).collect();
        let repository = busybox(&place, &sections, &files);
        engine().xtask(&repository, &["build-images", "--event", "dev"]).run().success();
        let registry = Registry::new(Options {
            vars: BTreeMap::new(),
            processes: Processes::default(),
            patience: Patience::LOCAL,
            plain_hosts: Vec::new(),
            clock: Arc::new(SystemTime::now),
        });
        let bases = format!("{place}/base");
        let images = IMAGES.map(|name| {
            let from = format!("{place}/{name}:dev").parse().expect("a reference");
            let to = format!("{bases}:{name}").parse().expect("a reference");
            registry.copy_image(&from, &to).expect("copying an image");
            registry.get_manifest(&to).found().expect("what was copied")
        });
        let repository = bases.parse().expect("a reference");
        Self { registry, repository, images: images.into() }
    }

    /// The name with a tag.
    pub fn name(&self, tag: &str) -> String {
        format!("{}:{tag}", self.repository.name())
    }

    /// Puts an image under a tag.
    pub fn put(&self, image: usize, tag: &str) {
        let tags = [tag.to_owned()];
        self.registry.place(&self.repository, &self.images[image], &tags).expect("moving a tag");
    }
}
