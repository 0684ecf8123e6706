//! The end of a release: what another run has released meanwhile is taken into account.

use super::moving::ensure;
use super::{Image, Release};
use crate::docker::publish::CONNECTIONS;
use crate::parallel;
use crate::plan::release::Releases;
use crate::plan::tags::{highest_of, is_shared};
use anyhow::Result;
use semver::Version;
use std::collections::BTreeMap;

/// How many passes are made at most: one more than there are runs at the same time.
const PASSES: usize = 10;

impl Release<'_> {
    /// Moves shared tags to the highest release, if others have come since the beginning. The release
    /// itself is whole by now. Gives the releases that there are.
    pub(super) fn settle(&self, before: &Releases) -> Result<Releases> {
        for pass in 0..PASSES {
            let now = self.shelf.list(self.registry)?;
            if pass == 0
                && self.others(&now) == self.others(before)
                && now.unfinished().count() == 0
            {
                return Ok(now);
            }
            if !self.settle_once(&now)? {
                return Ok(now);
            }
        }
        anyhow::bail!(
            "v{} is released, but others move the shared tags again and again: see \
             `cargo xtask release status`",
            self.version
        )
    }

    /// As [`settle`](Self::settle) where this release was not made: what another run has released since
    /// is not where tags were put back to. Best effort: the other run looks, too.
    pub(super) fn leave_to_others(&self, before: &Releases) {
        let Ok(now) = self.shelf.list(self.registry) else { return };
        if now.standing().ne(before.standing()) {
            self.settle_once(&now).ok();
        }
    }

    /// All versions that somebody else has begun or ended.
    fn others(&self, releases: &Releases) -> Vec<Version> {
        let all = releases.records.iter().chain(&releases.journals).chain(&releases.withdrawn);
        all.filter(|version| **version != self.version).cloned().collect()
    }

    /// Whether anything had to be moved.
    fn settle_once(&self, now: &Releases) -> Result<bool> {
        let mut records = BTreeMap::new();
        let mut wanted: Vec<(&Image, &String, String)> = Vec::new();
        for image in &self.images {
            for tag in image.tags.iter().filter(|tag| is_shared(tag)) {
                let Some(version) = highest_of(tag, now.standing()) else { continue };
                if !records.contains_key(version) {
                    records.insert(version, self.shelf.record(self.registry, version)?);
                }
                let record = records.get(version).and_then(Option::as_ref);
                let placed = record.and_then(|record| record.services.get(&image.service));
                wanted.extend(placed.map(|placed| (image, tag, placed.digest.clone())));
            }
        }
        let moved = parallel::map(CONNECTIONS, &wanted, |(image, tag, digest)| {
            ensure(self.registry, &image.repository, tag, digest)
        });
        Ok(moved.into_iter().collect::<Result<Vec<bool>>>()?.contains(&true))
    }
}
