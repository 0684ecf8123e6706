//! A commit's tree, read as the working tree is: manifest, Dockerfiles, what would be sent.
#![expect(clippy::disallowed_methods, reason = "reads the manifest of the commit")]

use super::commit::Checkout;
use super::environment::Environment;
use super::facts::World;
use super::since::{files, folders, is_below};
use super::{dockerfiles, inputs, lock};
use crate::error::Wrong;
use crate::manifest::{self, Loaded, Service};
use crate::plan::facts::Facts;
use crate::process::Processes;
use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;

/// A commit, as far as it was read.
pub struct Past {
    /// As of the working tree; inputs and bases are still empty
    pub world: World,
    checkout: Checkout,
    processes: Processes,
    env: Environment,
}

/// Reads manifest and Dockerfiles of a commit. What is not the commit's (event, registry) is as now.
/// [`Wrong`] where they cannot be read, or are not there.
pub fn read(
    processes: &Processes,
    env: &Environment,
    now: &World,
    mut checkout: Checkout,
) -> Result<Past> {
    let path = manifest_path(now)?;
    if !checkout.has(path.as_str()) {
        wrong!("it has no manifest `{path}`");
    }
    let lock = lock::path(&path);
    checkout.take(&|file| path == file || lock == file)?;
    let file = checkout.root.join(&path);
    if let Some(services) = services(&path, &file) {
        prepare(&mut checkout, &services)?;
    }
    let loaded = manifest::load(&file, &checkout.root)?;
    let dockerfiles = dockerfiles::read(&checkout.root, &loaded)?;
    let (needs, graph) = dockerfiles.graph(&loaded)?;
    let facts = Facts {
        manifest: loaded.manifest.clone(),
        needs,
        graph,
        inputs: [].into(),
        bases: [].into(),
        ..now.facts.clone()
    };
    let lock_path = lock::path(&file);
    let lock = lock::read(&lock_path, &checkout.root)?;
    let root = checkout.root.clone();
    let world = World { root, manifest: file, lock_path, lock, loaded, dockerfiles, facts };
    Ok(Past { world, checkout, processes: processes.clone(), env: env.clone() })
}

impl Past {
    /// Reads what these services send.
    pub fn read_inputs(&mut self, services: &[String]) -> Result<()> {
        let chosen: Vec<&Service> =
            services.iter().filter_map(|name| self.world.facts.service(name)).collect();
        let folders: BTreeSet<Utf8PathBuf> = chosen.into_iter().flat_map(folders).collect();
        self.checkout.take(&|path| is_below(path, &folders))?;
        let read = inputs::read(&self.processes, &self.env, &self.world, services)?;
        self.world.facts.inputs.extend(read);
        Ok(())
    }

    /// Whether symbolic links lead to what a service sends: then git's list of what has changed does
    /// not name it by the paths of the manifest.
    pub fn is_behind_links(&self, service: &Service) -> bool {
        let paths = folders(service).into_iter().chain(files(service));
        paths.into_iter().any(|path| self.checkout.is_behind_a_link(&path))
    }
}

/// The manifest relative to the root.
fn manifest_path(now: &World) -> Result<Utf8PathBuf> {
    let (root, file) = (now.root.canonicalize_utf8()?, now.manifest.canonicalize_utf8()?);
    match file.strip_prefix(&root) {
        Ok(path) => Ok(path.to_owned()),
        Err(_) => Err(Wrong(format!("`{file}` is not in the repository `{root}`")).into()),
    }
}

/// Nothing where the manifest has mistakes: they are told by whoever loads it.
fn services(path: &Utf8Path, file: &Utf8Path) -> Option<Vec<Service>> {
    let text = std::fs::read_to_string(file).ok()?;
    let loaded: Loaded = manifest::parse(path.as_str(), &text).ok()?;
    Some(loaded.manifest.services.into_values().collect())
}

/// Takes the Dockerfiles and the rules, and makes the folders that the manifest names.
fn prepare(checkout: &mut Checkout, services: &[Service]) -> Result<()> {
    let all_files: BTreeSet<Utf8PathBuf> = services.iter().flat_map(files).collect();
    let all_folders: BTreeSet<Utf8PathBuf> = services.iter().flat_map(folders).collect();
    if all_files.iter().chain(&all_folders).any(|path| checkout.is_behind_a_link(path)) {
        return checkout.take(&|_| true);
    }
    checkout.take(&|path| all_files.contains(Utf8Path::new(path)))?;
    all_folders.iter().try_for_each(|folder| checkout.make_folder(folder))
}
