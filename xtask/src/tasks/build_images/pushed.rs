//! What buildx pushed under its handle becomes what people pull and others build on: its index is
//! annotated, and claims its fingerprint where that held.

use super::super::publish::{Moved, Publication};
use super::Run;
use super::second_look::{SecondLook, Seen};
use crate::context::event::Kind;
use crate::docker::build::{Outcome, Pushed};
use crate::docker::publish::{CONNECTIONS, Publish, annotations};
use crate::docker::registry::Fetched;
use crate::parallel::{self, lock};
use crate::plan::Action;
use crate::plan::claim::Claim;
use crate::plan::fingerprint::Fingerprint;
use crate::report::alive::during;
use crate::time::rfc3339;
use anyhow::{Result, anyhow};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// The images that a run has pushed so far.
pub struct Images<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) publish: Publish<'a>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The annotated index of each service
    indexes: BTreeMap<String, Fetched>,
    /// Services whose image is that of their fingerprint
    claimed: BTreeSet<String>,
    /// Those of them that came out as they were published before
    kept: BTreeSet<String>,
}

impl<'a> Images<'a> {
    /// None yet.
    pub fn new(run: &'a Run<'a>) -> Self {
        let publish = Publish { registry: &run.reading.registry };
        Self { run, publish, known: Mutex::default() }
    }

    /// The annotated index of each service.
    pub fn into_indexes(self) -> BTreeMap<String, Fetched> {
        self.known.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).indexes
    }

    /// Takes what a bake pushed, and gives the digests that others are to use, in the same order.
    pub fn take(&self, pushed: &[Pushed]) -> Vec<Result<String>> {
        let services: Vec<&str> = pushed.iter().map(|pushed| pushed.service).collect();
        let look = SecondLook { session: self.run.session, world: &self.run.reading.world };
        let mut seen = match look.at(&services) {
            Ok(seen) => seen,
            Err(error) => {
                let why =
                    format!("cannot tell whether the tree changed while it was built: {error:#}");
                return pushed.iter().map(|_| Err(anyhow!("{why}"))).collect();
            }
        };
        let work: Vec<(&Pushed, Option<Seen>)> =
            pushed.iter().map(|pushed| (pushed, seen.remove(pushed.service))).collect();
        during("claiming what was built", || {
            parallel::map(CONNECTIONS, &work, |(pushed, seen)| self.take_one(pushed, seen.as_ref()))
        })
    }

    /// A tree that changes under a run is not the commit that it publishes.
    fn take_one(&self, pushed: &Pushed, seen: Option<&Seen>) -> Result<String> {
        let fingerprint = match seen {
            Some(Seen::Touched(why)) if !self.run.options.allow_dirty => {
                anyhow::bail!("it is not published, since {why}: run this again")
            }
            Some(Seen::Same(fingerprint)) => self.may_claim(pushed.service).then_some(fingerprint),
            Some(Seen::Touched(_)) | None => None,
        };
        let plan = self.run.plan.services.iter().find(|plan| plan.service == pushed.service);
        let handle = plan.map_or("", |plan| &plan.handle);
        let index = self.publish.pushed(pushed.image, pushed.digest)?;
        let kept = fingerprint.and_then(|it| self.keep(pushed, &index, it, handle));
        let is_kept = kept.is_some();
        let index = match kept {
            Some(published) => published,
            None => {
                let annotations = self.annotations(fingerprint, pushed.cache);
                self.publish.annotate(pushed.image, index, handle, &annotations)?
            }
        };
        let digest = index.digest.clone();
        let mut known = lock(&self.known);
        if is_kept {
            known.kept.insert(pushed.service.to_owned());
        }
        known.indexes.insert(pushed.service.to_owned(), index);
        if fingerprint.is_some() {
            known.claimed.insert(pushed.service.to_owned());
        }
        Ok(digest)
    }

    /// What stands on an image that is not that of its fingerprint is not that of its own either.
    fn may_claim(&self, service: &str) -> bool {
        let facts = &self.run.reading.world.facts;
        let built: BTreeSet<&str> =
            self.run.plan.built().map(|plan| plan.service.as_str()).collect();
        let known = lock(&self.known);
        facts.claimable(service, &self.run.request).is_some()
            && facts
                .graph
                .direct(service)
                .all(|on| !built.contains(on) || known.claimed.contains(on))
    }

    /// An image does not stay older than what it stands on.
    pub(super) fn stands_on_kept(&self, service: &str) -> bool {
        let built: BTreeSet<&str> =
            self.run.plan.built().map(|plan| plan.service.as_str()).collect();
        let known = lock(&self.known);
        let mut direct = self.run.reading.world.facts.graph.direct(service);
        direct.all(|on| !built.contains(on) || known.kept.contains(on))
    }

    fn annotations(
        &self,
        fingerprint: Option<&Fingerprint>,
        cache: Option<&str>,
    ) -> BTreeMap<String, String> {
        let facts = &self.run.reading.world.facts;
        let version = match &facts.event.kind {
            Kind::Release(version) => Some(version.to_string()),
            Kind::Local | Kind::Pr | Kind::Dev => None,
        };
        let revision = facts.revision.as_deref().filter(|_| !self.run.options.allow_dirty);
        let created = rfc3339(self.run.session.env.now);
        let mut all = annotations(revision, version.as_deref(), &created);
        if let Some(fingerprint) = fingerprint {
            let cache = cache.map(str::to_owned);
            all.extend(Claim { cache, ..Claim::of(fingerprint) }.annotations());
        }
        all
    }
}

impl Run<'_> {
    /// Gives the public tags to what was pushed, and to what is promoted. The plan has those then that
    /// were moved.
    pub(super) fn move_tags(
        &mut self,
        mut indexes: BTreeMap<String, Fetched>,
        outcomes: &mut BTreeMap<String, Outcome>,
    ) -> Result<()> {
        if !self.pushes {
            return Ok(());
        }
        let promoted = self.plan.services.iter().filter(|plan| plan.action == Action::Promote);
        indexes.extend(promoted.filter_map(|plan| {
            let index = self.reading.indexes.get(&plan.service)?;
            Some((plan.service.clone(), index.clone()))
        }));
        let publish = &Publish { registry: &self.reading.registry };
        let (session, world, plan) = (self.session, &self.reading.world, &self.plan);
        // Whoever builds takes a while: others may have moved tags meanwhile.
        let is_fresh = plan.built().next().is_none();
        let stands = if is_fresh { self.reading.stands.clone() } else { BTreeMap::new() };
        let (indexes, again) = (&indexes, self.options.again);
        let mut moved = Moved::new();
        let all = Publication { session, world, plan, publish, indexes, stands, again }
            .move_tags(outcomes, &mut moved);
        for plan in &mut self.plan.services {
            plan.tags = moved.remove(&plan.service).unwrap_or_default();
        }
        all
    }
}
