//! Builds for the caches alone: nothing is pushed under a tag of an image, and nothing is claimed.

use super::Run;
use super::measuring::Measuring;
use super::reading::{Reading, request};
use crate::cli::BuildImages;
use crate::docker::build::Outcome;
use crate::tasks::Session;
use anyhow::Result;
use std::collections::BTreeMap;

/// Builds what the options name, and what it builds on as far as nothing is published of that. Gives
/// what came of each, and what was read.
pub fn build<'a>(
    session: &'a Session,
    options: &'a BuildImages,
    mut reading: Reading<'a>,
) -> Result<(BTreeMap<String, Outcome>, Reading<'a>)> {
    let request = request(options);
    reading.ask(&request);
    let plan = reading.plan()?;
    let (docker, measuring) = (None, Measuring::default());
    let mut run =
        Run { session, options, request, reading, docker, plan, pushes: false, measuring };
    run.get_ready()?;
    if !session.common.quiet {
        run.plan.warnings.iter().for_each(|warning| crate::report::say!("note: {warning}"));
    }
    let (outcomes, _) = run.build_all()?;
    let text = crate::tasks::telling::Telling {
        world: &run.reading.world,
        plan: &run.plan,
        env: &session.env,
    };
    text.tell_failures(&outcomes);
    Ok((outcomes, run.reading))
}
