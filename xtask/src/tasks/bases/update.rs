//! `bases update`: looks up or makes the newest content of bases, and writes the lock file.

mod making;

use super::super::Session;
use super::super::build_images::reading::{registry, setup};
use super::{Known, fields, short, table};
use crate::cli::BasesUpdate;
use crate::context::bases::live::{ask_hub, without_recipe};
use crate::context::lock;
use crate::docker::engine::Setup;
use crate::docker::registry::{AtOnce, Patience, Reference, Registry, Resolved};
use crate::manifest::{Base, Bootstrap, Lock, Locked, Origin};
use crate::nearest::nearest;
use crate::report::stdout;
use crate::time::rfc3339;
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

/// Does it: all bases that were asked for, or none.
pub fn run(session: &Session, options: &BasesUpdate) -> Result<ExitCode> {
    let known = Known::read(session, options.registry.as_deref())?;
    let setup = setup(session)?;
    let update = Update {
        known: &known,
        setup: &setup,
        registry: registry(session, Patience::CHECK),
        now: rfc3339(session.env.now),
        options,
    };
    let moves = update.moves()?;
    if options.json {
        let bases: Vec<Value> = moves.iter().map(|(name, to)| update.fields(name, to)).collect();
        stdout(&format!("{:#}", json!({ "schema": 1, "bases": bases })))?;
    } else {
        let lines = moves.iter().map(|(name, to)| ((*name).clone(), update.say(name, to)));
        table(lines.collect())?;
    }
    if !options.dry_run {
        update.write(moves)?;
    }
    Ok(ExitCode::SUCCESS)
}

struct Update<'a> {
    known: &'a Known,
    setup: &'a Setup,
    registry: Registry,
    now: String,
    options: &'a BasesUpdate,
}

/// What becomes of an entry.
enum Move {
    To(Locked),
    /// It would be made
    Made(Reference),
    Removed,
}

/// Where a base is to come from.
enum Wanted<'a> {
    Hub,
    Bootstrap(&'a Bootstrap),
    /// The hub if it answers soon
    HubElse(&'a Bootstrap),
}

impl<'a> Update<'a> {
    fn moves(&self) -> Result<BTreeMap<&'a String, Move>> {
        let mut moves = BTreeMap::new();
        let (mut must, mut may, mut make) = (Vec::new(), Vec::new(), Vec::new());
        for name in self.chosen()? {
            match self.wanted(name)? {
                None => drop(moves.insert(name, Move::Removed)),
                Some(Wanted::Hub) => must.push(name),
                Some(Wanted::HubElse(recipe)) => may.push((name, recipe)),
                Some(Wanted::Bootstrap(recipe)) => make.push((name, recipe)),
            }
        }
        let names: Vec<&String> = may.iter().map(|(name, _)| *name).collect();
        let answers = ask_hub(&self.registry, references(&names)?);
        for ((name, recipe), answer) in may.into_iter().zip(answers) {
            match answer.known() {
                Ok(Some(resolved)) => drop(moves.insert(name, self.pulled(name, resolved)?)),
                Ok(None) => self.say_no_hub(name, recipe, "the hub does not have it", &mut make),
                Err(why) => self.say_no_hub(name, recipe, &why.to_string(), &mut make),
            }
        }
        for (name, resolved) in must.iter().zip(self.ask_hub_for(&must)?) {
            moves.insert(name, self.pulled(name, resolved)?);
        }
        if !make.is_empty() && !self.options.dry_run {
            self.check_registry()?;
        }
        let mut made = BTreeMap::new();
        for (name, recipe) in make {
            moves.insert(name, self.made(name, recipe, &mut made)?);
        }
        Ok(moves)
    }

    /// What was named, else all; always what the manifest no longer has.
    fn chosen(&self) -> Result<BTreeSet<&'a String>> {
        let all = self.known.names();
        let of_manifest = &self.known.manifest.bases;
        if self.options.names.is_empty() {
            return Ok(all);
        }
        if let Some(name) = self.options.names.iter().find(|name| !all.contains(name)) {
            wrong!("no base `{name}` in `[bases]` of {}: {}", self.known.file, near(name, &all));
        }
        let named =
            |name: &&String| self.options.names.contains(name) || !of_manifest.contains_key(*name);
        Ok(all.into_iter().filter(named).collect())
    }

    /// Where a base is to come from; nothing if the manifest no longer has it. What is locked stays
    /// with its source unless told otherwise: a hub that is down for a moment would change it.
    fn wanted(&self, name: &str) -> Result<Option<Wanted<'a>>> {
        let Some(Base { bootstrap }) = self.known.manifest.bases.get(name) else { return Ok(None) };
        let origin = self.known.lock.entries.get(name).map(|locked| locked.origin.name());
        Ok(Some(match (self.options.from.as_deref().or(origin), bootstrap) {
            (Some("hub"), _) | (None, None) => Wanted::Hub,
            (None, Some(recipe)) => Wanted::HubElse(recipe),
            (Some(_), Some(recipe)) => Wanted::Bootstrap(recipe),
            (Some(_), None) if self.options.from.is_some() => wrong!(
                "the base `{name}` has no recipe: add `bootstrap = {{ debian = \"trixie\" }}` to \
                 `[bases.\"{name}\"]`, or leave `--from bootstrap` out"
            ),
            (Some(_), None) => Wanted::Hub,
        }))
    }

    fn say_no_hub(
        &self,
        name: &'a String,
        recipe: &'a Bootstrap,
        why: &str,
        make: &mut Vec<(&'a String, &'a Bootstrap)>,
    ) {
        let made = if self.options.dry_run { "would be made" } else { "is made" };
        (self.setup.say)(&format!("no hub, so `{name}` {made} from Debian's packages ({why})"));
        make.push((name, recipe));
    }

    /// The bases that only the hub gives.
    fn ask_hub_for(&self, names: &[&String]) -> Result<Vec<Resolved>> {
        let at_once = AtOnce { threads: 8, within: None };
        let answers = self.registry.for_each(references(names)?, at_once, Registry::resolve);
        self.setup.processes.interrupt.check()?;
        let mut resolved = Vec::new();
        for (name, answer) in names.iter().zip(answers) {
            match answer.known() {
                Ok(Some(found)) => resolved.push(found),
                Ok(None) => bail!("{}", self.no_hub(name, "there is no such image")),
                Err(reason) => bail!("{}", self.no_hub(name, &reason.to_string())),
            }
        }
        Ok(resolved)
    }

    fn no_hub(&self, name: &str, why: &str) -> String {
        let base = self.known.manifest.bases.get(name);
        match base.and_then(|base| base.bootstrap.as_ref()) {
            None => without_recipe(name, why),
            Some(_) => format!(
                "the hub does not give `{name}`, so nothing is written: {why}\n\
                 run this again where it does, or have it made from Debian's packages with \
                 `cargo xtask bases update {name} --from bootstrap`"
            ),
        }
    }

    fn pulled(&self, name: &str, resolved: Resolved) -> Result<Move> {
        let image = name.parse::<Reference>()?.to_string();
        let platforms: BTreeSet<String> =
            resolved.platforms.iter().map(ToString::to_string).collect();
        Ok(self.to(name, Origin::Hub { image }, resolved.digest, platforms))
    }

    fn to(&self, name: &str, origin: Origin, digest: String, platforms: BTreeSet<String>) -> Move {
        let platforms = platforms.into_iter().collect();
        let mut to = Locked { origin, digest, platforms, at: self.now.clone() };
        if let Some(locked) = self.known.lock.entries.get(name) {
            // What has not moved keeps its time, so that the file stays as it is.
            let same = Locked { at: locked.at.clone(), ..to.clone() };
            if same == *locked {
                to = same;
            }
        }
        Move::To(to)
    }

    /// `old → new`.
    fn say(&self, name: &str, to: &Move) -> String {
        let locked = self.known.lock.entries.get(name);
        let old = match locked {
            Some(locked) => format!("{} ({})", short(&locked.digest), locked.origin.name()),
            None => "not locked".to_owned(),
        };
        match to {
            Move::To(to) if locked == Some(to) => format!("{old} unchanged"),
            Move::To(to) => format!("{old} → {} ({})", short(&to.digest), to.origin.name()),
            Move::Made(place) => format!("{old} → made anew, and pushed as {place}"),
            Move::Removed => format!("{old} → removed: it is no longer in {}", self.known.file),
        }
    }

    fn fields(&self, name: &str, to: &Move) -> Value {
        let locked = self.known.lock.entries.get(name);
        let (state, after) = match to {
            Move::To(to) if locked == Some(to) => ("same", Some(to)),
            Move::To(to) => ("moved", Some(to)),
            Move::Made(_) => ("to-be-made", None),
            Move::Removed => ("removed", None),
        };
        let mut fields = fields(name, after);
        fields["state"] = state.into();
        fields["before"] = locked.map(|locked| locked.digest.as_str()).into();
        fields
    }

    fn write(&self, moves: BTreeMap<&String, Move>) -> Result<()> {
        let mut lock = Lock { entries: self.known.lock.entries.clone() };
        for (name, to) in moves {
            match to {
                Move::To(locked) => drop(lock.entries.insert(name.clone(), locked)),
                Move::Removed => drop(lock.entries.remove(name)),
                Move::Made(_) => {}
            }
        }
        let path = &self.known.path;
        if lock == self.known.lock {
            return Ok(());
        }
        lock::write(path, &lock)?;
        (self.setup.say)(&format!("`{path}` is written: commit it"));
        Ok(())
    }
}

fn near(name: &str, all: &BTreeSet<&String>) -> String {
    match nearest(name, all.iter().map(|known| known.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let all: Vec<&str> = all.iter().take(20).map(|name| name.as_str()).collect();
            format!("there are: {}", all.join(", "))
        }
    }
}

fn references(names: &[&String]) -> Result<Vec<Reference>> {
    Ok(names.iter().map(|name| name.parse()).collect::<Result<_, _>>()?)
}
