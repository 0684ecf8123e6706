//! What a builder can do, asked before it is needed (DESIGN 4.8).

use super::Docker;
use crate::process::{Failure, Processes};
use anyhow::Result;

/// What a plan needs of a builder beyond building for its own platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Export of caches to a registry
    pub cache_export: bool,
    /// Several platforms in one image
    pub several_platforms: bool,
    /// Images as OCI layouts
    pub oci_layout: bool,
}

/// Refuses a builder that cannot do what is wanted. Only the docker driver without the containerd
/// image store cannot.
pub fn check(
    docker: &Docker,
    processes: &Processes,
    builder: Option<&str>,
    wanted: Wanted,
) -> Result<()> {
    if builder.is_none() && wanted == Wanted::default() {
        return Ok(());
    }
    let inspect = docker.buildx("ask what the builder can do").args(["inspect"]).args(builder);
    let description = match (processes.read(&inspect), builder) {
        (Ok(description), _) => description,
        (Err(error), Some(name)) if error.is::<Failure>() => wrong!(
            "the builder `{name}` cannot be used: see `docker buildx ls` for those that there are\n{error:#}"
        ),
        (Err(error), _) => return Err(error),
    };
    let info = docker.command("ask for the image store").args([
        "info",
        "--format",
        "{{json .DriverStatus}}",
    ]);
    if wanted == Wanted::default() || can_all(&description, || processes.read(&info))? {
        return Ok(());
    }
    let what = match wanted {
        Wanted { cache_export: true, .. } => "export a cache",
        Wanted { several_platforms: true, .. } => "build for several platforms",
        _ => "write an OCI layout",
    };
    let name = builder.unwrap_or("default");
    wrong!(
        "the builder `{name}` (driver docker, without the containerd image store) cannot {what}\n\
         make one that can: `docker buildx create --name xtask --driver docker-container`, \
         and say `--builder xtask`"
    )
}

/// Whether a builder can do everything: any but the docker driver, and that with the containerd image
/// store.
fn can_all(description: &str, driver_status: impl FnOnce() -> Result<String>) -> Result<bool> {
    Ok(driver(description) != Some("docker")
        || driver_status()?.contains("io.containerd.snapshotter"))
}

/// The driver in what `docker buildx inspect` prints.
fn driver(description: &str) -> Option<&str> {
    description.lines().find_map(|line| line.strip_prefix("Driver:")).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn can(description: &str, driver_status: &str, expected: bool) {
        let can = can_all(description, || Ok(driver_status.to_owned())).unwrap();
        assert_eq!(can, expected);
    }

    #[test]
    fn only_the_plain_docker_driver_cannot() {
        let containerd = r#"[["driver-type","io.containerd.snapshotter.v1"]]"#;
        can("Driver: docker\n", r#"[["Backing Filesystem","extfs"]]"#, false);
        can("Driver: docker\n", containerd, true);
        can("Driver: docker-container\n", "", true);
        can("Driver: remote\n", "", true);
    }

    #[test]
    fn the_driver_is_read() {
        assert_eq!(driver("Name:          default\nDriver:        docker\nLast"), Some("docker"));
        assert_eq!(driver("Name: x\nDriver: docker-container\n"), Some("docker-container"));
        assert_eq!(driver(""), None);
    }
}
