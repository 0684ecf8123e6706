//! `clean`: this project's images out of the engine, and what runs left under `target/xtask`.

use super::Session;
use super::build_images::reading::setup;
use crate::cli::Clean;
use crate::context::facts::{self, Asked, World};
use crate::docker::store::{self, Stored};
use crate::docker::{Docker, connect};
use crate::parallel;
use crate::report::{count, say, stdout};
use anyhow::{Context as _, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

/// How many images are removed at once.
const AT_ONCE: usize = 4;

/// Does it. Published images and registry caches are `cache prune`'s business.
pub fn run(session: &Session, options: &Clean) -> Result<ExitCode> {
    let asked = Asked {
        env: &session.env,
        processes: &session.processes,
        manifest: session.common.manifest.as_deref(),
        event: Some("local"),
        registry: options.registry.as_deref(),
        names: &[],
    };
    let world = facts::read_tree(&asked)?;
    let docker = connect::find(&setup(session)?)?;
    let word = if options.dry_run { "would remove" } else { "removed" };
    let mut failed = Vec::new();
    if let Some(docker) = &docker {
        failed = Images { session, options, docker }.remove(&world)?;
        if options.cache {
            let named = options.builder.iter().flat_map(|name| ["--builder", name.as_str()]);
            let prune = docker.buildx("empty the builder's cache").args(named);
            if !options.dry_run {
                session.processes.run(&prune.args(["prune", "--all", "--force"]))?;
            }
            stdout(&format!("{word} the builder's cache"))?;
        }
    }
    // Notes of images that are gone would only be in the way.
    let notes = world.root.join("target/xtask");
    if notes.is_dir() {
        if !options.dry_run {
            std::fs::remove_dir_all(&notes).with_context(|| format!("cannot remove `{notes}`"))?;
        }
        stdout(&format!("{word} {notes}"))?;
    }
    if !failed.is_empty() {
        anyhow::bail!("not all images could be removed:\n{}", failed.join("\n"));
    }
    Ok(ExitCode::SUCCESS)
}

struct Images<'a> {
    session: &'a Session,
    options: &'a Clean,
    docker: &'a Docker,
}

impl Images<'_> {
    /// Removes those of the project that no container uses. Gives what went wrong.
    fn remove(&self, world: &World) -> Result<Vec<String>> {
        let (docker, processes) = (self.docker, &self.session.processes);
        let (names, repositories) = ours(world);
        let is_ours =
            |it: &Stored| names.contains(&it.name) || repositories.contains(it.repository.as_str());
        let mut by_id: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for stored in store::all(docker, processes)?.into_iter().filter(is_ours) {
            by_id.entry(stored.id).or_default().push(stored.name);
        }
        let users = store::users(docker, processes)?;
        let (used, free): (Vec<_>, Vec<_>) =
            by_id.into_iter().partition(|(id, _)| users.contains_key(id));
        let mut lines = Vec::new();
        let mut failed = Vec::new();
        let removed = parallel::map(AT_ONCE, &free, |(_, names)| self.remove_one(names));
        processes.interrupt.check()?;
        let word = if self.options.dry_run { "would remove" } else { "removed" };
        for ((_, names), removed) in free.iter().zip(removed) {
            match removed {
                Ok(()) => lines.extend(names.iter().map(|name| format!("{word} {name}"))),
                Err(error) => failed.push(format!("{error:#}")),
            }
        }
        let word = if self.options.dry_run { "would leave" } else { "left" };
        for (name, users) in
            used.iter().flat_map(|(id, names)| names.iter().map(|n| (n, &users[id])))
        {
            lines.push(format!("{word} {name}: in use by container {}", users.join(", ")));
        }
        lines.sort();
        lines.iter().try_for_each(|line| stdout(line))?;
        if !used.is_empty() && !self.session.common.quiet {
            let (images, verb) =
                (count(used.len(), "image"), if used.len() == 1 { "is" } else { "are" });
            say!(
                "note: {images} {verb} in use: `cargo xtask down` ends the services' containers \
                 (`docker rm` others), then run this again"
            );
        }
        Ok(failed)
    }

    fn remove_one(&self, names: &[String]) -> Result<()> {
        if self.options.dry_run {
            return Ok(());
        }
        let remove = self.docker.command(format!("remove `{}`", names.join("`, `")));
        let names = names.iter().map(String::as_str);
        self.session.processes.run(&remove.args(["image", "rm"]).args(names))
    }
}

/// The names that runs at a desk give, and the repositories that others push to and pull from, as Docker
/// lists them.
fn ours(world: &World) -> (BTreeSet<String>, BTreeSet<String>) {
    let facts = &world.facts;
    let services = || facts.manifest.services.keys();
    let listed = |name: String| name.strip_prefix("docker.io/").map_or(name.clone(), str::to_owned);
    let names = services().flat_map(|it| facts.local_names(it)).map(listed).collect();
    let registries = [&facts.registry, &facts.manifest.project.registry];
    let repositories = registries
        .iter()
        .flat_map(|registry| services().map(move |service| format!("{registry}/{service}")));
    (names, repositories.map(listed).collect())
}
