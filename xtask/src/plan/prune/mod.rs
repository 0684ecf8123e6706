//! Which tags and manifests of a repository may go, and why the others stay. Pure.
//!
//! A tag is judged by what it is for and how old it is. Then comes what nothing may break: a manifest
//! that a tag that stays, or a release record, refers to (also as a part of an index) stays whole; and
//! where a registry deletes only digests, a tag stays that shares its digest with one that stays.

mod held;
mod removal;
mod tag;

pub use held::{Content, Cost, Held};
pub use removal::Removal;
pub use tag::{Sort, brief};

use crate::time::age;
use std::collections::{BTreeMap, BTreeSet};

/// Which tags are old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Those older than so many seconds
    pub older_than: Option<u64>,
    /// Those beyond the newest so many commits (fingerprints apart)
    pub keep: Option<usize>,
    /// Now, in seconds since 1970
    pub now: u64,
}

/// What a registry deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletes {
    /// A tag without what it stands on; and manifests by digest, or not
    Tags {
        /// Whether it deletes manifests by digest
        digests: bool,
    },
    /// Manifests by digest alone, with all tags that stand on them
    Digests,
    /// Nothing, and why
    Nothing(String),
}

/// What must stay besides what tags say: the digests that records and journals name, and the commits
/// of releases, each with what names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protected {
    /// By digest
    pub digests: BTreeMap<String, String>,
    /// By commit
    pub commits: BTreeMap<String, String>,
}

/// What becomes of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The digest that it stands on
    pub digest: String,
    /// Whether it goes, and why: a fragment
    pub fate: Fate,
}

/// Whether something goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes
    Goes(String),
    /// It stays
    Stays(String),
}

/// What becomes of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruning {
    /// By tag
    pub tags: BTreeMap<String, Verdict>,
    /// Manifests that are deleted, by digest, each before what it lists
    pub manifests: Vec<Removal>,
    /// What the registry can free then, in bytes
    pub frees: u64,
}

impl Pruning {
    /// Whether anything goes.
    pub fn goes(&self) -> bool {
        !self.manifests.is_empty() || self.tags.values().any(|it| matches!(it.fate, Fate::Goes(_)))
    }
}

/// What is asked of a repository.
#[derive(Clone, Copy, Debug)]
pub struct Prune<'a> {
    /// What it holds
    pub held: &'a Held,
    /// What must stay
    pub protected: &'a Protected,
    /// The dates of commits, in seconds since 1970
    pub commits: &'a BTreeMap<String, u64>,
    /// Which tags are old
    pub rules: Rules,
    /// What the registry can
    pub deletes: &'a Deletes,
}

impl Prune<'_> {
    /// Decides.
    pub fn decide(&self) -> Pruning {
        let mut fates = self.by_age();
        self.keep_what_is_in_use(&mut fates);
        self.keep_what_cannot_go(&mut fates);
        let verdict = |(tag, fate): (&str, Fate)| {
            let digest = self.held.tags[tag].clone();
            (tag.to_owned(), Verdict { digest, fate })
        };
        let tags: BTreeMap<String, Verdict> = fates.into_iter().map(verdict).collect();
        let (manifests, frees) = self.removals(&tags);
        Pruning { tags, manifests, frees }
    }

    /// When the commit of a tag was made. Where the commit is not here, an index that says that it was
    /// built of it says when; one that was built of an earlier commit would be taken for older than it is.
    /// A short sha that fits two commits names neither for certain.
    fn date_of_commit_tag(&self, tag: &str, sha: &str) -> Option<u64> {
        let mut fit = self.commits.range(sha.to_owned()..).take_while(|(c, _)| c.starts_with(sha));
        match (fit.next(), fit.next()) {
            (Some((_, date)), None) => Some(*date),
            (Some(_), Some(_)) => None,
            (None, _) => {
                let content = self.held.manifests.get(self.held.tags.get(tag)?)?;
                let is_of_it = content.revision.as_ref().is_some_and(|it| it.starts_with(sha));
                content.created.filter(|_| is_of_it)
            }
        }
    }

    /// Each tag by itself.
    fn by_age(&self) -> BTreeMap<&str, Fate> {
        let mut commits: BTreeMap<&str, Option<u64>> = BTreeMap::new();
        let mut images: BTreeMap<&str, Option<u64>> = BTreeMap::new();
        for (tag, digest) in &self.held.tags {
            match Sort::of(tag) {
                Sort::Commit(sha) => commits.insert(tag, self.date_of_commit_tag(tag, sha)),
                Sort::Fingerprint => images.insert(
                    tag,
                    self.held.manifests.get(digest).and_then(|content| content.created),
                ),
                _ => None,
            };
        }
        let commit_rank = ranks(&commits);
        let image_rank = ranks(&images);
        let fate = |tag: &str| match Sort::of(tag) {
            Sort::Standing => Fate::Stays("such a tag is never taken away".into()),
            Sort::Cache => Fate::Stays("it is the registry cache".into()),
            Sort::Foreign => Fate::Stays("it is no tag of ours".into()),
            Sort::Of(subject) => Fate::Stays(format!("it belongs to {subject}")),
            Sort::Commit(sha) => match self.release_of(sha) {
                Some(release) => Fate::Stays(format!("{release} is of this commit")),
                None => match commits[tag] {
                    None => Fate::Stays("its commit is not in this repository".into()),
                    Some(date) => self.by_date(date, commit_rank[&date], "commit"),
                },
            },
            Sort::Fingerprint => match images[tag] {
                None => Fate::Stays("it does not say when it was built".into()),
                Some(date) => self.by_date(date, image_rank[&date], "image"),
            },
        };
        self.held.tags.keys().map(|tag| (tag.as_str(), fate(tag))).collect()
    }

    fn release_of(&self, sha: &str) -> Option<&String> {
        let mut fit = self.protected.commits.range(sha.to_owned()..);
        fit.next().filter(|(commit, _)| commit.starts_with(sha)).map(|(_, release)| release)
    }

    /// `rank` is 1 for the newest, which always stays.
    fn by_date(&self, date: u64, rank: usize, what: &str) -> Fate {
        let old = self.rules.now.saturating_sub(date);
        if rank <= 1 {
            return Fate::Stays(format!("it is the newest {what}"));
        }
        match (self.rules.older_than, self.rules.keep) {
            (Some(limit), _) if old > limit => Fate::Goes(format!("{} old", age(old))),
            (_, Some(keep)) if rank > keep => {
                Fate::Goes(format!("beyond the newest {keep} ({} old)", age(old)))
            }
            _ => Fate::Stays(format!("{} old", age(old))),
        }
    }

    /// An image that a tag which stays stands on is found by its fingerprint too; a signature goes with
    /// what it signs.
    fn keep_what_is_in_use<'a>(&'a self, fates: &mut BTreeMap<&'a str, Fate>) {
        let mut users: BTreeMap<&str, String> = BTreeMap::new();
        for (tag, digest) in &self.held.tags {
            if matches!(fates[tag.as_str()], Fate::Stays(_)) {
                let user = format!("`{tag}` stands on this image");
                // A standing tag explains it best.
                match Sort::of(tag) {
                    Sort::Standing => users.insert(digest, user),
                    _ => Some(users.entry(digest).or_insert(user).clone()),
                };
            }
        }
        for (digest, by) in &self.protected.digests {
            users.insert(digest, format!("{by} names this image"));
        }
        for (tag, digest) in &self.held.tags {
            let goes = matches!(fates[tag.as_str()], Fate::Goes(_));
            if let (Sort::Fingerprint, true, Some(user)) =
                (Sort::of(tag), goes, users.get(digest.as_str()))
            {
                fates.insert(tag, Fate::Stays(user.clone()));
            }
        }
        let staying = self.staying(fates);
        for tag in self.held.tags.keys() {
            let Sort::Of(subject) = Sort::of(tag) else { continue };
            if self.held.manifests.contains_key(&subject) && !staying.contains(subject.as_str()) {
                fates.insert(tag, Fate::Goes("what it belongs to goes".into()));
            }
        }
    }

    /// Everything that must stay whole: what tags that stay and records refer to.
    fn staying(&self, fates: &BTreeMap<&str, Fate>) -> BTreeSet<&str> {
        let stays = |tag: &str| !matches!(fates.get(tag), Some(Fate::Goes(_)));
        let tagged = self.held.tags.iter().filter(|(tag, _)| stays(tag)).map(|(_, digest)| digest);
        let named = self.protected.digests.keys();
        self.held.closure(tagged.chain(named).map(String::as_str))
    }

    /// What the registry can take away without taking anything along that stays.
    fn keep_what_cannot_go<'a>(&'a self, fates: &mut BTreeMap<&'a str, Fate>) {
        let staying: BTreeSet<String> =
            self.staying(fates).into_iter().map(str::to_owned).collect();
        for (tag, digest) in &self.held.tags {
            let Some(fate @ Fate::Goes(_)) = fates.get_mut(tag.as_str()) else { continue };
            let why = match self.deletes {
                Deletes::Tags { .. } => continue,
                Deletes::Nothing(why) => why.clone(),
                Deletes::Digests if !staying.contains(digest) => continue,
                Deletes::Digests => {
                    "it shares its digest with what stays, and this registry deletes \
                     only digests: it cannot go alone"
                        .into()
                }
            };
            *fate = Fate::Stays(why);
        }
        if matches!(self.deletes, Deletes::Digests) {
            self.name_who_shares(fates);
        }
    }

    fn name_who_shares<'a>(&'a self, fates: &mut BTreeMap<&'a str, Fate>) {
        let others = self.held.tags_by_digest();
        // The tag of a version says most; others that stand are shared by versions.
        let name = |tags: &Vec<&str>| {
            let standing = tags.iter().filter(|tag| Sort::of(tag) == Sort::Standing);
            standing.max_by_key(|tag| tag.starts_with('v')).map(|tag| format!("`{tag}`"))
        };
        for (tag, digest) in &self.held.tags {
            let Some(Fate::Stays(why)) = fates.get_mut(tag.as_str()) else { continue };
            let Some(rest) = why.strip_prefix("it shares its digest with what stays") else {
                continue;
            };
            let by_record = self.protected.digests.get(digest.as_str());
            let with = others.get(digest.as_str()).and_then(name).or_else(|| by_record.cloned());
            *why = format!(
                "it shares its digest with {}{rest}",
                with.unwrap_or_else(|| "what stays".into())
            );
        }
    }
}

/// The place of each date among all, from the newest (1). Tags of one date share it.
fn ranks(dates: &BTreeMap<&str, Option<u64>>) -> BTreeMap<u64, usize> {
    let distinct: BTreeSet<u64> = dates.values().flatten().copied().collect();
    distinct.into_iter().rev().zip(1..).collect()
}

#[cfg(test)]
mod tests;
