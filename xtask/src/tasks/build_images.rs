//! `build-images` and `plan`: facts, plan, then print it or carry it out.

use super::Session;
use super::publish::Publication;
use crate::cli::BuildImages;
use crate::context::bases::{Finder, Found, Making};
use crate::context::event::Kind;
use crate::context::facts::{self, Asked, Tree, World};
use crate::context::published;
use crate::docker::bake::Definition;
use crate::docker::bases::{self, Bases};
use crate::docker::build::{Build, OnFailure, Outcome, Pushing};
use crate::docker::builder::{self, Wanted};
use crate::docker::buildx::Buildx;
use crate::docker::engine::Setup;
use crate::docker::publish::{Publish, annotations};
use crate::docker::registry::{Fetched, Options, Patience, Registry};
use crate::docker::{Docker, connect, links};
use crate::plan::tags::Known;
use crate::plan::{self, Plan, Request};
use crate::report::json;
use crate::report::terminal::{Level, Terminal};
use crate::time::rfc3339;
use anyhow::Result;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

/// Prints the plan and does nothing.
pub fn plan(session: &Session, options: &BuildImages) -> Result<ExitCode> {
    let registry = registry(session, Patience::LOCAL);
    let (world, _) = read(session, options, &registry, Making::OnlyLook)?;
    let plan = plan::make(&world.facts, &request(options))?;
    crate::report::stdout(&if options.json {
        serde_json::to_string_pretty(&plan)?
    } else {
        plan.to_string().trim_end().to_owned()
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Builds images as the event says.
pub fn run(session: &Session, options: &BuildImages) -> Result<ExitCode> {
    if options.dry_run {
        return plan(session, options);
    }
    Run::prepare(session, options)?.carry_out()
}

/// Everything that is read before the first image is built.
struct Run<'a> {
    session: &'a Session,
    options: &'a BuildImages,
    registry: Registry,
    docker: Docker,
    world: World,
    found: Found,
    plan: Plan,
    pushes: bool,
}

impl<'a> Run<'a> {
    fn prepare(session: &'a Session, options: &'a BuildImages) -> Result<Self> {
        let local = facts::read(&asked(session, options))?;
        let pushes = local.facts.pushes(&request(options));
        let registry = registry(session, if pushes { Patience::PUBLISH } else { Patience::LOCAL });
        let making = if pushes { Making::MakeAndShare } else { Making::Make };
        if pushes {
            let services = chosen(&local, options)?;
            let tree = if options.allow_dirty { Tree::MayDiffer } else { Tree::AsHead };
            facts::check_clean(&session.processes, &local, &services, tree)?;
        }
        let docker = connect::connect(&setup(session)?)?;
        let (world, found) = complete(session, options, local, &registry, making)?;
        if let (true, Kind::Release(version), Known::Unknown(why)) =
            (pushes, &world.facts.event.kind, &world.facts.released)
        {
            anyhow::bail!("cannot tell which versions are released, so v{version} is not: {why}");
        }
        let plan = plan::make(&world.facts, &request(options))?;
        let run = Self { session, options, registry, docker, world, found, plan, pushes };
        run.check_builder()?;
        Ok(run)
    }

    fn check_builder(&self) -> Result<()> {
        if self.docker.private.is_some() {
            return Ok(());
        }
        let several = self.plan.services.iter().any(|service| service.platforms.len() > 1);
        let cache_export = self.plan.services.iter().any(|service| !service.cache_to.is_empty());
        let wanted = Wanted { cache_export, several_platforms: several };
        builder::check(
            &self.docker,
            &self.session.processes,
            self.options.builder.as_deref(),
            wanted,
        )
    }

    fn carry_out(&self) -> Result<ExitCode> {
        let quiet = self.session.common.quiet;
        if !quiet {
            self.plan.warnings.iter().for_each(|warning| eprintln!("note: {warning}"));
        }
        let publish = self.publish();
        let indexes = RefCell::new(BTreeMap::new());
        let mut terminal =
            Terminal::new(level(self.session), self.plan.services.len(), is_plain(self.session));
        // The bases are brought beside the build, which does not need them in the store.
        let (outcomes, loaded) = std::thread::scope(|scope| {
            let loading = scope.spawn(|| self.load_bases());
            let outcomes = self.build(&publish, &indexes, &mut terminal);
            (outcomes, loading.join())
        });
        terminal.clear();
        loaded.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let mut outcomes = outcomes?;
        let indexes = indexes.into_inner();
        let moved = if self.pushes {
            let (session, world, plan) = (self.session, &self.world, &self.plan);
            let publish = &publish;
            Publication { session, world, plan, publish, indexes: &indexes }
                .move_tags(&mut outcomes)
        } else {
            Ok(())
        };
        let text = super::telling::Telling { world: &self.world, plan: &self.plan };
        text.tell(quiet, &outcomes, terminal.elapsed());
        self.report(&outcomes, terminal.elapsed())?;
        moved?;
        let all_built = outcomes.values().all(|outcome| matches!(outcome, Outcome::Built(_)));
        Ok(if all_built { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn build(
        &self,
        publish: &Publish,
        indexes: &RefCell<BTreeMap<String, Fetched>>,
        terminal: &mut Terminal,
    ) -> Result<BTreeMap<String, Outcome>> {
        let before = |definition: &Definition| links::link(&self.registry, definition);
        let after = |service: &str, image: &str, digest: &str| {
            let index = publish.annotate(image, digest)?;
            let digest = index.digest.clone();
            indexes.borrow_mut().insert(service.to_owned(), index);
            Ok(digest)
        };
        let text = super::telling::Telling { world: &self.world, plan: &self.plan };
        let build = Build {
            buildx: Buildx {
                docker: &self.docker,
                processes: &self.session.processes,
                root: &self.world.root,
                builder: self.options.builder.as_deref(),
            },
            graph: &self.world.facts.graph,
            owner_of: &|step| text.owner_of(step),
            on_failure: if self.options.fail_fast { OnFailure::Stop } else { OnFailure::GoOn },
            pushing: self.pushes.then_some(Pushing { before: &before, after: &after }),
        };
        build.run(&self.plan, &mut |update, progress| terminal.update(update, progress))
    }

    fn report(&self, outcomes: &BTreeMap<String, Outcome>, took: f64) -> Result<()> {
        let report = json::report(&self.plan, outcomes, took);
        json::write(&self.world.root, &report)?;
        if self.options.json { crate::report::stdout(&format!("{report:#}")) } else { Ok(()) }
    }

    fn publish(&self) -> Publish<'_> {
        let facts = &self.world.facts;
        let version = match &facts.event.kind {
            Kind::Release(version) => Some(version.to_string()),
            Kind::Local | Kind::Pr | Kind::Dev => None,
        };
        let revision = facts.revision.as_deref().filter(|_| !self.options.allow_dirty);
        let created = rfc3339(self.session.env.now);
        Publish {
            registry: &self.registry,
            annotations: annotations(revision, version.as_deref(), &created),
            handle: facts.handle(),
        }
    }

    /// Made bases go into the store of an engine that loads images, so that plain `docker build`
    /// finds them by the names that Dockerfiles use.
    fn load_bases(&self) -> Result<()> {
        if self.pushes || (self.world.facts.event.kind != Kind::Local && !self.options.load) {
            return Ok(());
        }
        let setup = setup(self.session)?;
        for (name, base) in &self.found.made {
            bases::load(&setup, &self.docker, name, base)?;
        }
        Ok(())
    }
}

fn read(
    session: &Session,
    options: &BuildImages,
    registry: &Registry,
    making: Making,
) -> Result<(World, Found)> {
    let local = facts::read(&asked(session, options))?;
    complete(session, options, local, registry, making)
}

/// Adds what stands in the registry, and the bases.
fn complete(
    session: &Session,
    options: &BuildImages,
    mut world: World,
    registry: &Registry,
    making: Making,
) -> Result<(World, Found)> {
    let services = chosen(&world, options)?;
    let within = (making != Making::MakeAndShare).then_some(published::LOCAL);
    world.facts.tags_there = published::cache_tags(registry, &world.facts, &services, within)?;
    world.facts.published = published_dependencies(session, &world, registry, &services, within)?;
    if matches!(world.facts.event.kind, Kind::Release(_)) {
        world.facts.released = published::released(registry, &world.facts, within)?;
    }
    let setup = setup(session)?;
    let bases = Bases::new(&setup);
    let (facts, say) = (&world.facts, &setup.say);
    let found = Finder { registry, bases: &bases, say, facts, making }.find(&services)?;
    world.facts.bases.clone_from(&found.images);
    Ok((world, found))
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
    let mut published = published::of_commit(registry, facts, &built_on, within)?;
    for service in built_on {
        let of_it: Vec<String> =
            facts.graph.with_dependencies([service.as_str()]).into_iter().collect();
        if published.contains_key(&service)
            && !facts::differs_from_head(&session.processes, world, &of_it)?.is_empty()
        {
            published.remove(&service);
        }
    }
    Ok(published)
}

fn chosen(world: &World, options: &BuildImages) -> Result<Vec<String>> {
    let asked = world.facts.select(&options.names)?;
    let all = world.facts.graph.with_dependencies(asked.iter().map(String::as_str));
    Ok(all.into_iter().collect())
}

fn setup(session: &Session) -> Result<Setup> {
    let mut setup = Setup::new(session.processes.clone(), &session.env)?;
    if session.common.quiet {
        setup.say = |_| {};
    }
    Ok(setup)
}

fn registry(session: &Session, patience: Patience) -> Registry {
    Registry::new(Options::new(&session.env, &session.processes, patience))
}

fn asked<'a>(session: &'a Session, options: &'a BuildImages) -> Asked<'a> {
    Asked {
        env: &session.env,
        processes: &session.processes,
        manifest: session.common.manifest.as_deref(),
        event: options.event.as_deref(),
        registry: options.registry.as_deref(),
        names: &options.names,
    }
}

fn request(options: &BuildImages) -> Request {
    Request {
        names: options.names.clone(),
        no_cache: options.no_cache,
        load: options.load,
        no_push: options.no_push,
    }
}

fn level(session: &Session) -> Level {
    match (session.common.quiet, session.common.verbose) {
        (true, _) => Level::Quiet,
        (false, true) => Level::Verbose,
        (false, false) => Level::Normal,
    }
}

fn is_plain(session: &Session) -> bool {
    session.env.get("TERM") == Some("dumb") || session.env.get("NO_COLOR").is_some()
}
