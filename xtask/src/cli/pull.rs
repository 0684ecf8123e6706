//! Options of pull.

use camino::Utf8PathBuf;
use clap::Args;

pub(super) const PULL_HELP: &str = "\
A release is pulled by its record: each image by the digest that it had in that release, whatever has
moved since. Other tags (dev, a commit) are looked up once for each service, and pulled by digest.
Images are named <image>:<tag> in the engine.

Examples:
  cargo xtask pull                              the latest release
  cargo xtask pull git-server --tag dev         one image, as the dev branch has it
  cargo xtask pull --tag v1.2.3 --compose pinned.yml
  docker compose -f docker-compose.yml -f pinned.yml up";

/// Options of pull.
#[derive(Args, Clone, Debug, Default)]
pub struct Pull {
    /// Services and groups [default: all services]
    #[arg(value_name = "SERVICE|GROUP")]
    pub names: Vec<String>,
    /// Which images: latest, X, X.Y, vX.Y.Z, dev, or a commit's full hash
    #[arg(long, value_name = "TAG", default_value = "latest")]
    pub tag: String,
    /// Where images are, instead of the manifest's registry [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// Also write an override for docker compose, with each image by digest
    #[arg(long, value_name = "FILE")]
    pub compose: Option<Utf8PathBuf>,
    /// Only write that file; no Docker is needed
    #[arg(long, requires = "compose")]
    pub no_pull: bool,
    /// Print what would be pulled and written, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
