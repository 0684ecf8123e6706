//! Whether a version is that of the commit which is checked out.

use super::event::Kind;
use super::facts::World;
use super::git;
use super::tree::is_on_this_machine;
use crate::process::Processes;
use anyhow::Result;

/// Refuses a release of something else than the commit of its tag. Where there is no such tag, a registry
/// on this machine takes HEAD all the same: that is for trying.
pub fn check(processes: &Processes, world: &World) -> Result<()> {
    let Kind::Release(version) = &world.facts.event.kind else { return Ok(()) };
    let tag = format!("v{version}");
    let tagged = git::commit_of(processes, &world.root, &format!("refs/tags/{tag}"))?;
    match (tagged, world.facts.revision.as_deref()) {
        (Some(tagged), Some(head)) if tagged != head => wrong!(
            "{tag} is commit {tagged}, but {head} is checked out: a version is released from its own \
             commit, so go there first, `git switch --detach {tag}`"
        ),
        (None, _) if !is_on_this_machine(&world.facts.registry) => wrong!(
            "there is no tag {tag} here: fetch it, `git fetch --tags`, or make it, `cargo xtask release \
             tag {tag}`"
        ),
        _ => Ok(()),
    }
}
