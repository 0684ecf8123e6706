//! One file a command.

mod bench;
mod build_images;
mod compose;
pub mod engine;
mod fingerprint;
mod publish;
mod telling;
mod test;

use crate::cli::{BenchTask, Cli, Common, Task};
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

/// Does what was asked for.
pub fn run(cli: &Cli) -> Result<ExitCode> {
    let interrupt = Interrupt::install()?;
    let session = Session {
        env: Environment::read()?,
        processes: Processes { interrupt, echo: cli.common.verbose },
        common: cli.common.clone(),
        began: Instant::now(),
    };
    match &cli.task {
        Task::BuildImages(options) => build_images::run(&session, options),
        Task::Plan(options) => build_images::plan(&session, options),
        Task::Fingerprint(options) => fingerprint::run(&session, options),
        Task::Compose(options) => compose::run(&session, options),
        Task::Bench { task: BenchTask::Generate(options) } => bench::generate(&session, options),
        Task::Test(options) => test::run(&session, *options),
        Task::Engine { task } => engine::run(&session, task),
    }
}
