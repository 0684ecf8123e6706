//! What a repository of a registry holds, as far as tags, claims and what they refer to show it.

use std::collections::{BTreeMap, BTreeSet};

/// One repository: the images of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The digest behind each tag
    pub tags: BTreeMap<String, String>,
    /// What is behind the tags, all that it lists, and the caches that claims name, by digest
    pub manifests: BTreeMap<String, Content>,
}

/// A manifest or an index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Its own size in bytes
    pub size: u64,
    /// The manifests that it lists
    pub parts: Vec<String>,
    /// The blobs that it names, with their sizes in bytes
    pub blobs: BTreeMap<String, u64>,
    /// The commit that it says it was built of
    pub revision: Option<String>,
    /// When it says that it was built, in seconds since 1970
    pub created: Option<u64>,
    /// The cache manifest that its claim names
    pub cache: Option<String>,
}

impl Held {
    /// These manifests, and all that they list.
    pub fn closure<'a>(&'a self, digests: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&str> = digests.into_iter().collect();
        while let Some(digest) = next.pop() {
            if seen.insert(digest) {
                let parts = self.manifests.get(digest).map(|content| &content.parts);
                next.extend(parts.into_iter().flatten().map(String::as_str));
            }
        }
        seen
    }

    /// The manifests and blobs behind some manifests, and all that these list, with their sizes.
    pub fn bytes<'a>(
        &'a self,
        digests: impl IntoIterator<Item = &'a str>,
    ) -> BTreeMap<&'a str, u64> {
        let mut all = BTreeMap::new();
        for digest in self.closure(digests) {
            let Some(content) = self.manifests.get(digest) else { continue };
            all.insert(digest, content.size);
            all.extend(content.blobs.iter().map(|(blob, size)| (blob.as_str(), *size)));
        }
        all
    }

    /// The tags that stand on each digest.
    pub fn tags_by_digest(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut tags: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (tag, digest) in &self.tags {
            tags.entry(digest).or_default().push(tag);
        }
        tags
    }

    /// What each digest that has tags costs: all that is behind it, and what is behind no other.
    pub fn costs(&self) -> BTreeMap<&str, Cost> {
        let digests: Vec<&str> = self.tags_by_digest().into_keys().collect();
        let each: Vec<BTreeMap<&str, u64>> =
            digests.iter().map(|digest| self.bytes([*digest])).collect();
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for thing in each.iter().flat_map(|bytes| bytes.keys()) {
            *times.entry(thing).or_default() += 1;
        }
        let cost = |bytes: &BTreeMap<&str, u64>| {
            let own = bytes.iter().filter(|(thing, _)| times.get(**thing) == Some(&1));
            Cost { whole: bytes.values().sum(), own: own.map(|(_, size)| size).sum() }
        };
        digests.into_iter().zip(each.iter().map(cost)).collect()
    }
}

/// What something costs, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// All of it
    pub whole: u64,
    /// What would go with it alone
    pub own: u64,
}
