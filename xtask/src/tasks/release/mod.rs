//! `release`: from a version tag to images that are one release, and back.

mod notes;
mod project;
mod publish;
mod rollback;
mod status;
mod tag;

use super::Session;
use anyhow::Result;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// What of a release.
#[derive(Clone, Debug, Subcommand)]
pub enum ReleaseTask {
    /// At a desk: check that HEAD may be a version, and push its tag
    #[command(after_help = TAG_HELP)]
    Tag(Tag),
    /// Move a version's tags on all images, and record it: whole or not at all
    Publish(Publish),
    /// Tell what stands where, whether it is whole, and what to do next
    Status(Status),
    /// Take a version back: its shared tags go to the release before
    Rollback(Rollback),
    /// Print what changed since the release before, as Markdown
    Notes(Notes),
}

const TAG_HELP: &str = "\
The tree must be clean, and HEAD the head of the dev branch here and at the remote. A version is
higher than all others; or a backport, the highest of its own X.Y, on a branch of the one before it.
The tag is signed where git is set up so (`tag.gpgSign`).

Examples:
  cargo xtask release tag minor --dry-run       what would be tagged, and with which message
  cargo xtask release tag pre                   the next release candidate
  cargo xtask release tag v1.2.4                a version by its name, for example a backport";

/// Options of release tag.
#[derive(Args, Clone, Debug, Default)]
pub struct Tag {
    /// `vX.Y.Z`; or the next after the highest stable version: major, minor, patch, pre (a release
    /// candidate)
    #[arg(value_name = "VERSION|STEP")]
    pub version: String,
    /// The remote to push to
    #[arg(long, value_name = "NAME", default_value = "origin")]
    pub remote: String,
    /// Print version, commit, message and push, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of release publish.
#[derive(Args, Clone, Debug, Default)]
pub struct Publish {
    /// The version, `vX.Y.Z` [default: the tag that GitHub's environment names]
    pub version: Option<String>,
    /// Where images go, instead of the manifest's registry [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// The buildx builder to use for what is not published yet
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,
    /// Publish a version once more that was taken back
    #[arg(long)]
    pub again: bool,
    /// Print each tag, where it stands and where it would, and move nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of release status.
#[derive(Args, Clone, Debug, Default)]
pub struct Status {
    /// The version, `vX.Y.Z` [default: all of them, and where the shared tags stand]
    pub version: Option<String>,
    /// Where images are, instead of the manifest's registry [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of release rollback.
#[derive(Args, Clone, Debug, Default)]
pub struct Rollback {
    /// The version, `vX.Y.Z`
    pub version: String,
    /// Where images are, instead of the manifest's registry [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Print what would be moved, and move nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of release notes.
#[derive(Args, Clone, Debug, Default)]
pub struct Notes {
    /// The version, `vX.Y.Z`
    pub version: String,
    /// Where records are, instead of the manifest's registry [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
}

/// Does it.
pub(super) fn run(session: &Session, task: &ReleaseTask) -> Result<ExitCode> {
    match task {
        ReleaseTask::Tag(options) => tag::run(session, options),
        ReleaseTask::Publish(options) => publish::run(session, options),
        ReleaseTask::Status(options) => status::run(session, options),
        ReleaseTask::Rollback(options) => rollback::run(session, options),
        ReleaseTask::Notes(options) => notes::run(session, options),
    }
}
