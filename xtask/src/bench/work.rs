//! What the peers are given to build: the same services, bases and dependencies as ours. Pure.

use crate::context::facts::World;
use crate::plan::definition::below_context;
use anyhow::Result;
use camino::Utf8PathBuf;
use std::collections::BTreeMap;

/// All services, in an order in which each comes after what it builds on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// Where the services are
    pub root: Utf8PathBuf,
    /// The services
    pub services: Vec<Service>,
}

/// One service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its name
    pub name: String,
    /// Where its image goes, without a tag
    pub image: String,
    /// The folder that is sent
    pub context: String,
    /// Relative to the context
    pub dockerfile: String,
    /// Build arguments
    pub args: BTreeMap<String, String>,
    /// Names in the Dockerfile that stand for external images, and `docker-image://…@sha256:…`
    pub bases: BTreeMap<String, String>,
    /// Names in the Dockerfile that stand for other services
    pub builds_on: BTreeMap<String, String>,
}

impl Work {
    /// The services of a repository. `bases` has their contexts by the key in `[bases]`.
    pub fn of(world: &World, bases: &BTreeMap<String, String>) -> Result<Self> {
        let facts = &world.facts;
        let all = facts.select(&[])?;
        let order = facts.graph.levels(&all).into_iter().flatten();
        let services = order.filter_map(|name| {
            let service = facts.service(&name)?;
            let needs = facts.needs.get(&name).cloned().unwrap_or_default();
            let bases = needs.bases.into_iter().filter_map(|(used, key)| {
                let context = bases.get(&key)?;
                Some((used, context.clone()))
            });
            Some(Service {
                image: facts.image(&name),
                context: service.context.to_string(),
                dockerfile: below_context(service),
                args: service.args.clone(),
                bases: bases.collect(),
                builds_on: needs.services,
                name,
            })
        });
        Ok(Self { root: world.root.clone(), services: services.collect() })
    }
}

impl Service {
    /// Its image under tags, as full names.
    pub fn names(&self, tags: &[String]) -> Vec<String> {
        tags.iter().map(|tag| format!("{}:{tag}", self.image)).collect()
    }

    /// The image's cache.
    pub fn cache(&self) -> String {
        format!("{}:{}", self.image, crate::plan::cache::CACHE_TAG)
    }
}
