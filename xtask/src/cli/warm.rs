//! Options of what makes caches hot.

use clap::Args;

pub(super) const WARM_CACHE_HELP: &str = "\
The commit is read, and built, from a folder of its own below the cache folder: neither the
working tree nor the repository is written to. A registry cache is hot where its manifest is the
one that the claim of this fingerprint names (or that warm-cache wrote for it), and the registry
has every blob of it. A cache that has lost a blob breaks builds: it is left out when it is mended.

Only caches are written: nothing is pushed under a tag of an image, and nothing is claimed. A gha
cache is written along where GitHub's variables are there; whether one is hot nobody can ask. A
service without a fingerprint is never known to be hot. What a registry does not answer is
unknown, neither hot nor cold: exit code 1, and nothing is built for it.

Examples:
  cargo xtask warm-cache                        all services of the dev branch's head
  cargo xtask warm-cache --check                only tell; exit code 1 unless all are hot
  cargo xtask warm-cache --tag v1.2.0 web       one service as it was released";

/// Options of warm-cache.
#[derive(Args, Clone, Debug, Default)]
pub struct WarmCache {
    /// Services and groups [default: all services]
    #[arg(value_name = "SERVICE|GROUP")]
    pub names: Vec<String>,
    /// The commit of this version's tag [default: the head of the dev branch, origin's where there
    /// is one]
    #[arg(long, value_name = "vX.Y.Z")]
    pub tag: Option<String>,
    /// Only tell; exit with 1 unless all are hot. Needs no Docker
    #[arg(long)]
    pub check: bool,
    /// Tell what would be warmed, and change nothing
    #[arg(long, conflicts_with = "check")]
    pub dry_run: bool,
    /// Where caches are, instead of the manifest's registry [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// The buildx builder to use
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
