//! A locked base that cannot be had (DESIGN 4.5): a run at a desk has another one made that stands in for
//! it, a run that pushes stops.

use super::Run;
use super::reading::{Reading, setup};
use crate::context::event::Kind;
use crate::docker::bases::Bases;
use crate::docker::build::{Failed, Outcome};
use crate::manifest::Bootstrap;
use crate::plan::facts::BaseImage;
use anyhow::{Result, anyhow};
use std::collections::{BTreeMap, BTreeSet};

impl Run<'_> {
    /// Whether a build failed for a base that something is done about, so that nothing else is tried.
    pub fn is_lost(&self, failed: &Failed) -> bool {
        let may_be = |key: &&String| self.pushes || self.reading.may_stand_in(key);
        self.reading.found.locked.iter().filter(may_be).any(|key| self.lacks(failed, key))
    }

    /// Those bases.
    pub fn lost<'o>(&self, outcomes: &'o BTreeMap<String, Outcome>) -> BTreeSet<String> {
        let failed = |outcome: &'o Outcome| match outcome {
            Outcome::Failed(failed) if self.is_lost(failed) => Some(&**failed),
            _ => None,
        };
        let failures: Vec<&Failed> = outcomes.values().filter_map(failed).collect();
        let locked = self.reading.found.locked.iter();
        locked
            .filter(|key| failures.iter().any(|failed| self.lacks(failed, key)))
            .cloned()
            .collect()
    }

    /// What a run that pushes says of them.
    pub fn stops(&self, lost: &BTreeSet<String>) -> anyhow::Error {
        let names: Vec<&str> = lost.iter().map(String::as_str).collect();
        anyhow!(
            "no tag was moved: a run that pushes takes nothing else for a locked base that cannot be \
             had\nrun this again when its place can be reached, or lock it anew with \
             `cargo xtask bases update {}`",
            names.join(" ")
        )
    }

    fn lacks(&self, failed: &Failed, key: &str) -> bool {
        let image = self.reading.world.facts.bases.get(key).filter(|image| !image.stands_in);
        image.is_some_and(|image| is_about(failed, &image.context))
    }
}

impl Reading<'_> {
    /// Only at a desk, and only what there is a recipe for.
    fn may_stand_in(&self, key: &str) -> bool {
        self.world.facts.event.kind == Kind::Local && self.recipe(key).is_some()
    }

    fn recipe(&self, key: &str) -> Option<&Bootstrap> {
        self.world.facts.manifest.bases.get(key)?.bootstrap.as_ref()
    }

    /// Has bases made in the place of locked ones. What was made to the very same bytes is no stand-in.
    pub fn stand_in(&mut self, lost: BTreeSet<String>) -> Result<()> {
        let setup = setup(self.session)?;
        let bases = Bases::new(&setup);
        for key in lost {
            let Some(recipe) = self.recipe(&key) else { continue };
            (setup.say)(&format!(
                "`{key}` cannot be had as it is locked, so it is made from Debian's packages"
            ));
            let base = bases.ensure(&key, recipe)?;
            let locked = self.world.lock.entries.get(&key).map(|locked| &locked.digest);
            let stands_in = locked != Some(&base.digest);
            if stands_in {
                (setup.say)(&format!(
                    "what was made stands in for `{key}` as it is locked: what is built on it is for \
                     this machine only"
                ));
            }
            let (context, platforms) = (base.context(), base.platforms.clone());
            let image = BaseImage { context, platforms, stands_in };
            self.world.facts.bases.insert(key.clone(), image);
            self.found.locked.remove(&key);
            self.stand_ins.insert(key, base);
        }
        self.identify();
        Ok(())
    }
}

/// Whether BuildKit could not get at an image. It names the image by the digest that was asked for.
fn is_about(failed: &Failed, context: &str) -> bool {
    let step = failed.step.as_ref();
    let step = step.map(|step| format!("{}\n{}", step.name, step.error)).unwrap_or_default();
    let image = context.trim_start_matches("docker-image://");
    let cannot = format!("failed to resolve source metadata for {image}");
    image.contains('@') && (failed.last_words.contains(&cannot) || step.contains(&cannot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_image_that_cannot_be_had_is_lost() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let context = format!("docker-image://r.io/x@{digest}");
        let failed = |text: String| Failed { step: None, last_words: text };
        let said = format!(
            "failed to solve: failed to resolve source metadata for r.io/x@{digest}: failed to do \
             request: Head \"https://r.io/v2/x/manifests/{digest}\": dial tcp: no such host"
        );
        assert!(is_about(&failed(said.clone()), &context));
        assert!(!is_about(&failed(said.clone()), &context.replace("r.io/x", "r.io/y")));
        assert!(!is_about(&failed(said.clone()), "docker-image://r.io/x"));
        assert!(!is_about(&failed(said), &format!("oci-layout:///a@{digest}")));
        let run = format!("failed to solve: process \"cat r.io/x@{digest}\" did not complete");
        assert!(!is_about(&failed(run), &context));
    }
}
