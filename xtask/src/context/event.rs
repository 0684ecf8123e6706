//! What caused the run. Pure: the environment and the payload are arguments.
//!
//! The rule is DESIGN 4.3's: an event that fits no row is an error, never a guess.

use crate::error::Wrong;
use anyhow::Result;
use semver::Version;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// What caused the run, and who may be behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which row of the table
    pub kind: Kind,
    /// The full git ref that it is about, for example `refs/heads/dev`; a local run has none
    pub git_ref: Option<String>,
    /// The commit that GitHub says; `None` where HEAD is meant
    pub revision: Option<String>,
    /// Whether somebody else's repository wrote the code
    pub fork: bool,
}

/// A row of DESIGN 4.3's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person at a desk
    Local,
    /// A pull request or a merge group
    Pr,
    /// A push to the dev branch
    Dev,
    /// A version tag
    Release(Version),
}

impl Kind {
    /// The name in the plan: `local`, `pr`, `dev`, `release`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Pr => "pr",
            Self::Dev => "dev",
            Self::Release(_) => "release",
        }
    }

    /// Whether such a run publishes images.
    pub fn pushes(&self) -> bool {
        matches!(self, Self::Dev | Self::Release(_))
    }

    /// Reads `--event`: `local`, `pr`, `dev`, `release:v1.2.3`.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(match text.split_once(':') {
            None if text == "local" => Self::Local,
            None if text == "pr" => Self::Pr,
            None if text == "dev" => Self::Dev,
            Some(("release", tag)) => Self::Release(version_of_tag(tag)?),
            _ => wrong!("unknown event `{text}`: use `local`, `pr`, `dev` or `release:vX.Y.Z`"),
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Release(version) => write!(f, "release:v{version}"),
            other => f.write_str(other.name()),
        }
    }
}

/// The version that a tag `vX.Y.Z` names (<https://semver.org>, with the leading `v`).
pub fn version_of_tag(tag: &str) -> Result<Version> {
    let Some(number) = tag.strip_prefix('v') else {
        wrong!("the tag `{tag}` is no version: a version tag is `vX.Y.Z`, for example `v1.2.3`");
    };
    let version = Version::parse(number).map_err(|e| {
        Wrong(format!("the tag `{tag}` is no version ({e}): a version tag is `vX.Y.Z`"))
    })?;
    if !version.build.is_empty() {
        wrong!(
            "the version `{tag}` has build metadata (`+{}`), which no image tag can hold: \
             use a pre-release such as `-rc.1`, or leave it out",
            version.build
        );
    }
    if tag.len() > 128 {
        wrong!("the version `{tag}` is longer than an image tag may be (128 characters)");
    }
    Ok(version)
}

/// Finds the event in what was asked for and in GitHub's environment.
///
/// `asked` is `--event`. Where it is given the revision is HEAD, never GITHUB_SHA. A pull request
/// stays one whatever is asked: it never publishes.
pub fn find(
    asked: Option<&str>,
    env: &BTreeMap<String, String>,
    payload: Option<&Value>,
    dev_branch: &str,
) -> Result<Event> {
    let var = |name: &str| env.get(name).map(String::as_str).filter(|v| !v.is_empty());
    let on_github = var("GITHUB_ACTIONS") == Some("true");
    let name = if on_github { var("GITHUB_EVENT_NAME").unwrap_or_default() } else { "" };
    if let Some(asked) = asked {
        let kind = Kind::parse(asked)?;
        let pull = ["pull_request", "pull_request_target", "merge_group"].contains(&name);
        if pull && kind.pushes() {
            wrong!(
                "`--event {asked}` is refused: this run was caused by `{name}`, and pull requests never publish"
            );
        }
        let fork = pull && name != "merge_group" && is_fork(payload);
        return Ok(Event { git_ref: ref_of(&kind, dev_branch), kind, revision: None, fork });
    }
    if !on_github {
        return Ok(Event { kind: Kind::Local, git_ref: None, revision: None, fork: false });
    }
    let git_ref = var("GITHUB_REF").map(str::to_owned);
    let revision = var("GITHUB_SHA").map(str::to_owned);
    match name {
        "pull_request" => Ok(Event { kind: Kind::Pr, git_ref, revision, fork: is_fork(payload) }),
        "merge_group" => Ok(Event { kind: Kind::Pr, git_ref, revision, fork: false }),
        "push" => {
            let kind = pushed(git_ref.as_deref().unwrap_or_default(), payload, dev_branch)?;
            Ok(Event { kind, git_ref, revision, fork: false })
        }
        "schedule" | "workflow_dispatch" | "repository_dispatch" => wrong!(
            "a run caused by `{name}` is on the repository's default branch and implies nothing: \
             check the wanted branch out and say `--event dev` (or `pr`, `release:vX.Y.Z`)"
        ),
        "pull_request_target" => wrong!(
            "`pull_request_target` gives a fork's code this repository's secrets: \
             let the workflow run `on: pull_request`"
        ),
        "" => wrong!("GITHUB_ACTIONS is set but GITHUB_EVENT_NAME is not: say `--event`"),
        _ => wrong!("nothing is said about runs caused by `{name}`: say `--event`"),
    }
}

fn pushed(git_ref: &str, payload: Option<&Value>, dev_branch: &str) -> Result<Kind> {
    if payload.and_then(|p| p["deleted"].as_bool()) == Some(true) {
        wrong!("`{git_ref}` was deleted: there is nothing to build");
    }
    if let Some(branch) = git_ref.strip_prefix("refs/heads/") {
        if branch == dev_branch {
            return Ok(Kind::Dev);
        }
        wrong!(
            "a push to the branch `{branch}` publishes nothing: only `{dev_branch}` \
             (`dev-branch` in the manifest) and tags `vX.Y.Z` do"
        );
    }
    match git_ref.strip_prefix("refs/tags/") {
        Some(tag) => Ok(Kind::Release(version_of_tag(tag)?)),
        None => wrong!("cannot tell what was pushed: GITHUB_REF is `{git_ref}`"),
    }
}

fn ref_of(kind: &Kind, dev_branch: &str) -> Option<String> {
    match kind {
        Kind::Local | Kind::Pr => None,
        Kind::Dev => Some(format!("refs/heads/{dev_branch}")),
        Kind::Release(version) => Some(format!("refs/tags/v{version}")),
    }
}

/// A pull request is a fork's unless the payload says that both repositories are the same:
/// a payload that is absent, or a head repository that was deleted, is not to be trusted.
fn is_fork(payload: Option<&Value>) -> bool {
    let Some(payload) = payload else { return true };
    let head = payload["pull_request"]["head"]["repo"]["full_name"].as_str();
    let base = payload["pull_request"]["base"]["repo"]["full_name"].as_str();
    let base = base.or_else(|| payload["repository"]["full_name"].as_str());
    head.is_none() || head != base
}

#[cfg(test)]
mod tests;
