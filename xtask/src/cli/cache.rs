//! Options of what looks after caches and old images.

use clap::{Args, Subcommand};

pub(super) const CACHE_HELP: &str = "\
Examples:
  cargo xtask cache status                      what the builder and the registry keep
  cargo xtask cache prune --dry-run             what would go, and why the rest stays
  cargo xtask cache prune --older-than 14d --keep 20";

const PRUNE_HELP: &str = "\
What may go are tags of commits (dev-<sha>, <sha>, build-<sha>) and of fingerprints (fp-…):
those older than --older-than, and those beyond the newest --keep commits (or fingerprints). A
commit's age is the date that git says here (so fetch the whole history), else that of an
index that was built of it; an image's age is when it says that it was built. What cannot be
dated stays, and the newest does.

What stays in any case: `dev`, `latest`, versions, the cache, tags that are none of ours; all
that a release record or an unfinished release names; and every digest that something which
stays refers to, also as a part of an index. Where a registry deletes digests alone, a tag
goes only with all others of its digest. Old cache manifests that no tag stands on go too.
`releases` and `bases` are never touched. One answer that is missing keeps the whole
repository as it is, and ends with exit code 1.

The registry frees the bytes in its own garbage collection. Prune when no run publishes:
registries have no way to take something away only if nobody has named it since. GHCR deletes
by GitHub's packages API alone, which wants a token in GITHUB_TOKEN that may delete packages;
that way is written after its documentation, and was tried on a stand-in only.";

pub(super) const CLEAN_HELP: &str = "\
This project's images are <project>-<service>:local, the names by which Dockerfiles call services,
and <registry>/<service> whatever the tag or digest: what was built, pushed and pulled here. What
stands in registries stays, and so do bases. An image that a container uses, running or not, is
left and named: `cargo xtask down` first. That is no failure. Exit codes: 0 all others are gone;
1 one could not be removed.

Examples:
  cargo xtask clean --dry-run                   what would go, and what is in use
  cargo xtask clean --cache                     and the builder's whole cache";

/// What of caches.
#[derive(Clone, Debug, Subcommand)]
pub enum CacheTask {
    /// Tell what the builder's cache and each tag of the registry cost, and what they share
    Status(CacheStatus),
    /// Take old tags and images away from the registry
    #[command(after_help = PRUNE_HELP)]
    Prune(CachePrune),
}

/// Options of cache status.
#[derive(Args, Clone, Debug, Default)]
pub struct CacheStatus {
    /// Services and groups [default: all services]
    #[arg(value_name = "SERVICE|GROUP")]
    pub names: Vec<String>,
    /// The registry to look into, instead of the manifest's [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// The buildx builder whose cache is told
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of cache prune.
#[derive(Args, Clone, Debug, Default)]
pub struct CachePrune {
    /// Services and groups [default: all services]
    #[arg(value_name = "SERVICE|GROUP")]
    pub names: Vec<String>,
    /// What is older may go: a number and `h`, `d` or `w` [default: 30d, unless --keep is given]
    #[arg(long, value_name = "AGE")]
    pub older_than: Option<String>,
    /// What is beyond the newest so many commits may go
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub keep: Option<u32>,
    /// The registry to prune, instead of the manifest's [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// Tell what would go, and delete nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of clean.
#[derive(Args, Clone, Debug, Default)]
pub struct Clean {
    /// The registry whose images are this project's too, besides the manifest's [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// The builder's whole cache too, also what is of other projects
    #[arg(long)]
    pub cache: bool,
    /// The buildx builder whose cache is meant
    #[arg(long, value_name = "NAME", requires = "cache")]
    pub builder: Option<String>,
    /// Tell what would go, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
}
