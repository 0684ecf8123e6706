//! The whole tree of a commit, in a folder of its own to be built from: neither the working tree nor
//! the repository is written to.

use super::commit::{Bits, Checkout};
use super::event::version_of_tag;
use super::facts::{self, Asked, World};
use super::git;
use crate::error::Wrong;
use crate::manifest;
use crate::process::Processes;
use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

/// A commit's tree.
pub struct Whole {
    /// What was read of it; secrets are not
    pub world: World,
    /// What was asked for: `origin/dev`, `v1.2.3`
    pub name: String,
    /// 40 or 64 hex digits
    pub commit: String,
    /// The root of the user's repository, where secrets are
    pub repository: Utf8PathBuf,
    /// The folder that is built from: it goes away with this
    pub checkout: Checkout,
}

/// Reads the commit of a version tag, else the head of the dev branch that the working tree's manifest
/// names.
pub fn read(asked: &Asked, tag: Option<&str>) -> Result<Whole> {
    let (root, path, loaded) = facts::manifest(asked.env, asked.processes, asked.manifest)?;
    let dev_branch = &loaded.manifest.project.dev_branch;
    let (name, commit) = match tag {
        Some(tag) => of_tag(asked.processes, &root, tag)?,
        None => head(asked.processes, &root, dev_branch)?,
    };
    let path = below(&root, &path)?;
    let mut checkout = Checkout::of(asked.processes, asked.env, &root, &commit, Bits::Of022)?;
    checkout.take(&|_| true)?;
    let world = world(asked, &checkout, &path, &commit);
    let world = world.with_context(|| format!("cannot read `{name}` ({commit})"))?;
    Ok(Whole { world, name, commit, repository: root, checkout })
}

fn world(asked: &Asked, checkout: &Checkout, path: &Utf8Path, commit: &str) -> Result<World> {
    if !checkout.has(path.as_str()) {
        wrong!("it has no manifest `{path}`");
    }
    let file = checkout.root.join(path);
    let loaded = manifest::load(&file, &checkout.root)?;
    let mut world = facts::of_tree(asked, checkout.root.clone(), file, loaded)?;
    world.facts.revision = Some(commit.to_owned());
    Ok(world)
}

fn of_tag(processes: &Processes, root: &Utf8Path, tag: &str) -> Result<(String, String)> {
    version_of_tag(tag)?;
    match git::commit_of(processes, root, &format!("refs/tags/{tag}"))? {
        Some(commit) => Ok((tag.to_owned(), commit)),
        None => wrong!("git knows no tag `{tag}`: fetch it with `git fetch origin tag {tag}`"),
    }
}

fn head(processes: &Processes, root: &Utf8Path, branch: &str) -> Result<(String, String)> {
    let names = [("refs/remotes/origin/", "origin/"), ("refs/heads/", "")];
    for (place, short) in names {
        if let Some(commit) = git::commit_of(processes, root, &format!("{place}{branch}"))? {
            return Ok((format!("{short}{branch}"), commit));
        }
    }
    wrong!(
        "git knows no branch `{branch}` (`dev-branch` in the manifest), here or of `origin`: \
         fetch it with `git fetch origin {branch}:refs/remotes/origin/{branch}`"
    )
}

/// The manifest relative to the root.
fn below(root: &Utf8Path, manifest: &Utf8Path) -> Result<Utf8PathBuf> {
    let (root, file) = (root.canonicalize_utf8()?, manifest.canonicalize_utf8()?);
    match file.strip_prefix(&root) {
        Ok(path) => Ok(path.to_owned()),
        Err(_) => Err(Wrong(format!("`{file}` is not in the repository `{root}`")).into()),
    }
}
