//! `cargo xtask` for a monorepo of container images: options, facts, plan, run, report.

pub mod diagnostic;
pub mod docker;
pub mod error;

pub mod context;
pub mod docker;
pub mod interrupt;
pub mod manifest;
pub mod nearest;
pub mod plan;
pub mod process;

/// Runs the command line and gives the exit code.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
