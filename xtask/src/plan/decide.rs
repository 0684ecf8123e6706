//! What is done for each service: skipped, promoted or built, and why. Pure (DESIGN 4.5).

use super::facts::Facts;
use super::look_up::{LookUp, Published};
use super::{Action, Request};
use crate::context::event::Kind;
use crate::time::{age, seconds_of_rfc3339};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What is done for a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What
    pub action: Action,
    /// Why, in words
    pub reason: String,
    /// The digest of the published image of its fingerprint; none where nobody knows of one
    pub published: Option<String>,
    /// Whether the published image is brought into the engine's store
    pub pull: bool,
    /// Whether it is built without any cache, to take in what is new in the world outside
    pub anew: bool,
}

/// The services of a run: those that were asked for, with all that they build on.
#[derive(Clone, Copy, Debug)]
pub struct Chosen<'a> {
    /// All of them in levels, each after what it builds on
    pub levels: &'a [Vec<String>],
    /// Those that were asked for
    pub asked: &'a BTreeSet<String>,
}

/// Decides for all services of a run.
pub fn decide(facts: &Facts, request: &Request, chosen: Chosen) -> BTreeMap<String, Decision> {
    let run = Run { facts, request, asked: chosen.asked };
    let mut decisions = BTreeMap::new();
    for name in chosen.levels.iter().flatten() {
        let decision = run.decide(name, &decisions);
        decisions.insert(name.clone(), decision);
    }
    for name in chosen.levels.iter().flatten().rev() {
        if chosen.asked.contains(name) || is_needed(facts, name, &decisions) {
            continue;
        }
        if let Some(decision) = decisions.get_mut(name) {
            decision.action = Action::Skip;
            decision.reason = "nothing that is built needs it".into();
        }
    }
    decisions
}

/// Whether a service is built whatever is published.
pub fn is_forced(request: &Request, asked: &BTreeSet<String>, name: &str) -> bool {
    request.no_skip || ((request.force || request.no_cache) && asked.contains(name))
}

/// Whether a service that is built though its image is published may come out as that very image.
///
/// Only where the user had it built again from the cache. What is built to take in what is new outside
/// (`--no-cache`, `refresh`, and what builds on a refreshed service) is published anew even where nothing
/// was new: a published index keeps its date, so that it would be due again at every run.
pub fn may_come_out_the_same(request: &Request, asked: &BTreeSet<String>, name: &str) -> bool {
    is_forced(request, asked, name) && !request.no_cache
}

/// Whether something that is built stands on a service that would have to be built for it.
fn is_needed(facts: &Facts, name: &str, decisions: &BTreeMap<String, Decision>) -> bool {
    let builds = |name: &str| decisions.get(name).is_some_and(|d| d.action == Action::Build);
    !builds(name)
        || decisions
            .keys()
            .any(|other| builds(other) && facts.graph.direct(other).any(|on| on == name))
}

struct Run<'a> {
    facts: &'a Facts,
    request: &'a Request,
    asked: &'a BTreeSet<String>,
}

impl Run<'_> {
    fn decide(&self, name: &str, before: &BTreeMap<String, Decision>) -> Decision {
        if is_forced(self.request, self.asked, name) {
            let option = match self.request {
                Request { force: true, .. } => "--force",
                Request { no_skip: true, .. } => "--no-skip",
                _ => "--no-cache",
            };
            let published = self.published(name).map(|published| published.digest.clone());
            return Decision { published, ..build(format!("{option} was given")) };
        }
        // What a run of this release has built is not built again, even where it has no fingerprint.
        if let Some(digest) = self.facts.journaled.get(name) {
            let reason = "the journal of this release names it".into();
            return Decision { published: Some(digest.clone()), ..of(Action::Promote, reason) };
        }
        let fingerprint = match self.facts.identities.get(name) {
            Some(Ok(fingerprint)) => fingerprint,
            Some(Err(reasons)) => {
                return build(format!("it has no fingerprint: {}", reasons.join("; ")));
            }
            None => return build("it has no fingerprint".into()),
        };
        let published = match self.facts.look_ups.get(name) {
            Some(LookUp::Published(it)) if it.claim.fingerprint == fingerprint.whole => Ok(it),
            Some(LookUp::Absent) => Err("no image of its fingerprint is published".to_owned()),
            Some(LookUp::NoClaim(why)) => {
                Err(format!("what is published under its fingerprint does not count: {why}"))
            }
            Some(LookUp::Unknown(why)) => {
                Err(format!("it is unknown whether it is published: {why}"))
            }
            Some(LookUp::Published(_)) | None => {
                Err("it stands on something that was made just now".into())
            }
        };
        match (&self.facts.event.kind, self.facts.pushes(self.request)) {
            (Kind::Local, _) => self.local(name, published.ok()),
            (_, false) => published.map_or_else(build, |published| Decision {
                pull: self.request.load && self.asked.contains(name),
                ..skip(published)
            }),
            (Kind::Dev, true) => {
                published.map_or_else(build, |published| self.dev(name, published, before))
            }
            (_, true) => published.map_or_else(build, promote),
        }
    }

    /// The published image, if it is that of the fingerprint.
    fn published(&self, name: &str) -> Option<&Published> {
        let fingerprint = self.facts.identities.get(name)?.as_ref().ok()?;
        let published = self.facts.look_ups.get(name)?.published()?;
        (published.claim.fingerprint == fingerprint.whole).then_some(published)
    }

    fn local(&self, name: &str, published: Option<&Published>) -> Decision {
        let digest = published.map(|published| published.digest.clone());
        if self.facts.stored.contains(name) {
            let reason = "the engine has the image of its fingerprint".into();
            return Decision { published: digest, ..of(Action::Skip, reason) };
        }
        let asked = self.asked.contains(name);
        match published {
            Some(published) if self.request.pull => Decision { pull: asked, ..skip(published) },
            Some(published) if !asked => skip(published),
            _ => {
                let reason = "the engine has no image of its fingerprint".into();
                Decision { published: digest, ..build(reason) }
            }
        }
    }

    /// On `dev` an image does not get old, and neither does what it stands on.
    fn dev(
        &self,
        name: &str,
        published: &Published,
        before: &BTreeMap<String, Decision>,
    ) -> Decision {
        let built = published.claim.created.as_deref().and_then(seconds_of_rfc3339);
        if let Some(refresh) = self.refresh(name) {
            let Some(built) = built else {
                return anew("the published image does not say when it was built".into());
            };
            let old = self.facts.now.saturating_sub(built);
            if old > refresh.as_secs() {
                let (old, refresh) = (age(old), age(refresh.as_secs()));
                return anew(format!(
                    "refresh: the published image is {old} old, more than {refresh}"
                ));
            }
        }
        for on in self.facts.graph.direct(name) {
            let Some(of_it) = self.facts.look_ups.get(on).and_then(LookUp::published) else {
                continue;
            };
            if before.get(on).is_some_and(|decision| decision.action == Action::Build) {
                return build(format!("`{on}`, which it builds on, is refreshed"));
            }
            let later = of_it.claim.created.as_deref().and_then(seconds_of_rfc3339);
            if self.is_refreshed(on) && later > built {
                return build(format!(
                    "`{on}`, which it builds on, was refreshed after it was built"
                ));
            }
        }
        promote(published)
    }

    /// Whether a service, or something that it builds on, is refreshed now and then.
    fn is_refreshed(&self, name: &str) -> bool {
        let all = self.facts.graph.with_dependencies([name]);
        all.iter().any(|name| self.refresh(name).is_some())
    }

    fn refresh(&self, name: &str) -> Option<Duration> {
        self.facts.service(name)?.refresh
    }
}

fn of(action: Action, reason: String) -> Decision {
    Decision { action, reason, published: None, pull: false, anew: false }
}

fn build(reason: String) -> Decision {
    of(Action::Build, reason)
}

fn anew(reason: String) -> Decision {
    Decision { anew: true, ..build(reason) }
}

fn skip(published: &Published) -> Decision {
    let digest = published.digest.clone();
    Decision { published: Some(digest), ..of(Action::Skip, is_published(published)) }
}

fn promote(published: &Published) -> Decision {
    let digest = published.digest.clone();
    Decision { published: Some(digest), ..of(Action::Promote, is_published(published)) }
}

/// `built of 1a2b3c4 at 2026-11-24T11:28:07Z`, as far as it is known.
fn is_published(published: &Published) -> String {
    let claim = &published.claim;
    let of = claim.revision.as_deref().map(|r| format!(" of {}", r.get(..7).unwrap_or(r)));
    let at = claim.created.as_deref().map(|at| format!(" at {at}"));
    let (of, at) = (of.unwrap_or_default(), at.unwrap_or_default());
    format!("the image of its fingerprint is published, built{of}{at}")
}

#[cfg(test)]
mod tests;
