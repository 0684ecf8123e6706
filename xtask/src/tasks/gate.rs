//! `gate`: whether all jobs of a workflow went well.

use crate::cli::Gate;
use crate::error::Wrong;
use crate::plan::gate::{Needed, judge};
use crate::report::say;
use anyhow::Result;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Tells what did not go well, on stderr.
pub fn run(options: &Gate) -> Result<ExitCode> {
    let needs: BTreeMap<String, Needed> =
        serde_json::from_str(&options.needs).map_err(|error| {
            Wrong(format!("these are no needs ({error}): give `${{{{ toJSON(needs) }}}}`"))
        })?;
    if needs.is_empty() {
        wrong!("there are no needs: name jobs in `needs` of the job that asks");
    }
    if let Some(job) = options.may_skip.iter().find(|job| !needs.contains_key(*job)) {
        wrong!("`--may-skip {job}`: there is no such job among `needs`");
    }
    let faults = judge(&needs, &options.may_skip);
    for fault in &faults {
        say!("{fault}");
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
