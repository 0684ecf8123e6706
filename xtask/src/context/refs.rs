//! The branch and the version tags of this repository and of a remote. Read-only.

use super::environment::Environment;
use super::event::version_of_tag;
use super::git::{git, listing, over_network};
use crate::process::{Failure, Processes, Stream};
use anyhow::{Context as _, Result};
use camino::Utf8Path;
use semver::Version;
use std::collections::BTreeMap;

/// A tag that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// What the tag is: a tag object where it is annotated, else the commit
    pub object: String,
    /// The commit that it stands for
    pub commit: String,
}

/// The version tags of a repository.
pub type Tags = BTreeMap<Version, Tagged>;

/// What a remote has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remote {
    /// The head of the branch that was asked for; none where it has no such branch
    pub head: Option<String>,
    /// Its version tags
    pub tags: Tags,
}

/// The branch that is checked out; none where HEAD is a commit.
pub fn branch(processes: &Processes, root: &Utf8Path) -> Result<Option<String>> {
    let command = git(root, "read the branch", &["symbolic-ref", "--quiet", "HEAD"]);
    match processes.read(&command) {
        Ok(name) => Ok(name.strip_prefix("refs/heads/").map(str::to_owned)),
        Err(error) => match error.downcast::<Failure>()? {
            Failure::Failed { code: 1, .. } => Ok(None),
            other => Err(other.into()),
        },
    }
}

/// All paths that differ from HEAD, or that it does not have and git does not ignore.
pub fn uncommitted(processes: &Processes, root: &Utf8Path) -> Result<Vec<String>> {
    let args = [
        "status",
        "--porcelain=v1",
        "-z",
        "--no-renames",
        "--untracked-files=all",
        "--ignore-submodules=none",
    ];
    let listing = listing(processes, &git(root, "compare the tree with HEAD", &args))?;
    Ok(listing.iter().filter_map(|entry| entry.get(3..)).map(str::to_owned).collect())
}

/// The names of the remotes.
pub fn remotes(processes: &Processes, root: &Utf8Path) -> Result<Vec<String>> {
    let names = processes.read(&git(root, "list the remotes", &["remote"]))?;
    Ok(names.lines().map(str::to_owned).collect())
}

/// Whether a commit is another, or one that the other came from. A commit that git does not have
/// here is none.
pub fn is_ancestor(processes: &Processes, root: &Utf8Path, commit: &str, of: &str) -> Result<bool> {
    let args = ["merge-base", "--is-ancestor", "--end-of-options", commit, of];
    let command = git(root, "compare two commits", &args);
    match processes.read(&command) {
        Ok(_) => Ok(true),
        Err(error) => match error.downcast::<Failure>()? {
            Failure::Failed { code: 1 | 128, .. } => Ok(false),
            other => Err(other.into()),
        },
    }
}

/// The version tags that are here.
pub fn tags(processes: &Processes, root: &Utf8Path) -> Result<Tags> {
    let format = "--format=%(objectname) %(*objectname) %(refname)";
    let command = git(root, "list versions", &["for-each-ref", format, "refs/tags/v*"]);
    let listing = processes.read(&command)?;
    let tag = |line: &str| {
        let mut words = line.split(' ');
        let (object, peeled, name) = (words.next()?, words.next()?, words.next()?);
        let commit = if peeled.is_empty() { object } else { peeled };
        let tagged = Tagged { object: object.to_owned(), commit: commit.to_owned() };
        Some((version(name)?, tagged))
    };
    Ok(listing.lines().filter_map(tag).collect())
}

/// Asks a remote for the head of a branch and all version tags, over the network.
pub fn remote(
    processes: &Processes,
    root: &Utf8Path,
    env: &Environment,
    name: &str,
    branch: &str,
) -> Result<Remote> {
    let head = format!("refs/heads/{branch}");
    let args = ["ls-remote", "--", name, &head, "refs/tags/v*"];
    let command =
        over_network(git(root, format!("ask `{name}` for its refs").as_str(), &args), env);
    let mut remote = Remote::default();
    let ended = processes.stream(&command, &mut |stream, line| {
        if let (Stream::Stdout, Some((object, name))) = (stream, line.split_once('\t')) {
            remote.add(object, name, &head);
        }
    })?;
    match ended.code {
        0 => Ok(remote),
        _ => Err(anyhow::anyhow!("{}", ended.stderr.trim_end()))
            .with_context(|| format!("cannot ask the remote `{name}`")),
    }
}

impl Remote {
    /// A line of `ls-remote`. What a tag stands for comes after the tag, as `NAME^{}`.
    fn add(&mut self, object: &str, name: &str, head: &str) {
        if name == head {
            self.head = Some(object.to_owned());
        } else if let Some(version) = name.strip_suffix("^{}").and_then(version) {
            if let Some(tagged) = self.tags.get_mut(&version) {
                object.clone_into(&mut tagged.commit);
            }
        } else if let Some(version) = version(name) {
            let tagged = Tagged { object: object.to_owned(), commit: object.to_owned() };
            self.tags.insert(version, tagged);
        }
    }
}

fn version(name: &str) -> Option<Version> {
    version_of_tag(name.strip_prefix("refs/tags/")?).ok()
}
