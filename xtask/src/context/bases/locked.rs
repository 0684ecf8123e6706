//! Bases that are locked: taken by their digest from where the lock file says. No hub is asked.

use super::{Finder, Found, HUB, Making, of_layout, of_registry};
use crate::docker::bases::OciBase;
use crate::docker::registry::{Answer, AtOnce, Reference, Registry, Stat};
use crate::manifest::{Locked, Origin};
use anyhow::{Result, anyhow};

impl Finder<'_> {
    pub(super) fn find_locked(&self, entries: &[(&str, &Locked)]) -> Result<Found> {
        let mut found = Found::default();
        for (key, locked) in entries {
            match &locked.origin {
                Origin::Hub { image } => {
                    let image = of_registry(&image.parse()?, &locked.digest, &locked.platforms);
                    found.images.insert((*key).to_owned(), image);
                }
                Origin::Bootstrap { hash } => self.find_made(key, hash, locked, &mut found)?,
            }
        }
        Ok(found)
    }

    /// A made base: this machine's where nothing is pushed, else from `<registry>/bases`.
    fn find_made(&self, key: &str, hash: &str, locked: &Locked, found: &mut Found) -> Result<()> {
        let Locked { digest, platforms, .. } = locked;
        let here = self.bases.with_digest(hash, digest, platforms);
        if let (Some(base), false) = (&here, self.facts.event.kind.pushes()) {
            found.images.insert(key.to_owned(), of_layout(base));
            found.made.insert(key.to_owned(), base.clone());
            return Ok(());
        }
        let place = self.place_of_made(key, hash, locked, here.as_ref())?;
        let image = of_registry(&place, digest, platforms);
        found.shared.insert(key.to_owned(), image.context.clone());
        found.images.insert(key.to_owned(), image);
        Ok(())
    }

    /// The registry that has it: the run's, else the manifest's (where `--registry` names another). It
    /// is only asked where there are two, or where the run would have to stop without it.
    fn place_of_made(
        &self,
        key: &str,
        hash: &str,
        locked: &Locked,
        here: Option<&OciBase>,
    ) -> Result<Reference> {
        let own: Reference = format!("{}/bases", self.facts.registry).parse()?;
        let other = format!("{}/bases", self.facts.manifest.project.registry).parse()?;
        let mut places = vec![own.clone(), other];
        places.dedup();
        let shares = self.making == Making::MakeAndShare;
        if !shares && places.len() == 1 {
            return Ok(own);
        }
        let asked = places.iter().map(|place| place.with_digest(&locked.digest));
        let asked: Vec<Reference> = asked.collect::<Result<_, _>>()?;
        let at_once = AtOnce { threads: 2, within: (!shares).then_some(HUB) };
        let answers = self.registry.for_each(asked, at_once, Registry::head_manifest);
        let has_it = answers.iter().position(|answer| matches!(answer, Answer::Found(_)));
        match (has_it, here.filter(|base| base.is_newest()), answers.into_iter().next()) {
            (Some(at), _, _) => Ok(places.swap_remove(at)),
            (None, _, _) if !shares => Ok(own),
            (None, Some(base), Some(answer)) if self.may_share(&own, &answer) => {
                self.share_locked(&own, hash, base)?;
                Ok(own)
            }
            (None, _, answer) => Err(stops(key, &own, &locked.digest, answer)),
        }
    }

    /// As DESIGN 4.5 has it: a repository that refuses us but takes an upload is new and ours.
    fn may_share(&self, place: &Reference, answer: &Answer<Stat>) -> bool {
        match answer {
            Answer::Absent => true,
            Answer::Refused(_) => self.registry.may_push(place).is_ok(),
            Answer::Found(_) | Answer::Unknown(_) => false,
        }
    }

    /// Puts a base that was locked with another registry into this one, beside what the recipe's
    /// tag names there already.
    fn share_locked(&self, place: &Reference, hash: &str, base: &OciBase) -> Result<()> {
        let recipe = place.with_tag(hash)?;
        let tag = match self.registry.head_manifest(&recipe) {
            Answer::Absent | Answer::Refused(_) => recipe,
            Answer::Found(_) | Answer::Unknown(_) => {
                place.with_tag(&kept_tag(hash, &base.digest))?
            }
        };
        self.share(&tag, base).map(drop)
    }
}

/// The tag of a made base that is not, or no longer, the newest of its recipe: without one, a registry
/// may take it away.
pub fn kept_tag(hash: &str, digest: &str) -> String {
    let short: String = digest.trim_start_matches("sha256:").chars().take(12).collect();
    format!("{hash}-{short}")
}

fn stops(
    key: &str,
    place: &Reference,
    digest: &str,
    answer: Option<Answer<Stat>>,
) -> anyhow::Error {
    let why = match answer.map(Answer::known) {
        Some(Err(reason)) => reason.to_string(),
        _ => "it is not there".to_owned(),
    };
    anyhow!(
        "the base `{key}` is locked to {digest}, which cannot be had from `{place}`: {why}\n\
         a run that pushes takes nothing else instead: run it again when that can be reached, \
         or lock the base anew with `cargo xtask bases update {key}`"
    )
}
