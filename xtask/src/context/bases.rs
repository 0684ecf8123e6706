//! Where external images come from: the hub, the project's registry, or Debian's packages
//! (DESIGN 4.5, "Bases without a hub").

use crate::docker::bases::{self, Bases, OciBase};
use crate::docker::registry::{AtOnce, Reference, Registry, Resolved};
use crate::error::Wrong;
use crate::manifest::{Base, Bootstrap};
use crate::plan::facts::{BaseImage, Facts};
use anyhow::{Context as _, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long the hub has to answer.
const HUB: Duration = Duration::from_secs(2);

/// Whether bases that are not there may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// They are made where the hub does not answer, and shared by a run that pushes
    Allowed {
        /// Whether this run puts what it made into the registry
        share: bool,
    },
    /// Nothing is made: a plan is only printed
    OnlyLook,
}

/// Finds the external images that services need.
pub struct Finder<'a> {
    /// Asks hub and registry
    pub registry: &'a Registry,
    /// Makes bases
    pub bases: &'a Bases<'a>,
    /// What is known so far
    pub facts: &'a Facts,
    /// Whether to make them
    pub making: Making,
    /// Takes one line about where a base came from
    pub say: &'a dyn Fn(&str),
}

impl Finder<'_> {
    /// The external images of these services, by their key in `[bases]`.
    pub fn find(&self, services: &[String]) -> Result<BTreeMap<String, BaseImage>> {
        let needs = services.iter().filter_map(|service| self.facts.needs.get(service));
        let keys: BTreeSet<String> = needs.flat_map(|needs| needs.bases.values().cloned()).collect();
        let keys: Vec<String> = keys.into_iter().collect();
        let references = keys.iter().map(|key| Reference::parse(key)).collect::<Result<Vec<_>, _>>()?;
        let at_once = AtOnce { threads: 8, within: Some(HUB) };
        let answers = self.registry.for_each(references.clone(), at_once, Registry::resolve);
        let mut found = BTreeMap::new();
        for ((key, reference), answer) in keys.into_iter().zip(&references).zip(answers) {
            let image = match answer.known() {
                Ok(Some(resolved)) => of_hub(reference, resolved),
                Ok(None) => self.bootstrapped(&key, "the hub does not have it")?,
                Err(reason) => self.bootstrapped(&key, &reason.to_string())?,
            };
            found.insert(key, image);
        }
        Ok(found)
    }

    fn bootstrapped(&self, key: &str, why: &str) -> Result<BaseImage> {
        let Some(Base { bootstrap: Some(recipe) }) = self.facts.manifest.bases.get(key) else {
            return Err(Wrong(format!(
                "the image `{key}` cannot be had: {why}\n\
                 where no hub can be reached it needs a recipe in the manifest: \
                 `[bases.\"{key}\"] bootstrap = {{ debian = \"trixie\" }}`"
            ))
            .into());
        };
        if let Some(shared) = self.shared(recipe)? {
            return Ok(shared);
        }
        if self.making == Making::OnlyLook {
            let made = self.bases.find(recipe)?;
            return Ok(made.map_or_else(|| not_made(self.bases, recipe), of_layout));
        }
        let made = self.bases.ensure(key, recipe)?;
        (self.say)(&format!("`{key}` is made from Debian's packages: no hub ({why})"));
        if self.making == (Making::Allowed { share: true }) {
            return self.share(recipe, &made);
        }
        Ok(of_layout(made))
    }

    /// The base as somebody's pushing run has put it into the registry.
    fn shared(&self, recipe: &Bootstrap) -> Result<Option<BaseImage>> {
        let reference = Reference::parse(&self.place(recipe))?;
        let registry = self.registry.until(std::time::Instant::now() + HUB);
        match registry.resolve(&reference).known() {
            Ok(found) => Ok(found.map(|resolved| of_hub(&reference, resolved))),
            // In a run that shares, a second base beside the first would be a quiet fork.
            Err(reason) if self.making == (Making::Allowed { share: true }) => {
                Err(reason).with_context(|| format!("cannot tell whether `{reference}` is there"))
            }
            Err(_) => Ok(None),
        }
    }

    fn share(&self, recipe: &Bootstrap, made: &OciBase) -> Result<BaseImage> {
        let reference = Reference::parse(&self.place(recipe))?;
        self.registry
            .push_layout(&made.layout, &reference)
            .with_context(|| format!("cannot share the base as `{reference}`"))?;
        let context = format!("docker-image://{}@{}", reference.name(), made.digest);
        Ok(BaseImage { context, platforms: made.platforms.clone() })
    }

    fn place(&self, recipe: &Bootstrap) -> String {
        format!("{}/bases:{}", self.facts.registry, bases::recipe_hash(recipe))
    }
}

fn of_hub(reference: &Reference, resolved: Resolved) -> BaseImage {
    let context = format!("docker-image://{}@{}", reference.name(), resolved.digest);
    let platforms = resolved.platforms.iter().map(ToString::to_string).collect();
    BaseImage { context, platforms }
}

fn of_layout(base: OciBase) -> BaseImage {
    let context = format!("oci-layout://{}@{}", base.layout, base.digest);
    BaseImage { context, platforms: base.platforms }
}

/// What a plan shows for a base that is made when it is run.
fn not_made(bases: &Bases, recipe: &Bootstrap) -> BaseImage {
    BaseImage { context: format!("oci-layout://{}", bases.folder(recipe)), platforms: Vec::new() }
}
