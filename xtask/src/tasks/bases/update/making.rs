//! Bases that `bases update` makes anew from Debian's packages. What it locks has to be in the registry:
//! nobody else could get it.

use super::{Move, Update};
use crate::context::bases::locked::kept_tag;
use crate::docker::bases::{Bases, OciBase, native_arch};
use crate::docker::registry::{Patience, Reference};
use crate::manifest::{Bootstrap, Origin};
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;

impl Update<'_> {
    /// Whether what is to be made can be pushed: asked before some minutes go into it.
    pub(super) fn check_registry(&self) -> Result<()> {
        let place: Reference = format!("{}/bases", self.known.registry).parse()?;
        let Err(reason) = self.registry.may_push(&place) else { return Ok(()) };
        self.setup.processes.interrupt.check()?;
        bail!(
            "a base that is made has to be pushed to `{place}`, which cannot be done, so nothing is \
             written: {reason}\n\
             log in with `docker login {}`, or name another registry with `--registry`",
            place.host()
        )
    }

    /// Makes one, and pushes it. Those of one recipe are one.
    pub(super) fn made(
        &self,
        name: &str,
        recipe: &Bootstrap,
        made: &mut BTreeMap<String, OciBase>,
    ) -> Result<Move> {
        let arch = self.arch(name);
        let bases = Bases::for_arch(self.setup, &arch);
        let hash = bases.hash(recipe);
        let place: Reference = format!("{}/bases:{hash}", self.known.registry).parse()?;
        if self.options.dry_run {
            return Ok(Move::Made(place));
        }
        let base = match made.get(&hash) {
            Some(base) => base.clone(),
            None => {
                let base = bases.make_anew(name, recipe)?;
                self.share(&place, &hash, &base)?;
                base
            }
        };
        let (digest, platforms) = (base.digest.clone(), base.platforms.iter().cloned().collect());
        made.insert(hash.clone(), base);
        Ok(self.to(name, Origin::Bootstrap { hash }, digest, platforms))
    }

    /// A base keeps its architecture, whoever updates it.
    fn arch(&self, name: &str) -> String {
        let locked = self.known.lock.entries.get(name);
        let made = locked.filter(|locked| matches!(locked.origin, Origin::Bootstrap { .. }));
        let platform = made.and_then(|locked| locked.platforms.first());
        let arch = platform.and_then(|platform| platform.strip_prefix("linux/"));
        arch.unwrap_or_else(|| native_arch()).to_owned()
    }

    /// What the tag named before gets a tag of its own first: lock files of older commits name it, and a
    /// registry may take away what has no tag.
    fn share(&self, place: &Reference, hash: &str, base: &OciBase) -> Result<()> {
        let registry = self.registry.with_patience(Patience::PUBLISH);
        let cannot = || format!("cannot push a base as `{place}`");
        match registry.get_manifest(place).known() {
            Ok(Some(there)) if there.digest == base.digest => return Ok(()),
            Ok(Some(there)) => {
                let kept = place.with_tag(&kept_tag(hash, &there.digest))?;
                let put = registry.put_manifest(&kept, &there.media_type, &there.bytes);
                put.with_context(cannot)?;
            }
            // A registry may refuse to say what a new repository has; the push will tell.
            Ok(None) => {}
            Err(reason) if reason.is_refusal() => {}
            Err(reason) => return Err(reason).with_context(cannot),
        }
        registry.push_layout(&base.layout, place).map(drop).with_context(cannot)?;
        let of_manifest = &self.known.manifest.project.registry;
        if self.known.registry != *of_manifest {
            (self.setup.say)(&format!(
                "`{place}` is pushed: who uses the manifest's registry, `{of_manifest}`, does not find it there"
            ));
        }
        Ok(())
    }
}
