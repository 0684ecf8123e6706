//! One `docker buildx build --push` after the other, in order of dependencies.

use super::{Build, as_text, cache_from, cache_to};
use crate::bench::work::Service;
use crate::docker::Docker;
use crate::process::Command;

pub(super) fn commands(build: &Build, docker: &Docker) -> Vec<Command> {
    build.work.services.iter().map(|service| command(build, service, docker)).collect()
}

fn command(build: &Build, service: &Service, docker: &Docker) -> Command {
    let option = |name: &str, value: String| [format!("--{name}"), value];
    // The same folder as in a definition, where the Dockerfile's path is relative to the context.
    let dockerfile = format!("{}/{}", service.context, service.dockerfile);
    let mut args =
        vec![option("file", dockerfile), option("cache-from", as_text(&cache_from(service)))];
    args.extend(
        service.args.iter().map(|(name, value)| option("build-arg", format!("{name}={value}"))),
    );
    let contexts = service.bases.iter().map(|(used, context)| format!("{used}={context}"));
    // What was pushed just before, or is published.
    let others = service.builds_on.iter().filter_map(|(used, other)| {
        let other = build.work.services.iter().find(|service| service.name == *other)?;
        Some(format!("{used}=docker-image://{}:dev", other.image))
    });
    args.extend(contexts.chain(others).map(|context| option("build-context", context)));
    if build.pushes() {
        args.extend(cache_to(service).iter().map(|cache| option("cache-to", as_text(cache))));
        args.extend(service.names(build.tags).into_iter().map(|name| option("tag", name)));
        args.push(option("provenance", "mode=min".into()));
        args.push(option("output", "type=image,push=true".into()));
    } else {
        args.push(option("provenance", "false".into()));
        args.push(option("output", "type=cacheonly".into()));
    }
    docker
        .command(format!("build `{}` by buildx", service.name))
        .args(["buildx", "build"])
        .args(args.concat())
        .args([&service.context])
        .dir(&build.work.root)
}
