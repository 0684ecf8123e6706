//! What the program reads of a repository.

use super::bases::Bases;
use camino::Utf8PathBuf;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;
use xtask::context::bases::{Finder, Making};
use xtask::context::environment::Environment;
use xtask::context::facts::{self, Asked, World};
use xtask::context::inputs;
use xtask::docker::bases::Bases as Made;
use xtask::docker::engine::Setup;
use xtask::process::Processes;

/// The facts, with external images as they stand in the registry now.
pub fn world(root: &Path) -> World {
    let root = Utf8PathBuf::from_path_buf(root.to_owned()).expect("UTF-8");
    let env = Environment { vars: BTreeMap::new(), dir: root, now: SystemTime::UNIX_EPOCH };
    let processes = Processes::default();
    let asked = Asked {
        env: &env,
        processes: &processes,
        manifest: None,
        event: Some("local"),
        registry: None,
        names: &[],
    };
    let mut world = facts::read(&asked).unwrap_or_else(|error| panic!("{error:#}"));
    let services: Vec<String> = world.facts.manifest.services.keys().cloned().collect();
    // Nothing is made: all images are in the registry.
    let setup = Setup {
        processes: Processes::default(),
        cache: "/nonexistent".into(),
        vars: BTreeMap::new(),
        instance: "none".into(),
        say: |_| {},
    };
    let (registry, facts, lock) = (&Bases::get().registry, &world.facts, &world.lock);
    let (made, making) = (Made::new(&setup), Making::OnlyLook);
    let finder = Finder { registry, bases: &made, say: &setup.say, facts, lock, making };
    let found = finder.find(&services).unwrap_or_else(|error| panic!("{error:#}"));
    world.facts.bases = found.images;
    world.facts.inputs =
        inputs::read(&processes, &env, &world, &services).expect("reading the files");
    world
}
