//! The three-way comparison.

use super::difference::{self, Difference, Place};
use super::explain::Explanation;
use super::image::Image;
use super::packages::Moved;
use std::collections::{BTreeMap, BTreeSet};

/// What came of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many files the published image has
    pub files: usize,
    /// What differs between the two builds
    pub unstable: Vec<Place>,
    /// What is not as published because packages have moved
    pub explained: Vec<Explained>,
    /// What is not as published, and nothing explains it: the skip was wrong
    pub wrong: Vec<Difference>,
    /// Packages of other versions than in the published image
    pub moved: Vec<Moved>,
    /// What could not be understood
    pub notes: Vec<String>,
}

/// A difference, and what it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The difference
    pub difference: Difference,
    /// What it comes from: "it belongs to the package `libssl3`"
    pub because: String,
}

/// Compares two builds of now with the published image.
pub fn compare(one: &Image, other: &Image, published: &Image) -> Comparison {
    let explanation = Explanation::new(one, published);
    let mut comparison = Comparison {
        files: published.files.len(),
        moved: explanation.moved.clone(),
        notes: explanation.notes.clone(),
        ..Comparison::default()
    };
    let config = three_way(&one.config, &other.config, &published.config);
    for (key, verdict) in config {
        let place = Place::Config(key.clone());
        match verdict {
            Verdict::Unstable => comparison.unstable.push(place),
            Verdict::Differs => {
                let aspects = difference::of_texts(published.config.get(key), one.config.get(key));
                comparison.wrong.push(Difference { place, aspects });
            }
        }
    }
    for (path, verdict) in three_way(&one.files, &other.files, &published.files) {
        let place = Place::File(path.clone());
        if verdict == Verdict::Unstable {
            comparison.unstable.push(place);
            continue;
        }
        let (before, now) = (published.files.get(path), one.files.get(path));
        let difference = Difference { place, aspects: difference::of_files(before, now) };
        match explanation.of(path, [before, now]) {
            Some(because) => comparison.explained.push(Explained { difference, because }),
            None => comparison.wrong.push(difference),
        }
    }
    comparison
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The two builds differ
    Unstable,
    /// The two builds are equal, and the published image is not
    Differs,
}

fn three_way<'a, K: Ord, V: PartialEq>(
    one: &'a BTreeMap<K, V>,
    other: &'a BTreeMap<K, V>,
    published: &'a BTreeMap<K, V>,
) -> Vec<(&'a K, Verdict)> {
    let keys: BTreeSet<&K> = one.keys().chain(other.keys()).chain(published.keys()).collect();
    let verdict = |key: &'a K| {
        let (one, other, published) = (one.get(key), other.get(key), published.get(key));
        if one != other {
            Some((key, Verdict::Unstable))
        } else if one != published {
            Some((key, Verdict::Differs))
        } else {
            None
        }
    };
    keys.into_iter().filter_map(verdict).collect()
}

impl Comparison {
    /// Whether the skip was wrong.
    pub fn is_wrong(&self) -> bool {
        !self.wrong.is_empty()
    }
}
