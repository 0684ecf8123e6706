//! `cargo xtask` for a monorepo of container images: options, facts, plan, run, report.

#[macro_use]
pub mod error;

pub mod context;
pub mod docker;
pub mod interrupt;
pub mod manifest;
pub mod nearest;
pub mod plan;
pub mod process;
pub mod tasks;

/// Runs the command line and gives the exit code.
pub fn main() -> std::process::ExitCode {
    match run() {
        Ok(code) => std::process::ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::from(error::exit_code(&error))
        }
    }
}

#[derive(clap::Parser)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(clap::Subcommand)]
enum Task {
    Engine {
        #[command(subcommand)]
        task: tasks::engine::EngineTask,
    },
}

fn run() -> anyhow::Result<i32> {
    let Cli { task: Task::Engine { task } } = clap::Parser::parse();
    let environment = context::environment::Environment::read()?;
    let processes = process::Processes {
        interrupt: interrupt::Interrupt::install()?,
        echo: environment.get("V").is_some(),
    };
    let setup = docker::engine::Setup::new(processes, &environment)?;
    tasks::engine::run(&setup, &task)
}
