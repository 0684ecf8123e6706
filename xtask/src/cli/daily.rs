//! Options of what one does with the services every day.

use clap::Args;

pub(super) const UP_HELP: &str = "\
The images are built as by build-images, then compose starts the services on them, from the
docker-compose.yml that `cargo xtask compose` writes. With --watch it goes on: an edit of what
an image is made of (what .dockerignore leaves out is no part of it) builds that image and
those that build on it anew, and makes the containers of exactly these anew. A build that
fails is shown, and the next edit is waited for. Ctrl-C ends the watch; the services go on
until `cargo xtask down`.

Examples:
  cargo xtask up                                all services, in the background
  cargo xtask up --watch git-server             one of them, rebuilt as it is edited
  cargo xtask logs -f git-server";

/// Options of up.
#[derive(Args, Clone, Debug, Default)]
pub struct Up {
    /// Services and groups; compose starts what they depend on too [default: all services]
    #[arg(value_name = "SERVICE|GROUP")]
    pub names: Vec<String>,
    /// Go on, and rebuild and restart what edits touch
    #[arg(long, short, conflicts_with = "dry_run")]
    pub watch: bool,
    /// Where published images are looked for, instead of the manifest's registry [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// The buildx builder to use
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,
    /// Print what would be built and started, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of down.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Down {
    /// Remove the volumes too, with what is in them
    #[arg(long)]
    pub volumes: bool,
    /// Print the command, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of logs.
#[derive(Args, Clone, Debug, Default)]
pub struct Logs {
    /// Services and groups [default: all services]
    #[arg(value_name = "SERVICE|GROUP")]
    pub names: Vec<String>,
    /// Go on as they print more
    #[arg(long, short)]
    pub follow: bool,
    /// Only so many of the last lines of each
    #[arg(long, value_name = "N")]
    pub tail: Option<u32>,
}
