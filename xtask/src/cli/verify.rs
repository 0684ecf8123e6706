//! Options of verify.

use clap::Args;

pub(super) const VERIFY_HELP: &str = "\
Each image is built twice without any cache, and compared with the published image of its
fingerprint, file by file: path, kind, mode, owner, content, and the configuration. Times are left
out. What differs between the two builds is unstable, and proves nothing. What is the same in both,
but not in the published image, is explained where packages of other versions are installed (the
world outside has moved), and else it is a wrong skip: exit code 1.

Each image stands on the published images of the services that it builds on, so that it is judged
alone. An argument of `volatile-args` has another value in the second build, so that what depends
on it is unstable; secrets are as they are, and cache mounts of RUN as the builder has them. Where
nothing is published of a fingerprint, nothing is skipped, and there is nothing to prove: exit code 0.

Images are written below target/xtask/verify, and removed at the end: free space of about twice
their size is needed. Layers are decompressed by `gzip` and `zstd`.

Examples:
  cargo xtask verify                            all services
  cargo xtask verify git-server --json          one, with every path that differs
  cargo xtask verify git-server --against dev   with what `dev` is now";

/// Options of verify.
#[derive(Args, Clone, Debug, Default)]
pub struct Verify {
    /// Services and groups [default: all services]
    #[arg(value_name = "SERVICE|GROUP")]
    pub names: Vec<String>,
    /// Compare with this tag instead of the image of the fingerprint; one that is absent is an error
    #[arg(long, value_name = "TAG")]
    pub against: Option<String>,
    /// Where images are, instead of the manifest's registry [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// The buildx builder to use
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,
    /// Print JSON, with all differences
    #[arg(long)]
    pub json: bool,
}
