//! Reads what a plan of images is computed from: what is local, then what stands in registries.

use super::super::Session;
use crate::cli::BuildImages;
use crate::context::bases::{Finder, Found, Making};
use crate::context::event::Kind;
use crate::context::facts::{self, Asked, World};
use crate::context::inputs;
use crate::context::published;
use crate::context::tree;
use crate::docker::bases::Bases;
use crate::docker::engine::Setup;
use crate::docker::registry::{Options, Patience, Registry};
use crate::plan::Request;
use crate::plan::tags::Known;
use anyhow::Result;
use std::collections::BTreeMap;
use std::time::Duration;

pub fn read(
    session: &Session,
    options: &BuildImages,
    registry: &Registry,
    making: Making,
) -> Result<(World, Found)> {
    let local = facts::read(&asked(session, options))?;
    complete(session, options, local, registry, making)
}

/// Adds what stands in the registry, and the bases.
pub fn complete(
    session: &Session,
    options: &BuildImages,
    mut world: World,
    registry: &Registry,
    making: Making,
) -> Result<(World, Found)> {
    let services = chosen(&world, options)?;
    let within = (making != Making::MakeAndShare).then_some(published::LOCAL);
    let setup = setup(session)?;
    let (bases, say, facts, lock) = (Bases::new(&setup), &setup.say, &world.facts, &world.lock);
    let finder = Finder { registry, bases: &bases, say, facts, lock, making };
    // At the same time, so that a registry and a hub that do not answer cost 2 s and not 6.
    let (tags, published, found, inputs) = std::thread::scope(|scope| {
        let tags = scope.spawn(|| published::cache_tags(registry, facts, &services, within));
        let published =
            scope.spawn(|| published_dependencies(session, &world, registry, &services, within));
        let inputs =
            scope.spawn(|| inputs::read(&session.processes, &session.env, &world, &services));
        let found = finder.find(&services);
        (joined(tags), joined(published), found, joined(inputs))
    });
    let (tags, published, found, inputs) = (tags?, published?, found?, inputs?);
    let released = match facts.event.kind {
        Kind::Release(_) => published::released(registry, facts, within)?,
        Kind::Local | Kind::Pr | Kind::Dev => Known::Known(Vec::new()),
    };
    world.facts.inputs = inputs;
    world.facts.tags_there = tags;
    world.facts.published = published;
    world.facts.released = released;
    world.facts.bases.clone_from(&found.images);
    Ok((world, found))
}

fn joined<T>(thread: std::thread::ScopedJoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Of the services that others build on: those whose published image is what the tree says. In a
/// pushing run they are built and pushed first anyway.
fn published_dependencies(
    session: &Session,
    world: &World,
    registry: &Registry,
    services: &[String],
    within: Option<Duration>,
) -> Result<BTreeMap<String, String>> {
    let facts = &world.facts;
    let is_built_on =
        |name: &&String| services.iter().any(|s| facts.graph.direct(s).any(|on| on == *name));
    let built_on: Vec<String> = services.iter().filter(is_built_on).cloned().collect();
    if facts.event.kind.pushes() || built_on.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut published = BTreeMap::new();
    for (service, images) in published::images(registry, facts, &built_on, within)? {
        let of_it = facts.graph.with_dependencies([service.as_str()]);
        let of_it: Vec<String> = of_it.into_iter().collect();
        for image in images {
            if tree::is_as_in(&session.processes, world, &of_it, &image.revision)? {
                published.insert(service, image.digest);
                break;
            }
        }
    }
    Ok(published)
}

pub fn chosen(world: &World, options: &BuildImages) -> Result<Vec<String>> {
    let asked = world.facts.select(&options.names)?;
    let all = world.facts.graph.with_dependencies(asked.iter().map(String::as_str));
    Ok(all.into_iter().collect())
}

pub fn setup(session: &Session) -> Result<Setup> {
    let mut setup = Setup::new(session.processes.clone(), &session.env)?;
    if session.common.quiet {
        setup.say = |_| {};
    }
    Ok(setup)
}

pub fn registry(session: &Session, patience: Patience) -> Registry {
    Registry::new(Options::new(&session.env, &session.processes, patience))
}

pub fn asked<'a>(session: &'a Session, options: &'a BuildImages) -> Asked<'a> {
    Asked {
        env: &session.env,
        processes: &session.processes,
        manifest: session.common.manifest.as_deref(),
        event: options.event.as_deref(),
        registry: options.registry.as_deref(),
        names: &options.names,
    }
}

pub fn request(options: &BuildImages) -> Request {
    Request {
        names: options.names.clone(),
        no_cache: options.no_cache,
        load: options.load,
        no_push: options.no_push,
    }
}
