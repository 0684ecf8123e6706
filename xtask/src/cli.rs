//! The whole command line in one place (DESIGN 4.1). It says what was asked for; tasks do it.

mod bases;
mod bench;
mod cache;
mod compare;
mod completions;
mod daily;
mod doctor;
mod gate;
mod pull;
mod report;
mod verify;
mod warm;

pub use bases::{BasesCheck, BasesTask, BasesUpdate};
pub use bench::{Bench, BenchTask, Generate, Measure, Show, Shown};
pub use cache::{CachePrune, CacheStatus, CacheTask, Clean};
pub use compare::{Affected, Matrix, Why};
pub use completions::{Complete, Completions, Names, Shell, candidates};
pub use daily::{Down, Logs, Up};
pub use doctor::Doctor;
pub use gate::Gate;
pub use pull::Pull;
pub use report::Report;
pub use verify::Verify;
pub use warm::WarmCache;

use crate::tasks::engine::EngineTask;
use crate::tasks::release::ReleaseTask;
use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};

/// Build, cache and release this repository's container images.
///
/// What images there are stands in services/services.toml. Data goes to standard output, everything
/// else to standard error. Exit codes: 0 done, 1 a step failed, 2 the request or the manifest is
/// wrong and nothing was run, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub task: Task,
    /// Options that every task takes
    #[command(flatten)]
    pub common: Common,
}

/// Options that every task takes.
#[derive(Args, Clone, Debug, Default)]
pub struct Common {
    /// The manifest; the root is the repository that it is in [default: services/services.toml of the
    /// repository that the working folder is in]
    #[arg(long, global = true, value_name = "FILE")]
    pub manifest: Option<Utf8PathBuf>,
    /// Say nothing but errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say every command line as it is run, and every step of a build
    #[arg(long, short, global = true)]
    pub verbose: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Build images, and load or publish them as the event says
    #[command(after_help = BUILD_HELP)]
    BuildImages(BuildImages),
    /// Print what build-images would do; the same as build-images --dry-run
    Plan(BuildImages),
    /// Print what tells each image from all others: all that goes into it, as one number
    #[command(after_help = FINGERPRINT_HELP)]
    Fingerprint(Fingerprint),
    /// From a version tag to images that are one release, and back
    Release {
        /// What to do
        #[command(subcommand)]
        task: ReleaseTask,
    },
    /// Bring published images into the engine, all of one release
    #[command(after_help = pull::PULL_HELP)]
    Pull(Pull),
    /// Print the services whose images differ from those of a commit, and why
    #[command(after_help = compare::AFFECTED_HELP)]
    Affected(Affected),
    /// Print what has changed between the tree and what is published
    #[command(after_help = compare::WHY_HELP)]
    Why(Why),
    /// Print services spread over the jobs of a workflow
    #[command(after_help = compare::MATRIX_HELP)]
    Matrix(Matrix),
    /// Tell whether all jobs of a workflow went well: the one check to require
    #[command(after_help = gate::GATE_HELP)]
    Gate(Gate),
    /// What Dockerfiles start from, and the lock file that holds it to one content
    #[command(after_help = bases::BASES_HELP)]
    Bases {
        /// What of it
        #[command(subcommand)]
        task: BasesTask,
    },
    /// Prove that skips are right: build anew, twice, and compare with what is published
    #[command(after_help = verify::VERIFY_HELP)]
    Verify(Verify),
    /// Make the registry caches hot for the dev branch or a release, where they are cold
    #[command(after_help = warm::WARM_CACHE_HELP)]
    WarmCache(WarmCache),
    /// Print what came of a past run, draw its timeline, and say what became slower since another
    #[command(after_help = report::REPORT_HELP)]
    Report(Report),
    /// Build the images and start the services on them; with --watch again after each edit
    #[command(after_help = daily::UP_HELP)]
    Up(Up),
    /// Stop the services
    Down(Down),
    /// Print what services have printed
    Logs(Logs),
    /// Look for what is wrong here, and say what mends it
    #[command(after_help = doctor::DOCTOR_HELP)]
    Doctor(Doctor),
    /// What caches and old images cost, and taking them away
    #[command(after_help = cache::CACHE_HELP)]
    Cache {
        /// What of them
        #[command(subcommand)]
        task: CacheTask,
    },
    /// Remove this project's images from the engine, and what runs left under target/xtask
    #[command(after_help = cache::CLEAN_HELP)]
    Clean(Clean),
    /// Write docker-compose.yml from the manifest
    Compose(Compose),
    /// Print the JSON schema of services.toml, for editors
    Schema,
    /// Print the script by which a shell completes `cargo xtask`, with the names of services
    Completions(Completions),
    /// Print what the last of some words can become
    #[command(hide = true)]
    Complete(Complete),
    /// Measure this program beside others at the same work, each on a private engine of its own
    #[command(after_help = bench::HELP)]
    Bench(Bench),
    /// Run all checks and tests, as CI does
    Test(Test),
    /// A Docker of our own, from Debian's packages; nothing is installed
    Engine {
        /// What to do with it
        #[command(subcommand)]
        task: EngineTask,
    },
}

const BUILD_HELP: &str = "\
An image is built only where no image of its fingerprint is there (see `fingerprint --help`). A
pull request skips what is published, dev and releases promote it, and a run at a desk skips what
the engine has. A registry that does not answer is never taken for one that has the image. `plan`
says what is done for each service, and why. --force, --no-skip and --no-cache build all the same.

Examples:
  cargo xtask build-images                      all images, loaded as <project>-<service>:local
  cargo xtask build-images git-server           one image, and what it builds on
  cargo xtask build-images --event pr           as a pull request would: nothing is loaded or pushed
  cargo xtask build-images --event dev --dry-run --json";

const FINGERPRINT_HELP: &str = "\
An image has a fingerprint where all that goes into it can be told: the Dockerfile, every file
that is sent, arguments, external images by digest, and the services that it builds on. Else the
line says why it has none.

Examples:
  cargo xtask fingerprint                       one line a service
  cargo xtask fingerprint git-server --explain  what it is made of, to be compared with diff";

/// Options of fingerprint.
#[derive(Args, Clone, Debug, Default)]
pub struct Fingerprint {
    /// Services and groups [default: all services]
    #[arg(value_name = "SERVICE|GROUP")]
    pub names: Vec<String>,
    /// Where shared bases are looked up, instead of the manifest's registry [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// Print the records that it is made of, one a line
    #[arg(long)]
    pub explain: bool,
    /// Print JSON, with the digest of each part
    #[arg(long)]
    pub json: bool,
}

/// Options of build-images and plan.
#[derive(Args, Clone, Debug, Default)]
pub struct BuildImages {
    /// Services and groups, also several in one argument; what they build on is taken along
    /// [default: all services]
    #[arg(value_name = "SERVICE|GROUP", value_delimiter = ' ')]
    pub names: Vec<String>,
    /// What the run is to be taken for: local, pr, dev or release:vX.Y.Z. The revision is then HEAD
    /// [default: what GitHub's environment says, else local]
    #[arg(long, value_name = "EVENT")]
    pub event: Option<String>,
    /// Where images go, instead of the manifest's registry [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// The buildx builder to use
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,
    /// Build what is named (all, where nothing is), even though its image is there already
    #[arg(long)]
    pub force: bool,
    /// Build all of it, also what it builds on, whatever is there already
    #[arg(long)]
    pub no_skip: bool,
    /// Build every step anew; what is named is built even though its image is there already
    #[arg(long)]
    pub no_cache: bool,
    /// In a run at a desk: take what is published from the registry instead of building it
    #[arg(long)]
    pub pull: bool,
    /// Load the images into the engine also where the event does not (pr)
    #[arg(long)]
    pub load: bool,
    /// Load the images, and run in each what `test` in the manifest says; one that fails has failed
    #[arg(long)]
    pub test: bool,
    /// Push nothing and move no tag, also where the event would
    #[arg(long)]
    pub no_push: bool,
    /// Publish a tree that differs from HEAD; only towards a registry on this machine
    #[arg(long)]
    pub allow_dirty: bool,
    /// Release a version once more that was taken back
    #[arg(long)]
    pub again: bool,
    /// Stop at the first service that fails, instead of building what does not need it
    #[arg(long)]
    pub fail_fast: bool,
    /// Print the plan and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the plan, or what came of it, as JSON
    #[arg(long)]
    pub json: bool,
    /// Build for the caches alone (`warm-cache`)
    #[arg(skip)]
    pub warm: bool,
}

/// Options of compose.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Compose {
    /// Write nothing; exit with 1 if the file is not as it should be
    #[arg(long, conflicts_with = "dry_run")]
    pub check: bool,
    /// Print the file and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of test.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Test {
    /// Only what needs no engine: format, lints, unit and golden tests
    #[arg(long, conflicts_with = "long")]
    pub fast: bool,
    /// Also in full what otherwise runs as a seeded sample
    #[arg(long)]
    pub long: bool,
}
