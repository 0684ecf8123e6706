//! The plan of building images anew, to be compared with published ones: no cache is read or
//! written, nothing is pushed or loaded. Pure.

use super::super::facts::Facts;
use super::super::{Action, Plan, Request, make};
use crate::docker::bake::{Attributes, Definition, Target, attributes, target_name};
use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;

/// Which values arguments have that are no part of the fingerprint (`volatile-args`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolatileArgs {
    /// As the manifest and the environment say
    AsGiven,
    /// Others: what depends on them then differs between the two builds, which makes it unstable
    Others,
}

/// The value that a volatile argument has in a build with others.
const OTHER: &str = "another-value";

/// What is built for these services. Each stands on what it would stand on in a run that builds it
/// alone: on the published image of a service, even though that one is built anew beside it.
pub fn plan(facts: &Facts, services: &BTreeSet<String>) -> Result<Plan> {
    let alone = services.iter().map(|service| {
        let request = Request { names: vec![service.clone()], ..Request::default() };
        make(facts, &request)
    });
    let alone = alone.collect::<Result<Vec<Plan>>>()?;
    let mut alone = alone.into_iter();
    let mut whole = alone.next().context("nothing is to be built")?;
    for plan in alone {
        whole.services.extend(plan.services);
        whole.definition.target.extend(plan.definition.target);
    }
    whole.services.retain(|service| service.action == Action::Build);
    let built = whole.services.iter().map(|service| service.service.clone()).collect();
    whole.levels = facts.graph.levels(&built);
    let order = whole.levels.concat();
    whole.services.sort_by_key(|plan| order.iter().position(|name| *name == plan.service));
    whole.services.dedup_by(|a, b| a.service == b.service);
    Ok(whole)
}

/// The definition of one of the two builds. Images of `services` are written as OCI layouts.
pub fn definition(
    facts: &Facts,
    plan: &Plan,
    services: &BTreeSet<String>,
    folder: &Utf8Path,
    volatile: VolatileArgs,
) -> Definition {
    let mut definition = plan.definition.clone();
    for service in &plan.services {
        let Some(target) = definition.target.get_mut(&target_name(&service.service)) else {
            continue;
        };
        anew(target);
        if services.contains(&service.service) {
            target.output = vec![layout_output(&layout(folder, &service.service))];
        }
        let args =
            facts.service(&service.service).map_or(&[][..], |service| &service.volatile_args);
        if volatile == VolatileArgs::Others {
            target.args.extend(args.iter().map(|name| (name.clone(), OTHER.to_owned())));
        }
    }
    definition
}

/// The folder that a service's image is written to.
pub fn layout(folder: &Utf8Path, service: &str) -> Utf8PathBuf {
    folder.join(service)
}

fn anew(target: &mut Target) {
    target.cache_from.clear();
    target.cache_to.clear();
    target.tags.clear();
    target.no_cache = Some(true);
    target.output = vec![attributes([("type", "cacheonly")])];
}

/// New layers are read once and thrown away: compressing them would be for nothing.
fn layout_output(folder: &Utf8Path) -> Attributes {
    attributes([
        ("type", "oci"),
        ("dest", folder.as_str()),
        ("tar", "false"),
        ("compression", "uncompressed"),
    ])
}
