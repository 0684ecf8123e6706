//! `fingerprint`: what tells each image from all others, and what it is made of.

use super::Session;
use super::build_images::reading::{registry, setup};
use crate::cli::Fingerprint as Options;
use crate::context::bases::{Finder, Making};
use crate::context::facts::{self, Asked, World};
use crate::context::inputs;
use crate::docker::bases::Bases;
use crate::docker::registry::Patience;
use crate::plan::fingerprint::{Identity, Inputs, Record, Told, identify, records};
use crate::report::{count, stdout};
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::ExitCode;

/// Prints them.
pub fn run(session: &Session, options: &Options) -> Result<ExitCode> {
    let world = read(session, &options.names, options.registry.as_deref())?;
    let asked = world.facts.select(&options.names)?;
    let identities = identify(&world.facts, &asked);
    if session.common.verbose {
        crate::report::say!("{}", told(&world.facts.inputs));
    }
    let shown = Shown { world: &world, asked: &asked, identities: &identities };
    let text = match (options.json, options.explain) {
        (true, _) => format!("{:#}", shown.json(options.explain)?),
        (false, true) => shown.explained(),
        (false, false) => shown.list(),
    };
    stdout(text.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// Only what fingerprints are made of. The event makes no difference to them.
pub(super) fn read(
    session: &Session,
    names: &[String],
    registry_of_images: Option<&str>,
) -> Result<World> {
    let asked = Asked {
        env: &session.env,
        processes: &session.processes,
        manifest: session.common.manifest.as_deref(),
        event: Some("local"),
        registry: registry_of_images,
        names,
    };
    let ahead = inputs::Ahead::begin(&session.processes, &session.env);
    let mut world = facts::read_tree(&asked)?;
    let chosen = world.facts.select(names)?;
    let services = world.facts.graph.with_dependencies(chosen.iter().map(String::as_str));
    let services: Vec<String> = services.into_iter().collect();
    let setup = setup(session)?;
    let registry = registry(session, Patience::LOCAL);
    let (bases, say) = (Bases::new(&setup), &setup.say);
    let (facts, lock, making) = (&world.facts, &world.lock, Making::OnlyLook);
    let finder = Finder { registry: &registry, bases: &bases, say, facts, lock, making };
    let (found, inputs) = std::thread::scope(|scope| {
        let found = scope.spawn(|| finder.find(&services));
        let (processes, env) = (&session.processes, &session.env);
        let inputs = inputs::read_with(Some(ahead), processes, env, &world, &services);
        (found.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), inputs)
    });
    world.facts.bases = found?.images;
    world.facts.inputs = inputs?;
    Ok(world)
}

/// What is printed.
struct Shown<'a> {
    world: &'a World,
    asked: &'a BTreeSet<String>,
    identities: &'a BTreeMap<String, Identity>,
}

impl Shown<'_> {
    fn identities(&self) -> impl Iterator<Item = (&String, &Identity)> {
        self.asked.iter().filter_map(|name| self.identities.get_key_value(name))
    }

    /// One line a service: its name, and the fingerprint or why there is none.
    fn list(&self) -> String {
        let width = self.asked.iter().map(String::len).max().unwrap_or_default();
        let lines = self.identities().map(|(name, identity)| match identity {
            Ok(fingerprint) => format!("{name:<width$}  {}\n", fingerprint.whole),
            Err(reasons) => format!("{name:<width$}  none: {}\n", reasons.join("; ")),
        });
        lines.collect()
    }

    /// One line a record.
    fn explained(&self) -> String {
        let mut text = String::new();
        for (name, identity) in self.identities() {
            let first = match identity {
                Ok(fingerprint) => format!("fingerprint {}", fingerprint.whole),
                Err(_) => "fingerprint none".to_owned(),
            };
            // Writing to a string cannot fail.
            writeln!(text, "{name} {first}").ok();
            for line in self.lines(name) {
                writeln!(text, "{name} {line}").ok();
            }
        }
        text
    }

    /// The reasons why a service has none, and the records in it.
    fn lines(&self, name: &str) -> Vec<String> {
        let records = records(&self.world.facts, name, self.identities);
        let mut lines: Vec<String> =
            records.reasons.iter().map(|reason| format!("reason {reason}")).collect();
        for (part, records) in &records.parts {
            let line = |record: &Record| format!("{} {record}", part.name());
            let mut of_part: Vec<String> = records.iter().map(line).collect();
            of_part.sort();
            lines.extend(of_part);
        }
        lines
    }

    fn json(&self, explain: bool) -> Result<Value> {
        let mut services = Vec::new();
        for (name, identity) in self.identities() {
            let mut service = match identity {
                Ok(fingerprint) => serde_json::to_value(fingerprint)?,
                Err(reasons) => json!({ "fingerprint": null, "no-fingerprint": reasons }),
            };
            service["service"] = name.as_str().into();
            if explain {
                service["records"] = self.lines(name).into();
            }
            services.push(service);
        }
        Ok(json!({ "schema": 1, "services": services }))
    }
}

/// How the contents were told.
fn told(inputs: &BTreeMap<String, Inputs>) -> String {
    let trees = inputs.values().flat_map(|inputs| inputs.named.values().chain([&inputs.context]));
    let all = trees.flatten().fold(Told::default(), |sum, tree| Told {
        by_index: sum.by_index + tree.told.by_index,
        by_bytes: sum.by_bytes + tree.told.by_bytes,
    });
    let (by_index, by_bytes) = (count(all.by_index, "file"), count(all.by_bytes, "file"));
    format!("{by_index} told by git's index, {by_bytes} by reading")
}
