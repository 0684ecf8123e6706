//! Where external images come from: what the lock file says, else the hub, the project's registry, or
//! Debian's packages (DESIGN 4.5, "Bases without a hub").

pub mod live;
pub mod locked;

use super::event::Kind;
use super::lock;
use crate::docker::bases::{Bases, OciBase};
use crate::docker::registry::{Reference, Registry};
use crate::error::Wrong;
use crate::manifest::{Bootstrap, Lock, Locked};
use crate::plan::facts::{BaseImage, Facts};
use crate::plan::fingerprint::is_pinned;
use anyhow::{Context as _, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long the hub has to answer.
pub const HUB: Duration = Duration::from_secs(2);

/// What is done about a base that neither the hub nor the registry gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// Nothing: a plan is only printed
    OnlyLook,
    /// It is made
    Make,
    /// It is made and put into the registry, so that all others take the same
    MakeAndShare,
}

/// Finds the external images that services need.
pub struct Finder<'a> {
    /// Asks hub and registry
    pub registry: &'a Registry,
    /// Makes bases
    pub bases: &'a Bases<'a>,
    /// Takes a line for the user
    pub say: &'a (dyn Fn(&str) + Sync),
    /// What is known so far
    pub facts: &'a Facts,
    /// What each base is held to
    pub lock: &'a Lock,
    /// Whether to make them
    pub making: Making,
}

/// The external images of a run.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// By their key in `[bases]`
    pub images: BTreeMap<String, BaseImage>,
    /// Those that were made on this machine
    pub made: BTreeMap<String, OciBase>,
    /// Those that somebody made and put into the registry: their `docker-image://…@sha256:…`
    pub shared: BTreeMap<String, String>,
    /// Those that the lock file holds to a digest
    pub locked: BTreeSet<String>,
}

impl Finder<'_> {
    /// The external images of these services. What is locked is not asked for at the hub; hub and
    /// registry are asked for the rest at the same time.
    pub fn find(&self, services: &[String]) -> Result<Found> {
        let needs = services.iter().filter_map(|service| self.facts.needs.get(service));
        let keys: BTreeSet<&String> = needs.flat_map(|n| n.bases.values()).collect();
        let (mut locked, mut live) = (Vec::new(), Vec::new());
        for key in keys {
            match self.locked_entry(key)? {
                Some(entry) => locked.push((key.as_str(), entry)),
                None => live.push(key.clone()),
            }
        }
        let (locked, live) = std::thread::scope(|scope| {
            let locked = scope.spawn(|| self.find_locked(&locked));
            let live = self.find_live(live);
            (locked.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), live)
        });
        let (mut found, live) = (locked?, live?);
        found.locked = found.images.keys().cloned().collect();
        found.images.extend(live.images);
        found.made.extend(live.made);
        found.shared.extend(live.shared);
        self.check_platforms(services, &found)?;
        if self.making == Making::OnlyLook {
            self.tell_live(&found);
        }
        Ok(found)
    }

    /// What a base is locked to. An entry that the manifest has outgrown counts only at a desk, as
    /// none: what is published is what the lock file says, or nothing is.
    fn locked_entry(&self, key: &str) -> Result<Option<&Locked>> {
        let Some(locked) = self.lock.entries.get(key) else { return Ok(None) };
        if lock::fits(locked, self.recipe(key)) {
            return Ok(Some(locked));
        }
        let next = format!("lock it anew with `cargo xtask bases update {key}`");
        if self.facts.event.kind != Kind::Local {
            wrong!(
                "the base `{key}` is locked as made by another recipe than the manifest's: {next}"
            );
        }
        if self.making == Making::OnlyLook {
            let why = "was made by another recipe, so what it is locked to does not count";
            (self.say)(&format!("`{key}` {why}: {next}"));
        }
        Ok(None)
    }

    fn share(&self, place: &Reference, made: &OciBase) -> Result<BaseImage> {
        let pushed = self.registry.push_layout(&made.layout, place);
        let pushed = pushed.with_context(|| format!("cannot share a base as `{place}`"))?;
        Ok(of_registry(place, &pushed.digest, &made.platforms))
    }

    fn recipe(&self, key: &str) -> Option<&Bootstrap> {
        self.facts.manifest.bases.get(key).and_then(|base| base.bootstrap.as_ref())
    }

    /// One line about what may be something else tomorrow.
    fn tell_live(&self, found: &Found) {
        let live = found.images.iter().filter(|(key, _)| !found.locked.contains(*key));
        let live: Vec<String> = live
            .map(|(key, image)| match is_pinned(&image.context) {
                true if found.shared.contains_key(key) => format!("`{key}` (`<registry>/bases`)"),
                true if image.context.starts_with("docker-image://") => {
                    format!("`{key}` (the hub's, as it is now)")
                }
                _ => format!("`{key}` (Debian's packages)"),
            })
            .collect();
        if !live.is_empty() {
            let live = live.join(", ");
            (self.say)(&format!("not locked: {live}; `cargo xtask bases update` locks bases"));
        }
    }

    /// BuildKit takes a single-platform base for any platform and only warns: an image for one
    /// platform with another's content (FACTS: `InvalidBaseImagePlatform`).
    fn check_platforms(&self, services: &[String], found: &Found) -> Result<()> {
        let mut lacking = Vec::new();
        for name in services {
            let (Some(service), Some(needs)) =
                (self.facts.service(name), self.facts.needs.get(name))
            else {
                continue;
            };
            for key in needs.bases.values() {
                let Some(base) = found.images.get(key) else { continue };
                let without = service.platforms.iter().filter(|p| !has_platform(base, p));
                lacking.extend(without.map(|platform| {
                    let there = base.platforms.join(", ");
                    format!("service `{name}` is built for {platform}, but `{key}` is there for {there} only")
                }));
            }
        }
        if lacking.is_empty() {
            return Ok(());
        }
        lacking
            .push("change `platforms` in the manifest, or give the base for that platform".into());
        Err(Wrong(lacking.join("\n")).into())
    }
}

/// Whether a base has a platform. One whose platforms are not known is left to BuildKit.
fn has_platform(base: &BaseImage, platform: &str) -> bool {
    let same = |other: &str| other == platform || other.strip_suffix("/v8") == Some(platform);
    base.platforms.is_empty() || base.platforms.iter().any(|other| same(other))
}

/// An image by its digest.
fn of_registry(reference: &Reference, digest: &str, platforms: &[String]) -> BaseImage {
    let context = format!("docker-image://{}@{digest}", reference.name());
    BaseImage { context, platforms: platforms.to_vec(), stands_in: false }
}

fn of_layout(base: &OciBase) -> BaseImage {
    BaseImage { context: base.context(), platforms: base.platforms.clone(), stands_in: false }
}
