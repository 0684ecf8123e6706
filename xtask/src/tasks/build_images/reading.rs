//! Reads what a plan of images is computed from, in the order in which each thing needs the one
//! before: what is local, what the images stand on, what is published of them, what caches there are.

use super::super::Session;
use crate::cli::BuildImages;
use crate::context::bases::{self, Finder, Making};
use crate::context::event::Kind;
use crate::context::facts::{self, Asked, World};
use crate::context::{inputs, published, released, stored};
use crate::docker::Docker;
use crate::docker::bases::{Bases, OciBase};
use crate::docker::engine::Setup;
use crate::docker::registry::{Fetched, Options, Patience, Registry};
use crate::plan::decide::is_forced;
use crate::plan::look_up::{self, LookUp};
use crate::plan::tags::{Known, shared};
use crate::plan::{self, Plan, Request, fingerprint};
use anyhow::{Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// A run's facts, as far as they were read.
pub struct Reading<'a> {
    pub session: &'a Session,
    pub registry: Registry,
    pub world: World,
    /// The external images
    pub found: bases::Found,
    /// The published index of each service that has one of its fingerprint
    pub indexes: BTreeMap<String, Fetched>,
    /// Where tags stand (the index, or none where a tag is absent), by service and tag, as far as the
    /// look-ups of a release told
    pub stands: BTreeMap<(String, String), Option<Fetched>>,
    /// What earlier runs noted of the engine's store
    pub notes: stored::Notes,
    /// Bases that were made in the place of locked ones
    pub stand_ins: BTreeMap<String, OciBase>,
    /// Caches (`<image>:<tag>`) that are not to be read though they are there
    pub leave_out: BTreeSet<String>,
    ahead: Option<inputs::Ahead>,
    request: Request,
    services: Vec<String>,
    /// How long look-ups may still take: in all in a run at a desk, which never waits on the network,
    /// else those of one kind together
    left: Duration,
}

impl<'a> Reading<'a> {
    /// Reads what is local. `patience` is for all that is asked of registries; it may depend on what
    /// was read, and on whether the run pushes.
    pub fn new(
        session: &'a Session,
        options: &'a BuildImages,
        patience: fn(&Kind, bool) -> Patience,
    ) -> Result<Self> {
        let ahead = inputs::Ahead::begin(&session.processes, &session.env);
        let world = facts::read(&asked(session, options))?;
        Ok(Self { ahead: Some(ahead), ..Self::of(session, options, world, patience)? })
    }

    /// The same of a tree that was read.
    pub fn of(
        session: &'a Session,
        options: &BuildImages,
        world: World,
        patience: fn(&Kind, bool) -> Patience,
    ) -> Result<Self> {
        let request = request(options);
        let patience = patience(&world.facts.event.kind, world.facts.pushes(&request));
        let patience = said(session, patience);
        let chosen = world.facts.select(&options.names)?;
        let services = world.facts.graph.with_dependencies(chosen.iter().map(String::as_str));
        Ok(Self {
            session,
            registry: registry(session, patience),
            found: bases::Found::default(),
            indexes: BTreeMap::new(),
            stands: BTreeMap::new(),
            notes: stored::read(&world.root),
            stand_ins: BTreeMap::new(),
            leave_out: BTreeSet::new(),
            ahead: None,
            request,
            services: services.into_iter().collect(),
            left: patience.total,
            world,
        })
    }

    /// The services that were asked for, and all that they build on.
    pub fn services(&self) -> &[String] {
        &self.services
    }

    /// How long look-ups of one kind may take.
    pub fn left(&self) -> Duration {
        self.left
    }

    /// Asks for something else of what was read.
    pub fn ask(&mut self, request: &Request) {
        self.request.clone_from(request);
    }

    /// Reads what is built and what it stands on, and looks for images of that. Nothing is made.
    pub fn look(&mut self, docker: Option<&Docker>) -> Result<()> {
        let ahead = self.ahead.take();
        let ((found, took), inputs) = std::thread::scope(|scope| {
            let found = scope.spawn(|| timed(|| self.bases(&self.services, Making::OnlyLook)));
            let (processes, env) = (&self.session.processes, &self.session.env);
            let inputs = inputs::read_with(ahead, processes, env, &self.world, &self.services);
            (found.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), inputs)
        });
        self.spend(took);
        self.found = found?;
        self.world.facts.bases.clone_from(&self.found.images);
        self.world.facts.inputs = inputs?;
        self.identify();
        if let (Some(docker), Kind::Local) = (docker, &self.world.facts.event.kind) {
            let processes = &self.session.processes;
            self.world.facts.stored = stored::find(docker, processes, &self.world, &self.notes)?;
        }
        let wanted = look_up::wanted(&self.world.facts, &self.request)?;
        let (registry, facts, left) = (&self.registry, &self.world.facts, Some(self.left));
        let (found, took) = timed(|| published::look_up(registry, facts, &wanted, left));
        self.spend(took);
        let found = found?;
        self.world.facts.look_ups = found.look_ups;
        self.indexes = found.indexes;
        self.read_released(found.of_commit)
    }

    /// What is released, and where the tags of a release stand as far as that was told by the way.
    fn read_released(&mut self, of_commit: BTreeMap<String, Fetched>) -> Result<()> {
        let Kind::Release(version) = &self.world.facts.event.kind else {
            self.world.facts.released = Known::Known(Vec::new());
            return Ok(());
        };
        let facts = &self.world.facts;
        let read = released::read(&self.registry, facts, version, Some(self.left))?;
        for (service, tags) in read.listed {
            // A version tag is asked for itself: it is written once, and a list may be late.
            let absent = shared(version).into_iter().filter(|tag| !tags.contains(tag));
            self.stands.extend(absent.map(|tag| ((service.clone(), tag), None)));
        }
        let commit = facts.revision.clone().unwrap_or_default();
        let own = of_commit.into_iter().map(|(name, index)| ((name, commit.clone()), Some(index)));
        self.stands.extend(own);
        self.world.facts.released = read.versions;
        for (service, index) in read.begun {
            self.world.facts.journaled.insert(service.clone(), index.digest.clone());
            self.indexes.insert(service, index);
        }
        Ok(())
    }

    /// A release needs to know what is published: it never builds on a guess, but where it is told to.
    pub fn refuse_unknown(&self) -> Result<()> {
        let facts = &self.world.facts;
        let Kind::Release(version) = &facts.event.kind else { return Ok(()) };
        if !facts.pushes(&self.request) {
            return Ok(());
        }
        if let Known::Unknown(why) = &facts.released {
            bail!("cannot tell which versions are released, so v{version} is not: {why}");
        }
        let asked = facts.select(&self.request.names)?;
        for (service, look_up) in &facts.look_ups {
            if let LookUp::Unknown(why) = look_up
                && !is_forced(&self.request, &asked, service)
            {
                bail!(
                    "cannot tell whether the image of `{service}` is published, so v{version} is \
                     not released: {why}; run this again"
                );
            }
        }
        Ok(())
    }

    /// Brings the bases of what is built, as far as they are not there.
    ///
    /// A base that has a digest keeps it: what was looked up by its fingerprint stands on that one. Of
    /// a locked one, the place may still change.
    pub fn bring_bases(&mut self, making: Making) -> Result<()> {
        let services: Vec<String> =
            self.plan()?.built().map(|service| service.service.clone()).collect();
        let found = self.bases(&services, making)?;
        let bases = &mut self.world.facts.bases;
        for (key, image) in found.images {
            let is_locked = found.locked.contains(&key) && !self.stand_ins.contains_key(&key);
            let known = bases.get(&key).map(|known| known.context.as_str());
            if is_locked || !known.is_some_and(fingerprint::is_pinned) {
                bases.insert(key, image);
            }
        }
        (self.found.made, self.found.shared) = (found.made, found.shared);
        self.found.made.extend(self.stand_ins.clone());
        self.found.shared.retain(|key, _| !self.stand_ins.contains_key(key));
        self.identify();
        Ok(())
    }

    /// Asks which caches there are for what is built, and gives the plan that knows them.
    pub fn caches(&mut self) -> Result<Plan> {
        let plan = self.plan()?;
        let services: Vec<String> = plan.built().map(|service| service.service.clone()).collect();
        if services.is_empty() {
            return Ok(plan);
        }
        let (registry, facts, left) = (&self.registry, &mut self.world.facts, Some(self.left));
        facts.tags_there = published::cache_tags(registry, facts, &services, left)?;
        for (_, there) in
            facts.tags_there.iter_mut().filter(|(tag, _)| self.leave_out.contains(*tag))
        {
            *there = Known::Known(false);
        }
        self.plan()
    }

    /// The plan, as far as things are known.
    pub fn plan(&self) -> Result<Plan> {
        plan::make(&self.world.facts, &self.request)
    }

    fn spend(&mut self, took: Duration) {
        if self.world.facts.event.kind == Kind::Local {
            self.left = self.left.saturating_sub(took);
        }
    }

    pub fn identify(&mut self) {
        let services = self.services.iter().cloned().collect();
        self.world.facts.identities = fingerprint::identify(&self.world.facts, &services);
    }

    fn bases(&self, services: &[String], making: Making) -> Result<bases::Found> {
        let setup = setup(self.session)?;
        let bases = Bases::new(&setup);
        let World { facts, lock, .. } = &self.world;
        let (say, registry) = (&setup.say, &self.registry);
        Finder { registry, bases: &bases, say, facts, lock, making }.find(services)
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    (work(), began.elapsed())
}

pub fn setup(session: &Session) -> Result<Setup> {
    let mut setup = Setup::new(session.processes.clone(), &session.env)?;
    if session.common.quiet {
        setup.say = |_| {};
    }
    Ok(setup)
}

pub fn registry(session: &Session, patience: Patience) -> Registry {
    Registry::new(Options::new(&session.env, &session.processes, said(session, patience)))
}

/// What the user says about it wins.
fn said(session: &Session, patience: Patience) -> Patience {
    let said = session.env.get("XTASK_REGISTRY_PATIENCE").and_then(|text| text.parse().ok());
    said.map_or(patience, |seconds: f64| patience.within(seconds))
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
        load: options.load || options.test,
        no_push: options.no_push,
        force: options.force,
        no_skip: options.no_skip,
        allow_dirty: options.allow_dirty,
        pull: options.pull,
        warm: options.warm,
    }
}
