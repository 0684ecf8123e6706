//! Pure: from facts to the plan. Nothing here reads the environment, the clock, the disk or the net.

pub mod affected;
pub mod cache;
pub mod claim;
pub mod decide;
pub mod definition;
pub mod difference;
pub mod dockerfile;
pub mod dockerignore;
pub mod doctor;
pub mod facts;
pub mod fingerprint;
pub mod gate;
pub mod graph;
pub mod labels;
pub mod look_up;
pub mod matrix;
pub mod next_version;
pub mod prune;
pub mod pull;
pub mod release;
pub mod steering;
pub mod tags;
mod text;
pub mod verify;
pub mod volatile_args;
pub mod warm;
pub mod watch;
pub mod why;

use crate::context::event::Event;
use crate::docker::bake::Definition;
use cache::{Destination, Source};
use decide::Chosen;
use facts::Facts;
use serde::ser::{Error as _, Serialize, Serializer};
use tags::Stays;

/// All that a run will do (DESIGN 4.4). Printing it is `--dry-run`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Plan {
    /// The version of this JSON's form
    pub schema: u32,
    /// What caused the run
    pub event: EventFields,
    /// What is done for each service, each after what it builds on
    pub services: Vec<ServicePlan>,
    /// What buildx is given
    #[serde(serialize_with = "as_given")]
    pub definition: Definition,
    /// Names of services that are built, in levels; a level needs only earlier ones
    #[serde(skip)]
    pub levels: Vec<Vec<String>>,
    /// What the user should know, once each
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// `event` in the JSON.
#[derive(Clone, Debug, serde::Serialize)]
pub struct EventFields {
    /// `local`, `pr`, `dev`, `release`
    pub kind: &'static str,
    /// The commit, 40 or 64 hex digits; null before the first one
    pub revision: Option<String>,
    /// The full git ref
    pub r#ref: Option<String>,
    /// Without the `v`
    pub version: Option<String>,
    /// Whether somebody else's repository wrote the code
    pub fork: bool,
}

/// What is done for one service.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ServicePlan {
    /// Its name in the manifest
    pub service: String,
    /// `<registry>/<service>`
    pub image: String,
    /// What is done
    pub action: Action,
    /// Why, in words
    pub reason: String,
    /// The digest of the published image of its fingerprint, where one is known
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// Whether that is brought into the engine's store
    #[serde(skip_serializing_if = "is_false")]
    pub pull: bool,
    /// Whether it is built without cache though its fingerprint is published (`refresh`)
    #[serde(skip_serializing_if = "is_false")]
    pub anew: bool,
    /// 64 hex digits; null where the image has none
    pub fingerprint: Option<String>,
    /// Why it has none
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub no_fingerprint: Vec<String>,
    /// The tag that buildx pushes it under; public tags are moved afterwards
    #[serde(skip)]
    pub handle: String,
    /// Services that it builds on directly
    pub depends_on: Vec<String>,
    /// `linux/amd64`, …
    pub platforms: Vec<String>,
    /// Whether the image goes to the registry
    pub push: bool,
    /// Public tags, in the order in which they are moved; in a local run full names in the
    /// engine's store
    pub tags: Vec<String>,
    /// Tags that such an event moves at other times, and why not now
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stays: Vec<Stays>,
    /// What the policy reads
    pub cache_from: Vec<Source>,
    /// What the policy writes
    pub cache_to: Vec<Destination>,
}

/// What is done for a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is built
    Build,
    /// Its image is there: nothing is done, or it is brought into the engine's store
    Skip,
    /// The published image is given more tags, without a byte of it changed
    Promote,
}

impl Action {
    /// As it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Skip => "skip",
            Self::Promote => "promote",
        }
    }
}

/// What was asked for on the command line.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Services and groups; all services if empty
    pub names: Vec<String>,
    /// Build everything anew
    pub no_cache: bool,
    /// Load images into the engine's store also where the event does not
    pub load: bool,
    /// Do not push where the event would
    pub no_push: bool,
    /// Build what was asked for, whatever is published
    pub force: bool,
    /// Build all, also what it builds on, whatever is published
    pub no_skip: bool,
    /// Publish a tree that differs from its commit; nothing is claimed of it
    pub allow_dirty: bool,
    /// Bring what is published into the engine's store instead of building it
    pub pull: bool,
    /// Write the caches although nothing is pushed (`warm-cache`)
    pub warm: bool,
}

/// Computes the plan.
pub fn make(facts: &Facts, request: &Request) -> anyhow::Result<Plan> {
    let asked = facts.select(&request.names)?;
    let all = facts.graph.with_dependencies(asked.iter().map(String::as_str));
    let levels = facts.graph.levels(&all);
    let decisions = decide::decide(facts, request, Chosen { levels: &levels, asked: &asked });
    let one = |name: &String| Some(facts.plan_service(name, request, decisions.get(name)?));
    let services: Vec<ServicePlan> = levels.iter().flatten().filter_map(one).collect();
    let definition = definition::definition(facts, request, &services);
    let built = services.iter().filter(|service| service.action == Action::Build);
    let levels = facts.graph.levels(&built.map(|service| service.service.clone()).collect());
    let event = event_fields(&facts.event, facts.revision.clone());
    let warnings = facts.warnings(request, &services);
    Ok(Plan { schema: 1, event, services, definition, levels, warnings })
}

impl Plan {
    /// The services that are built.
    pub fn built(&self) -> impl Iterator<Item = &ServicePlan> {
        self.services.iter().filter(|service| service.action == Action::Build)
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn as_given<S: Serializer>(definition: &Definition, serializer: S) -> Result<S::Ok, S::Error> {
    definition.to_input().map_err(S::Error::custom)?.serialize(serializer)
}

fn event_fields(event: &Event, revision: Option<String>) -> EventFields {
    use crate::context::event::Kind;
    let version = match &event.kind {
        Kind::Release(version) => Some(version.to_string()),
        Kind::Local | Kind::Pr | Kind::Dev => None,
    };
    EventFields {
        kind: event.kind.name(),
        revision,
        r#ref: event.git_ref.clone(),
        version,
        fork: event.fork,
    }
}
