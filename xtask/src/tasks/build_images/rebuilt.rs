//! Why services are built: a line for each, from what is published of the branch. Best effort, beside the
//! build, and with little patience: a report is worth no wait.

use super::Run;
use crate::context::event::Kind;
use crate::docker::registry::{AtOnce, Patience, Reference};
use crate::plan::claim::Claim;
use crate::plan::fingerprint::Identity;
use crate::plan::why::{self, Tree};
use crate::tasks::why::read_then;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the registry may take to say what is published.
const WITHIN: Duration = Duration::from_secs(2);
/// How many connections ask.
const THREADS: usize = 8;
/// So many published commits are read at most: services that were not built for long stand on older ones.
const COMMITS: usize = 2;

impl Run<'_> {
    /// A line for each service that is built and was published before, under its name.
    pub fn rebuilt(&self) -> BTreeMap<String, String> {
        if self.request.warm {
            return BTreeMap::new();
        }
        let tag = match self.reading.world.facts.event.kind {
            Kind::Release(_) => "latest",
            Kind::Local | Kind::Pr | Kind::Dev => "dev",
        };
        let claims = self.claims(tag);
        let mut by_commit: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (service, claim) in &claims {
            let commit = claim.revision.as_deref().unwrap_or_default();
            by_commit.entry(commit).or_default().push(service);
        }
        let mut by_commit: Vec<(&str, Vec<&str>)> = by_commit.into_iter().collect();
        by_commit.sort_by_key(|(_, services)| std::cmp::Reverse(services.len()));
        let now = &self.reading.world;
        let identities: &BTreeMap<String, Identity> = &now.facts.identities;
        let mut lines = BTreeMap::new();
        for (number, (_, services)) in by_commit.iter().enumerate() {
            let claim = &claims[services[0]];
            let then =
                (number < COMMITS).then(|| read_then(self.session, services, now, claim).ok());
            let then = then.flatten();
            let then = then.as_ref().map(|(w, identities)| Tree { facts: &w.facts, identities });
            for service in services {
                let claim = &claims[*service];
                let tree = Tree { facts: &now.facts, identities };
                let has = |then: &Tree| then.facts.service(service).is_some();
                let found = why::why(service, claim, tree, then.filter(has));
                let line = why::line(&found, service, tag, claim.revision.as_deref());
                lines.extend(line.map(|line| ((*service).to_owned(), line)));
            }
        }
        lines
    }

    /// What is published of the services that are built.
    fn claims(&self, tag: &str) -> BTreeMap<String, Claim> {
        let built = self.plan.built().filter_map(|plan| {
            let reference = plan.image.parse::<Reference>().ok()?.with_tag(tag).ok()?;
            Some((plan.service.clone(), reference))
        });
        let (services, references): (Vec<String>, Vec<Reference>) = built.unzip();
        let registry = self.reading.registry.with_patience(Patience::LOCAL);
        let at_once = AtOnce { threads: THREADS, within: Some(WITHIN.min(self.reading.left())) };
        let answers = registry.get_manifests(references, at_once);
        let claims = services.into_iter().zip(answers).filter_map(|(service, answer)| {
            let index = answer.found()?.index().ok()?;
            Some((service, Claim::read(&index.annotations)?))
        });
        claims.collect()
    }
}
