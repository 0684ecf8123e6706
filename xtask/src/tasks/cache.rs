//! `cache`: what caches and old images cost, and taking them away.

mod prune;
mod status;

use super::Session;
use super::build_images::reading;
use crate::cli::CacheTask;
use crate::context::facts;
use crate::docker::registry::{Patience, Reference, Registry};
use crate::plan::facts::select;
use anyhow::Result;
use camino::Utf8PathBuf;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Does it.
pub fn run(session: &Session, task: &CacheTask) -> Result<ExitCode> {
    match task {
        CacheTask::Status(options) => status::run(session, options),
        CacheTask::Prune(options) => prune::run(session, options),
    }
}

/// A project and the repositories of its services.
struct Project {
    root: Utf8PathBuf,
    /// The project's registry
    place: String,
    client: Registry,
    repositories: BTreeMap<String, Reference>,
}

impl Project {
    /// No Dockerfile is read: one that is broken hinders nobody here.
    fn read(session: &Session, registry: Option<&str>, names: &[String]) -> Result<Self> {
        let Session { env, processes, common, .. } = session;
        let (root, _, loaded) = facts::manifest(env, processes, common.manifest.as_deref())?;
        let place = facts::registry(env, registry, &loaded.manifest.project.registry)?;
        let mut repositories = BTreeMap::new();
        for service in select(&loaded.manifest, names)? {
            repositories.insert(service.clone(), format!("{place}/{service}").parse()?);
        }
        let client = reading::registry(session, Patience::CHECK);
        Ok(Self { root, place, client, repositories })
    }
}
