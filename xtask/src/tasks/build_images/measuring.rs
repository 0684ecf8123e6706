//! What a run moves and how long its steps take: noted on the way, made into its report at the end.

use super::Run;
use crate::docker::Docker;
use crate::docker::bake::{Definition, target_name};
use crate::docker::build::Outcome;
use crate::docker::engine::Counters;
use crate::docker::links::{self, Linked};
use crate::docker::progress::Progress;
use crate::docker::pushed_bytes::{self, Image, Parts, Sent, There};
use crate::docker::registry::{Fetched, Reference, Registry};
use crate::parallel::lock;
use crate::plan::dockerfile::lines_of_vertex;
use crate::plan::tags::Known;
use crate::plan::{Action, Plan};
use crate::report::assemble::{self, Traffic, Usual};
use crate::report::data::Report;
use crate::report::github::Files;
use crate::report::outputs::outputs;
use crate::report::steps::pulled_layers;
use crate::report::{json, summary};
use crate::time::rfc3339;
use anyhow::Result;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::UNIX_EPOCH;

/// What is noted on the way.
#[derive(Default)]
pub struct Measuring {
    bakes: Mutex<Vec<Progress>>,
    there: Mutex<There>,
    engine: Mutex<Option<Counters>>,
}

impl Measuring {
    /// Before the first build: how the engine stands, where it is ours.
    pub fn begin(&self, docker: &Docker) {
        let Some(engine) = &docker.private else { return };
        let mut noted = lock(&self.engine);
        if noted.is_none() {
            *noted = Counters::of(&engine.instance);
        }
    }

    /// Before a bake that pushes: links layers, and asks what stands in the repositories.
    pub fn before(&self, registry: &Registry, definition: &Definition) {
        let linked: Linked = links::link(registry, definition);
        lock(&self.there).extend(pushed_bytes::before(registry, definition, &linked));
    }

    /// After a bake.
    pub fn baked(&self, progress: &Progress) {
        lock(&self.bakes).push(progress.clone());
    }

    fn since(&self, docker: Option<&Docker>) -> Option<Counters> {
        let before = lock(&self.engine).take()?;
        let engine = docker?.private.as_ref()?;
        Some(Counters::of(&engine.instance)?.since(&before))
    }
}

impl Run<'_> {
    /// The report of this run, whose pushed images have these indexes.
    pub fn told(
        &self,
        outcomes: &BTreeMap<String, Outcome>,
        indexes: &BTreeMap<String, Fetched>,
        took: f64,
    ) -> Report {
        let engine = self.measuring.since(self.docker.as_ref());
        let bakes = std::mem::take(&mut *lock(&self.measuring.bakes));
        let there = std::mem::take(&mut *lock(&self.measuring.there));
        let pushed = self.sent(outcomes, indexes, &there);
        let untold = engine.as_ref().map(|engine| self.untold(engine, &bakes, &there));
        let counters = self.reading.registry.counters();
        let world = &self.reading.world;
        let last = if bakes.is_empty() { None } else { json::last_built(&world.root) };
        let usual: Usual = last.as_ref().map(assemble::usual).unwrap_or_default();
        let since_1970 = self.session.env.now.duration_since(UNIX_EPOCH);
        let line_of = |service: &str, step: &str| {
            let (_, dockerfile) = world.dockerfiles.get(service)?;
            lines_of_vertex(dockerfile, step).map(|lines| lines.0)
        };
        assemble::report(&assemble::Run {
            project: &world.facts.manifest.project.name,
            plan: &self.plan,
            outcomes,
            bakes: &bakes,
            began: rfc3339(self.session.env.now),
            began_at: since_1970.map_or(0.0, |since| since.as_secs_f64()),
            took,
            line_of: &line_of,
            pushed: &pushed,
            sees_store: untold.is_some(),
            untold: &untold.unwrap_or_default(),
            own: Traffic { received: counters.bytes_in, sent: counters.bytes_out },
            network: engine.map(|engine| engine.bridge),
            why: &BTreeMap::new(),
            usual: &usual,
        })
    }

    /// Leaves a report where people and workflows look for it.
    pub fn leave(&self, report: &Report) -> Result<()> {
        let root = &self.reading.world.root;
        json::write(root, report)?;
        let files = Files::of(&self.session.env);
        files.summary(&summary::markdown(report))?;
        let (file, page) = (json::last(root), json::timeline(root));
        for (name, value) in outputs(report, file.as_str(), page.as_str()) {
            files.output(name, &value)?;
        }
        if !self.options.json {
            return Ok(());
        }
        crate::report::stdout(&serde_json::to_string_pretty(report)?)
    }

    fn sent(
        &self,
        outcomes: &BTreeMap<String, Outcome>,
        indexes: &BTreeMap<String, Fetched>,
        there: &There,
    ) -> BTreeMap<String, Sent> {
        let image = |(service, outcome): (&String, &Outcome)| {
            let Outcome::Built(built) = outcome else { return None };
            let image = self.reading.world.facts.image(service).parse::<Reference>().ok()?;
            let index = indexes.get(service)?.clone();
            Some(Image { service: service.clone(), image, index, cache: built.cache.clone() })
        };
        let images: Vec<Image> = outcomes.iter().filter_map(image).collect();
        if images.is_empty() {
            return BTreeMap::new();
        }
        pushed_bytes::sent(&self.reading.registry, images, there)
    }

    /// Layers that have come into the store of our engine from a registry without a step that tells of
    /// them, which small ones do; by the service that they were for.
    fn untold(
        &self,
        engine: &Counters,
        bakes: &[Progress],
        there: &There,
    ) -> BTreeMap<String, u64> {
        let mut untold = BTreeMap::new();
        if engine.blobs.is_empty() {
            return untold;
        }
        let told = pulled_layers(bakes);
        let mut left: Parts = engine.blobs.clone();
        left.retain(|digest, _| !told.contains_key(digest.as_str()));
        let names = names_read(&self.plan);
        let asked = names.iter().map(|(_, name)| name.clone()).collect();
        let listed = pushed_bytes::listed(&self.reading.registry, asked);
        let of_names = names.iter().filter_map(|(service, name)| {
            Some((service.as_str(), listed.get(&name.to_string())?))
        });
        let stood = self.plan.services.iter().filter_map(|plan| {
            match &there.get(&plan.image)?.stood {
                Known::Known(parts) => Some((plan.service.as_str(), parts)),
                Known::Unknown(_) => None,
            }
        });
        for (service, parts) in of_names.chain(stood) {
            let came: u64 = parts.keys().filter_map(|digest| left.remove(digest)).sum();
            *untold.entry(service.to_owned()).or_default() += came;
        }
        untold
    }
}

/// Images and caches that the engine reads for each service, besides what this run makes itself. Those
/// that a pushing run reads as caches may be others by now, and were asked for before.
fn names_read(plan: &Plan) -> Vec<(String, Reference)> {
    let mut names = Vec::new();
    for service in &plan.services {
        let mut add = |name: &str| {
            let reference = name.parse::<Reference>().ok();
            names.extend(reference.map(|reference| (service.service.clone(), reference)));
        };
        if let (true, Some(digest)) = (service.pull, &service.published) {
            add(&format!("{}@{digest}", service.image));
        }
        let target = plan.definition.target.get(&target_name(&service.service));
        let Some(target) = target.filter(|_| service.action == Action::Build) else { continue };
        let images = target.contexts.values().filter_map(|c| c.strip_prefix("docker-image://"));
        images.filter(|image| image.contains('@')).for_each(&mut add);
        if !service.push {
            let caches = target.cache_from.iter().filter_map(|cache| cache.get("ref")?.as_str());
            caches.for_each(add);
        }
    }
    names
}
