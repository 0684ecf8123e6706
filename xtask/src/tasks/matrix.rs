//! `matrix`: services spread over the jobs of a workflow.

use super::Session;
use crate::cli::Matrix;
use crate::context::facts::{self, Asked, World};
use crate::context::recorded;
use crate::plan::matrix::{Job, jobs, to_github};
use crate::report::stdout;
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::ExitCode;

/// Prints it.
pub fn run(session: &Session, options: &Matrix) -> Result<ExitCode> {
    let world = read(session, &options.names)?;
    let chosen = world.facts.select(&options.names)?;
    let jobs = spread(&world, &chosen, options.jobs);
    let text = match options.json {
        true => format!("{:#}", json!({ "schema": 1, "jobs": jobs })),
        false => as_output(options.r#as.as_deref(), &to_github(&jobs)),
    };
    stdout(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// One line, after `NAME=` where it is to be an output of a step.
pub(super) fn as_output(name: Option<&str>, matrix: &Value) -> String {
    name.map(|name| format!("{name}={matrix}")).unwrap_or_else(|| matrix.to_string())
}

/// Services in jobs.
pub(super) fn spread(world: &World, services: &BTreeSet<String>, most: usize) -> Vec<Job> {
    jobs(&world.facts.graph, services, &recorded::seconds(&world.root), most)
}

/// Manifest and Dockerfiles: no network, no secrets, and the event makes no difference.
pub(super) fn read(session: &Session, names: &[String]) -> Result<World> {
    facts::read_tree(&Asked {
        env: &session.env,
        processes: &session.processes,
        manifest: session.common.manifest.as_deref(),
        event: Some("local"),
        registry: None,
        names,
    })
}
