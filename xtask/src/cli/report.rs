//! The command line of `report`.

use camino::Utf8PathBuf;
use clap::Args;

pub const REPORT_HELP: &str = "\
Every run that builds leaves target/xtask/report.json and target/xtask/timeline.html; built.json is
the report of the last one that built anything, built-before.json of the one before. What stands in
a report is told in docs/report.md.

Examples:
  cargo xtask report --open                     the last run, in the browser
  cargo xtask report --compare target/xtask/built-before.json
  cargo xtask report ci.json --compare desk.json --json";

/// Options of report.
#[derive(Args, Clone, Debug, Default)]
pub struct Report {
    /// The report [default: that of the last run, target/xtask/report.json]
    #[arg(value_name = "FILE")]
    pub file: Option<Utf8PathBuf>,
    /// Open the timeline in the browser
    #[arg(long)]
    pub open: bool,
    /// Say which steps became slower or lost their cache since another report
    #[arg(long, value_name = "OLD")]
    pub compare: Option<Utf8PathBuf>,
    /// Print JSON: the report, or what differs
    #[arg(long)]
    pub json: bool,
}
