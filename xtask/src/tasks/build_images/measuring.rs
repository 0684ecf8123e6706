//! What a run moves and how long its steps take: noted on the way, and added up at the end.

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
use crate::plan::tags::Known;
use crate::plan::{Action, Plan};
use crate::report::steps::pulled_layers;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// What is noted on the way.
#[derive(Default)]
pub struct Measuring {
    bakes: Mutex<Vec<Progress>>,
    there: Mutex<There>,
    engine: Mutex<Option<Counters>>,
    why: Mutex<BTreeMap<String, String>>,
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

    /// Why services are built, in a line each.
    pub fn why(&self, lines: BTreeMap<String, String>) {
        *lock(&self.why) = lines;
    }

    /// Takes those lines.
    pub fn take_why(&self) -> BTreeMap<String, String> {
        std::mem::take(&mut *lock(&self.why))
    }

    /// Takes what was noted of the bakes.
    pub fn take(&self) -> (Vec<Progress>, There) {
        (std::mem::take(&mut *lock(&self.bakes)), std::mem::take(&mut *lock(&self.there)))
    }

    /// What our engine has moved since the beginning.
    pub fn since(&self, docker: Option<&Docker>) -> Option<Counters> {
        let before = lock(&self.engine).take()?;
        let engine = docker?.private.as_ref()?;
        Some(Counters::of(&engine.instance)?.since(&before))
    }
}

impl Run<'_> {
    /// What was pushed of each service that was built.
    pub fn sent(
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

    /// What has come into the store of our engine from registries.
    pub fn came(&self, engine: &Counters, bakes: &[Progress], there: &There) -> Came {
        let mut came = Came::default();
        if engine.blobs.is_empty() {
            return came;
        }
        let told = pulled_layers(bakes);
        let mut left: Parts = engine.blobs.clone();
        left.retain(|digest, _| !told.contains_key(digest.as_str()));
        let names = names_read(&self.plan);
        let asked = names.iter().map(|(_, name, _)| name.clone()).collect();
        let listed = pushed_bytes::listed(&self.reading.registry, asked);
        let parts = |name: &Reference| listed.get(&name.to_string());
        let bases = names.iter().filter(|(.., read)| *read == Read::Base);
        let layers = bases.filter_map(|(_, name, _)| parts(name)).flat_map(Parts::keys);
        came.of_bases = layers.cloned().collect();
        let of_names =
            names.iter().filter_map(|(service, name, _)| Some((service.as_str(), parts(name)?)));
        let stood =
            self.plan.services.iter().filter_map(|plan| match &there.get(&plan.image)?.stood {
                Known::Known(parts) => Some((plan.service.as_str(), parts)),
                Known::Unknown(_) => None,
            });
        for (service, parts) in of_names.chain(stood) {
            let bytes: u64 = parts.keys().filter_map(|digest| left.remove(digest)).sum();
            *came.untold.entry(service.to_owned()).or_default() += bytes;
        }
        came
    }
}

/// What has come into the store of our engine from registries.
#[derive(Default)]
pub struct Came {
    /// Layers of which no step tells, which small ones are; by the service that they were for
    pub untold: BTreeMap<String, u64>,
    /// Digests of all that the images consist of that were built on
    pub of_bases: BTreeSet<String>,
}

/// What an image is read for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Read {
    Base,
    Other,
}

/// Images and caches that the engine reads for each service, besides what this run makes itself. Those
/// that a pushing run reads as caches may be others by now, and were asked for before.
fn names_read(plan: &Plan) -> Vec<(String, Reference, Read)> {
    let mut names = Vec::new();
    for service in &plan.services {
        let mut add = |name: &str, read: Read| {
            let reference = name.parse::<Reference>().ok();
            names.extend(reference.map(|reference| (service.service.clone(), reference, read)));
        };
        if let (true, Some(digest)) = (service.pull, &service.published) {
            add(&format!("{}@{digest}", service.image), Read::Other);
        }
        let target = plan.definition.target.get(&target_name(&service.service));
        let Some(target) = target.filter(|_| service.action == Action::Build) else { continue };
        let images = target.contexts.values().filter_map(|c| c.strip_prefix("docker-image://"));
        images.filter(|image| image.contains('@')).for_each(|image| add(image, Read::Base));
        if !service.push {
            let caches = target.cache_from.iter().filter_map(|cache| cache.get("ref")?.as_str());
            caches.for_each(|cache| add(cache, Read::Other));
        }
    }
    names
}
