//! Options of bases.

use clap::{Args, Subcommand};

pub(super) const BASES_HELP: &str = "\
The lock file is bases.lock beside the manifest. What is in it is built on by its digest, until
`bases update` moves it; what is not is looked up in every run.

Examples:
  cargo xtask bases update                      lock all bases to what they are now
  cargo xtask bases update debian:trixie-slim   one of them
  cargo xtask bases check --fail                for CI: exit code 1 if `update` would move something";

/// What of bases.
#[derive(Clone, Debug, Subcommand)]
pub enum BasesTask {
    /// Lock bases to their newest content. One that is made from Debian's packages is made anew and
    /// pushed to <registry>/bases
    Update(BasesUpdate),
    /// Tell which bases are no longer what they are locked to
    Check(BasesCheck),
    /// Tell what bases are locked to; no registry is asked
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Options of bases update.
#[derive(Args, Clone, Debug, Default)]
pub struct BasesUpdate {
    /// Bases of the manifest [default: all]
    #[arg(value_name = "BASE")]
    pub names: Vec<String>,
    /// Take it from there [default: from where it is locked; else from the hub if it answers within
    /// 2 s, else made]
    #[arg(long, value_name = "SOURCE", value_parser = ["hub", "bootstrap"])]
    pub from: Option<String>,
    /// Where made bases are pushed, instead of the manifest's registry [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// Print what would move; make, push and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print what moved as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of bases check.
#[derive(Args, Clone, Debug, Default)]
pub struct BasesCheck {
    /// Exit with 1 unless every base is locked, and known to be what it is locked to
    #[arg(long)]
    pub fail: bool,
    /// Where made bases are looked up, instead of the manifest's registry [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
