//! `completions` prints a shell's script, and the hidden `complete` is what that calls.

use super::Session;
use crate::cli::{Cli, Complete, Completions, Names, Shell, candidates};
use crate::context::facts;
use anyhow::Result;
use clap::CommandFactory as _;
use std::process::ExitCode;

/// Prints the script.
pub fn run(options: &Completions) -> Result<ExitCode> {
    let script = match options.shell {
        Shell::Bash => include_str!("completions/xtask.bash"),
        Shell::Zsh => include_str!("completions/xtask.zsh"),
        Shell::Fish => include_str!("completions/xtask.fish"),
    };
    crate::report::stdout(script.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a candidate a line.
pub fn complete(session: &Session, options: &Complete) -> Result<ExitCode> {
    let mut command = Cli::command();
    command.build();
    let found = candidates(&command, &options.words, &names(session));
    if !found.is_empty() {
        crate::report::stdout(&found.join("\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// None where there is no manifest that can be read: who is typing is not told of mistakes.
fn names(session: &Session) -> Names {
    let manifest = session.common.manifest.as_deref();
    let read = facts::manifest(&session.env, &session.processes, manifest);
    let Ok((.., loaded)) = read else { return Names::default() };
    let manifest = loaded.manifest;
    Names {
        services: manifest.services.into_keys().collect(),
        groups: manifest.groups.into_keys().collect(),
        bases: manifest.bases.into_keys().collect(),
    }
}
