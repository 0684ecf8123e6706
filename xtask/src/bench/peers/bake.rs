//! One `docker buildx bake` of one definition.

use super::{Build, cache_from, cache_to};
use crate::bench::work::Service;
use crate::docker::Docker;
use crate::docker::bake::{Definition, Group, Target, attributes, target_name};
use crate::process::Command;
use anyhow::Result;

/// The definition goes to standard input, as in our own call.
pub(super) fn command(build: &Build, docker: &Docker) -> Result<Command> {
    let definition = definition(build).to_input()?.to_string();
    let command = docker.command("build all services by bake").args(["buildx", "bake", "-f", "-"]);
    Ok(command.dir(&build.work.root).stdin(definition))
}

pub(super) fn definition(build: &Build) -> Definition {
    let targets = build.work.services.iter();
    let target = targets.map(|s| (target_name(&s.name), target(build, s))).collect();
    let mut definition = Definition { target, ..Definition::default() };
    let targets = definition.target.keys().cloned().collect();
    definition.group.insert("default".into(), Group { targets });
    definition
}

fn target(build: &Build, service: &Service) -> Target {
    let builds_on = service.builds_on.iter();
    let builds_on =
        builds_on.map(|(used, other)| (used.clone(), format!("target:{}", target_name(other))));
    let target = Target {
        context: service.context.clone(),
        dockerfile: service.dockerfile.clone(),
        contexts: service.bases.clone().into_iter().chain(builds_on).collect(),
        args: service.args.clone(),
        cache_from: vec![cache_from(service)],
        ..Target::default()
    };
    if build.pushes() {
        Target {
            tags: service.names(build.tags),
            cache_to: cache_to(service).into(),
            output: vec![attributes([("type", "image"), ("push", "true")])],
            attest: vec![attributes([("type", "provenance"), ("mode", "min")])],
            ..target
        }
    } else {
        let disabled = ("disabled".to_owned(), true.into());
        let provenance = ("type".to_owned(), "provenance".into());
        Target {
            output: vec![attributes([("type", "cacheonly")])],
            attest: vec![[provenance, disabled].into()],
            ..target
        }
    }
}
