//! From the services' plans to the definition that buildx is given. Pure.

use super::cache::{Destination, Source, State};
use super::facts::{Facts, SecretPlace, SecretThere};
use super::{Action, Request, ServicePlan};
use crate::context::event::Kind;
use crate::docker::bake::{Attributes, Definition, Group, Target, attributes, target_name};
use crate::manifest::Service;
use serde_json::Value;
use std::collections::BTreeMap;

/// One target for each service that is built, and for what those are fed as targets.
pub fn definition(facts: &Facts, request: &Request, services: &[ServicePlan]) -> Definition {
    let by_name: BTreeMap<&str, &ServicePlan> =
        services.iter().map(|plan| (plan.service.as_str(), plan)).collect();
    let built = services.iter().filter(|plan| plan.action == Action::Build);
    let mut todo: Vec<&ServicePlan> = built.collect();
    let mut definition = Definition::default();
    if todo.is_empty() {
        return definition;
    }
    let mut targets: Vec<String> = todo.iter().map(|plan| target_name(&plan.service)).collect();
    targets.sort();
    while let Some(plan) = todo.pop() {
        let name = target_name(&plan.service);
        let Some(service) = facts.service(&plan.service) else { continue };
        if definition.target.contains_key(&name) {
            continue;
        }
        let fed = plan.depends_on.iter().filter_map(|on| by_name.get(on.as_str()));
        let fed = fed.map(|on| (on.service.clone(), Feed::of(on)));
        let feeds: BTreeMap<String, Feed> = fed.collect();
        let as_targets = feeds.iter().filter(|(_, feed)| **feed == Feed::Target);
        todo.extend(as_targets.filter_map(|(on, _)| by_name.get(on.as_str())));
        let target = target(facts, request, service, plan, &feeds);
        definition.target.insert(name, target);
    }
    definition.group.insert("default".into(), Group { targets });
    definition
}

/// What stands in for a service that another one builds on.
///
/// BuildKit's cache does not carry over from an image to a target, so that a service is only given
/// as a target where no published image is that of its fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Feed {
    /// The published image of its fingerprint, as `<image>@<digest>`
    Published(String),
    /// What this run pushes first, as `<image>:<handle>`; its digest is put there then
    Pushed(String),
    /// Its target
    Target,
}

impl Feed {
    fn of(plan: &ServicePlan) -> Self {
        match (plan.action, &plan.published) {
            (Action::Build, _) if plan.push => {
                Self::Pushed(format!("{}:{}", plan.image, plan.handle))
            }
            (_, Some(digest)) => Self::Published(format!("{}@{digest}", plan.image)),
            _ => Self::Target,
        }
    }

    fn context(&self, service: &str) -> String {
        match self {
            Self::Published(image) | Self::Pushed(image) => format!("docker-image://{image}"),
            Self::Target => format!("target:{}", target_name(service)),
        }
    }
}

fn target(
    facts: &Facts,
    request: &Request,
    service: &Service,
    plan: &ServicePlan,
    feeds: &BTreeMap<String, Feed>,
) -> Target {
    let mut target = Target {
        context: service.context.to_string(),
        dockerfile: below_context(service),
        contexts: contexts(facts, service, feeds),
        args: args(facts, service),
        labels: super::labels::labels(&facts.manifest.project, service),
        cache_from: plan.cache_from.iter().filter_map(|s| source(s, &facts.event.kind)).collect(),
        cache_to: plan.cache_to.iter().map(destination).collect(),
        target: service.target.clone(),
        secret: facts.secrets.get(&service.name).into_iter().flatten().map(secret).collect(),
        ssh: service.ssh.iter().map(|ssh| ssh_attributes(ssh)).collect(),
        platforms: plan.platforms.clone(),
        no_cache: (request.no_cache || plan.anew).then_some(true),
        network: service.network.clone(),
        shm_size: service.shm_size.clone(),
        extra_hosts: service.extra_hosts.clone(),
        ..Target::default()
    };
    if plan.push {
        target.tags = vec![format!("{}:{}", plan.image, plan.handle)];
        target.output = vec![pushed(request)];
        target.attest = vec![attributes([("type", "provenance"), ("mode", "min")])];
    } else {
        target.attest = vec![no_provenance()];
        if facts.event.kind == Kind::Local || request.load {
            target.tags = facts.local_names(&service.name);
            target.output = vec![attributes([("type", "docker")])];
        } else {
            target.output = vec![attributes([("type", "cacheonly")])];
        }
    }
    target
}

/// What stands in for the names in the Dockerfile: bases by digest, and services as they are fed.
fn contexts(
    facts: &Facts,
    service: &Service,
    feeds: &BTreeMap<String, Feed>,
) -> BTreeMap<String, String> {
    let mut contexts = BTreeMap::new();
    let needs = facts.needs.get(&service.name).cloned().unwrap_or_default();
    for (name, key) in &needs.bases {
        if let Some(base) = facts.bases.get(key) {
            contexts.insert(name.clone(), base.context.clone());
        }
    }
    for (name, other) in &needs.services {
        if let Some(feed) = feeds.get(other) {
            contexts.insert(name.clone(), feed.context(other));
        }
    }
    contexts.extend(service.contexts.clone());
    contexts
}

fn args(facts: &Facts, service: &Service) -> BTreeMap<String, String> {
    let mut args = service.args.clone();
    for name in &service.volatile_args {
        if let (false, Some(value)) = (args.contains_key(name), facts.environment_args.get(name)) {
            args.insert(name.clone(), value.clone());
        }
    }
    args
}

/// The Dockerfile's path relative to the context, as buildx and compose take it.
pub fn below_context(service: &Service) -> String {
    if let Ok(below) = service.dockerfile.strip_prefix(&service.context) {
        return below.to_string();
    }
    let depth = service.context.components().filter(|c| c.as_str() != ".").count();
    format!("{}{}", "../".repeat(depth), service.dockerfile)
}

fn source(source: &Source, kind: &Kind) -> Option<Attributes> {
    match source {
        Source::Registry { state: State::Absent, .. } => None,
        // A local run never waits on a registry that does not answer.
        Source::Registry { state: State::Unknown, .. } if *kind == Kind::Local => None,
        Source::Registry { r#ref, .. } => Some(attributes([("type", "registry"), ("ref", r#ref)])),
        Source::Gha { scope, .. } => Some(attributes([("type", "gha"), ("scope", scope)])),
    }
}

fn destination(destination: &Destination) -> Attributes {
    match serde_json::to_value(destination) {
        Ok(Value::Object(fields)) => fields.into_iter().collect(),
        _ => Attributes::new(),
    }
}

fn secret(secret: &SecretThere) -> Attributes {
    match &secret.source {
        SecretPlace::File(path) => attributes([("id", &secret.id), ("src", path.as_str())]),
        SecretPlace::Env(name) => attributes([("id", &secret.id), ("env", name)]),
    }
}

fn ssh_attributes(ssh: &str) -> Attributes {
    match ssh.split_once('=') {
        None => attributes([("id", ssh)]),
        Some((id, paths)) => {
            let paths: Vec<&str> = paths.split(',').collect();
            [("id".to_owned(), id.into()), ("paths".to_owned(), paths.into())].into()
        }
    }
}

/// Nobody runs the image here, unless it is to be loaded: in the engine's store it would need all of its
/// layers, those from a cache too.
fn pushed(request: &Request) -> Attributes {
    let mut output = attributes([("type", "image"), ("push", "true")]);
    if !request.load {
        output.insert("store".into(), "false".into());
    }
    output
}

fn no_provenance() -> Attributes {
    [("type".to_owned(), "provenance".into()), ("disabled".to_owned(), true.into())].into()
}
