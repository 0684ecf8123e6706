//! Reads all that a plan is computed from: manifest, Dockerfiles, git, event, registry, bases.

use super::dockerfiles::{self, Dockerfiles};
use super::environment::Environment;
use super::event::{self, Event};
use super::{git, lock, secrets};
use crate::error::Wrong;
use crate::manifest::{self, Loaded, Lock};
use crate::plan::cache::GhaAccess;
use crate::plan::facts::{Facts, select};
use crate::process::Processes;
use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use std::time::UNIX_EPOCH;

/// What the command line says of the facts.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The environment
    pub env: &'a Environment,
    /// Starts git
    pub processes: &'a Processes,
    /// `--manifest`
    pub manifest: Option<&'a Utf8Path>,
    /// `--event`
    pub event: Option<&'a str>,
    /// `--registry`
    pub registry: Option<&'a str>,
    /// Services and groups
    pub names: &'a [String],
}

/// The facts, and what later steps need besides.
#[derive(Clone, Debug)]
pub struct World {
    /// The repository's root
    pub root: Utf8PathBuf,
    /// The manifest's path
    pub manifest: Utf8PathBuf,
    /// The lock file's path, whether it is there or not
    pub lock_path: Utf8PathBuf,
    /// What each base is locked to
    pub lock: Lock,
    /// The manifest with its places
    pub loaded: Loaded,
    /// The Dockerfiles, by service
    pub dockerfiles: Dockerfiles,
    /// What the plan is computed from; bases and what stands in the registry are still empty
    pub facts: Facts,
}

/// Reads everything that is local: nothing is written, no network is used.
pub fn read(asked: &Asked) -> Result<World> {
    let mut world = read_tree(asked)?;
    let chosen = world.facts.select(asked.names)?;
    let all = world.facts.graph.with_dependencies(chosen.iter().map(String::as_str));
    world.facts.secrets = secrets::find(&world.loaded, &world.root, asked.env, &all)?;
    Ok(world)
}

/// The same without secrets: for what only looks, and may not have them.
pub fn read_tree(asked: &Asked) -> Result<World> {
    let (root, path, loaded) = manifest(asked.env, asked.processes, asked.manifest)?;
    let (head, world) = std::thread::scope(|scope| {
        let head = scope.spawn(|| git::head(asked.processes, &root));
        let world = of_tree(asked, root.clone(), path, loaded);
        (head.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), world)
    });
    let mut world = world?;
    let event = &world.facts.event;
    world.facts.revision = revision(asked.processes, &world.root, event, head?)?;
    Ok(world)
}

/// The same of a tree whose manifest was read already, and without the commit that it is.
pub fn of_tree(
    asked: &Asked,
    root: Utf8PathBuf,
    path: Utf8PathBuf,
    loaded: Loaded,
) -> Result<World> {
    let lock_path = lock::path(&path);
    let lock = lock::read(&lock_path, &root)?;
    let project = &loaded.manifest.project;
    let payload = asked.env.github_payload()?;
    let event = event::find(asked.event, &asked.env.vars, payload.as_ref(), &project.dev_branch)?;
    select(&loaded.manifest, asked.names)?;
    let dockerfiles = dockerfiles::read(&root, &loaded)?;
    let (needs, graph) = dockerfiles.graph(&loaded)?;
    let volatile = loaded.manifest.services.values().flat_map(|s| &s.volatile_args);
    let environment_args = volatile
        .filter_map(|name| Some((name.clone(), asked.env.vars.get(name)?.clone())))
        .collect();
    let facts = Facts {
        registry: registry(asked.env, asked.registry, &project.registry)?,
        gha: GhaAccess::from_env(&asked.env.vars, event.fork),
        needs,
        graph,
        environment_args,
        now: asked.env.now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        ..Facts::unread(loaded.manifest.clone(), event)
    };
    Ok(World { root, manifest: path, lock_path, lock, loaded, dockerfiles, facts })
}

/// The repository's root, the manifest's path and what it says. `named` is `--manifest`.
pub fn manifest(
    env: &Environment,
    processes: &Processes,
    named: Option<&Utf8Path>,
) -> Result<(Utf8PathBuf, Utf8PathBuf, Loaded)> {
    let (root, path) = match named {
        Some(file) => {
            let file = env.dir.join(file);
            (git::root(processes, git::folder_of_manifest(&file)?)?, file)
        }
        None => {
            let root = git::root(processes, &env.dir)?;
            let file = root.join("services/services.toml");
            (root, file)
        }
    };
    let loaded = manifest::load(&path, &root)?;
    Ok((root, path, loaded))
}

/// Where images go: what `--registry` or XTASK_REGISTRY says, else the manifest.
pub fn registry(env: &Environment, option: Option<&str>, of_manifest: &str) -> Result<String> {
    let Some(registry) = option.or_else(|| env.get("XTASK_REGISTRY")) else {
        return Ok(of_manifest.to_owned());
    };
    let registry = registry.trim_end_matches('/');
    match manifest::values::registry(registry) {
        Ok(()) => Ok(registry.to_owned()),
        Err(fault) => wrong!(
            "the registry `{registry}` (--registry or XTASK_REGISTRY): {}{}",
            fault.message,
            fault.help.map(|help| format!(": {help}")).unwrap_or_default()
        ),
    }
}

/// The commit that is built: HEAD. What GitHub says it is must be what is checked out.
fn revision(
    processes: &Processes,
    root: &Utf8Path,
    event: &Event,
    head: Option<String>,
) -> Result<Option<String>> {
    if !event.kind.pushes() {
        return Ok(head.or_else(|| event.revision.clone()));
    }
    let Some(head) = head else {
        wrong!("there is no commit yet: a `{}` run publishes a commit", event.kind.name());
    };
    if let Some(said) = &event.revision {
        let commit = git::commit_of(processes, root, said)?;
        if commit.as_ref() != Some(&head) {
            return Err(Wrong(format!(
                "GITHUB_SHA is {said}, but {head} is checked out: check that commit out, \
                 or say `--event {}` to publish HEAD",
                event.kind
            ))
            .into());
        }
    }
    Ok(Some(head))
}
