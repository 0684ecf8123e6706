//! Where external images come from: the hub, the project's registry, or Debian's packages
//! (DESIGN 4.5, "Bases without a hub").

use crate::docker::bases::{Bases, OciBase};
use crate::docker::registry::{Answer, AtOnce, Patience, Reference, Registry, Resolved};
use crate::error::Wrong;
use crate::manifest::Bootstrap;
use crate::plan::facts::{BaseImage, Facts};
use anyhow::{Context as _, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

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
    pub say: &'a (dyn Fn(&str) + Sync),
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
    /// Those that somebody made and put into the registry: their `docker-image://…@sha256:…`
    pub shared: BTreeMap<String, String>,
}

impl Finder<'_> {
    /// The external images of these services. Hub and registry are asked at the same time.
    pub fn find(&self, services: &[String]) -> Result<Found> {
        let needs = services.iter().filter_map(|service| self.facts.needs.get(service));
        let keys: BTreeSet<String> = needs.flat_map(|n| n.bases.values().cloned()).collect();
        let keys: Vec<String> = keys.into_iter().collect();
        let places = keys.iter().map(|key| key.parse()).collect::<Result<Vec<Reference>, _>>()?;
        let recipes: Vec<Option<&Bootstrap>> = keys.iter().map(|key| self.recipe(key)).collect();
        let shared = recipes.iter().flatten().map(|recipe| self.place(recipe));
        let shared = shared.collect::<Result<Vec<Reference>>>()?;
        let (hub, shared) = std::thread::scope(|scope| {
            let shared = scope.spawn(|| self.ask_registry(shared));
            (self.ask_hub(places.clone()), shared.join())
        });
        let mut shared =
            shared.unwrap_or_else(|panic| std::panic::resume_unwind(panic)).into_iter();
        let mut found = Found::default();
        for (((key, place), recipe), answer) in keys.into_iter().zip(&places).zip(recipes).zip(hub)
        {
            let shared = recipe.and_then(|_| shared.next());
            let why = match answer.known() {
                Ok(Some(resolved)) => {
                    found.images.insert(key, of_registry(place, resolved));
                    continue;
                }
                Ok(None) => "the hub does not have it".to_owned(),
                Err(reason) => reason.to_string(),
            };
            let Some((recipe, shared)) = recipe.zip(shared) else {
                wrong!(
                    "the image `{key}` cannot be had: {why}\n\
                     where no hub can be reached it needs a recipe in the manifest, for example \
                     `[bases.\"{key}\"]` with `bootstrap = {{ debian = \"trixie\" }}`"
                )
            };
            self.without_hub(key, recipe, shared, &why, &mut found)?;
        }
        self.check_platforms(services, &found)?;
        Ok(found)
    }

    fn recipe(&self, key: &str) -> Option<&Bootstrap> {
        self.facts.manifest.bases.get(key).and_then(|base| base.bootstrap.as_ref())
    }

    /// A hub that cannot be reached is an answer too: it is not asked again and again.
    fn ask_hub(&self, images: Vec<Reference>) -> Vec<Answer<Resolved>> {
        let at_once = AtOnce { threads: 8, within: Some(HUB) };
        self.registry.with_patience(Patience::LOCAL).for_each(images, at_once, Registry::resolve)
    }

    /// Whether somebody's pushing run has put the bases into the registry.
    fn ask_registry(&self, places: Vec<Reference>) -> Vec<Answer<Resolved>> {
        let within = (self.making != Making::MakeAndShare).then_some(HUB);
        self.registry.for_each(places, AtOnce { threads: 8, within }, Registry::resolve)
    }

    fn without_hub(
        &self,
        key: String,
        recipe: &Bootstrap,
        shared: Answer<Resolved>,
        why: &str,
        found: &mut Found,
    ) -> Result<()> {
        let place = self.place(recipe)?;
        if let Some(resolved) = self.shared(&place, shared)? {
            let image = of_registry(&place, resolved);
            found.shared.insert(key.clone(), image.context.clone());
            found.images.insert(key, image);
            return Ok(());
        }
        if self.making == Making::OnlyLook {
            let image = match self.bases.find(recipe) {
                _ if self.facts.event.kind.pushes() => to_be_shared(&place),
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

    /// What the registry's answer means: in a run that shares what it makes, a second base beside the
    /// first would be a quiet fork, so that it has to know.
    fn shared(&self, place: &Reference, answer: Answer<Resolved>) -> Result<Option<Resolved>> {
        match answer.known() {
            Ok(found) => Ok(found),
            Err(_) if self.making != Making::MakeAndShare => Ok(None),
            Err(_) if self.registry.may_push(place).is_ok() => Ok(None),
            Err(reason) => {
                Err(reason).with_context(|| format!("cannot tell whether `{place}` is there"))
            }
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
