//! Options of what looks for troubles.

use clap::Args;

pub(super) const DOCTOR_HELP: &str = "\
Looked at: Docker or a private engine, buildx's version, the builder, space on disks, clocks;
the registry, logins, whether an upload can be opened (and is cancelled: no image is pushed),
each cache, its layers and age, packages that only we can read; hubs, contexts, ignore files,
cache mounts, secrets, bases; and on GitHub workflow permissions, the runner's cache and the
depth of the checkout.

Only what is wrong is told, each with what was seen and what mends it; --verbose tells all.
What only hinders pushing is a warning at a desk, and broken in a run that pushes. Exit code 1
if anything is broken.";

/// Options of doctor.
#[derive(Args, Clone, Debug, Default)]
pub struct Doctor {
    /// Services and groups [default: all services]
    #[arg(value_name = "SERVICE|GROUP")]
    pub names: Vec<String>,
    /// This machine is to push: what hinders that is broken
    #[arg(long)]
    pub push: bool,
    /// The registry to look at, instead of the manifest's [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// The buildx builder to look at
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,
    /// Print JSON, with all checks
    #[arg(long)]
    pub json: bool,
}
