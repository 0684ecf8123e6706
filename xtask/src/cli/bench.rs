//! Options of bench.

use crate::bench::generate::Base;
use crate::bench::peers::Peer;
use crate::bench::scenario::Scenario;
use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

pub(super) const HELP: &str = "\
A scenario is measured in cases: as `pr` (nothing is pushed) and as `dev` (images, tags and caches
are pushed), on a warm engine and on a fresh one that finds everything in the registry. Requests
and bytes are counted before the registry, for all the same way. It needs a Debian or Ubuntu
machine and root, and leaves nothing behind.

Examples:
  cargo xtask bench
  cargo xtask bench --services 20
  cargo xtask bench --services 100 --scenario noop --peers bake --runs 5 --save noop.json
  cargo xtask bench --services 20 --scenario release
  cargo xtask bench --services 1000 --scenario plan
  cargo xtask bench --services 20 --runs 5 --against noop.json --budget budgets.toml
  cargo xtask bench show noop.json --markdown
  cargo xtask bench generate --services 20 --output /tmp/twenty";

/// What of bench.
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Bench {
    /// Something else than measuring
    #[command(subcommand)]
    pub task: Option<BenchTask>,
    /// What is measured
    #[command(flatten)]
    pub measure: Measure,
}

/// Options of bench itself.
#[derive(Args, Clone, Debug)]
pub struct Measure {
    /// What is measured
    #[arg(
        long,
        value_name = "SCENARIO",
        value_delimiter = ',',
        default_value = "noop,dev-commit,one-edit"
    )]
    pub scenario: Vec<Scenario>,
    /// How many services are generated; without it the repository's own are measured, as they are
    /// committed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub services: Option<u32>,
    /// How often each is run
    #[arg(long, value_name = "R", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub runs: u32,
    /// The others that do the same work; the option without a value: nobody
    #[arg(long, value_name = "PEER", value_delimiter = ',', num_args = 0.., default_value = "bake,compose,loop,imagetools")]
    pub peers: Vec<Peer>,
    /// How many files each context has
    #[arg(long, value_name = "M", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub files: u32,
    /// Another seed gives other content
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// What the Dockerfiles start from
    #[arg(long, value_name = "BASE", default_value = "busybox")]
    pub base: Base,
    /// Write what was measured as JSON, after each scenario
    #[arg(long, value_name = "FILE")]
    pub save: Option<Utf8PathBuf>,
    /// How it is shown
    #[command(flatten)]
    pub shown: Shown,
    /// Print what would be measured, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// How a measurement is shown, and what it is held to.
#[derive(Args, Clone, Debug)]
pub struct Shown {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print a table in Markdown
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// Compare with a measurement that was saved: what got worse is exit code 1
    #[arg(long, value_name = "FILE")]
    pub against: Option<Utf8PathBuf>,
    /// Hold it to budgets, a TOML file of `[[budget]]`: one that is not kept is exit code 1
    #[arg(long, value_name = "FILE")]
    pub budget: Option<Utf8PathBuf>,
}

/// Something else of bench.
#[derive(Clone, Debug, Subcommand)]
pub enum BenchTask {
    /// Write a monorepo of so many services: the same numbers give the same bytes
    Generate(Generate),
    /// Show a measurement that was saved
    Show(Show),
}

/// Options of bench show.
#[derive(Args, Clone, Debug)]
pub struct Show {
    /// What `--save` wrote
    #[arg(value_name = "FILE")]
    pub file: Utf8PathBuf,
    /// How it is shown
    #[command(flatten)]
    pub shown: Shown,
}

/// Options of bench generate.
#[derive(Args, Clone, Debug)]
pub struct Generate {
    /// How many services
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub services: u32,
    /// How many files each context has (1 MB in all)
    #[arg(long, value_name = "M", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub files: u32,
    /// The folder to write into; it must be empty or absent
    #[arg(long, value_name = "DIR", default_value = "target/xtask/generated")]
    pub output: Utf8PathBuf,
    /// Another seed gives other content
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// What the Dockerfiles start from
    #[arg(long, value_name = "BASE", default_value = "busybox")]
    pub base: Base,
    /// Print the paths and sizes, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}
