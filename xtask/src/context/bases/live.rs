//! Bases that are not locked: the hub if it answers within 2 s, else what somebody has put into the
//! registry, else made from Debian's packages.

use super::{Finder, Found, HUB, Making, of_layout, of_registry};
use crate::docker::bases::Bases;
use crate::docker::registry::{Answer, AtOnce, Patience, Reference, Registry, Resolved};
use crate::manifest::Bootstrap;
use crate::plan::facts::BaseImage;
use anyhow::{Context as _, Result};

impl Finder<'_> {
    pub(super) fn find_live(&self, keys: Vec<String>) -> Result<Found> {
        let places = keys.iter().map(|key| key.parse()).collect::<Result<Vec<Reference>, _>>()?;
        let recipes: Vec<Option<&Bootstrap>> = keys.iter().map(|key| self.recipe(key)).collect();
        let shared = recipes.iter().flatten().map(|recipe| self.place(recipe));
        let shared = shared.collect::<Result<Vec<Reference>>>()?;
        let (hub, shared) = std::thread::scope(|scope| {
            let shared = scope.spawn(|| self.ask_registry(shared));
            (ask_hub(self.registry, places.clone()), shared.join())
        });
        let mut shared =
            shared.unwrap_or_else(|panic| std::panic::resume_unwind(panic)).into_iter();
        let mut found = Found::default();
        for (((key, place), recipe), answer) in keys.into_iter().zip(&places).zip(recipes).zip(hub)
        {
            let shared = recipe.and_then(|_| shared.next());
            let why = match answer.known() {
                Ok(Some(resolved)) => {
                    found.images.insert(key, of_answer(place, &resolved));
                    continue;
                }
                Ok(None) => "the hub does not have it".to_owned(),
                Err(reason) => reason.to_string(),
            };
            let Some((recipe, shared)) = recipe.zip(shared) else {
                wrong!("{}", without_recipe(&key, &why))
            };
            self.without_hub(key, recipe, shared, &why, &mut found)?;
        }
        Ok(found)
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
            let image = of_answer(&place, &resolved);
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
            Making::MakeAndShare => self.share(&place, &base)?,
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

    fn place(&self, recipe: &Bootstrap) -> Result<Reference> {
        Ok(format!("{}/bases:{}", self.facts.registry, self.bases.hash(recipe)).parse()?)
    }
}

/// A hub that cannot be reached is an answer too: it is not asked again and again.
pub fn ask_hub(registry: &Registry, images: Vec<Reference>) -> Vec<Answer<Resolved>> {
    let at_once = AtOnce { threads: 8, within: Some(HUB) };
    registry.with_patience(Patience::LOCAL).for_each(images, at_once, Registry::resolve)
}

/// What to do where only the hub could have given a base.
pub fn without_recipe(key: &str, why: &str) -> String {
    format!(
        "the image `{key}` cannot be had: {why}\n\
         where no hub can be reached it needs a recipe in the manifest, for example \
         `[bases.\"{key}\"]` with `bootstrap = {{ debian = \"trixie\" }}`"
    )
}

fn of_answer(reference: &Reference, resolved: &Resolved) -> BaseImage {
    let platforms: Vec<String> = resolved.platforms.iter().map(ToString::to_string).collect();
    of_registry(reference, &resolved.digest, &platforms)
}

/// What a plan shows for a base that a pushing run puts into the registry, and refers to by its
/// digest then.
fn to_be_shared(place: &Reference) -> BaseImage {
    let context = format!("docker-image://{place}");
    BaseImage { context, platforms: Vec::new(), stands_in: false }
}

/// What a plan shows for a base that is made when it is run.
fn not_made(bases: &Bases, recipe: &Bootstrap) -> BaseImage {
    let context = format!("oci-layout://{}", bases.folder(recipe));
    BaseImage { context, platforms: Vec::new(), stands_in: false }
}
