//! One `docker compose build --push` of one file.

use super::{Build, as_text, cache_from, cache_to};
use crate::bench::work::Service;
use crate::docker::Docker;
use crate::process::Command;
use anyhow::Result;
use serde_json::{Map, Value, json};

/// The file goes to standard input. Without `--push` compose loads images into the engine: it has
/// no way to build and keep nothing.
pub(super) fn command(build: &Build, docker: &Docker) -> Result<Command> {
    let root = build.work.root.as_str();
    let args = ["compose", "--file", "-", "--project-directory", root, "build"];
    let command = docker.command("build all services by compose").args(args);
    let command = command.dir(&build.work.root).stdin(serde_json::to_string(&file(build))?);
    Ok(if build.pushes() { command.args(["--push"]) } else { command })
}

/// YAML is a superset of JSON.
pub(super) fn file(build: &Build) -> Value {
    let services = build.work.services.iter();
    let services: Map<String, Value> = services
        .map(|s| (s.name.clone(), json!({ "image": image(build, s), "build": entry(build, s) })))
        .collect();
    json!({ "name": "bench", "services": services })
}

fn image(build: &Build, service: &Service) -> String {
    let names = service.names(build.tags);
    names.into_iter().next().unwrap_or_default()
}

fn entry(build: &Build, service: &Service) -> Value {
    let builds_on = service.builds_on.iter();
    let builds_on = builds_on.map(|(used, other)| (used.clone(), format!("service:{other}")));
    let contexts: Map<String, Value> = service
        .bases
        .clone()
        .into_iter()
        .chain(builds_on)
        .map(|(name, context)| (name, dollars(&context).into()))
        .collect();
    let args: Map<String, Value> =
        service.args.iter().map(|(name, value)| (name.clone(), dollars(value).into())).collect();
    let mut entry = json!({
        "context": service.context,
        "dockerfile": service.dockerfile,
        "additional_contexts": contexts,
        "args": args,
        "cache_from": [as_text(&cache_from(service))],
    });
    if build.pushes() {
        entry["tags"] = service.names(build.tags)[1..].into();
        entry["cache_to"] = cache_to(service).iter().map(as_text).collect();
        entry["provenance"] = "mode=min".into();
    } else {
        entry["provenance"] = "false".into();
    }
    entry
}

/// Compose puts variables in for `$`.
fn dollars(text: &str) -> String {
    text.replace('$', "$$")
}
