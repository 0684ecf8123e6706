//! Carries the building of a plan out: what can run together goes in one bake, and a failing
//! service costs only what builds on it.

mod digests;

use super::again::Tries;
use super::bake::{Definition, service_name, target_name};
use super::buildx::{Baked, Buildx};
use super::lanes::lanes;
use super::progress::{FailedStep, Progress, Steps, Update};
use super::registry::Patience;
use crate::parallel::{self, lock};
use crate::plan::Plan;
use crate::plan::graph::Graph;
use anyhow::Result;
use digests::by_digest;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

/// What came of a service.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was built
    Built(Built),
    /// Its image was there; the digest is that of the published one, where it was looked for
    Skipped(Option<String>),
    /// The published image of this digest has more tags now
    Promoted(String),
    /// Its own build failed
    Failed(Box<Failed>),
    /// It was not tried, because of services that it builds on, or of `--fail-fast`
    NotTried {
        /// Their names; empty for `--fail-fast`
        because: Vec<String>,
    },
}

/// An image that was built.
#[derive(Clone, Debug, PartialEq)]
pub struct Built {
    /// The digest of its index or manifest; none where nothing was exported
    pub digest: Option<String>,
    /// The digest of the manifest of the registry cache that the build wrote
    pub cache: Option<String>,
    /// From the first to the last of its steps
    pub seconds: f64,
    /// Its steps
    pub steps: Steps,
}

/// A build that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// The step, where it was one
    pub step: Option<FailedStep>,
    /// What buildx said at the end
    pub last_words: String,
}

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Build what does not need the failed service
    GoOn,
    /// Stop (`--fail-fast`)
    Stop,
}

/// An image that buildx pushed under its handle.
#[derive(Clone, Copy, Debug)]
pub struct Pushed<'a> {
    /// The service
    pub service: &'a str,
    /// `<registry>/<service>`
    pub image: &'a str,
    /// What was pushed
    pub digest: &'a str,
    /// The cache manifest that was written with it
    pub cache: Option<&'a str>,
}

/// Takes what buildx pushed, and gives for each the digest that services which build on it are to use.
pub type AfterPush<'a> = dyn Fn(&[Pushed]) -> Vec<Result<String>> + Sync + 'a;

/// What is done around the bakes of a pushing run.
#[derive(Clone, Copy)]
pub struct Pushing<'a> {
    /// Before each bake
    pub before: &'a (dyn Fn(&Definition) + Sync),
    /// With the images that it pushed
    pub after: &'a AfterPush<'a>,
}

/// Finds the service whose Dockerfile holds a failed step, among those under which it was shown.
pub type OwnerOf<'a> = dyn Fn(&FailedStep) -> Option<String> + Sync + 'a;

/// Is told of each step as it goes.
pub type OnUpdate<'a> = dyn FnMut(Option<&Update>, &Progress) + Send + 'a;

/// Builds all services of the plan in as few bakes as there can be.
pub struct Build<'a> {
    /// How bakes are run
    pub buildx: Buildx<'a>,
    /// What builds on what
    pub graph: &'a Graph,
    /// Which service a failed step belongs to
    pub owner_of: &'a OwnerOf<'a>,
    /// After a failure
    pub on_failure: OnFailure,
    /// Which of some registry caches name a layer
    pub naming: &'a (dyn Fn(&str, Vec<String>) -> Vec<String> + Sync),
    /// Whether nothing else is tried after this one, since all would begin anew
    pub ends_all: &'a (dyn Fn(&Failed) -> bool + Sync),
    /// What is done before and after pushing; `None` in a run that pushes nothing
    pub pushing: Option<Pushing<'a>>,
    /// Is given all that was told of each bake when it is over
    pub baked: &'a (dyn Fn(&Progress) + Sync),
    /// How often and when a push that failed is tried again
    pub patience: Patience,
}

impl Build<'_> {
    /// The outcome of each service of the plan. An error is an interrupt, or that buildx could not be
    /// started; a build that fails is an outcome.
    pub fn run(&self, plan: &Plan, on_update: &mut OnUpdate) -> Result<BTreeMap<String, Outcome>> {
        let outcomes = Mutex::new(BTreeMap::new());
        let on_update = Mutex::new(on_update);
        let stems = plan.services.iter().flat_map(|service| &service.depends_on).collect();
        // What is not pushed is linked inside one bake, which then builds everything at once.
        let lanes = match self.pushing {
            Some(_) => lanes(&plan.levels, &stems),
            None if plan.definition.links_other_secrets() => vec![plan.levels.clone()],
            None => vec![vec![plan.levels.concat()]],
        };
        let ended = parallel::map(lanes.len(), &lanes, |lane| -> Result<()> {
            for services in lane {
                let mut known = lock(&outcomes).clone();
                let told = &mut |update: Option<&Update>, progress: &Progress| {
                    (lock(&on_update))(update, progress);
                };
                self.group(plan, services, &mut known, told)?;
                known.retain(|service, _| services.contains(service));
                lock(&outcomes).extend(known);
            }
            Ok(())
        });
        ended.into_iter().collect::<Result<()>>()?;
        Ok(std::mem::take(&mut *lock(&outcomes)))
    }

    fn group(
        &self,
        plan: &Plan,
        services: &[String],
        outcomes: &mut BTreeMap<String, Outcome>,
        on_update: &mut OnUpdate,
    ) -> Result<()> {
        let mut tries = Tries::default();
        loop {
            self.leave_out(services, outcomes);
            let rest: Vec<&String> =
                services.iter().filter(|s| !outcomes.contains_key(*s)).collect();
            if rest.is_empty() {
                return Ok(());
            }
            let targets = rest.iter().map(|service| target_name(service)).collect();
            let mut definition = by_digest(plan, outcomes).with_default(targets);
            tries.adapt(&mut definition);
            if let Some(pushing) = self.pushing {
                (pushing.before)(&definition);
            }
            let baked = self.buildx.bake(&definition, on_update)?;
            (self.baked)(&baked.progress);
            let rest: Vec<String> = rest.into_iter().cloned().collect();
            self.record(&baked, &rest, outcomes);
            self.publish(plan, &rest, outcomes);
            let mut wait = Duration::ZERO;
            for service in &rest {
                let Some(Outcome::Failed(failed)) = outcomes.get(service) else { continue };
                let naming =
                    |layer: &str| (self.naming)(layer, definition.caches(&target_name(service)));
                let Some(retry) = tries.next(service, failed, self.patience, naming) else {
                    continue;
                };
                outcomes.remove(service);
                on_update(Some(&Update::Again(retry.note)), &baked.progress);
                wait = wait.max(retry.wait);
            }
            self.buildx.processes.interrupt.sleep(wait)?;
        }
    }

    fn publish(&self, plan: &Plan, rest: &[String], outcomes: &mut BTreeMap<String, Outcome>) {
        let Some(Pushing { after, .. }) = self.pushing else { return };
        let built = |service: &String| match outcomes.get(service) {
            Some(Outcome::Built(built)) => Some(built.clone()),
            _ => None,
        };
        let services = plan.services.iter().filter(|plan| rest.contains(&plan.service));
        let built: Vec<_> =
            services.filter_map(|plan| Some((plan, built(&plan.service)?))).collect();
        let pushed: Vec<Pushed> = built
            .iter()
            .filter_map(|(plan, built)| {
                let (service, image) = (&plan.service, &plan.image);
                let (digest, cache) = (built.digest.as_deref()?, built.cache.as_deref());
                Some(Pushed { service, image, digest, cache })
            })
            .collect();
        let mut published = after(&pushed).into_iter();
        for (plan, built) in &built {
            let published =
                built.digest.as_ref().and_then(|_| published.next()).unwrap_or_else(|| {
                    Err(anyhow::anyhow!("buildx did not say which digest it pushed"))
                });
            match (published, outcomes.get_mut(&plan.service)) {
                (Ok(digest), Some(Outcome::Built(built))) => built.digest = Some(digest),
                (Ok(_), _) => {}
                (Err(error), _) => {
                    let failed = Failed { step: None, last_words: format!("{error:#}") };
                    outcomes.insert(plan.service.clone(), Outcome::Failed(Box::new(failed)));
                }
            }
        }
    }

    /// Gives up what builds on something that failed.
    fn leave_out(&self, services: &[String], outcomes: &mut BTreeMap<String, Outcome>) {
        let ends = |outcome: &Outcome| matches!(outcome, Outcome::Failed(f) if (self.ends_all)(f));
        let ended = outcomes.values().any(ends);
        let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
        let failed: Vec<String> =
            outcomes.iter().filter(|(_, o)| failed(o)).map(|(s, _)| s.clone()).collect();
        for service in
            services.iter().filter(|s| !outcomes.contains_key(*s)).cloned().collect::<Vec<_>>()
        {
            let because: Vec<String> =
                failed.iter().filter(|f| self.graph.builds_on(&service, f)).cloned().collect();
            let stop = ended || (self.on_failure == OnFailure::Stop && !failed.is_empty());
            if !because.is_empty() || stop {
                outcomes.insert(service, Outcome::NotTried { because });
            }
        }
    }

    fn record(&self, baked: &Baked, rest: &[String], outcomes: &mut BTreeMap<String, Outcome>) {
        let progress = &baked.progress;
        for service in rest {
            let built = built(progress, service);
            if baked.success || built.digest.is_some() {
                outcomes.insert(service.clone(), Outcome::Built(built));
            }
        }
        if baked.success {
            return;
        }
        let (named, last_words) = progress.last_words();
        let mut any = false;
        for step in progress.failed_steps() {
            let shown: BTreeSet<String> = step.targets.iter().map(|t| service_name(t)).collect();
            let owner = (self.owner_of)(&step).or_else(|| shown.first().cloned());
            if let Some(service) = owner.filter(|service| rest.contains(service)) {
                let failed = Failed { step: Some(step), last_words: last_words.clone() };
                outcomes.insert(service, Outcome::Failed(Box::new(failed)));
                any = true;
            }
        }
        if any {
            return;
        }
        // No step failed: buildx names the target (a Dockerfile that cannot be parsed, a push that
        // was refused), or nothing can be built at all.
        let named = named.map(|target| service_name(&target)).filter(|s| rest.contains(s));
        for service in rest {
            if named.as_ref().is_none_or(|named| named == service) {
                let failed = Failed { step: None, last_words: last_words.clone() };
                outcomes.insert(service.clone(), Outcome::Failed(Box::new(failed)));
            }
        }
    }
}

fn built(progress: &Progress, service: &str) -> Built {
    let target = target_name(service);
    Built {
        digest: progress.digest(&target).map(str::to_owned),
        cache: progress.cache(&target).map(str::to_owned),
        seconds: progress.seconds(&target),
        steps: progress.steps(&target),
    }
}
