//! From what a run did to its report. Pure.

use super::balance::{Layers, cache};
use super::data::{Counts, Event, Moved, Report, SCHEMA, Service, Step, rounded};
use super::steps::{LineOf, mark_critical, steps};
use crate::docker::build::{Built, Outcome};
use crate::docker::progress::Progress;
use crate::docker::pushed_bytes::Sent;
use crate::plan::cache::Destination;
use crate::plan::{Plan, ServicePlan};
use std::collections::{BTreeMap, BTreeSet};

/// What is known when a run is over.
pub struct Run<'a> {
    /// The project's name
    pub project: &'a str,
    /// What was to be done
    pub plan: &'a Plan,
    /// What came of each service
    pub outcomes: &'a BTreeMap<String, Outcome>,
    /// What buildx told of each bake
    pub bakes: &'a [Progress],
    /// When it began: RFC 3339
    pub began: String,
    /// The same in seconds since 1970
    pub began_at: f64,
    /// How long it took, in seconds
    pub took: f64,
    /// Where steps stand in Dockerfiles
    pub line_of: &'a LineOf<'a>,
    /// What was pushed of services whose registry could tell
    pub pushed: &'a BTreeMap<String, Sent>,
    /// Bytes of layers that the engine pulled without a step telling of them, by service
    pub untold: &'a BTreeMap<String, u64>,
    /// Whether what the engine pulls into its store besides is among them
    pub sees_store: bool,
    /// What this program itself has read from registries and written to them
    pub own: Traffic,
    /// What steps moved over the engine's bridge, where it is ours
    pub network: Option<u64>,
    /// What differs from what is published, in a line a service
    pub why: &'a BTreeMap<String, String>,
    /// Digests of layers of the images that were built on, where somebody has asked
    pub of_bases: Option<&'a BTreeSet<String>>,
    /// What steps took when they last ran
    pub usual: &'a Usual,
    /// Digests of the external images of each service, by the names in its Dockerfile
    pub bases: BTreeMap<String, BTreeMap<String, String>>,
    /// Short hashes of the values of `volatile-args`, by service
    pub volatile_args: BTreeMap<String, BTreeMap<String, String>>,
}

/// What steps took when they last ran, by [`Step::key`].
pub type Usual = BTreeMap<(String, String, String), Took>;

/// What a step took when it last ran.
#[derive(Clone, Debug, PartialEq)]
pub struct Took {
    /// How long
    pub seconds: f64,
    /// What the whole of that run moved, where it is known
    pub moved: Option<Moved>,
}

/// Bytes of this program's own requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Received
    pub received: u64,
    /// Sent
    pub sent: u64,
}

/// The report.
pub fn report(run: &Run) -> Report {
    let mut timeline = steps(run.plan, run.bakes, run.began_at, run.line_of);
    mark_critical(&mut timeline);
    for step in timeline.iter_mut().filter(|step| step.result == "cached" && step.is_counted()) {
        let took = run.usual.get(&step.key());
        step.usual = took.map(|took| took.seconds);
        step.moved = took.and_then(|took| took.moved.clone());
    }
    mark_pushed(&mut timeline, run.pushed);
    let services: Vec<Service> =
        run.plan.services.iter().map(|plan| service(run, plan, &timeline)).collect();
    let counts = (!timeline.is_empty()).then(|| counts(timeline.iter()));
    let all = |own: u64, one: fn(&Service) -> Option<u64>| {
        services.iter().map(one).sum::<Option<u64>>().map(|sum| sum + own)
    };
    let layers = Layers { bakes: run.bakes, of_bases: run.of_bases };
    let unowned = timeline.iter().filter(|step| step.services.is_empty());
    let unowned: u64 = unowned.map(|step| step.pulled).sum();
    Report {
        schema: SCHEMA,
        project: run.project.into(),
        event: Event::from(&run.plan.event),
        began: run.began.clone(),
        seconds: rounded(run.took),
        steps: counts,
        hit_rate: counts.and_then(Counts::hit_rate),
        pulled: all(run.own.received + unowned, |service| service.pulled),
        pushed: all(run.own.sent, |service| service.pushed),
        cache_pushed: all(0, |service| service.cache_pushed.or(service.pushed.map(|_| 0))),
        network: run.network,
        cache: (!timeline.is_empty()).then(|| cache(&timeline, layers)),
        services,
        timeline,
        advice: Vec::new(),
    }
}

fn service(run: &Run, plan: &ServicePlan, timeline: &[Step]) -> Service {
    let name = &plan.service;
    let mut entry = Service {
        service: name.clone(),
        image: plan.image.clone(),
        tags: plan.tags.clone(),
        action: plan.action.name().into(),
        reason: plan.reason.clone(),
        why: run.why.get(name).cloned(),
        outcome: "not-tried".into(),
        ..Service::default()
    };
    let own = timeline.iter().filter(|step| step.services.contains(name));
    let first = timeline.iter().filter(|step| step.services.first() == Some(name));
    let untold = run.untold.get(name).copied().unwrap_or_default();
    let pulled = first.map(|step| step.pulled).sum::<u64>() + untold;
    match run.outcomes.get(name) {
        Some(Outcome::Built(built)) => {
            let sent = run.pushed.get(name).copied();
            let sent = sent.or((!plan.push && !writes_cache(plan)).then(Sent::default));
            entry = of_built(run, entry, built, counts(own));
            entry.pulled = Some(pulled);
            entry.pushed = sent.map(|sent| sent.image + sent.cache);
            entry.cache_pushed = sent.map(|sent| sent.cache);
        }
        Some(Outcome::Skipped(digest)) => {
            entry.outcome = "skipped".into();
            entry.digest = digest.clone();
            let is_told = !plan.pull || run.sees_store;
            (entry.pulled, entry.pushed) = (is_told.then_some(untold), Some(0));
        }
        Some(Outcome::Promoted(digest)) => {
            entry.outcome = "promoted".into();
            entry.digest = Some(digest.clone());
            (entry.pulled, entry.pushed) = (Some(0), Some(0));
        }
        Some(Outcome::Failed(failed)) => {
            entry.outcome = "failed".into();
            entry.pulled = Some(pulled);
            let step = failed.step.as_ref();
            entry.step = step.map(|step| step.name.clone());
            entry.error = Some(step.map_or(&failed.last_words, |step| &step.error).clone());
        }
        Some(Outcome::NotTried { because }) => {
            entry.because = Some(because.clone());
            (entry.pulled, entry.pushed) = (Some(0), Some(0));
        }
        None => {}
    }
    entry
}

fn of_built(run: &Run, entry: Service, built: &Built, steps: Counts) -> Service {
    let name = entry.service.as_str();
    Service {
        outcome: "built".into(),
        digest: built.digest.clone(),
        seconds: Some(rounded(built.seconds)),
        steps: Some(steps),
        hit_rate: steps.hit_rate(),
        bases: run.bases.get(name).cloned().unwrap_or_default(),
        volatile_args: run.volatile_args.get(name).cloned().unwrap_or_default(),
        ..entry
    }
}

fn writes_cache(plan: &ServicePlan) -> bool {
    plan.cache_to.iter().any(|to| matches!(to, Destination::Registry { .. }))
}

/// Each instruction once; one that ran in one try and was cached in the next has run.
pub(super) fn counts<'a>(steps: impl Iterator<Item = &'a Step>) -> Counts {
    let mut all = BTreeMap::new();
    let done = steps.filter(|step| step.is_counted());
    for step in done.filter(|step| ["ran", "cached"].contains(&step.result.as_str())) {
        let service = step.services.first().map_or("", String::as_str);
        let stage = step.stage.as_deref().unwrap_or_default();
        let cached = all.entry((service, stage, step.number, step.name.as_str())).or_insert(true);
        *cached &= step.result == "cached";
    }
    Counts { total: all.len(), cached: all.values().filter(|cached| **cached).count() }
}

/// What was pushed of a service is shown at the steps that push.
fn mark_pushed(timeline: &mut [Step], pushed: &BTreeMap<String, Sent>) {
    for (service, sent) in pushed {
        let parts =
            [("exporting to image", sent.image), ("exporting cache to registry", sent.cache)];
        for (name, bytes) in parts {
            let of_service = |step: &&mut Step| {
                step.services.first() == Some(service) && step.name.starts_with(name)
            };
            if let Some(step) = timeline.iter_mut().rfind(of_service) {
                step.pushed = bytes;
            }
        }
    }
}

/// What steps took when they last ran, as a report says: to be kept for the next.
pub fn usual(report: &Report) -> Usual {
    let steps = report.timeline.iter().filter(|step| step.is_counted());
    let moved = report.network.map(|bytes| Moved { run: report.began.clone(), bytes });
    let took = |step: &Step| match step.result.as_str() {
        "ran" => Some(Took { seconds: step.seconds(), moved: moved.clone() }),
        _ => Some(Took { seconds: step.usual?, moved: step.moved.clone() }),
    };
    steps.filter_map(|step| Some((step.key(), took(step)?))).collect()
}
