//! `build-images` and `plan`: facts, plan, then print it or carry it out.

mod image_tests;
mod kept;
mod loading;
mod measuring;
mod pushed;
pub(super) mod reading;
mod rebuilt;
mod reporting;
pub(super) mod second_look;
mod stand_in;
pub(super) mod warm;

use super::Session;
use crate::cli::BuildImages;
use crate::context::bases::Making;
use crate::context::event::Kind;
use crate::context::facts::World;
use crate::context::recorded;
use crate::context::tree::{self, Tree};
use crate::context::version_tag;
use crate::docker::bake::Definition;
use crate::docker::build::{Build, OnFailure, Outcome, Pushed, Pushing};
use crate::docker::builder::{self, Wanted};
use crate::docker::buildx::Buildx;
use crate::docker::registry::{Fetched, Patience};
use crate::docker::{Docker, cache_manifest, connect};
use crate::plan::{Action, Plan, Request, ServicePlan};
use crate::report::balance;
use crate::report::board::Board;
use crate::report::terminal::{Level, Mode, Terminal};
use crate::time::Clock;
use anyhow::Result;
use measuring::Measuring;
use pushed::Images;
use reading::{Reading, request, setup};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Prints the plan and does nothing.
pub fn plan(session: &Session, options: &BuildImages) -> Result<ExitCode> {
    let plan = planned(session, options)?;
    crate::report::stdout(&if options.json {
        serde_json::to_string_pretty(&plan)?
    } else {
        plan.to_string().trim_end().to_owned()
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What a run would do. Nothing is written, and no engine is started.
pub fn planned(session: &Session, options: &BuildImages) -> Result<Plan> {
    let reading = Reading::new(session, options, |_, _| Patience::LOCAL)?;
    planned_of(session, reading)
}

/// What a release would do, if it may be released here.
pub fn planned_release(session: &Session, options: &BuildImages) -> Result<Plan> {
    let reading = Reading::new(session, options, |_, _| Patience::LOCAL)?;
    version_tag::check(&session.processes, &reading.world)?;
    planned_of(session, reading)
}

fn planned_of(session: &Session, mut reading: Reading) -> Result<Plan> {
    let docker = connect::find(&setup(session)?)?;
    reading.look(docker.as_ref())?;
    reading.caches()
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
    request: Request,
    reading: Reading<'a>,
    /// None where nothing is built or loaded
    docker: Option<Docker>,
    plan: Plan,
    pushes: bool,
    measuring: Measuring,
}

impl<'a> Run<'a> {
    fn prepare(session: &'a Session, options: &'a BuildImages) -> Result<Self> {
        let request = request(options);
        let mut reading = Reading::new(session, options, |kind, pushes| match kind {
            Kind::Local => Patience::LOCAL,
            _ if pushes => Patience::PUBLISH,
            _ => Patience::CHECK,
        })?;
        let pushes = reading.world.facts.pushes(&request);
        if options.test && pushes {
            wrong!("`--test` is for runs that load images: this one pushes them");
        }
        if pushes {
            let tree = if options.allow_dirty { Tree::MayDiffer } else { Tree::AsHead };
            let services = reading.services();
            tree::check_clean(&session.processes, &reading.world, services, tree)?;
            version_tag::check(&session.processes, &reading.world)?;
        }
        // Only a run at a desk looks into the store of an engine.
        let is_local = reading.world.facts.event.kind == Kind::Local;
        let docker = is_local.then(|| connect::connect(&setup(session)?)).transpose()?;
        reading.look(docker.as_ref())?;
        reading.refuse_unknown()?;
        let (plan, measuring) = (reading.plan()?, Measuring::default());
        let mut run = Self { session, options, request, plan, reading, docker, pushes, measuring };
        run.get_ready()?;
        Ok(run)
    }

    /// What only those need who build or load images.
    fn get_ready(&mut self) -> Result<()> {
        let loads = self.plan.services.iter().any(|service| service.pull);
        let builds = self.plan.built().next().is_some();
        if (builds || loads) && self.docker.is_none() {
            self.docker = Some(connect::connect(&setup(self.session)?)?);
        }
        if builds {
            let making = if self.pushes { Making::MakeAndShare } else { Making::Make };
            self.reading.bring_bases(making)?;
            self.plan = self.reading.caches()?;
            self.check_builder()?;
        }
        Ok(())
    }

    fn check_builder(&self) -> Result<()> {
        let builder = self.options.builder.as_deref();
        let Some(docker) = &self.docker else { return Ok(()) };
        if docker.private.is_some() && builder.is_none() {
            return Ok(());
        }
        let several = self.plan.built().any(|service| service.platforms.len() > 1);
        let cache_export = self.plan.built().any(|service| !service.cache_to.is_empty());
        let wanted = Wanted { cache_export, several_platforms: several, ..Wanted::default() };
        builder::check(docker, &self.session.processes, builder, wanted)
    }

    fn carry_out(mut self) -> Result<ExitCode> {
        let quiet = self.session.common.quiet;
        if !quiet {
            self.plan.warnings.iter().for_each(|warning| crate::report::say!("note: {warning}"));
        }
        let (mut outcomes, indexes, lost) = loop {
            let (outcomes, indexes) = self.build_all()?;
            let lost = self.lost(&outcomes);
            if self.pushes || lost.is_empty() {
                break (outcomes, indexes, lost);
            }
            self.reading.stand_in(lost)?;
            self.plan = self.reading.plan()?;
            self.get_ready()?;
        };
        let moved = match lost.is_empty() {
            true => self.move_tags(indexes.clone(), &mut outcomes),
            false => Err(self.stops(&lost)),
        };
        let world = &self.reading.world;
        let text = super::telling::Telling { world, plan: &self.plan, env: &self.session.env };
        let took = self.session.began.elapsed().as_secs_f64();
        text.tell(quiet, &outcomes, took);
        let report = self.told(&outcomes, &indexes, took);
        if let (false, Some(warning)) = (quiet, balance::warning(&report)) {
            crate::report::say!("note: {warning}");
        }
        self.leave(&report)?;
        moved?;
        let is_well =
            |outcome: &Outcome| !matches!(outcome, Outcome::Failed(_) | Outcome::NotTried { .. });
        Ok(if outcomes.values().all(is_well) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// What comes of each service, and the indexes that were pushed.
    fn build_all(&self) -> Result<(BTreeMap<String, Outcome>, BTreeMap<String, Fetched>)> {
        let mut terminal = terminal(self.session, &self.reading.world, &self.plan);
        let images = Images::new(self);
        let mut outcomes = self.without_build();
        if let Some(docker) = &self.docker {
            self.measuring.begin(docker);
            // The bases are brought beside the build, which does not need them in the store.
            let (built, loaded) = std::thread::scope(|scope| {
                let loading = scope.spawn(|| self.load(docker));
                let rebuilt = scope.spawn(|| self.rebuilt());
                let built = self.build(docker, &images, &mut terminal);
                self.measuring.why(rebuilt.join().unwrap_or_default());
                (built, loading.join())
            });
            if built.is_err() {
                terminal.stopped();
            }
            drop(terminal);
            let loaded = loaded.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            outcomes.extend(built?);
            if self.lost(&outcomes).is_empty() {
                loaded?;
            }
            self.test_images(docker, &mut outcomes)?;
            self.note(docker, &outcomes)?;
            let took = outcomes.iter().filter_map(|(service, outcome)| match outcome {
                Outcome::Built(built) => Some((service.as_str(), built.seconds)),
                _ => None,
            });
            recorded::remember(&self.reading.world.root, &took.collect())?;
        }
        Ok((outcomes, images.into_indexes()))
    }

    /// The outcomes of services that are not built.
    fn without_build(&self) -> BTreeMap<String, Outcome> {
        let outcome = |service: &ServicePlan| match (service.action, &service.published) {
            (Action::Build, _) => None,
            (Action::Promote, Some(digest)) => Some(Outcome::Promoted(digest.clone())),
            (Action::Skip | Action::Promote, digest) => Some(Outcome::Skipped(digest.clone())),
        };
        let services = self.plan.services.iter();
        services.filter_map(|plan| Some((plan.service.clone(), outcome(plan)?))).collect()
    }

    fn build(
        &self,
        docker: &Docker,
        images: &Images,
        terminal: &mut Terminal,
    ) -> Result<BTreeMap<String, Outcome>> {
        let before =
            |definition: &Definition| self.measuring.before(&self.reading.registry, definition);
        let after = |pushed: &[Pushed]| images.take(pushed);
        let world = &self.reading.world;
        let text = super::telling::Telling { world, plan: &self.plan, env: &self.session.env };
        let build = Build {
            buildx: Buildx {
                docker,
                processes: &self.session.processes,
                root: &world.root,
                builder: self.options.builder.as_deref(),
            },
            graph: &world.facts.graph,
            owner_of: &|step| text.owner_of(step),
            on_failure: if self.options.fail_fast { OnFailure::Stop } else { OnFailure::GoOn },
            naming: &|layer, caches| cache_manifest::naming(&self.reading.registry, layer, caches),
            ends_all: &|failed| self.is_lost(failed),
            pushing: self.pushes.then_some(Pushing { before: &before, after: &after }),
            baked: &|progress| self.measuring.baked(progress),
            patience: Patience::PUBLISH,
        };
        build.run(&self.plan, &mut |update, progress| terminal.update(update, progress))
    }
}

/// Tells of the building of a plan.
pub(super) fn terminal(session: &Session, world: &World, plan: &Plan) -> Terminal {
    let level = match (session.common.quiet, session.common.verbose) {
        (true, _) => Level::Quiet,
        (false, true) => Level::Verbose,
        (false, false) => Level::Normal,
    };
    let board = Board::new(plan, &recorded::seconds(&world.root));
    let clock = Clock::new(session.env.now, session.began);
    Terminal::new(level, Mode::of(&session.env), board, clock)
}
