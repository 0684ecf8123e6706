//! `warm-cache`: makes the registry caches hot for the head of the dev branch, or for a release, where
//! they are cold.

mod telling;

use super::Session;
use super::build_images::reading::Reading;
use super::build_images::warm;
use crate::cli::{BuildImages, WarmCache as Options};
use crate::context::facts::Asked;
use crate::context::{secrets, whole};
use crate::docker::build::Outcome;
use crate::docker::cache_manifest;
use crate::docker::registry::Patience;
use crate::plan::cache::CACHE_TAG;
use crate::plan::tags::Known;
use crate::plan::warm::{CacheManifest, Cold, State, judge, marks};
use crate::report::stdout;
use anyhow::{Result, anyhow};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use telling::{Came, Telling};

/// Tells what is hot and cold, and builds what is cold unless only that was asked.
pub fn run(session: &Session, options: &Options) -> Result<ExitCode> {
    let asked = as_built(options, options.names.clone());
    let whole = whole::read(&asked_of(session, options), options.tag.as_deref())?;
    let mut reading = Reading::of(session, &asked, whole.world, |_, _| Patience::CHECK)?;
    reading.look(None)?;
    let mut telling = Telling { name: &whole.name, commit: &whole.commit, services: [].into() };
    let look = look(&reading)?;
    for service in reading.world.facts.select(&options.names)? {
        let state = match submodule(&reading, &whole.checkout, &service) {
            Some(path) => State::Unknown(format!("`{path}` is a submodule, which no commit holds")),
            None => look.judge(&reading, &service),
        };
        telling.add(&reading, &service, state);
    }
    let cold = telling.cold();
    let only_tells = options.check || options.dry_run;
    if !only_tells && !cold.is_empty() {
        let all: BTreeSet<String> = reading.services().iter().cloned().collect();
        let (world, env) = (&mut reading.world, &session.env);
        world.facts.secrets = secrets::find(&world.loaded, &whole.repository, env, &all)?;
        reading.leave_out = look.broken(&reading);
        warm_up(session, options, reading, &cold, &mut telling)?;
    }
    let shown = if options.json { format!("{:#}", telling.json()) } else { telling.text() };
    stdout(&shown)?;
    let is_well = if options.dry_run { telling.is_known() } else { telling.is_hot() };
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A run for dev that pushes no image.
fn as_built(options: &Options, names: Vec<String>) -> BuildImages {
    BuildImages {
        names,
        event: Some("dev".into()),
        registry: options.registry.clone(),
        builder: options.builder.clone(),
        no_push: true,
        ..BuildImages::default()
    }
}

fn asked_of<'a>(session: &'a Session, options: &'a Options) -> Asked<'a> {
    Asked {
        env: &session.env,
        processes: &session.processes,
        manifest: session.common.manifest.as_deref(),
        event: Some("dev"),
        registry: options.registry.as_deref(),
        names: &options.names,
    }
}

/// A submodule that a service would be sent files of.
fn submodule(
    reading: &Reading,
    checkout: &crate::context::commit::Checkout,
    service: &str,
) -> Option<String> {
    let facts = &reading.world.facts;
    let all = facts.graph.with_dependencies([service]);
    all.iter().filter_map(|name| facts.service(name)).find_map(|it| checkout.submodule_in(it))
}

/// What stands in the registry, by service.
struct Look(BTreeMap<String, Known<Option<CacheManifest>>>);

fn look(reading: &Reading) -> Result<Look> {
    let services = reading.services();
    let images: Vec<String> =
        services.iter().map(|service| reading.world.facts.image(service)).collect();
    let caches = cache_manifest::read(&reading.registry, &images, reading.left())?;
    Ok(Look(services.iter().cloned().zip(caches).collect()))
}

impl Look {
    fn judge(&self, reading: &Reading, service: &str) -> State {
        let unread = || Known::Unknown("it was not asked".into());
        let cache = self.0.get(service).cloned().unwrap_or_else(unread);
        judge(&reading.world.facts, service, &cache)
    }

    /// Caches that no build is to read: those that are not known to be whole.
    fn broken(&self, reading: &Reading) -> BTreeSet<String> {
        let is_whole = |cache: &Known<Option<CacheManifest>>| match cache {
            Known::Known(Some(cache)) => {
                cache.blobs.values().all(|there| *there == Known::Known(true))
            }
            Known::Known(None) => true,
            Known::Unknown(_) => false,
        };
        let broken = self.0.iter().filter(|(_, cache)| !is_whole(cache));
        let image = |service| reading.world.facts.image(service);
        broken.map(|(service, _)| format!("{}:{CACHE_TAG}", image(service))).collect()
    }
}

/// Builds what is cold, marks the caches, and looks again.
fn warm_up(
    session: &Session,
    options: &Options,
    reading: Reading,
    cold: &[String],
    telling: &mut Telling,
) -> Result<()> {
    let build = BuildImages { force: true, warm: true, ..as_built(options, cold.to_vec()) };
    let (outcomes, reading) = warm::build(session, &build, reading)?;
    let registry = reading.registry.with_patience(Patience::PUBLISH);
    let mut failed: BTreeMap<&str, anyhow::Error> = BTreeMap::new();
    for (service, outcome) in &outcomes {
        let Outcome::Built(built) = outcome else { continue };
        let image = reading.world.facts.image(service);
        let done = match (&built.cache, marks(&reading.world.facts, service)) {
            (None, _) => Err(anyhow!(
                "buildx could not write `{image}:{CACHE_TAG}`: is the registry one that you are \
                 logged in to, and may push to?"
            )),
            (Some(_), None) => Ok(()),
            (Some(digest), Some(marks)) => cache_manifest::mark(&registry, &image, digest, &marks),
        };
        if let Err(error) = done {
            failed.insert(service, error);
        }
    }
    let look = look(&reading)?;
    for service in cold {
        let came = match (outcomes.get(service), failed.remove(service.as_str())) {
            (_, Some(error)) => Came::Failed(format!("{error:#}")),
            (Some(Outcome::Built(built)), None) => match look.judge(&reading, service) {
                State::Hot | State::Cold(Cold::NoFingerprint(_)) => Came::Warmed(built.seconds),
                State::Cold(why) => Came::Failed(format!("it is cold again: {why}")),
                State::Unknown(why) => Came::Failed(format!("it is unknown what it is now: {why}")),
            },
            (Some(Outcome::NotTried { because }), None) if !because.is_empty() => {
                Came::Failed(format!("{} could not be built", because.join(", ")))
            }
            _ => Came::Failed("it could not be built".into()),
        };
        telling.came(service, came);
    }
    Ok(())
}
