//! All that the plan is computed from, already read. Pure.

use super::cache::{self, GhaAccess};
use super::claim;
use super::decide::Decision;
use super::fingerprint::{Fingerprint, Identity, Inputs};
use super::graph::{Graph, Needs};
use super::look_up::LookUp;
use super::tags::{self, Known};
use super::{Action, Request, ServicePlan};
use crate::context::event::{Event, Kind};
use crate::manifest::{Manifest, Service};
use crate::nearest::nearest;
use anyhow::Result;
use camino::Utf8PathBuf;
use semver::Version;
use std::collections::{BTreeMap, BTreeSet};

/// What was read of the world.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The manifest
    pub manifest: Manifest,
    /// Where images go: the manifest's registry unless overridden
    pub registry: String,
    /// What caused the run
    pub event: Event,
    /// The commit that is built
    pub revision: Option<String>,
    /// What each service reads from outside
    pub needs: BTreeMap<String, Needs>,
    /// The same as a graph
    pub graph: Graph,
    /// What BuildKit would be sent, by service, as far as services of this run need it
    pub inputs: BTreeMap<String, Inputs>,
    /// What all of that comes to for each service: computed once, since it is much
    pub identities: BTreeMap<String, Identity>,
    /// External images, by their key in `[bases]`, as far as services of this run need them
    pub bases: BTreeMap<String, BaseImage>,
    /// The secrets that are there, by service
    pub secrets: BTreeMap<String, Vec<SecretThere>>,
    /// Values of build arguments that the environment gives (`volatile-args`)
    pub environment_args: BTreeMap<String, String>,
    /// What the runner's cache lets us do
    pub gha: GhaAccess,
    /// Whether tags are in the registry, by `<image>:<tag>`
    pub tags_there: BTreeMap<String, Known<bool>>,
    /// What is published under the fingerprint of each service, as far as that was asked
    pub look_ups: BTreeMap<String, LookUp>,
    /// Services whose image of their fingerprint is in the engine's store, under all its names
    pub stored: BTreeSet<String>,
    /// When this run began, in seconds since 1970
    pub now: u64,
    /// Versions that are released
    pub released: Known<Vec<Version>>,
}

/// An external image, ready to be given to buildx.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseImage {
    /// The value of the named context: `oci-layout://…@sha256:…` or `docker-image://…@sha256:…`
    pub context: String,
    /// The platforms that it has; empty where nobody could tell
    pub platforms: Vec<String>,
    /// Whether it stands in for the one of the lock file, which could not be reached: what is built
    /// on it is for this machine only
    pub stands_in: bool,
}

/// A secret whose source is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretThere {
    /// Its id
    pub id: String,
    /// Where
    pub source: SecretPlace,
}

/// Where a secret is read from by buildx.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// An absolute path
    File(Utf8PathBuf),
    /// A variable's name
    Env(String),
}

impl Facts {
    /// A manifest and an event, with nothing else read yet.
    pub fn unread(manifest: Manifest, event: Event) -> Self {
        Self {
            registry: manifest.project.registry.clone(),
            manifest,
            event,
            revision: None,
            needs: BTreeMap::new(),
            graph: Graph::default(),
            inputs: BTreeMap::new(),
            identities: BTreeMap::new(),
            bases: BTreeMap::new(),
            secrets: BTreeMap::new(),
            environment_args: BTreeMap::new(),
            gha: GhaAccess::Absent,
            tags_there: BTreeMap::new(),
            look_ups: BTreeMap::new(),
            stored: BTreeSet::new(),
            now: 0,
            released: Known::Unknown("the registry was not asked".into()),
        }
    }

    /// Services that names and groups stand for; all of them where nothing is named.
    pub fn select(&self, names: &[String]) -> Result<BTreeSet<String>> {
        select(&self.manifest, names)
    }

    /// The image of a service.
    pub fn image(&self, service: &str) -> String {
        format!("{}/{service}", self.registry)
    }

    /// Whether images go to the registry.
    pub fn pushes(&self, request: &Request) -> bool {
        self.event.kind.pushes() && !request.no_push
    }

    /// The manifest's entry.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.manifest.services.get(name)
    }

    /// The fingerprint that an image built of this tree may claim.
    pub fn claimable(&self, service: &str, request: &Request) -> Option<&Fingerprint> {
        let fingerprint = self.identities.get(service)?.as_ref().ok()?;
        (fingerprint.no_claim.is_empty() && !request.allow_dirty).then_some(fingerprint)
    }

    /// The tag that buildx pushes an image under: its fingerprint's, by which it is found, or one of
    /// this commit where it can claim none. Public tags are moved afterwards.
    fn handle(&self, service: &str, request: &Request) -> String {
        match self.claimable(service, request) {
            Some(fingerprint) => claim::tag(&fingerprint.whole),
            None => format!("build-{}", self.revision.as_deref().unwrap_or_default()),
        }
    }

    pub(super) fn plan_service(
        &self,
        name: &str,
        request: &Request,
        decision: &Decision,
    ) -> ServicePlan {
        let identity = self.identities.get(name);
        let image = self.image(name);
        let is_built = decision.action == Action::Build;
        let policy = if is_built { self.caches(name, request) } else { cache::Policy::default() };
        let tags = self.tags(name, request);
        let has_tags = match decision.action {
            Action::Build | Action::Promote => true,
            Action::Skip => decision.pull || self.stored.contains(name),
        };
        ServicePlan {
            action: decision.action,
            reason: decision.reason.clone(),
            published: decision.published.clone(),
            pull: decision.pull,
            anew: decision.anew,
            fingerprint: identity.and_then(|i| Some(i.as_ref().ok()?.whole.clone())),
            no_fingerprint: identity.and_then(|i| i.clone().err()).unwrap_or_default(),
            handle: self.handle(name, request),
            depends_on: self.graph.direct(name).map(str::to_owned).collect(),
            platforms: self.service(name).map(|s| s.platforms.clone()).unwrap_or_default(),
            push: self.pushes(request),
            tags: if has_tags { tags.moves } else { Vec::new() },
            stays: tags.stays,
            cache_from: policy.sources,
            cache_to: policy.destinations,
            service: name.into(),
            image,
        }
    }

    fn caches(&self, name: &str, request: &Request) -> cache::Policy {
        let image = self.image(name);
        let unknown = || Known::Unknown("it was not asked".into());
        let there = |tag: &str| {
            self.tags_there.get(&format!("{image}:{tag}")).cloned().unwrap_or_else(unknown)
        };
        let mut policy = cache::policy(&self.event, self.gha, name, &image, &there);
        if !self.pushes(request) {
            policy.destinations.retain(|d| matches!(d, cache::Destination::Gha { .. }));
        }
        policy
    }

    fn tags(&self, name: &str, request: &Request) -> tags::Tags {
        match &self.event.kind {
            Kind::Local => tags::Tags { moves: self.local_names(name), stays: Vec::new() },
            Kind::Pr => tags::Tags::default(),
            Kind::Dev | Kind::Release(_) if request.no_push => tags::Tags::default(),
            kind => tags::tags(kind, self.revision.as_deref().unwrap_or_default(), &self.released),
        }
    }

    /// The names that an image gets in the engine's own store: one for people, and those that
    /// other services' Dockerfiles use, so that plain `docker build` finds it.
    pub fn local_names(&self, name: &str) -> Vec<String> {
        let mut names = vec![format!("{}-{name}:local", self.manifest.project.name)];
        let used = self.needs.values().flat_map(|needs| &needs.services);
        let used: BTreeSet<String> =
            used.filter(|(_, service)| *service == name).map(|(used, _)| with_tag(used)).collect();
        names.extend(used);
        names
    }

    /// What the user should know about a run over these services.
    pub(super) fn warnings(&self, request: &Request, services: &[ServicePlan]) -> Vec<String> {
        let needs = services.iter().filter_map(|service| self.needs.get(&service.service));
        let mut warnings: Vec<String> = needs.flat_map(|needs| needs.unclear.clone()).collect();
        if self.event.kind != Kind::Local && self.gha == GhaAccess::Absent {
            warnings.push(
                "no gha cache: ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL are not set \
                 (GitHub gives them to actions only: a step has to hand them on)"
                    .into(),
            );
        }
        if let (Kind::Release(_), Known::Unknown(why), true) =
            (&self.event.kind, &self.released, self.pushes(request))
        {
            warnings.push(format!(
                "it is unknown which versions are released ({why}): a run would stop"
            ));
        }
        warnings
    }
}

/// Services that names and groups stand for; all of them where nothing is named.
pub fn select(manifest: &Manifest, names: &[String]) -> Result<BTreeSet<String>> {
    if names.is_empty() {
        return Ok(manifest.services.keys().cloned().collect());
    }
    let mut chosen = BTreeSet::new();
    for name in names {
        if manifest.services.contains_key(name) {
            chosen.insert(name.clone());
        } else if let Some(members) = manifest.groups.get(name) {
            chosen.extend(members.iter().cloned());
        } else {
            let known = manifest.services.keys().chain(manifest.groups.keys());
            let next = match nearest(name, known.map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    let all: Vec<&str> =
                        manifest.services.keys().map(String::as_str).take(20).collect();
                    format!("there are: {}", all.join(", "))
                }
            };
            wrong!("no service or group `{name}`: {next}");
        }
    }
    Ok(chosen)
}

fn with_tag(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') { name.to_owned() } else { format!("{name}:latest") }
}
