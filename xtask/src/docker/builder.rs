//! What a builder can do, asked before it is needed (DESIGN 4.8).

use super::Docker;
use crate::process::Processes;
use anyhow::Result;

/// What a plan needs of a builder beyond building for its own platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Export of caches to a registry
    pub cache_export: bool,
    /// Several platforms in one image
    pub several_platforms: bool,
}

/// Refuses a builder that cannot do what is wanted. Only the docker driver without the containerd
/// image store cannot.
pub fn check(
    docker: &Docker,
    processes: &Processes,
    builder: Option<&str>,
    wanted: Wanted,
) -> Result<()> {
    if wanted == Wanted::default() {
        return Ok(());
    }
    let inspect = docker.buildx("ask what the builder can do").args(["inspect"]);
    let description = processes.read(&inspect.args(builder))?;
    let info = docker.command("ask for the image store").args([
        "info",
        "--format",
        "{{json .DriverStatus}}",
    ]);
    if driver(&description) != Some("docker")
        || processes.read(&info)?.contains("io.containerd.snapshotter")
    {
        return Ok(());
    }
    let what = if wanted.cache_export { "export a cache" } else { "build for several platforms" };
    let name = builder.unwrap_or("default");
    wrong!(
        "the builder `{name}` (driver docker, without the containerd image store) cannot {what}\n\
         make one that can: `docker buildx create --name xtask --driver docker-container`, \
         and say `--builder xtask`"
    )
}

/// The driver in what `docker buildx inspect` prints.
fn driver(description: &str) -> Option<&str> {
    description.lines().find_map(|line| line.strip_prefix("Driver:")).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_is_read() {
        assert_eq!(driver("Name:          default\nDriver:        docker\nLast"), Some("docker"));
        assert_eq!(driver("Name: x\nDriver: docker-container\n"), Some("docker-container"));
        assert_eq!(driver(""), None);
    }
}
