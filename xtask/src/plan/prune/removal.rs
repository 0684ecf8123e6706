//! Manifests that go: those that lost their last tag, what only they list, and caches that are no longer
//! the cache.

use super::{Deletes, Fate, Prune, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// A manifest that is deleted by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Its digest
    pub digest: String,
    /// The tags that go along with it
    pub tags: Vec<String>,
    /// What lists it and is deleted before: where one of these stays after all, so does this
    pub after: Vec<String>,
}

impl Prune<'_> {
    /// What is deleted by digest, each manifest before what it lists, and what that frees in bytes.
    pub(super) fn removals(&self, tags: &BTreeMap<String, Verdict>) -> (Vec<Removal>, u64) {
        let stays = |verdict: &Verdict| matches!(verdict.fate, Fate::Stays(_));
        let named = self.protected.digests.keys();
        let tagged = tags.values().filter(|verdict| stays(verdict)).map(|verdict| &verdict.digest);
        let kept = self.held.closure(tagged.chain(named).map(String::as_str));
        let goes = tags.values().filter(|verdict| !stays(verdict)).map(|it| it.digest.as_str());
        let roots: Vec<&str> = match self.deletes {
            Deletes::Tags { digests: false } | Deletes::Nothing(_) => Vec::new(),
            _ => goes.chain(self.superseded_caches(tags)).collect(),
        };
        let mut order = Vec::new();
        let mut seen = kept.clone();
        for root in &roots {
            self.parts_first(root, &mut seen, &mut order);
        }
        order.reverse();
        let kept_bytes = self.held.bytes(kept.iter().copied());
        let gone = self.held.bytes(order.iter().copied());
        let frees = gone.iter().filter(|(thing, _)| !kept_bytes.contains_key(**thing));
        let frees = frees.map(|(_, size)| size).sum();
        (order.iter().map(|digest| self.removal(digest, &order)).collect(), frees)
    }

    fn removal(&self, digest: &str, order: &[&str]) -> Removal {
        let tags = self.held.tags.iter().filter(|(_, on)| *on == digest);
        let lists = |parent: &&&str| {
            let content = self.held.manifests.get(**parent);
            content.is_some_and(|content| content.parts.iter().any(|part| part == digest))
        };
        Removal {
            digest: digest.into(),
            tags: tags.map(|(tag, _)| tag.clone()).collect(),
            after: order.iter().filter(lists).map(|parent| (*parent).to_owned()).collect(),
        }
    }

    /// What a manifest lists, then the manifest, as far as they are there and were not seen.
    fn parts_first<'a>(
        &'a self,
        digest: &'a str,
        seen: &mut BTreeSet<&'a str>,
        order: &mut Vec<&'a str>,
    ) {
        let Some(content) = self.held.manifests.get(digest) else { return };
        if seen.insert(digest) {
            for part in &content.parts {
                self.parts_first(part, seen, order);
            }
            order.push(digest);
        }
    }

    /// Cache manifests that old claims name. Caches are read by their tag alone, so that one on which
    /// the tag no longer stands is read by nobody.
    fn superseded_caches<'a>(
        &'a self,
        tags: &'a BTreeMap<String, Verdict>,
    ) -> impl Iterator<Item = &'a str> {
        let claims = tags.values().filter_map(|verdict| {
            let content = self.held.manifests.get(&verdict.digest)?;
            let date = content.created?;
            Some((content.cache.as_deref()?, date))
        });
        let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
        for (cache, date) in claims {
            let known = newest.entry(cache).or_default();
            *known = date.max(*known);
        }
        // A day at least: a build that has just begun to read one is through by then.
        let limit = self.rules.older_than.unwrap_or(0).max(86_400);
        let is_old = move |date: u64| self.rules.now.saturating_sub(date) > limit;
        newest.into_iter().filter(move |(_, date)| is_old(*date)).map(|(cache, _)| cache)
    }
}
