//! `cargo xtask` for a monorepo of container images: options, facts, plan, run, report.

// These panic where nobody reads: `report::stdout` and `report::say` do not.
#![warn(clippy::print_stderr, clippy::print_stdout)]

#[macro_use]
pub mod error;

pub mod bench;
pub mod cli;
pub mod compose;
pub mod context;
pub mod diagnostic;
pub mod docker;
pub mod interrupt;
pub mod manifest;
pub mod nearest;
pub mod parallel;
pub mod plan;
pub mod process;
pub mod real_path;
pub mod report;
pub mod tasks;
pub mod time;

use clap::Parser as _;
use std::process::ExitCode;

/// Runs the command line and gives the exit code.
pub fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is the reader's choice, not a failure to print help.
            error.print().ok();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match tasks::run(&cli) {
        Ok(code) => code,
        Err(error) => {
            crate::report::say!("error: {error:#}");
            ExitCode::from(error::exit_code(&error))
        }
    }
}
