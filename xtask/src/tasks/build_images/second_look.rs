//! The second look: after the build everything that went in is read again. Only what was not
//! touched meanwhile may be claimed to be the image of its fingerprint (DESIGN 4.5).

use super::super::Session;
use crate::context::facts::{self, Asked, World};
use crate::context::inputs;
use crate::plan::fingerprint::{Fingerprint, Identity, identify};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

/// What a second look needs to know of the first.
pub struct SecondLook<'a> {
    /// The session
    pub session: &'a Session,
    /// What was read before the build
    pub world: &'a World,
}

/// What a second look showed, for services that had a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// All is as it was, and nothing was written in between
    Same(Fingerprint),
    /// Why the image may be of something else
    Touched(String),
}

impl SecondLook<'_> {
    /// Looks again at all that goes into these services.
    pub fn at(&self, services: &[&str]) -> Result<BTreeMap<String, Seen>> {
        let graph = &self.world.facts.graph;
        let all = graph.with_dependencies(services.iter().copied());
        let fresh = self.read(&all)?;
        let identities = identify(&fresh.facts, &all);
        let had =
            |name: &&str| Some(self.world.facts.identities.get(*name)?.as_ref().ok()?.clone());
        let seen = services.iter().filter_map(|name| {
            let before = had(name)?;
            Some(((*name).to_owned(), self.seen(name, before, identities.get(*name), &fresh)))
        });
        Ok(seen.collect())
    }

    /// The event makes no difference to fingerprints, and bases were imposed by their digests.
    fn read(&self, services: &BTreeSet<String>) -> Result<World> {
        let asked = Asked {
            env: &self.session.env,
            processes: &self.session.processes,
            manifest: self.session.common.manifest.as_deref(),
            event: Some("local"),
            registry: None,
            names: &[],
        };
        let mut fresh = facts::read(&asked)?;
        let services: Vec<String> = services.iter().cloned().collect();
        fresh.facts.bases.clone_from(&self.world.facts.bases);
        fresh.facts.inputs =
            inputs::read(&self.session.processes, &self.session.env, &fresh, &services)?;
        Ok(fresh)
    }

    fn seen(
        &self,
        name: &str,
        before: Fingerprint,
        after: Option<&Identity>,
        fresh: &World,
    ) -> Seen {
        match after {
            Some(Ok(after)) if after.whole == before.whole => {}
            Some(Ok(after)) => {
                let parts =
                    before.parts.iter().filter(|(part, d)| after.parts.get(part) != Some(d));
                let parts: Vec<&str> = parts.map(|(part, _)| part.name()).collect();
                return Seen::Touched(format!(
                    "its {} changed while it was built",
                    parts.join(", ")
                ));
            }
            Some(Err(reasons)) => return Seen::Touched(reasons.join("; ")),
            None => return Seen::Touched("it is gone from the manifest".into()),
        }
        let inputs = |world: &World, name: &String| world.facts.inputs.get(name).cloned();
        let all = self.world.facts.graph.with_dependencies([name]);
        let touched = all.iter().find(|name| {
            let (before, after) = (inputs(self.world, name), inputs(fresh, name));
            !before.zip(after).is_some_and(|(before, after)| after.is_untouched_since(&before))
        });
        match touched {
            None => Seen::Same(before),
            Some(service) => {
                Seen::Touched(format!("files of `{service}` were written while it was built"))
            }
        }
    }
}
