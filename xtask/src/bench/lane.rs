//! What a contestant has to itself: a private engine, a relay that counts before its registry, and
//! the work as it is called there.

use super::calm;
use super::engine::OwnEngine;
use super::peers::Peer;
use super::recorded::Records;
use super::report::{OURS, Run, Steps};
use super::scenario::{Case, Event, Scenario};
use super::traffic::Traffic;
use super::work::{Service, Work};
use crate::context::bases::{Finder, Making};
use crate::context::environment::Environment;
use crate::context::facts::{self, Asked};
use crate::docker::Docker;
use crate::docker::bases::Bases;
use crate::docker::engine::{Setup, files};
use crate::docker::registry::{AtOnce, Options, Patience, Reference, Registry};
use crate::process::Command;
use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use relay::Relay;
use serde_json::Value;
use std::collections::BTreeMap;

/// Variables that would change what is measured behind our back.
const NOT_INHERITED: [&str; 9] = [
    "GITHUB_",
    "ACTIONS_",
    "BUILDX_",
    "BUILDKIT_",
    "DOCKER_",
    "COMPOSE_",
    "GIT_",
    "SOURCE_DATE_EPOCH",
    "XTASK_REGISTRY",
];
/// The folder of the registry that everything goes to.
const FOLDER: &str = "bench";

/// Who builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contestant {
    /// This program
    Ours,
    /// Another way
    Peer(Peer),
}

impl Contestant {
    /// Whether it has a way of its own for what is measured.
    pub fn does(self, scenario: Scenario) -> bool {
        match self {
            Self::Ours => true,
            Self::Peer(peer) => peer.does(scenario),
        }
    }

    /// As it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => OURS,
            Self::Peer(peer) => peer.name(),
        }
    }
}

/// What is counted besides time and traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// Nothing more
    Traffic,
    /// The steps of a peer, too: that takes a moment for each service, after the time is taken
    Steps,
}

/// What is the same for all lanes.
#[derive(Clone, Debug)]
pub struct Site {
    /// How engines are started, and that nothing is said of it
    pub setup: Setup,
    /// Takes a line for the user
    pub say: fn(&str),
    /// Our environment, without what would change what is measured
    pub env: Environment,
    /// Variables that children do not inherit
    pub without: Vec<String>,
    /// This program
    pub program: Utf8PathBuf,
    /// Where the generated repository is
    pub root: Utf8PathBuf,
    /// Takes what a command prints, for its error
    pub log: Utf8PathBuf,
}

impl Site {
    /// From the environment that we are in.
    pub fn new(setup: Setup, say: fn(&str), env: &Environment, folder: &Utf8Path) -> Result<Self> {
        let program = std::env::current_exe().context("cannot tell where this program is")?;
        let foreign = |name: &&String| NOT_INHERITED.iter().any(|part| name.starts_with(part));
        let without: Vec<String> = env.vars.keys().filter(foreign).cloned().collect();
        let mut env = env.clone();
        env.vars.retain(|name, _| !without.contains(name));
        let setup = Setup { vars: env.vars.clone(), ..setup };
        let (root, log) = (folder.join("repository"), folder.join("log"));
        Ok(Self { setup, say, env, without, program: Utf8PathBuf::try_from(program)?, root, log })
    }

    /// A call of this program in the generated repository.
    pub fn ours(&self, args: &[&str]) -> Command {
        let purpose = format!("run `xtask {}`", args.first().copied().unwrap_or_default());
        Command::new(purpose, self.program.as_str()).args(args.to_vec()).dir(&self.root)
    }

    /// The same command, which inherits nothing that would change it.
    fn clean(&self, mut command: Command) -> Command {
        for name in &self.without {
            command.env.entry(name.clone()).or_insert(None);
        }
        command.env("XTASK_CACHE_DIR", self.setup.cache.as_str())
    }

    /// Runs commands one after the other at a calm moment, and counts what comes by.
    pub fn measure(&self, commands: Vec<Command>, relay: &Relay) -> Result<Run> {
        calm::wait(&self.setup.processes.interrupt)?;
        relay.reset();
        let mut run = Run::default();
        for command in commands {
            let measured = self.setup.processes.measure(&self.clean(command), &self.log)?;
            run.seconds += measured.seconds;
            run.peak_memory = run.peak_memory.max(measured.peak_memory);
        }
        run.traffic = Traffic::of(&relay.log());
        Ok(run)
    }

    /// What the report of our last run says of its steps.
    fn steps(&self) -> Result<Steps> {
        let file = self.root.join("target/xtask/report.json");
        let text = files::read(&file)?.context("our run has left no report")?;
        let report: Value = serde_json::from_str(&text).context("our report is no JSON")?;
        let services = report["services"].as_array().into_iter().flatten();
        let mut all = Steps::default();
        for steps in services.map(|service| &service["steps"]) {
            all.total += steps["total"].as_u64().unwrap_or_default();
            all.cached += steps["cached"].as_u64().unwrap_or_default();
        }
        Ok(all)
    }

    fn registry(&self) -> Registry {
        Registry::new(Options::new(&self.env, &self.setup.processes, Patience::PUBLISH))
    }
}

/// What a contestant has to itself.
pub struct Lane {
    /// Whose it is
    pub contestant: Contestant,
    /// Its engine
    pub own: OwnEngine,
    /// Stands before the registry
    pub relay: Relay,
    /// What it builds
    pub work: Work,
}

impl Lane {
    /// With an empty engine, and the bases in its registry.
    pub fn open(site: &Site, contestant: Contestant) -> Result<Self> {
        let own = OwnEngine::start(&site.setup, contestant.name())?;
        let upstream = own.engine.registry.parse().context("a registry has no address")?;
        let relay = Relay::start(upstream).context("cannot listen on this machine")?;
        let work = work(site, &registry_of(&relay), Making::MakeAndShare)?;
        Ok(Self { contestant, own, relay, work })
    }

    /// Builds the commit that is checked out, or releases it, under `tags`; an engine other than the
    /// lane's own is an empty one.
    pub fn run(
        &self,
        site: &Site,
        case: Case,
        tags: &[String],
        docker: &Docker,
        counts: Counting,
    ) -> Result<Run> {
        let run = match self.contestant {
            Contestant::Ours => self.run_ours(site, self.ours(site, case, tags, docker)),
            Contestant::Peer(peer) => {
                let commands = peer.commands(&self.work, case.event, tags, docker)?;
                self.run_peer(site, commands, docker, counts)
            }
        };
        let run = run.with_context(|| format!("{} did not do its work", self.contestant.name()))?;
        self.check_published(site, tags)?;
        Ok(run)
    }

    fn run_ours(&self, site: &Site, command: Command) -> Result<Run> {
        let run = site.measure(vec![command], &self.relay)?;
        Ok(Run { steps: Some(site.steps()?), ..run })
    }

    fn run_peer(
        &self,
        site: &Site,
        commands: Vec<Command>,
        docker: &Docker,
        counts: Counting,
    ) -> Result<Run> {
        let builds = self.contestant != Contestant::Peer(Peer::Imagetools);
        let records = match counts {
            Counting::Steps if builds => Some(Records::begin(docker, &site.setup.processes)?),
            _ => None,
        };
        let run = site.measure(commands, &self.relay)?;
        let steps = match records {
            Some(records) => records.steps(self.work.services.len())?,
            None => None,
        };
        // The memory of a client says nothing: its engine does the work.
        Ok(Run { peak_memory: None, steps, ..run })
    }

    fn ours(&self, site: &Site, case: Case, tags: &[String], docker: &Docker) -> Command {
        let registry = registry_of(&self.relay);
        let task = match (case.event, tags) {
            (Event::Release, [version, ..]) => ["release", "publish", version],
            (event, _) => ["build-images", "--event", event.name()],
        };
        let all: &[&str] = if case.scenario == Scenario::Warm { &["--no-skip"] } else { &[] };
        site.ours(&[&task[..], &["--registry", &registry], all].concat()).envs(&docker.env)
    }

    /// Who has not published everything has not been measured at the same work.
    fn check_published(&self, site: &Site, tags: &[String]) -> Result<()> {
        let names = self.work.services.iter().flat_map(|service| service.names(tags));
        let names: Vec<Reference> = names.map(|name| name.parse()).collect::<Result<_, _>>()?;
        let at_once = AtOnce { threads: 8, within: None };
        let answers = site.registry().for_each(names.clone(), at_once, Registry::head_manifest);
        for (name, answer) in names.iter().zip(answers) {
            if answer.found().is_none() {
                bail!("{} has not published `{name}`", self.contestant.name());
            }
        }
        Ok(())
    }

    /// Where a registry's relay is, and what the images are called there.
    pub fn asked(&self) -> (String, Vec<String>) {
        let host = self.relay.address().to_string();
        let name = |service: &Service| format!("{FOLDER}/{}", service.name);
        (host, self.work.services.iter().map(name).collect())
    }
}

/// Where images go.
pub fn registry_of(relay: &Relay) -> String {
    format!("{}/{FOLDER}", relay.address())
}

/// Reads the repository, and makes its bases where there is no hub.
pub fn work(site: &Site, place: &str, making: Making) -> Result<Work> {
    let manifest = site.root.join("services/services.toml");
    let world = facts::read(&Asked {
        env: &site.env,
        processes: &site.setup.processes,
        manifest: Some(&manifest),
        event: Some(Event::Dev.name()),
        registry: Some(place),
        names: &[],
    })?;
    let setup = Setup { say: site.say, ..site.setup.clone() };
    let (registry, bases) = (site.registry(), Bases::new(&setup));
    let (say, facts, lock) = (&site.say, &world.facts, &world.lock);
    let finder = Finder { registry: &registry, bases: &bases, say, facts, lock, making };
    let services: Vec<String> = facts.select(&[])?.into_iter().collect();
    let found = finder.find(&services)?;
    let contexts: BTreeMap<String, String> =
        found.images.into_iter().map(|(key, base)| (key, base.context)).collect();
    Work::of(&world, &contexts)
}
