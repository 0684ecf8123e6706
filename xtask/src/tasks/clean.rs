//! `clean`: this project's images out of the engine, and what runs left under `target/xtask`.

use super::Session;
use super::build_images::reading::setup;
use crate::cli::Clean;
use crate::context::facts::{self, Asked};
use crate::docker::{connect, store};
use crate::report::stdout;
use anyhow::{Context as _, Result};
use std::process::ExitCode;

/// Does it. Published images and registry caches are `cache prune`'s business.
pub fn run(session: &Session, options: &Clean) -> Result<ExitCode> {
    let asked = Asked {
        env: &session.env,
        processes: &session.processes,
        manifest: session.common.manifest.as_deref(),
        event: Some("local"),
        registry: None,
        names: &[],
    };
    let world = facts::read_tree(&asked)?;
    let services = world.facts.manifest.services.keys();
    let names: Vec<String> = services.flat_map(|it| world.facts.local_names(it)).collect();
    let notes = world.root.join("target/xtask");
    let docker = connect::find(&setup(session)?)?;
    let word = if options.dry_run { "would remove" } else { "removed" };
    if let Some(docker) = &docker {
        let there = store::ids(docker, &session.processes, &names)?;
        for name in there.keys() {
            session.processes.interrupt.check()?;
            if !options.dry_run {
                let remove = docker.command(format!("remove `{name}`")).args(["image", "rm", name]);
                session.processes.run(&remove)?;
            }
            stdout(&format!("{word} {name}"))?;
        }
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
    if notes.is_dir() {
        if !options.dry_run {
            std::fs::remove_dir_all(&notes).with_context(|| format!("cannot remove `{notes}`"))?;
        }
        stdout(&format!("{word} {notes}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
