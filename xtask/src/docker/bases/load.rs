//! Gives a made base to the engine's image store under the name that Dockerfiles use, so that plain
//! `docker build` finds it there.

use super::super::Docker;
use super::super::engine::{Setup, files, sys};
use super::{OciBase, layout};
use crate::process::Command;
use anyhow::Result;
use camino::Utf8Path;
use serde_json::{Value, json};
use std::time::Duration;

/// Loads it unless the engine has it already.
pub fn load(setup: &Setup, docker: &Docker, name: &str, base: &OciBase) -> Result<()> {
    if is_loaded(setup, docker, name, base) {
        return Ok(());
    }
    let temporary = files::fresh_folder_beside(&base.layout.with_extension("load"))?;
    let loaded = load_from(setup, docker, name, base, &temporary);
    files::remove_folder(&temporary)?;
    loaded
}

/// Brings a base that stands in the registry under a digest, unless the engine has it already.
pub fn pull(setup: &Setup, docker: &Docker, name: &str, image: &str) -> Result<()> {
    let call = |purpose: &str, args: &[&str]| {
        let command = docker.command(format!("{purpose} the base `{name}`")).args(args.to_vec());
        setup.processes.read(&command)
    };
    let digest = image.rsplit('@').next().unwrap_or_default();
    let there = call("look for", &["image", "inspect", "--format", "{{.Id}}", name]);
    if there.is_ok_and(|id| id == digest) {
        return Ok(());
    }
    call("pull", &["pull", "--quiet", image])?;
    call("name", &["tag", image, name]).map(drop)
}

fn is_loaded(setup: &Setup, docker: &Docker, name: &str, base: &OciBase) -> bool {
    let id = match &docker.private {
        Some(engine) => id_in_private(&engine.instance.socket(), name),
        None => {
            let command = docker
                .command(format!("look for the image `{name}`"))
                .args(["image", "inspect", "--format", "{{.Id}}", name]);
            setup.processes.read(&command).ok()
        }
    };
    id.is_some_and(|id| layout::digests_of(&base.layout, &base.digest).contains(&id))
}

/// Without the client, which takes longer to start than the engine to answer.
fn id_in_private(socket: &Utf8Path, name: &str) -> Option<String> {
    let answer = sys::get(socket, &format!("/images/{name}/json"), Duration::from_secs(2))?;
    let image: Value = serde_json::from_str(&answer).ok()?;
    image["Id"].as_str().map(str::to_owned)
}

fn load_from(
    setup: &Setup,
    docker: &Docker,
    name: &str,
    base: &OciBase,
    temporary: &Utf8Path,
) -> Result<()> {
    let annotations = json!({
        "io.containerd.image.name": full_name(name),
        "org.opencontainers.image.ref.name": tag_of(name),
    });
    // Not the layout's own index: that names what was made last, and the lock file may name another.
    let index = layout::naming(&base.layout, &base.digest, &annotations)?;
    files::write(&temporary.join("index.json"), index.to_string())?;
    let tar = temporary.join("image.tar");
    let command = Command::new(format!("pack the image `{name}`"), "tar")
        .args(["-cf", tar.as_str(), "-C", temporary.as_str(), "index.json"])
        .args(["-C", base.layout.as_str(), "oci-layout", "blobs"])
        .env("PATH", setup.path());
    setup.processes.run(&command)?;
    let load = docker.command(format!("load the image `{name}`"));
    setup.processes.run(&load.args(["load", "--quiet", "--input", tar.as_str()]))
}

/// `debian:trixie-slim` as containerd writes it.
fn full_name(name: &str) -> String {
    let tag = if tag_of(name).is_empty() { ":latest" } else { "" };
    let host = name
        .split_once('/')
        .map(|(host, _)| host)
        .filter(|host| host.contains(['.', ':']) || *host == "localhost");
    match (host, name.contains('/')) {
        (Some(_), _) => format!("{name}{tag}"),
        (None, true) => format!("docker.io/{name}{tag}"),
        (None, false) => format!("docker.io/library/{name}{tag}"),
    }
}

fn tag_of(name: &str) -> &str {
    let last = name.rsplit('/').next().unwrap_or(name);
    last.split_once(':').map_or("", |(_, tag)| tag)
}

#[cfg(test)]
mod tests {
    use super::full_name;

    #[test]
    fn names_as_containerd_writes_them() {
        for (name, expected) in [
            ("debian:trixie-slim", "docker.io/library/debian:trixie-slim"),
            ("debian", "docker.io/library/debian:latest"),
            ("u/x:1", "docker.io/u/x:1"),
            ("localhost/x", "localhost/x:latest"),
            ("127.0.0.1:5000/x", "127.0.0.1:5000/x:latest"),
            ("ghcr.io/u/x:1", "ghcr.io/u/x:1"),
        ] {
            assert_eq!(full_name(name), expected);
        }
    }
}
