//! `bench`: measures us beside others, and `bench generate` writes the monorepo that is measured.

mod judge;
mod machine;
mod own;

use super::Session;
use crate::bench::generate::{self, CONTEXT, Wanted};
use crate::bench::run::Asked;
use crate::bench::scenario::Scenario;
use crate::bench::{Contestant, Site, is_gone, repository};
use crate::cli::{Bench, BenchTask, Generate, Measure};
use crate::context::git;
use crate::docker::engine::packages::{self, PackageSet};
use crate::docker::engine::{Setup, check_machine, files};
use crate::report::{count, stdout};
use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use judge::Judge;
use std::fmt::Write as _;
use std::process::ExitCode;

/// What each context holds where only plans are made, in bytes: its size makes no difference to
/// them, and 1,000 services would be a gigabyte.
const CONTEXT_OF_PLAN: usize = 100_000;

/// Measures, or does what the subcommand says.
pub fn run(session: &Session, options: &Bench) -> Result<ExitCode> {
    match &options.task {
        Some(BenchTask::Generate(options)) => generate(session, options),
        Some(BenchTask::Show(options)) => {
            let judge = Judge::read(&session.env.dir, &options.shown)?;
            judge.print(&judge::report(&session.env.dir.join(&options.file))?, &options.shown)
        }
        None => measure(session, &options.measure),
    }
}

fn measure(session: &Session, options: &Measure) -> Result<ExitCode> {
    let asked = asked(session, options)?;
    if options.dry_run {
        stdout(described(&asked).trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let judge = Judge::read(&session.env.dir, &options.shown)?;
    if let Some(file) = &asked.save {
        can_be_saved(file)?;
    }
    let setup = Setup::new(session.processes.clone(), &session.env)?;
    let engines = asked.scenarios != [Scenario::Plan];
    if engines {
        check_machine(&setup)?;
    }
    let top = git::root(&session.processes, &session.env.dir)?;
    let folder = Folder::below(&top.join("target/xtask/bench"));
    let quiet = session.common.quiet;
    let nothing: fn(&str) = |_| {};
    let say: fn(&str) = if quiet { nothing } else { |line| crate::report::say!("{line}") };
    if engines {
        // Beforehand, and told: it takes a while the first time.
        packages::ensure(&Setup { say, ..setup.clone() }, PackageSet::Engine)?;
    }
    let of_engines = if session.common.verbose { say } else { nothing };
    let site = Site::new(Setup { say: of_engines, ..setup }, say, &session.env, &folder.0)?;
    let report = crate::bench::run::run(&asked, &site)?;
    judge.print(&report, &options.shown)
}

/// Before minutes of work whose result would be lost. What is in the file stays until then.
fn can_be_saved(file: &Utf8Path) -> Result<()> {
    if let Err(error) = std::fs::File::options().create(true).append(true).open(file) {
        wrong!("`--save {file}` cannot be written: {error}");
    }
    Ok(())
}

fn asked(session: &Session, options: &Measure) -> Result<Asked> {
    let mut scenarios = options.scenario.clone();
    scenarios.sort();
    scenarios.dedup();
    let mut peers = options.peers.clone();
    peers.sort();
    peers.dedup();
    let others = peers.into_iter().map(Contestant::Peer);
    let plans = scenarios == [Scenario::Plan];
    let (own, services, dev_branch) = match options.services {
        Some(services) => (None, services as usize, "dev".to_owned()),
        None => {
            let (own, services, branch) = own::find(session)?;
            (Some(own), services, branch)
        }
    };
    Ok(Asked {
        dev_branch,
        wanted: Wanted {
            services,
            files: if own.is_some() { 0 } else { options.files as usize },
            bytes: if own.is_some() {
                0
            } else if plans {
                CONTEXT_OF_PLAN
            } else {
                CONTEXT
            },
            seed: options.seed,
            base: options.base,
        },
        own,
        scenarios,
        contestants: std::iter::once(Contestant::Ours).chain(others).collect(),
        runs: options.runs,
        machine: machine::describe(&session.processes),
        command: command(options),
        save: options.save.as_ref().map(|file| session.env.dir.join(file)),
    })
}

/// What measures the same again, without files that are only here.
fn command(options: &Measure) -> String {
    let names = |all: Vec<&str>| all.join(",");
    let scenarios = names(options.scenario.iter().map(|scenario| scenario.name()).collect());
    let peers = names(options.peers.iter().map(|peer| peer.name()).collect());
    format!(
        "cargo xtask bench --scenario {scenarios}{} --runs {} --peers {peers}",
        options.services.map(|number| format!(" --services {number}")).unwrap_or_default(),
        options.runs
    )
}

/// What would be measured.
fn described(asked: &Asked) -> String {
    let services = count(asked.wanted.services, "service");
    let files = match &asked.own {
        Some(_) => "as they are committed".to_owned(),
        None => format!("with {} each", count(asked.wanted.files, "file")),
    };
    let mut text =
        format!("{services} {files}, {} by each of\n", count(asked.runs as usize, "run"));
    for case in asked.scenarios.iter().flat_map(|scenario| scenario.cases()) {
        let contestants = asked.contestants_of(case.scenario);
        let all: Vec<&str> = contestants.iter().map(|contestant| contestant.name()).collect();
        let by = if case.scenario == Scenario::Plan {
            Contestant::Ours.name().to_owned()
        } else {
            all.join(", ")
        };
        let (scenario, event, engine) =
            (case.scenario.name(), case.event.name(), case.engine.name());
        // Writing to a string cannot fail.
        writeln!(text, "{scenario:<10}  {event:<7}  {engine:<5}  {by}").ok();
    }
    text
}

/// A folder that goes away with its value.
struct Folder(Utf8PathBuf);

impl Folder {
    /// Named after this process. Those of processes that were killed go away.
    fn below(folder: &Utf8Path) -> Self {
        for other in files::list(folder).iter().filter(|name| is_gone(name)) {
            drop(Self(folder.join(other)));
        }
        Self(folder.join(std::process::id().to_string()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Best effort: what stays is below target/.
        std::fs::remove_dir_all(&self.0).ok();
        // Fails where another run has its own in there.
        self.0.parent().and_then(|parent| std::fs::remove_dir(parent).ok());
    }
}

/// Writes it. Making a git repository of it is left to whoever uses it.
fn generate(session: &Session, options: &Generate) -> Result<ExitCode> {
    let wanted = Wanted {
        services: options.services as usize,
        files: options.files as usize,
        bytes: CONTEXT,
        seed: options.seed,
        base: options.base,
    };
    if options.dry_run {
        for (path, bytes) in generate::files(wanted) {
            stdout(&format!("{path} {}", bytes.len()))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let folder = session.env.dir.join(&options.output);
    free(&folder)?;
    repository::write(wanted, &folder, &session.processes.interrupt)?;
    if !session.common.quiet {
        crate::report::say!("{} written to `{folder}`", count(wanted.services, "service"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the folder is empty or absent, and can be one.
fn free(folder: &Utf8Path) -> Result<()> {
    let there = folder.ancestors().find(|path| path.exists());
    if let Some(file) = there.filter(|path| !path.is_dir()) {
        wrong!("`{file}` is no folder: name another with `--output`");
    }
    if folder.read_dir_utf8().is_ok_and(|mut entries| entries.next().is_some()) {
        wrong!("the folder `{folder}` is not empty: name another with `--output`");
    }
    Ok(())
}
