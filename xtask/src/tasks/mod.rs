//! One file a command.

mod affected;
mod bases;
mod bench;
mod build_images;
mod cache;
mod clean;
mod completions;
mod compose;
mod doctor;
pub mod engine;
mod fingerprint;
mod gate;
mod matrix;
mod publish;
mod pull;
pub mod release;
mod report;
mod schema;
mod telling;
mod test;
mod up;
mod verify;
mod warm_cache;
mod why;

use crate::cli::{Cli, Common, Task};
use crate::context::environment::Environment;
use crate::interrupt::Interrupt;
use crate::process::Processes;
use anyhow::Result;
use std::process::ExitCode;
use std::time::Instant;

/// What every task is given.
struct Session {
    env: Environment,
    processes: Processes,
    common: Common,
    began: Instant,
}

impl Session {
    /// The same for one piece of work of a task that goes on: it begins now.
    fn anew(&self) -> Self {
        let env = Environment { now: self.env.now + self.began.elapsed(), ..self.env.clone() };
        let (processes, common) = (self.processes.clone(), self.common.clone());
        Self { env, processes, common, began: Instant::now() }
    }
}

/// Does what was asked for.
pub fn run(cli: &Cli) -> Result<ExitCode> {
    let interrupt = Interrupt::install()?;
    let session = Session {
        env: Environment::read()?,
        processes: Processes { interrupt, echo: cli.common.verbose },
        common: cli.common.clone(),
        began: Instant::now(),
    };
    if cli.common.quiet {
        crate::report::stderr::hush();
    }
    match &cli.task {
        Task::BuildImages(options) => build_images::run(&session, options),
        Task::Plan(options) => build_images::plan(&session, options),
        Task::Fingerprint(options) => fingerprint::run(&session, options),
        Task::Affected(options) => affected::run(&session, options),
        Task::Why(options) => why::run(&session, options),
        Task::Matrix(options) => matrix::run(&session, options),
        Task::Gate(options) => gate::run(options),
        Task::Schema => schema::run(),
        Task::Completions(options) => completions::run(options),
        Task::Complete(options) => completions::complete(&session, options),
        Task::Bases { task } => bases::run(&session, task),
        Task::Verify(options) => verify::run(&session, options),
        Task::WarmCache(options) => warm_cache::run(&session, options),
        Task::Report(options) => report::run(&session, options),
        Task::Up(options) => up::up(&session, options),
        Task::Down(options) => up::down(&session, options),
        Task::Logs(options) => up::logs(&session, options),
        Task::Doctor(options) => doctor::run(&session, options),
        Task::Cache { task } => cache::run(&session, task),
        Task::Clean(options) => clean::run(&session, options),
        Task::Compose(options) => compose::run(&session, options),
        Task::Bench(options) => bench::run(&session, options),
        Task::Test(options) => test::run(&session, *options),
        Task::Pull(options) => pull::run(&session, options),
        Task::Release { task } => release::run(&session, task),
        Task::Engine { task } => engine::run(&session, task),
    }
}
