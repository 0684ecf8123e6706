//! The repository's own services as work to measure.

use super::super::Session;
use crate::bench::repository::Own;
use crate::context::facts::{self, Asked, World};
use crate::process::Command;
use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

/// Endings of files in which one more empty line at the end is an edit and no error.
const TEXTS: [&str; 12] =
    ["rs", "py", "js", "ts", "go", "java", "rb", "sh", "c", "html", "css", "md"];

/// The repository, which files of it are edited, how many services it has, and its branch.
pub fn find(session: &Session) -> Result<(Own, usize, String)> {
    let world = facts::read_tree(&Asked {
        env: &session.env,
        processes: &session.processes,
        manifest: session.common.manifest.as_deref(),
        event: Some("local"),
        registry: None,
        names: &[],
    })?;
    let standard = world.root.join("services/services.toml");
    if world.manifest.canonicalize_utf8().ok() != standard.canonicalize_utf8().ok() {
        wrong!("`bench` measures what `services/services.toml` names, not `{}`", world.manifest);
    }
    let all = world.facts.select(&[])?;
    let graph = &world.facts.graph;
    let depended: Vec<&String> = all
        .iter()
        .filter(|name| all.iter().any(|other| graph.direct(other).any(|d| d == *name)))
        .collect();
    let leaves = all.iter().filter(|name| !depended.contains(name));
    let leaf = first_text(session, &world, leaves)?;
    let base = first_text(session, &world, depended.iter().copied())?.or_else(|| leaf.clone());
    let (Some(leaf), Some(base)) = (leaf, base) else {
        wrong!(
            "no service has a committed file that could be edited (one of .{}): \
             measure generated services by `--services N`",
            TEXTS.join(", .")
        );
    };
    let branch = world.facts.manifest.project.dev_branch.clone();
    Ok((Own { root: world.root, leaf, base }, all.len(), branch))
}

/// The first committed file of the services that has one of the endings.
fn first_text<'a>(
    session: &Session,
    world: &World,
    services: impl Iterator<Item = &'a String>,
) -> Result<Option<Utf8PathBuf>> {
    for service in services.filter_map(|name| world.facts.service(name)) {
        let args = ["ls-files", "-z", "--", service.context.as_str()];
        let command = Command::new("list files", "git").args(args).dir(&world.root);
        let listed = session.processes.read(&command)?;
        let is_text = |path: &&Utf8Path| path.extension().is_some_and(|e| TEXTS.contains(&e));
        if let Some(path) = listed.split('\0').map(Utf8Path::new).find(is_text) {
            return Ok(Some(path.to_owned()));
        }
    }
    Ok(None)
}
