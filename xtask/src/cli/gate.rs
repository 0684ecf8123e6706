//! Options of gate.

use clap::Args;

pub(super) const GATE_HELP: &str = "\
GitHub takes a job that is skipped for one that succeeded, also where it was skipped because the
job before it failed. So the check that a branch requires is a job of its own, which runs always:

  gate:
    needs: [plan, build]
    if: always()
    steps:
      - env:
          NEEDS: ${{ toJSON(needs) }}
        run: cargo xtask gate --may-skip build \"$NEEDS\"

It fails unless all of them succeeded. A job that `--may-skip` names may also have been skipped,
where no job has failed or was cancelled: one whose matrix is empty, for example.";

/// Options of gate.
#[derive(Args, Clone, Debug)]
pub struct Gate {
    /// The context `needs` of GitHub, as JSON
    #[arg(value_name = "NEEDS")]
    pub needs: String,
    /// A job that may have been skipped
    #[arg(long, value_name = "JOB")]
    pub may_skip: Vec<String>,
}
