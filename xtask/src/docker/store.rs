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

/// A name that stands for an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// `<repository>:<tag>`; `<repository>@<digest>` where it was pulled by that alone
    pub name: String,
    /// The repository
    pub repository: String,
    /// The image's id
    pub id: String,
}

/// Every name in the store, each once.
pub fn all(docker: &Docker, processes: &Processes) -> Result<Vec<Stored>> {
    let format = "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}";
    let command = docker.command("list images").args([
        "image",
        "ls",
        "--all",
        "--no-trunc",
        "--digests",
        "--format",
        format,
    ]);
    let mut all: Vec<Stored> = processes.read(&command)?.lines().filter_map(stored).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    // A tag is listed once for each digest.
    all.dedup_by(|a, b| a.name == b.name);
    Ok(all)
}

fn stored(line: &str) -> Option<Stored> {
    let [repository, tag, digest, id] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
    let name = match (repository, tag, digest) {
        ("<none>", ..) | (_, "<none>", "<none>") => return None,
        (_, "<none>", _) => format!("{repository}@{digest}"),
        _ => format!("{repository}:{tag}"),
    };
    Some(Stored { name, repository: repository.into(), id: id.into() })
}

/// The containers, running or not, that use each image, by its id.
pub fn users(docker: &Docker, processes: &Processes) -> Result<BTreeMap<String, Vec<String>>> {
    let list = docker.command("list containers").args(["container", "ls", "--all", "--quiet"]);
    let ids = processes.read(&list)?;
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if ids.is_empty() {
        return Ok(users);
    }
    let inspect = docker
        .command("look for the images of containers")
        .args(["container", "inspect", "--format", "{{.Image}} {{.Name}}"])
        .args(ids.lines());
    // One that went away meanwhile makes it exit with 1, and uses nothing.
    processes.stream(&inspect, &mut |stream, line| {
        if let (Stream::Stdout, Some((image, name))) = (stream, line.split_once(' ')) {
            let name = name.trim_start_matches('/').to_owned();
            users.entry(image.to_owned()).or_default().push(name);
        }
    })?;
    Ok(users)
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

#[cfg(test)]
mod tests {
    use super::stored;

    #[track_caller]
    fn case(line: &str, expected: Option<&str>) {
        assert_eq!(stored(line).map(|it| it.name).as_deref(), expected, "{line}");
    }

    #[test]
    fn names_are_read_from_the_list() {
        case("127.0.0.1:5000/a/web\tfp-1\tsha256:d\tsha256:i", Some("127.0.0.1:5000/a/web:fp-1"));
        case("shop-web\tlocal\t<none>\tsha256:i", Some("shop-web:local"));
        case("x.io/web\t<none>\tsha256:d\tsha256:i", Some("x.io/web@sha256:d"));
        case("x.io/web\t<none>\t<none>\tsha256:i", None);
        case("<none>\t<none>\t<none>\tsha256:i", None);
        case("warning", None);
    }
}
