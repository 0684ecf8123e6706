//! Options of what compares the tree with a commit, or with what is published.

use clap::Args;

pub(super) const AFFECTED_HELP: &str = "\
The working tree is compared with the commit, as fingerprints do it: whatever goes into an image
counts, also what it builds on; what .dockerignore leaves out does not. No network is used: external
images are compared by name, or by the digest that the repository holds them to. What git does not
store (ignored files, empty folders) cannot be known of a commit and is left out on both sides. A
service without a fingerprint is always built, and so always affected.

In a workflow that is for pull requests. A push to the dev branch or a version tag also moves tags
of images that stay as they are: spread all services over its jobs, with matrix.

Examples:
  cargo xtask affected --since origin/dev       against that commit
  cargo xtask affected --since origin/dev...    against where HEAD has left it
  cargo xtask affected --since HEAD~1 --matrix  for a workflow's strategy.matrix";

pub(super) const WHY_HELP: &str = "\
A published image says what it was built of. Where that is not the tree, the parts that differ are
named (dockerfile, context, settings, images, services), and what has changed in them since the
commit that was published; of services that it builds on, too. Only the registry and git are asked,
and the hub for what external images stand for today. Exit code 1: it could not be told.

Examples:
  cargo xtask why git-server
  cargo xtask why git-server --against v1.2.3 --json";

pub(super) const MATRIX_HELP: &str = "\
One line of JSON for `strategy.matrix`, with name and services of each job:

  jobs:
    plan:
      outputs:
        matrix: ${{ steps.plan.outputs.matrix }}
      steps:
        - id: plan
          run: cargo xtask matrix --as matrix >> \"$GITHUB_OUTPUT\"
    build:
      needs: plan
      if: needs.plan.outputs.matrix != '{\"include\":[]}'   # GitHub refuses a matrix without jobs
      strategy:
        matrix: ${{ fromJSON(needs.plan.outputs.matrix) }}
      name: ${{ matrix.name }}
      steps:
        - env:
            SERVICES: ${{ matrix.services }}
          run: cargo xtask build-images \"$SERVICES\"

Services that build on each other are in one job. The jobs are as even as the seconds of the last
runs (below target/xtask) allow; what was not built then counts as the median.";

/// Options of affected.
#[derive(Args, Clone, Debug)]
pub struct Affected {
    /// The commit to compare with: whatever git takes for one; `REV...` is where HEAD has left it
    #[arg(long, value_name = "REV")]
    pub since: String,
    /// Print JSON
    #[arg(long, conflicts_with = "matrix")]
    pub json: bool,
    /// Print them spread over the jobs of a workflow, as matrix does
    #[arg(long)]
    pub matrix: bool,
    /// How many jobs at most
    #[arg(long, value_name = "N", default_value_t = 8, requires = "matrix", value_parser = jobs)]
    pub jobs: usize,
    /// Print `NAME=` before it: an output of a workflow's step
    #[arg(long, value_name = "NAME", requires = "matrix", value_parser = output)]
    pub r#as: Option<String>,
}

/// Options of why.
#[derive(Args, Clone, Debug)]
pub struct Why {
    /// The service
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// The tag that it is compared with
    #[arg(long, value_name = "TAG", default_value = "dev")]
    pub against: String,
    /// Where images are, instead of the manifest's registry [env: XTASK_REGISTRY]
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Option<String>,
    /// Print JSON, with all changes
    #[arg(long)]
    pub json: bool,
}

/// Options of matrix.
#[derive(Args, Clone, Debug)]
pub struct Matrix {
    /// Services and groups [default: all services]
    #[arg(value_name = "SERVICE|GROUP")]
    pub names: Vec<String>,
    /// How many jobs at most
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = jobs)]
    pub jobs: usize,
    /// Print the jobs with the seconds that they are expected to take
    #[arg(long)]
    pub json: bool,
    /// Print `NAME=` before it: an output of a workflow's step
    #[arg(long, value_name = "NAME", conflicts_with = "json", value_parser = output)]
    pub r#as: Option<String>,
}

/// GitHub allows so many jobs of one matrix.
const MOST_JOBS: usize = 256;

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=MOST_JOBS) => Ok(number),
        _ => Err(format!("it must be from 1 to {MOST_JOBS}, as many jobs as GitHub allows")),
    }
}

/// The name of an output, which GitHub reads up to the first `=` of a line.
fn output(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(fits)
    {
        true => Ok(text.to_owned()),
        false => Err("it begins with a letter or `_`, and has letters, digits, `_` and `-`".into()),
    }
}
