//! Whether a version may be given to HEAD. Nothing is written; each refusal has its next step.

use super::super::super::Session;
use super::Checked;
use crate::context::git;
use crate::context::refs::{self, Remote, Tags};
use crate::plan::next_version::{Place, Wanted, before, highest_stable, place};
use crate::report::count;
use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;
use semver::Version;
use std::collections::BTreeSet;

/// How many uncommitted paths are named.
const NAMED: usize = 5;

/// What is checked out, and what the remote has.
pub struct Desk<'a> {
    session: &'a Session,
    root: Utf8PathBuf,
    dev_branch: String,
    remote_name: String,
    branch: String,
    head: String,
    here: Tags,
    remote: Remote,
    /// Versions of here and there
    versions: BTreeSet<Version>,
}

impl<'a> Desk<'a> {
    /// Reads it. What needs no network is checked before it is used.
    pub fn read(
        session: &'a Session,
        root: Utf8PathBuf,
        remote_name: &str,
        dev_branch: String,
    ) -> Result<Self> {
        let processes = &session.processes;
        let Some(head) = git::head(processes, &root)? else {
            wrong!("there is no commit yet: a version is a commit");
        };
        let Some(branch) = refs::branch(processes, &root)? else {
            wrong!(
                "HEAD is on no branch (it is the commit {}): go to one, `git switch {dev_branch}`",
                short(&head)
            );
        };
        is_clean(&refs::uncommitted(processes, &root)?)?;
        let remotes = refs::remotes(processes, &root)?;
        if !remotes.iter().any(|remote| remote == remote_name) {
            let others = match remotes.is_empty() {
                true => format!("add it, `git remote add {remote_name} URL`"),
                false => format!("name one with `--remote` ({})", remotes.join(", ")),
            };
            wrong!("there is no remote `{remote_name}` to push to: {others}");
        }
        let remote = refs::remote(processes, &root, &session.env, remote_name, &branch)
            .context("nothing is tagged")?;
        let here = refs::tags(processes, &root)?;
        let versions = here.keys().chain(remote.tags.keys()).cloned().collect();
        let remote_name = remote_name.to_owned();
        Ok(Self { session, root, dev_branch, remote_name, branch, head, here, remote, versions })
    }

    /// The tag that may be made.
    pub fn check(self, wanted: &Wanted) -> Result<Checked> {
        if !matches!(wanted, Wanted::Given(_)) {
            self.counts_from_what_is_pushed()?;
            self.is_new(wanted)?;
        }
        let version = wanted.version(&self.versions)?;
        self.is_free(&version)?;
        match place(&version, &self.versions) {
            Place::Highest => self.is_on_dev_branch(&version)?,
            Place::Backport { after } => self.is_backport(&version, after)?,
            Place::NewLine { highest } => wrong!(
                "v{version} is lower than v{highest}, and there is no other v{}.{}.* that it could \
                 be a backport of: release a higher version, `cargo xtask release tag patch`",
                version.major,
                version.minor
            ),
            Place::Behind { highest } => wrong!(
                "v{version} is lower than v{highest}, which is there already: release a higher version"
            ),
        }
        self.is_up_to_date()?;
        let before = match before(&version, &self.versions) {
            Some(before) => Some((before.clone(), self.known_commit(before)?.to_owned())),
            None => None,
        };
        let Self { root, remote_name: remote, branch, head: commit, .. } = self;
        Ok(Checked { root, remote, branch, version, commit, before })
    }

    /// A step from a tag that never left this clone would leave versions out.
    fn counts_from_what_is_pushed(&self) -> Result<()> {
        let highest = [highest_stable(&self.versions), self.versions.last()];
        let mut own = highest.into_iter().flatten().filter(|v| !self.remote.tags.contains_key(v));
        own.try_for_each(|version| self.is_free(version))
    }

    /// A step asked for twice would give one commit two versions.
    fn is_new(&self, wanted: &Wanted) -> Result<()> {
        let counts = |version: &&Version| match wanted {
            Wanted::Given(_) => false,
            Wanted::Pre => true,
            Wanted::Major | Wanted::Minor | Wanted::Patch => version.pre.is_empty(),
        };
        let mut of_head = self
            .versions
            .iter()
            .filter(|version| self.commit_of(version).is_some_and(|commit| *commit == self.head));
        match of_head.rfind(counts) {
            None => Ok(()),
            Some(version) => wrong!(
                "HEAD is v{version} already, and nothing was committed since: to give it another \
                 version all the same, name that one, `cargo xtask release tag vX.Y.Z`"
            ),
        }
    }

    fn is_free(&self, version: &Version) -> Result<()> {
        let remote = &self.remote_name;
        if let Some(there) = self.remote.tags.get(version) {
            if there.commit == self.head {
                wrong!(
                    "v{version} is at `{remote}` already, and it is HEAD: nothing is left to do; \
                     `cargo xtask release status v{version}` tells whether it is released"
                );
            }
            wrong!(
                "v{version} is at `{remote}` already, and it is the commit {}: a version is given \
                 once, release the next one",
                short(&there.commit)
            );
        }
        if let Some(here) = self.here.get(version) {
            let commit = short(&here.commit);
            let which = if here.commit == self.head { "it is HEAD" } else { "it is not HEAD" };
            wrong!(
                "v{version} is a tag here, but not at `{remote}` (the commit {commit}; {which}): if it \
                 is a leftover, `git tag --delete v{version}` and run this again"
            );
        }
        Ok(())
    }

    fn is_on_dev_branch(&self, version: &Version) -> Result<()> {
        let Self { branch, dev_branch, .. } = self;
        if branch == dev_branch {
            return Ok(());
        }
        wrong!(
            "v{version} is higher than all versions and so belongs on `{dev_branch}` (`dev-branch` in \
             the manifest), not on `{branch}`: `git switch {dev_branch}`, or name the version if you \
             mean a backport"
        )
    }

    /// The branch comes from the line's last version and from no higher one.
    fn is_backport(&self, version: &Version, after: &Version) -> Result<()> {
        let after_commit = self.known_commit(after)?;
        let (processes, root) = (&self.session.processes, &self.root);
        let contains = |commit: &str| refs::is_ancestor(processes, root, commit, &self.head);
        if !contains(after_commit)? {
            wrong!(
                "v{version} would be a backport, but v{after} is not in the history of `{}`: go to a \
                 branch of it, `git switch --create {}.{}.x v{after}`",
                self.branch,
                version.major,
                version.minor
            );
        }
        for higher in self.versions.iter().rev().take_while(|other| *other > version) {
            if self.commit_of(higher).map(contains).transpose()? == Some(true) {
                wrong!(
                    "v{version} would be a backport, but `{}` has the higher v{higher} in its history: \
                     go to a branch of v{after}, `git switch --create {}.{}.x v{after}`",
                    self.branch,
                    version.major,
                    version.minor
                );
            }
        }
        Ok(())
    }

    fn is_up_to_date(&self) -> Result<()> {
        let Self { branch, remote_name: remote, head, .. } = self;
        let Some(theirs) = &self.remote.head else {
            wrong!(
                "`{remote}` has no branch `{branch}`: push it first, `git push {remote} {branch}`"
            );
        };
        if theirs == head {
            return Ok(());
        }
        let (processes, root) = (&self.session.processes, &self.root);
        let pull = format!("`git pull {remote} {branch}`");
        if refs::is_ancestor(processes, root, theirs, head)? {
            wrong!(
                "`{branch}` has commits that `{remote}` does not have: push them first, \
                 `git push {remote} {branch}`, and let them be tested"
            );
        }
        if refs::is_ancestor(processes, root, head, theirs)?
            || git::commit_of(processes, root, theirs)?.is_none()
        {
            wrong!(
                "`{remote}` has commits on `{branch}` that are not here: get them first, {pull}"
            );
        }
        wrong!(
            "`{branch}` and `{remote}`'s have gone different ways: bring them together first, {pull}"
        )
    }

    /// The commit of a version; where they differ, that of the remote.
    fn commit_of(&self, version: &Version) -> Option<&str> {
        let tagged = self.remote.tags.get(version).or_else(|| self.here.get(version));
        tagged.map(|tagged| tagged.commit.as_str())
    }

    /// The same, of a version that git must have here.
    fn known_commit(&self, version: &Version) -> Result<&str> {
        let commit = self.commit_of(version).unwrap_or_default();
        if git::commit_of(&self.session.processes, &self.root, commit)?.is_none() {
            wrong!(
                "v{version} is not here yet: get it first, `git fetch --tags {}` (with `--unshallow` \
                 if the clone is shallow)",
                self.remote_name
            );
        }
        Ok(commit)
    }
}

fn is_clean(uncommitted: &[String]) -> Result<()> {
    let Some(first) = uncommitted.get(..uncommitted.len().min(NAMED)) else { return Ok(()) };
    if first.is_empty() {
        return Ok(());
    }
    let more = uncommitted.len() - first.len();
    let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    wrong!(
        "{} not committed: commit or stash them first, a version is a commit\n  {}{more}",
        match uncommitted.len() {
            1 => "1 file is".to_owned(),
            files => format!("{} are", count(files, "file")),
        },
        first.join("\n  ")
    )
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
