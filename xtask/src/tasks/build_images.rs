//! `build-images` and `plan`: facts, plan, then print it or carry it out.

pub(super) mod reading;

use super::Session;
use super::publish::Publication;
use crate::cli::BuildImages;
use crate::context::bases::{Found, Making};
use crate::context::event::Kind;
use crate::context::facts::{self, World};
use crate::context::tree::{self, Tree};
use crate::docker::bake::Definition;
use crate::docker::bases;
use crate::docker::build::{Build, OnFailure, Outcome, Pushed, Pushing};
use crate::docker::builder::{self, Wanted};
use crate::docker::buildx::Buildx;
use crate::docker::publish::{CONNECTIONS, Publish, annotations};
use crate::docker::registry::{Fetched, Patience, Registry};
use crate::docker::{Docker, connect, links};
use crate::parallel::{self, lock};
use crate::plan::tags::Known;
use crate::plan::{self, Plan};
use crate::report::json;
use crate::report::terminal::{Level, Terminal};
use crate::time::rfc3339;
use anyhow::Result;
use reading::{asked, chosen, complete, read, registry, request, setup};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;

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
            tree::check_clean(&session.processes, &local, &services, tree)?;
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
        let builder = self.options.builder.as_deref();
        if self.docker.private.is_some() && builder.is_none() {
            return Ok(());
        }
        let several = self.plan.services.iter().any(|service| service.platforms.len() > 1);
        let cache_export = self.plan.services.iter().any(|service| !service.cache_to.is_empty());
        let wanted = Wanted { cache_export, several_platforms: several };
        builder::check(&self.docker, &self.session.processes, builder, wanted)
    }

    fn carry_out(&self) -> Result<ExitCode> {
        let quiet = self.session.common.quiet;
        if !quiet {
            self.plan.warnings.iter().for_each(|warning| eprintln!("note: {warning}"));
        }
        let publish = self.publish();
        let indexes = Mutex::new(BTreeMap::new());
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
        let indexes = std::mem::take(&mut *lock(&indexes));
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
        indexes: &Mutex<BTreeMap<String, Fetched>>,
        terminal: &mut Terminal,
    ) -> Result<BTreeMap<String, Outcome>> {
        let before = |definition: &Definition| links::link(&self.registry, definition);
        let after = |pushed: &[Pushed]| {
            let annotate = |pushed: &Pushed| publish.annotate(pushed.image, pushed.digest);
            let annotated = parallel::map(CONNECTIONS, pushed, annotate);
            let keep = |(pushed, index): (&Pushed, Result<Fetched>)| {
                let index = index?;
                let digest = index.digest.clone();
                lock(indexes).insert(pushed.service.to_owned(), index);
                Ok(digest)
            };
            pushed.iter().zip(annotated).map(keep).collect()
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
            patience: Patience::PUBLISH,
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
        for (name, context) in &self.found.shared {
            let image = context.trim_start_matches("docker-image://");
            bases::pull(&setup, &self.docker, name, image)?;
        }
        Ok(())
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
