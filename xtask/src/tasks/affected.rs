//! `affected`: the services whose images differ from those of a commit.

use super::{Session, matrix};
use crate::cli::Affected as Options;
use crate::context::commit::{Bits, Checkout};
use crate::context::facts::World;
use crate::context::past::{self, Past};
use crate::context::since::{self, Changed, Stored};
use crate::context::{inputs, lock};
use crate::error::Wrong;
use crate::plan::affected::{Affected, Then, affected, bases_by_name};
use crate::plan::facts::BaseImage;
use crate::plan::matrix::to_github;
use crate::report::stdout;
use anyhow::Result;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

/// Prints them.
pub fn run(session: &Session, options: &Options) -> Result<ExitCode> {
    let mut now = matrix::read(session, &[])?;
    let commit = since::commit(&session.processes, &now.root, &options.since)?;
    let found = find(session, &mut now, &commit)?;
    let text = if options.matrix {
        let services = found.iter().map(|affected| affected.service.clone()).collect();
        let jobs = matrix::spread(&now, &services, options.jobs);
        matrix::as_output(options.r#as.as_deref(), &to_github(&jobs))
    } else if options.json {
        format!("{:#}", json!({ "schema": 1, "since": commit, "services": found }))
    } else {
        list(&found)
    };
    if !text.is_empty() {
        stdout(&text)?;
    }
    if found.is_empty() && !session.common.quiet {
        crate::report::say!("no service is affected since {}", &commit[..7]);
    }
    Ok(ExitCode::SUCCESS)
}

/// One line a service.
fn list(found: &[Affected]) -> String {
    let width = found.iter().map(|affected| affected.service.len()).max().unwrap_or_default();
    let line = |affected: &Affected| {
        let because: Vec<String> = affected.because.iter().map(ToString::to_string).collect();
        format!("{:<width$}  {}", affected.service, because.join(", "))
    };
    found.iter().map(line).collect::<Vec<String>>().join("\n")
}

/// Compares the working tree with a commit.
///
/// A service that git sees no change in is taken to send what it sent then. Of the others both trees
/// are read: the commit's in a folder of its own.
fn find(session: &Session, now: &mut World, commit: &str) -> Result<Vec<Affected>> {
    let Session { processes, env, .. } = session;
    let changed = Changed::since(processes, &now.root, commit)?;
    let all: Vec<String> = now.facts.manifest.services.keys().cloned().collect();
    now.facts.inputs = inputs::read(processes, env, now, &all)?;
    now.facts.bases = bases(now);
    let checkout = Checkout::of(processes, env, &now.root, commit, Bits::OfUmask)?;
    let mut past = match past::read(processes, env, now, checkout) {
        Ok(past) => past,
        Err(error) => {
            let wrong = error.downcast::<Wrong>()?;
            if !session.common.quiet {
                crate::report::say!(
                    "note: everything is affected: {} cannot be read: {wrong}",
                    &commit[..7]
                );
            }
            return Ok(affected(Then::Unreadable, &now.facts, &BTreeSet::new()));
        }
    };
    let touched = touched(now, &past, &changed);
    past.read_inputs(&touched)?;
    leave_out_what_git_does_not_store(session, now, &touched)?;
    past.world.facts.bases = bases(&past.world);
    let then = &mut past.world.facts;
    for (service, inputs) in &now.facts.inputs {
        then.inputs.entry(service.clone()).or_insert_with(|| inputs.clone());
    }
    let services = now.facts.manifest.services.values();
    let submodules = services.filter(|service| changed.touches_submodule(service));
    let submodules = submodules.map(|service| service.name.clone()).collect();
    Ok(affected(Then::Read(then), &now.facts, &submodules))
}

fn bases(world: &World) -> BTreeMap<String, BaseImage> {
    bases_by_name(&world.facts, &lock::digests(&world.lock, &world.facts.manifest))
}

/// Services that both trees have and that git sees a change in.
fn touched(now: &World, past: &Past, changed: &Changed) -> Vec<String> {
    let both = now.facts.manifest.services.values().filter_map(|now| {
        let then = past.world.facts.service(&now.name)?;
        Some((now, then))
    });
    let touched = both.filter(|(now, then)| {
        let places = |s| (since::folders(s), since::files(s), past.is_behind_links(s));
        places(*now) != places(*then)
            || places(*now).2
            || changed.touches(now)
            || changed.touches(then)
    });
    touched.map(|(now, _)| now.name.clone()).collect()
}

fn leave_out_what_git_does_not_store(
    session: &Session,
    now: &mut World,
    touched: &[String],
) -> Result<()> {
    if touched.is_empty() {
        return Ok(());
    }
    let stored = Stored::of(&session.processes, &now.root)?;
    for name in touched {
        if let (Some(inputs), Some(service)) = (now.facts.inputs.get(name), now.facts.service(name))
        {
            let inputs = stored.only(inputs, service, now);
            now.facts.inputs.insert(name.clone(), inputs);
        }
    }
    Ok(())
}
