//! `bases check`: whether bases are still what they are locked to.

use super::super::Session;
use super::super::build_images::reading::registry;
use super::{Known, fields, short, table};
use crate::cli::{BasesCheck, Doctor};
use crate::context::lock;
use crate::docker::registry::{Answer, AtOnce, Patience, Reference, Registry, Stat};
use crate::manifest::{Locked, Origin};
use crate::plan::doctor::Finding;
use crate::report::{count, stdout};
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// How a base does.
#[derive(Debug, PartialEq, Eq)]
enum State {
    /// It is what it is locked to
    Same,
    /// There is another one, with this digest
    Newer(String),
    /// The manifest has it, the lock file has not
    Unlocked,
    /// The lock file has it, the manifest has not
    Gone,
    /// It was made by another recipe than the manifest's
    OtherRecipe,
    /// Where it comes from, there is nothing of that name
    Absent,
    /// Why nobody can tell
    Unknown(String),
}

/// Prints them.
pub fn run(session: &Session, options: &BasesCheck) -> Result<ExitCode> {
    let known = Known::read(session, options.registry.as_deref())?;
    let states = states(&known, &registry(session, Patience::CHECK))?;
    session.processes.interrupt.check()?;
    if options.json {
        let bases = states.iter().map(|(name, state)| state.fields(name, &known));
        let bases: Vec<Value> = bases.collect();
        stdout(&format!("{:#}", json!({ "schema": 1, "bases": bases })))?;
    } else {
        let say = |(name, state): (&&String, &State)| ((*name).clone(), state.say(name, &known));
        table(states.iter().map(say).collect())?;
    }
    let other = states.values().filter(|state| **state != State::Same).count();
    if other == 0 || !options.fail {
        return Ok(ExitCode::SUCCESS);
    }
    let all = count(states.len(), "base");
    crate::report::say!(
        "error: {other} of {all} not known to be as locked: see `cargo xtask bases update`"
    );
    Ok(ExitCode::FAILURE)
}

/// The locked bases that are no longer what they are locked to, for `doctor`.
pub fn findings(session: &Session, client: &Registry, options: &Doctor) -> Vec<Finding> {
    let broken = |error: anyhow::Error| {
        vec![Finding::broken("bases", format!("{error:#}"), "mend the lock file, or write it anew")]
    };
    let known = match Known::read(session, options.registry.as_deref()) {
        Ok(known) => known,
        Err(error) => return broken(error),
    };
    let states = match states(&known, client) {
        Ok(states) => states,
        Err(error) => return broken(error),
    };
    let told = states.iter().filter(|(_, state)| **state != State::Unlocked);
    let told = told.map(|(name, state)| {
        let evidence = format!("`{name}`: {}", state.say(name, &known));
        let update = format!("`cargo xtask bases update {name}`");
        match state {
            State::Same | State::Unlocked => Finding::good("bases", evidence),
            State::OtherRecipe => Finding::broken("bases", evidence, update),
            State::Absent => Finding::broken("bases", evidence, update),
            State::Unknown(_) => Finding::warning("bases", evidence, "try again later"),
            State::Newer(_) | State::Gone => Finding::warning("bases", evidence, update),
        }
    });
    told.collect()
}

fn states<'k>(known: &'k Known, registry: &Registry) -> Result<BTreeMap<&'k String, State>> {
    let mut states = BTreeMap::new();
    let (mut asked, mut references) = (Vec::new(), Vec::new());
    for name in known.names() {
        let base = known.manifest.bases.get(name);
        let state = match (base, known.lock.entries.get(name)) {
            (None, _) => State::Gone,
            (Some(_), None) => State::Unlocked,
            (Some(base), Some(locked)) if !lock::fits(locked, base.bootstrap.as_ref()) => {
                State::OtherRecipe
            }
            (Some(_), Some(locked)) => {
                references.push(place(known, locked)?);
                asked.push((name, locked));
                continue;
            }
        };
        states.insert(name, state);
    }
    let at_once = AtOnce { threads: 8, within: None };
    let answers = registry.for_each(references, at_once, Registry::head_manifest);
    let told = asked.into_iter().zip(answers);
    states.extend(told.map(|((name, locked), answer)| (name, state(locked, answer))));
    Ok(states)
}

/// The name under which a newer one would be.
fn place(known: &Known, locked: &Locked) -> Result<Reference> {
    Ok(match &locked.origin {
        Origin::Hub { image } => image.parse()?,
        Origin::Bootstrap { hash } => format!("{}/bases:{hash}", known.registry).parse()?,
    })
}

fn state(locked: &Locked, answer: Answer<Stat>) -> State {
    match answer.known() {
        Ok(Some(stat)) if stat.digest == locked.digest => State::Same,
        Ok(Some(stat)) => State::Newer(stat.digest),
        Ok(None) => State::Absent,
        Err(reason) => State::Unknown(reason.to_string()),
    }
}

impl State {
    fn word(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Newer(_) => "newer",
            Self::Unlocked => "unlocked",
            Self::Gone => "gone",
            Self::OtherRecipe => "other-recipe",
            Self::Absent => "absent",
            Self::Unknown(_) => "unknown",
        }
    }

    fn say(&self, name: &str, known: &Known) -> String {
        let locked = known.lock.entries.get(name);
        let digest = locked.map(|locked| short(&locked.digest)).unwrap_or_default();
        let image = locked.map(|locked| locked.origin.image()).unwrap_or_default();
        match self {
            Self::Same => format!("same {digest}"),
            Self::Newer(newer) => format!("newer: {digest} → {} ({image})", short(newer)),
            Self::Unlocked => "not locked".to_owned(),
            Self::Gone => format!("no longer in {}", known.file),
            Self::OtherRecipe => format!("made by another recipe than that in {}", known.file),
            Self::Absent => format!("there is no {image}"),
            Self::Unknown(why) => format!("unknown: {why}"),
        }
    }

    fn fields(&self, name: &str, known: &Known) -> Value {
        let mut fields = fields(name, known.lock.entries.get(name));
        fields["state"] = self.word().into();
        match self {
            Self::Newer(digest) => fields["newest"] = digest.as_str().into(),
            Self::Unknown(why) => fields["reason"] = why.as_str().into(),
            _ => {}
        }
        fields
    }
}
