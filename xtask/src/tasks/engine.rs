//! `cargo xtask engine`: the private engine by hand.

use super::Session;
use crate::docker::engine::{self, Data, Setup, Status};
use crate::process::Command;
use crate::report::stdout;
use anyhow::Result;
use std::process::ExitCode;

/// Docker from Debian's packages, private to this tool; nothing is installed.
#[derive(Clone, Debug, PartialEq, Eq, clap::Subcommand)]
pub enum EngineTask {
    /// Start it, or mend it after a crash; it stays up until `engine down`
    Up,
    /// Tell how it does
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print shell lines that point docker at it: `eval "$(cargo xtask engine env)"`
    Env,
    /// Bring it up and run a command with it: `cargo xtask engine exec -- docker ps`
    Exec {
        /// The command with its arguments
        #[arg(required = true, last = true)]
        command: Vec<String>,
    },
    /// Stop it; images, volumes and caches stay
    Down {
        /// Remove its images, volumes and caches too
        #[arg(long)]
        purge: bool,
        /// Remove the base images that were made without a hub too
        #[arg(long, requires = "purge")]
        bases: bool,
    },
}

/// Does it.
pub(super) fn run(session: &Session, task: &EngineTask) -> Result<ExitCode> {
    let mut setup = Setup::new(session.processes.clone(), &session.env)?;
    if session.common.quiet {
        setup.say = |_| {};
    }
    match task {
        EngineTask::Up => engine::up(&setup).map(drop)?,
        EngineTask::Status { json } => status(&setup, *json)?,
        EngineTask::Env => env(&setup)?,
        EngineTask::Exec { command } => return exec(session, &setup, command),
        EngineTask::Down { purge, bases } => {
            let data = match (purge, bases) {
                (true, true) => Data::PurgeWithBases,
                (true, false) => Data::Purge,
                _ => Data::Keep,
            };
            engine::down(&setup, data)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn status(setup: &Setup, json: bool) -> Result<()> {
    let status = engine::status(setup)?;
    if json {
        stdout(&serde_json::to_string_pretty(&status)?)
    } else {
        stdout(describe(&status).trim_end())
    }
}

fn describe(status: &Status) -> String {
    let mut text = format!("engine `{}` is {}\n", status.engine, status.state);
    if let (Some(registry), Some(addresses)) = (&status.registry, &status.addresses) {
        text += &format!("  DOCKER_HOST  {}\n", status.docker_host);
        text += &format!("  registry     {registry}\n");
        text += &format!("  network      {} {addresses}\n", status.bridge);
        text += &format!("  folder       {}\n", status.folder);
    }
    text
}

fn env(setup: &Setup) -> Result<()> {
    for (name, value) in engine::find_or_up(setup)?.env {
        stdout(&format!("export {name}='{}'", value.replace('\'', r"'\''")))?;
    }
    Ok(())
}

fn exec(session: &Session, setup: &Setup, command: &[String]) -> Result<ExitCode> {
    let engine = engine::find_or_up(setup)?;
    let Some((program, args)) = command.split_first() else { return Ok(ExitCode::SUCCESS) };
    let mut child = Command::new(format!("run `{program}`"), program).args(args);
    for (name, path) in super::compose::secret_files(session) {
        if session.env.get(&name).is_none() {
            child.env.insert(name, Some(path));
        }
    }
    child.env.extend(engine.env.into_iter().map(|(name, value)| (name, Some(value))));
    let code = setup.processes.pass_through(&child)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}
