//! Reads what BuildKit would be sent: Dockerfiles and contexts, as they are in the working tree.
//!
//! Contents are told by git's index where it can be trusted, else by their bytes: two ways to one
//! answer. What vanishes or changes meanwhile is a reason for no fingerprint, never a guess.

mod ahead;
pub mod attributes;
mod blob;
mod files;
mod folders;
mod found;
mod glance;
mod index;
mod kept_sizes;
mod pool;
mod rules;
mod sizes;
mod stat;
mod trust;
mod walk;
mod xattrs;

pub use ahead::Ahead;
pub use glance::Glance;

use super::environment::Environment;
use super::facts::World;
use crate::manifest::Service;
use crate::plan::fingerprint::{Inputs, Tree, is_folder};
use crate::process::Processes;
use anyhow::Result;
use camino::Utf8Path;
use folders::{Folder, Folders};
use index::Index;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads the inputs of services. Slow only where much has to be read.
pub fn read(
    processes: &Processes,
    env: &Environment,
    world: &World,
    services: &[String],
) -> Result<BTreeMap<String, Inputs>> {
    read_with(None, processes, env, world, services)
}

/// The same, with an index that may be on its way already.
pub fn read_with(
    ahead: Option<Ahead>,
    processes: &Processes,
    env: &Environment,
    world: &World,
    services: &[String],
) -> Result<BTreeMap<String, Inputs>> {
    let services: Vec<&Service> =
        services.iter().filter_map(|name| world.facts.service(name)).collect();
    let root = world.root.canonicalize_utf8().unwrap_or_else(|_| world.root.clone());
    let mut folders = Folders::new(&root);
    let (index, wanted) = std::thread::scope(|scope| {
        let index = scope.spawn(|| index(ahead, processes, env, &root));
        let wanted: Vec<Wanted> = services.iter().map(|s| Wanted::of(s, &mut folders)).collect();
        (index.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), wanted)
    });
    let cache = env.cache_dir().ok();
    let trees = folders.read(processes, cache.as_deref(), index.as_ref())?;
    let tree = |folder: Result<Folder, String>| folder.and_then(|folder| trees.get(folder));
    let inputs = services.into_iter().zip(wanted).map(|(service, wanted)| {
        let named = wanted.named.into_iter().map(|(name, folder)| (name, tree(folder)));
        let inputs = Inputs {
            dockerfile: files::dockerfile(world, service),
            context: tree(wanted.context),
            named: named.collect(),
        };
        (service.name.clone(), inputs)
    });
    Ok(inputs.collect())
}

/// The index of the repository with this real root, where it can be trusted.
fn index(
    ahead: Option<Ahead>,
    processes: &Processes,
    env: &Environment,
    root: &Utf8Path,
) -> Option<Index> {
    if let Some(Ok(index)) = ahead.map(|ahead| ahead.of(root)) {
        return index;
    }
    let trusted = trust::index(processes, env, root)?;
    (trusted.root == root).then_some(trusted.index)
}

/// The folders of one service.
struct Wanted {
    context: Result<Folder, String>,
    named: BTreeMap<String, Result<Folder, String>>,
}

impl Wanted {
    fn of(service: &Service, folders: &mut Folders) -> Self {
        let rules = rules::of_service(folders.root, service);
        let context = rules.and_then(|rules| folders.add(&service.context, rules));
        let named = service.contexts.iter().filter(|(_, value)| is_folder(value));
        let named = named.map(|(name, value)| {
            let rules = rules::of_folder(folders.root, value.as_ref());
            (name.clone(), rules.and_then(|rules| folders.add(value.as_ref(), rules)))
        });
        Self { context, named: named.collect() }
    }
}

/// What came of reading a folder.
type Answer = Result<Arc<Tree>, String>;
