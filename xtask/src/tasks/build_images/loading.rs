//! The engine's own store: what a run brings there, and what it notes of it.

use super::Run;
use super::reading::setup;
use super::second_look::{SecondLook, Seen};
use crate::context::event::Kind;
use crate::context::stored;
use crate::docker::build::Outcome;
use crate::docker::{Docker, bases, store};
use anyhow::Result;
use std::collections::BTreeMap;

impl Run<'_> {
    /// Brings into the engine's store what is published, and the bases, so that plain `docker build`
    /// finds them by the names that Dockerfiles use.
    pub fn load(&self, docker: &Docker) -> Result<()> {
        let facts = &self.reading.world.facts;
        for service in self.plan.services.iter().filter(|service| service.pull) {
            if let Some(digest) = &service.published {
                let image = format!("{}@{digest}", service.image);
                let names = facts.local_names(&service.service);
                store::pull(docker, &self.session.processes, &image, &names)?;
            }
        }
        let loads = facts.event.kind == Kind::Local || self.request.load;
        if self.pushes || !loads {
            return Ok(());
        }
        let setup = setup(self.session)?;
        for (name, base) in &self.reading.found.made {
            bases::load(&setup, docker, name, base)?;
        }
        for (name, context) in &self.reading.found.shared {
            let image = context.trim_start_matches("docker-image://");
            bases::pull(&setup, docker, name, image)?;
        }
        Ok(())
    }

    /// Notes which images in the store are those of their fingerprints by now.
    pub fn note(&self, docker: &Docker, outcomes: &BTreeMap<String, Outcome>) -> Result<()> {
        let facts = &self.reading.world.facts;
        if facts.event.kind != Kind::Local {
            return Ok(());
        }
        let mut fresh: BTreeMap<&str, &str> = BTreeMap::new();
        for service in &self.plan.services {
            let digest = match outcomes.get(&service.service) {
                Some(Outcome::Built(built)) => built.digest.as_deref(),
                Some(Outcome::Skipped(digest)) if service.pull => digest.as_deref(),
                _ => None,
            };
            fresh.extend(digest.map(|digest| (service.service.as_str(), digest)));
        }
        if fresh.is_empty() {
            return Ok(());
        }
        let look = SecondLook { session: self.session, world: &self.reading.world };
        let seen = look.at(&fresh.keys().copied().collect::<Vec<_>>())?;
        let name = |service: &str| facts.local_names(service).swap_remove(0);
        let names: Vec<String> = fresh.keys().map(|service| name(service)).collect();
        let ids = store::ids(docker, &self.session.processes, &names)?;
        let mut notes = self.reading.notes.clone();
        for (service, digest) in fresh {
            notes.remove(service);
            let Some(Seen::Same(fingerprint)) = seen.get(service) else { continue };
            let id = ids.get(&name(service)).filter(|id| *id == digest);
            if let (Some(id), Some(_)) = (id, facts.claimable(service, &self.request)) {
                let (fingerprint, id) = (fingerprint.whole.clone(), id.clone());
                let platforms = facts.service(service).map(|s| s.platforms.clone());
                let platforms = platforms.unwrap_or_default();
                notes.insert(service.into(), stored::Note { fingerprint, platforms, id });
            }
        }
        stored::write(&self.reading.world.root, notes)
    }
}
