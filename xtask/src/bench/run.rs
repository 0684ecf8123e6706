//! Goes through the scenarios: everyone's turn at the same commits, in alternating order.

use super::calm;
use super::engine::{OwnEngine, purge_leftovers};
use super::floor::{self, Floor};
use super::generate::Wanted;
use super::lane::{Contestant, Counting, Lane, Site, registry_of, work};
use super::report::{Report, Row, Run, SCHEMA, compare};
use super::repository::{Own, Repository};
use super::scenario::{Case, Engine, Event, Scenario, rotated};
use crate::context::bases::Making;
use crate::docker::engine::files;
use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;
use relay::{Canned, Relay, Then, When};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What is generated; of a repository's own services only how many there are
    pub wanted: Wanted,
    /// The repository whose own services are measured
    pub own: Option<Own>,
    /// The branch that `dev` runs are of
    pub dev_branch: String,
    /// The scenarios, in the order in which they are measured
    pub scenarios: Vec<Scenario>,
    /// Who builds
    pub contestants: Vec<Contestant>,
    /// How often each
    pub runs: u32,
    /// What the machine is
    pub machine: Vec<String>,
    /// The command that was given
    pub command: String,
    /// Takes what was measured so far, after each scenario
    pub save: Option<Utf8PathBuf>,
}

/// A measurement on its way.
pub struct Bench<'a> {
    asked: &'a Asked,
    site: &'a Site,
    repository: Repository,
    lanes: BTreeMap<Contestant, Lane>,
    report: Report,
}

/// Measures everything that is asked for.
pub fn run(asked: &Asked, site: &Site) -> Result<Report> {
    purge_leftovers(&site.setup);
    let (root, processes) = (site.root.clone(), &site.setup.processes);
    let repository = match &asked.own {
        Some(own) => Repository::clone_of(own, root, &asked.dev_branch, processes)?,
        None => Repository::generate(asked.wanted, root, processes)?,
    };
    let report = Report {
        schema: SCHEMA,
        work: asked.wanted,
        runs: asked.runs,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        machine: asked.machine.clone(),
        command: asked.command.clone(),
        rows: Vec::new(),
    };
    let mut bench = Bench { asked, site, repository, lanes: BTreeMap::new(), report };
    for scenario in &asked.scenarios {
        let rows = match scenario {
            Scenario::Plan => bench.plan()?,
            scenario => bench.scenario(*scenario)?,
        };
        bench.report.rows.extend(rows);
        bench.save()?;
    }
    Ok(bench.report)
}

impl Asked {
    /// Who takes part in a scenario.
    pub fn contestants_of(&self, scenario: Scenario) -> Vec<Contestant> {
        self.contestants.iter().copied().filter(|contestant| contestant.does(scenario)).collect()
    }
}

impl Bench<'_> {
    fn scenario(&mut self, scenario: Scenario) -> Result<Vec<Row>> {
        if scenario != Scenario::Cold {
            self.publish(scenario)?;
        }
        let contestants = self.asked.contestants_of(scenario);
        let cases = scenario.cases();
        let mut runs: Vec<BTreeMap<Contestant, Vec<Run>>> = vec![BTreeMap::new(); cases.len()];
        let mut floors: Vec<Floor> = Vec::new();
        let load = load();
        for run in 0..self.asked.runs as usize {
            for (case, runs) in cases.iter().zip(&mut runs) {
                self.repository.change(case.change)?;
                for contestant in rotated(&contestants, run) {
                    if case.event == Event::Release {
                        // What is released was published on dev.
                        let dev = Case { event: Event::Dev, ..*case };
                        self.measure(dev, contestant, Counting::Traffic)?;
                    }
                    // Once is enough: the steps of a peer are the same in each run.
                    let counts = if run == 0 { Counting::Steps } else { Counting::Traffic };
                    let result = self.measure(*case, contestant, counts)?;
                    self.tell(*case, contestant, run, &result);
                    runs.entry(contestant).or_default().push(result);
                }
            }
            if scenario == Scenario::Noop {
                floors.push(self.floor()?);
            }
        }
        let mut rows = Vec::new();
        for (case, runs) in cases.iter().zip(&runs) {
            let floors = if case.event == Event::Pr { floors.as_slice() } else { &[] };
            rows.extend(self.rows(*case, runs, floors, load));
        }
        Ok(rows)
    }

    fn rows(
        &self,
        case: Case,
        runs: &BTreeMap<Contestant, Vec<Run>>,
        floors: &[Floor],
        load: Option<f64>,
    ) -> Vec<Row> {
        let services = self.asked.wanted.services;
        let row = |(contestant, runs): (&Contestant, &Vec<Run>)| {
            Row::of(case, contestant.name(), runs, services)
        };
        let mut rows: Vec<Row> = runs.iter().filter_map(row).collect();
        rows.extend(Row::of_floor(case, floors));
        compare(&mut rows);
        rows.iter_mut().for_each(|row| row.load = load);
        rows
    }

    /// Everyone has an engine that has built the commit and a registry that has it.
    fn publish(&mut self, scenario: Scenario) -> Result<()> {
        for contestant in self.asked.contestants_of(scenario) {
            if !self.lanes.contains_key(&contestant) {
                (self.site.say)(&format!("publishing everything by {} first", contestant.name()));
                self.measure(Scenario::Cold.cases()[0], contestant, Counting::Traffic)?;
            }
        }
        Ok(())
    }

    fn measure(&mut self, case: Case, contestant: Contestant, counts: Counting) -> Result<Run> {
        if case.engine == Engine::New {
            // The engine before goes away first, so that there are not two.
            drop(self.lanes.remove(&contestant));
            self.lanes.insert(contestant, Lane::open(self.site, contestant)?);
        }
        let lane = self.lane(contestant)?;
        let fresh = match case.engine {
            Engine::Fresh => Some(OwnEngine::start(&self.site.setup, "fresh")?),
            Engine::New | Engine::Warm | Engine::Without => None,
        };
        let docker = &fresh.as_ref().unwrap_or(&lane.own).docker;
        let Repository { revision, commits, .. } = &self.repository;
        lane.run(self.site, case, &case.event.tags(revision, *commits), docker, counts)
    }

    fn lane(&self, contestant: Contestant) -> Result<&Lane> {
        self.lanes.get(&contestant).context("nothing was published before")
    }

    fn floor(&self) -> Result<Floor> {
        let lane = self.lane(Contestant::Ours)?;
        let contexts: Vec<Utf8PathBuf> =
            lane.work.services.iter().map(|service| service.context.clone().into()).collect();
        let (host, images) = lane.asked();
        calm::wait(&self.site.setup.processes.interrupt)?;
        floor::measure(&self.site.setup.processes, &self.repository.root, &contexts, &host, &images)
    }

    /// Our plan alone, against a registry that answers at once that it has nothing.
    fn plan(&self) -> Result<Vec<Row>> {
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let relay = Relay::start(nowhere).context("cannot listen on this machine")?;
        relay.rule(When::from(1), Then::Answer(Canned::error(404, "MANIFEST_UNKNOWN")));
        // Without its bases a service has no fingerprint, and that would be less work.
        work(self.site, &registry_of(&relay), Making::Make)?;
        let (case, load) = (Scenario::Plan.cases()[0], load());
        let args =
            ["plan", "--json", "--event", case.event.name(), "--registry", &registry_of(&relay)];
        let mut runs = Vec::new();
        for run in 0..self.asked.runs as usize {
            let result = self.site.measure(vec![self.site.ours(&args)], &relay)?;
            self.tell(case, Contestant::Ours, run, &result);
            runs.push(result);
        }
        Ok(self.rows(case, &[(Contestant::Ours, runs)].into(), &[], load))
    }

    fn tell(&self, case: Case, contestant: Contestant, run: usize, result: &Run) {
        (self.site.say)(&format!(
            "{} {} {}, run {} of {}: {} {:.3} s, {} requests",
            case.scenario.name(),
            case.event.name(),
            case.engine.name(),
            run + 1,
            self.asked.runs,
            contestant.name(),
            result.seconds,
            result.traffic.requests
        ));
    }

    fn save(&self) -> Result<()> {
        let Some(file) = &self.asked.save else { return Ok(()) };
        files::write(file, serde_json::to_string_pretty(&self.report)? + "\n")
    }
}

/// How many processes wanted to run over the last minute (proc(5), loadavg).
fn load() -> Option<f64> {
    let text = files::read("/proc/loadavg".into()).ok()??;
    text.split_whitespace().next()?.parse().ok()
}
