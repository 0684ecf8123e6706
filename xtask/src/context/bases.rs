//! Where external images come from: the hub, the project's registry, or Debian's packages
//! (DESIGN 4.5, "Bases without a hub").

use crate::docker::bases::{Bases, OciBase};
use crate::docker::registry::{AtOnce, Patience, Reference, Registry, Resolved};
use crate::error::Wrong;
use crate::manifest::{Base, Bootstrap};
use crate::plan::facts::{BaseImage, Facts};
use anyhow::{Context as _, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long the hub has to answer.
const HUB: Duration = Duration::from_secs(2);

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
    pub say: &'a dyn Fn(&str),
    /// What is known so far
    pub facts: &'a Facts,
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
}

impl Finder<'_> {
    /// The external images of these services.
    pub fn find(&self, services: &[String]) -> Result<Found> {
        let needs = services.iter().filter_map(|service| self.facts.needs.get(service));
        let keys: BTreeSet<String> = needs.flat_map(|n| n.bases.values().cloned()).collect();
        let keys: Vec<String> = keys.into_iter().collect();
        let references =
            keys.iter().map(|key| key.parse()).collect::<Result<Vec<Reference>, _>>()?;
        let at_once = AtOnce { threads: 8, within: Some(HUB) };
        // A hub that cannot be reached is an answer too: it is not asked again and again.
        let hub = self.registry.with_patience(Patience::LOCAL);
        let answers = hub.for_each(references.clone(), at_once, Registry::resolve);
        let mut found = Found::default();
        for ((key, reference), answer) in keys.into_iter().zip(&references).zip(answers) {
            match answer.known() {
                Ok(Some(resolved)) => {
                    found.images.insert(key, of_registry(reference, resolved));
                }
                Ok(None) => self.bootstrapped(key, "the hub does not have it", &mut found)?,
                Err(reason) => self.bootstrapped(key, &reason.to_string(), &mut found)?,
            }
        }
        self.check_platforms(services, &found)?;
        Ok(found)
    }

    fn bootstrapped(&self, key: String, why: &str, found: &mut Found) -> Result<()> {
        let Some(Base { bootstrap: Some(recipe) }) = self.facts.manifest.bases.get(&key) else {
            wrong!(
                "the image `{key}` cannot be had: {why}\n\
                 where no hub can be reached it needs a recipe in the manifest, for example \
                 `[bases.\"{key}\"]` with `bootstrap = {{ debian = \"trixie\" }}`"
            );
        };
        if let Some(shared) = self.shared(recipe)? {
            found.images.insert(key, shared);
            return Ok(());
        }
        if self.making == Making::OnlyLook {
            let image = match self.bases.find(recipe) {
                _ if self.facts.event.kind.pushes() => to_be_shared(&self.place(recipe)?),
                Some(base) => of_layout(&base),
                None => not_made(self.bases, recipe),
            };
            found.images.insert(key, image);
            return Ok(());
        }
        if self.bases.find(recipe).is_none() {
            (self.say)(&format!("no hub, so `{key}` is made from Debian's packages ({why})"));
        }
        let base = self.bases.ensure(&key, recipe)?;
        let image = match self.making {
            Making::MakeAndShare => self.share(recipe, &base)?,
            Making::Make | Making::OnlyLook => of_layout(&base),
        };
        found.images.insert(key.clone(), image);
        found.made.insert(key, base);
        Ok(())
    }

    /// The base as somebody's pushing run has put it into the registry.
    fn shared(&self, recipe: &Bootstrap) -> Result<Option<BaseImage>> {
        let reference = self.place(recipe)?;
        let registry = match self.making {
            Making::MakeAndShare => self.registry.clone(),
            Making::Make | Making::OnlyLook => self.registry.until(Instant::now() + HUB),
        };
        match registry.resolve(&reference).known() {
            Ok(found) => Ok(found.map(|resolved| of_registry(&reference, resolved))),
            // A second base beside the first would be a quiet fork.
            Err(reason) if self.making == Making::MakeAndShare => {
                if registry.may_push(&reference).is_ok() {
                    return Ok(None);
                }
                Err(reason).with_context(|| format!("cannot tell whether `{reference}` is there"))
            }
            Err(_) => Ok(None),
        }
    }

    fn share(&self, recipe: &Bootstrap, made: &OciBase) -> Result<BaseImage> {
        let reference = self.place(recipe)?;
        let pushed = self.registry.push_layout(&made.layout, &reference);
        let pushed = pushed.with_context(|| format!("cannot share a base as `{reference}`"))?;
        let context = format!("docker-image://{}@{}", reference.name(), pushed.digest);
        Ok(BaseImage { context, platforms: made.platforms.clone() })
    }

    fn place(&self, recipe: &Bootstrap) -> Result<Reference> {
        let hash = self.bases.hash(recipe);
        Ok(format!("{}/bases:{hash}", self.facts.registry).parse()?)
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

fn of_registry(reference: &Reference, resolved: Resolved) -> BaseImage {
    let context = format!("docker-image://{}@{}", reference.name(), resolved.digest);
    let platforms = resolved.platforms.iter().map(ToString::to_string).collect();
    BaseImage { context, platforms }
}

fn of_layout(base: &OciBase) -> BaseImage {
    BaseImage { context: base.context(), platforms: base.platforms.clone() }
}

/// What a plan shows for a base that a pushing run puts into the registry, and refers to by its
/// digest then.
fn to_be_shared(place: &Reference) -> BaseImage {
    BaseImage { context: format!("docker-image://{place}"), platforms: Vec::new() }
}

/// What a plan shows for a base that is made when it is run.
fn not_made(bases: &Bases, recipe: &Bootstrap) -> BaseImage {
    let folder = bases.folder(recipe);
    BaseImage { context: format!("oci-layout://{folder}"), platforms: Vec::new() }
}
