//! One `docker buildx imagetools create` after the other: one a tag.

use super::Build;
use crate::docker::Docker;
use crate::process::Command;

/// The commit's own tag, which is the last, stands already: the others are made of it.
pub(super) fn commands(build: &Build, docker: &Docker) -> Vec<Command> {
    let Some((commit, tags)) = build.tags.split_last() else { return Vec::new() };
    let moves = build.work.services.iter().flat_map(|service| {
        let from = format!("{}:{commit}", service.image);
        service.names(tags).into_iter().map(move |name| (name, from.clone()))
    });
    let command = |(name, from): (String, String)| {
        let args = ["buildx", "imagetools", "create", "--tag", &name, &from];
        docker.command(format!("make `{name}` by imagetools")).args(args)
    };
    moves.map(command).collect()
}
