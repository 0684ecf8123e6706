//! What was built again and came out as it is published stays published as it is.
//!
//! buildx gives each push another index, since attestations tell times. Under a new digest the cache of
//! what builds on the image would be lost, and its public tags would move though nothing changed.

use super::Run;
use super::pushed::Images;
use crate::docker::build::Pushed;
use crate::docker::registry::Fetched;
use crate::docker::{cache_manifest, same_image};
use crate::plan::decide::may_come_out_the_same;
use crate::plan::fingerprint::Fingerprint;
use crate::plan::look_up::Published;
use crate::plan::warm::marks;

impl Images<'_> {
    /// Puts the published index of a fingerprint back under its handle, if what was pushed has the same
    /// images. Whatever is in the way of that is no error: then the new one is published.
    pub(super) fn keep(
        &self,
        pushed: &Pushed,
        index: &Fetched,
        fingerprint: &Fingerprint,
        handle: &str,
    ) -> Option<Fetched> {
        let (published, claimed) = published(self.run, pushed.service, fingerprint)?;
        let (registry, image) = (&self.run.reading.registry, pushed.image.parse().ok()?);
        let is_same = same_image::are_same(registry, &image, (published, index)).ok()?;
        if !is_same || !self.stands_on_kept(pushed.service) {
            return None;
        }
        // Its claim names the cache that was written then.
        if let Some(cache) =
            pushed.cache.filter(|cache| claimed.claim.cache.as_deref() != Some(*cache))
        {
            let marks = marks(&self.run.reading.world.facts, pushed.service)?;
            cache_manifest::mark(registry, pushed.image, cache, &marks).ok()?;
        }
        self.publish.put(pushed.image, published, handle).ok()?;
        Some(published.clone())
    }
}

/// The published index of this very fingerprint, as it was looked up before the build.
fn published<'a>(
    run: &'a Run,
    service: &str,
    fingerprint: &Fingerprint,
) -> Option<(&'a Fetched, &'a Published)> {
    let facts = &run.reading.world.facts;
    let asked = facts.select(&run.request.names).ok()?;
    if !may_come_out_the_same(&run.request, &asked, service) {
        return None;
    }
    let claimed = facts.look_ups.get(service)?.published()?;
    let index = run.reading.indexes.get(service)?;
    let is_it = index.digest == claimed.digest && claimed.claim.fingerprint == fingerprint.whole;
    is_it.then_some((index, claimed))
}
