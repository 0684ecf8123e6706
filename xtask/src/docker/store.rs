//! The engine's own image store: which image a name stands for there.

use super::Docker;
use super::engine::sys;
use crate::parallel;
use crate::process::{Processes, Stream};
use anyhow::Result;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many names are asked for at once.
const AT_ONCE: usize = 4;
/// How long a private engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The id of the image that each name stands for. Names that stand for none are left out.
pub fn ids(
    docker: &Docker,
    processes: &Processes,
    names: &[String],
) -> Result<BTreeMap<String, String>> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let Some(engine) = &docker.private else { return ask_client(docker, processes, names) };
    // Without the client, which takes longer to start than the engine to answer.
    let socket = engine.instance.socket();
    let ask = |name: &String| {
        let answer = sys::get(&socket, &format!("/images/{name}/json"), PATIENCE)?;
        let image: Value = serde_json::from_str(&answer).ok()?;
        Some((name.clone(), image["Id"].as_str()?.to_owned()))
    };
    Ok(parallel::map(AT_ONCE, names, ask).into_iter().flatten().collect())
}

/// Brings an image of a registry into the store, under these names.
pub fn pull(docker: &Docker, processes: &Processes, image: &str, names: &[String]) -> Result<()> {
    let pull = docker.command(format!("pull `{image}`")).args(["pull", "--quiet", image]);
    processes.run(&pull)?;
    for name in names {
        let tag = docker.command(format!("name `{image}`")).args(["tag", image, name]);
        processes.read(&tag)?;
    }
    Ok(())
}

/// The client exits with 1 where one name stands for nothing, and tells of the others all the same.
fn ask_client(
    docker: &Docker,
    processes: &Processes,
    names: &[String],
) -> Result<BTreeMap<String, String>> {
    let command = docker
        .command("look for images")
        .args(["image", "inspect", "--format", "{{.Id}} {{json .RepoTags}}"])
        .args(names.iter().map(String::as_str));
    let mut ids = BTreeMap::new();
    processes.stream(&command, &mut |stream, line| {
        if let (Stream::Stdout, Some((id, tags))) = (stream, line.split_once(' ')) {
            let tags: Vec<String> = serde_json::from_str(tags).unwrap_or_default();
            ids.extend(tags.into_iter().map(|tag| (tag, id.to_owned())));
        }
    })?;
    ids.retain(|name, _| names.contains(name));
    Ok(ids)
}
