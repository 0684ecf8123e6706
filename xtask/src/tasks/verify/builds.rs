//! Builds images anew, twice, into folders that go away again.

use super::super::Session;
use super::super::build_images::terminal;
use super::super::telling::Telling;
use crate::context::facts::World;
use crate::docker::Docker;
use crate::docker::build::{Build, OnFailure, Outcome};
use crate::docker::buildx::Buildx;
use crate::docker::engine::Setup;
use crate::docker::engine::files::{self, Lock};
use crate::docker::registry::Patience;
use crate::plan::Plan;
use crate::plan::verify::{self, VolatileArgs};
use crate::report::count;
use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};

/// The folder that images are written to; it goes away with its value.
pub struct Scratch {
    folder: Utf8PathBuf,
    _lock: Lock,
}

impl Scratch {
    /// An empty one. Only one run at a time has it.
    pub fn make(setup: &Setup, root: &Utf8Path) -> Result<Self> {
        let target = root.join("target/xtask");
        let lock = Lock::take(setup, &target.join("verify.lock"), "verifies images here")?;
        let folder = target.join("verify");
        // What a run that was killed has left.
        files::remove_folder(&folder)?;
        files::create_folder(&folder)?;
        Ok(Self { folder, _lock: lock })
    }

    /// Where the first build's images are.
    pub fn first(&self) -> Utf8PathBuf {
        self.folder.join("first")
    }

    /// Where the second build's images are.
    pub fn second(&self) -> Utf8PathBuf {
        self.folder.join("second")
    }

    /// Where layers of published images are put.
    pub fn published(&self) -> Result<Utf8PathBuf> {
        let folder = self.folder.join("published");
        files::create_folder(&folder)?;
        Ok(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The next run removes what cannot be removed now.
        files::remove_folder(&self.folder).ok();
    }
}

/// How images are built.
pub struct Builds<'a> {
    /// The session
    pub session: &'a Session,
    /// `--builder`
    pub builder: Option<&'a str>,
    /// The docker to call
    pub docker: &'a Docker,
    /// What was read
    pub world: &'a World,
    /// Where to
    pub scratch: &'a Scratch,
}

/// One of the builds.
struct Which<'a> {
    folder: &'a Utf8Path,
    said: &'a str,
    volatile: VolatileArgs,
}

impl Builds<'_> {
    /// Builds these services twice. Gives those that failed, with the reason.
    pub fn twice(&self, services: &BTreeSet<String>) -> Result<BTreeMap<String, String>> {
        let (first, second) = (self.scratch.first(), self.scratch.second());
        let once =
            Which { folder: &first, said: "first of two builds", volatile: VolatileArgs::AsGiven };
        let mut failed = self.build(services, &once)?;
        let mut rest = services.clone();
        rest.retain(|service| !failed.contains_key(service));
        let volatile = VolatileArgs::Others;
        let again = Which { folder: &second, said: "second of two builds", volatile };
        let failed_again = self.build(&rest, &again)?;
        let (picky, broken): (BTreeMap<_, _>, BTreeMap<_, _>) =
            failed_again.into_iter().partition(|(service, _)| self.has_volatile_args(service));
        failed.extend(broken);
        if !picky.is_empty() {
            let picky: BTreeSet<String> = picky.into_keys().collect();
            let names = picky.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let note = "cannot be built with other values of `volatile-args`: \
                        what depends on them counts as any other difference";
            say(self.session, &format!("note: {names} {note}"));
            let volatile = VolatileArgs::AsGiven;
            failed.extend(self.build(&picky, &Which { volatile, ..again })?);
        }
        Ok(failed)
    }

    fn has_volatile_args(&self, service: &str) -> bool {
        let all = self.world.facts.graph.with_dependencies([service]);
        let services = all.iter().filter_map(|name| self.world.facts.service(name));
        services.into_iter().any(|service| !service.volatile_args.is_empty())
    }

    /// Gives the services that failed, with the reason.
    fn build(
        &self,
        services: &BTreeSet<String>,
        which: &Which,
    ) -> Result<BTreeMap<String, String>> {
        if services.is_empty() {
            return Ok(BTreeMap::new());
        }
        let facts = &self.world.facts;
        let mut plan = verify::plan(facts, services)?;
        plan.definition = verify::definition(facts, &plan, services, which.folder, which.volatile);
        let images = count(services.len(), "image");
        say(self.session, &format!("{} of {images} without cache …", which.said));
        let outcomes = self.carry_out(&plan, which)?;
        let failed = services.iter().filter_map(|service| {
            Some((service.clone(), why_not(outcomes.get(service), which.said)?))
        });
        Ok(failed.collect())
    }

    fn carry_out(&self, plan: &Plan, which: &Which) -> Result<BTreeMap<String, Outcome>> {
        let (session, world) = (self.session, self.world);
        let mut terminal = terminal(session, world, plan);
        let text = Telling { world, plan, env: &session.env };
        let build = Build {
            buildx: Buildx {
                docker: self.docker,
                processes: &session.processes,
                root: &world.root,
                builder: self.builder,
            },
            graph: &world.facts.graph,
            owner_of: &|step| text.owner_of(step),
            on_failure: OnFailure::GoOn,
            naming: &|_, _| Vec::new(),
            ends_all: &|_| false,
            pushing: None,
            baked: &|_| (),
            patience: Patience::CHECK,
        };
        let outcomes = build.run(plan, &mut |update, progress| terminal.update(update, progress));
        drop(terminal);
        let outcomes = outcomes?;
        // What fails for another value is built once more.
        let is_told = |service: &String| {
            which.volatile == VolatileArgs::AsGiven || !self.has_volatile_args(service)
        };
        let mut told = outcomes.clone();
        told.retain(|service, _| is_told(service));
        text.tell_failures(&told);
        Ok(outcomes)
    }
}

/// Tells how far it is.
pub fn say(session: &Session, line: &str) {
    if !session.common.quiet {
        crate::report::say!("{line}");
    }
}

fn why_not(outcome: Option<&Outcome>, said: &str) -> Option<String> {
    match outcome {
        Some(Outcome::Built(_)) => None,
        Some(Outcome::NotTried { because }) if !because.is_empty() => {
            Some(format!("{} could not be built", because.join(", ")))
        }
        _ => Some(format!("the {said} failed")),
    }
}
