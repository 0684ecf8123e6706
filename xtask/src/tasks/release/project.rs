//! What the tasks of a release read alike: the project, its records, where tags stand.

use super::super::Session;
use super::super::build_images::reading;
use crate::context::facts::{self, Asked, World};
use crate::docker::publish::CONNECTIONS;
use crate::docker::registry::{Patience, Reference, Registry};
use crate::docker::release::Shelf;
use crate::parallel;
use crate::plan::release::Releases;
use anyhow::{Context as _, Result};

/// A project and its records.
pub struct Project {
    pub world: World,
    pub registry: Registry,
    pub shelf: Shelf,
    pub releases: Releases,
}

impl Project {
    /// Reads them; what cannot be read is an error.
    pub fn read(session: &Session, registry: Option<&str>) -> Result<Self> {
        let asked = Asked {
            env: &session.env,
            processes: &session.processes,
            manifest: session.common.manifest.as_deref(),
            event: Some("local"),
            registry,
            names: &[],
        };
        let world = facts::read(&asked)?;
        let registry = reading::registry(session, Patience::CHECK);
        let shelf = Shelf::new(&world.facts.registry)?;
        let releases = shelf.list(&registry)?;
        Ok(Self { world, registry, shelf, releases })
    }

    /// The digest that each tag of a service stands on; none where it is absent.
    pub fn stand(&self, tags: &[(String, String)]) -> Result<Vec<Option<String>>> {
        let name = |(service, tag): &(String, String)| {
            format!("{}:{tag}", self.world.facts.image(service))
        };
        stand(&self.registry, &tags.iter().map(name).collect::<Vec<_>>())
    }
}

/// The digest that each name (`<image>:<tag>`) stands for; none where it is absent.
pub fn stand(registry: &Registry, names: &[String]) -> Result<Vec<Option<String>>> {
    let read = |name: &String| -> Result<Option<String>> {
        let there = registry.head_manifest(&name.parse::<Reference>()?).known();
        let there = there.with_context(|| format!("cannot tell where `{name}` stands"))?;
        Ok(there.map(|there| there.digest))
    };
    parallel::map(CONNECTIONS, names, read).into_iter().collect()
}
