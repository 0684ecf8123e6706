//! `cache prune`: reads what there is, decides, and takes it away unless only that was asked.

use super::super::Session;
use super::Project;
use crate::cli::CachePrune;
use crate::context::event::version_of_tag;
use crate::context::git;
use crate::docker::holdings;
use crate::docker::prune::{self, Pruned, Way};
use crate::docker::registry::{Reason, Reference, Registry};
use crate::docker::release::Shelf;
use crate::manifest::values;
use crate::plan::prune::{Deletes, Fate, Protected, Prune, Pruning, Rules, brief};
use crate::report::{count, size, stdout};
use anyhow::{Context as _, Result, bail};
use semver::Version;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

/// What is old where nothing is said, in seconds: 30 days.
const OLD: u64 = 30 * 86_400;

/// Does it.
pub fn run(session: &Session, options: &CachePrune) -> Result<ExitCode> {
    let rules = rules(session, options)?;
    let project = Project::read(session, options.registry.as_deref(), &options.names)?;
    let released = Released::read(&project.client, &project.place)?;
    let commits = git::dates(&session.processes, &project.root)?;
    let mut told = Vec::new();
    for (service, repository) in &project.repositories {
        session.processes.interrupt.check()?;
        let project = &project;
        let (released, commits) = (&released, &commits);
        let all = Asked { session, project, service, repository, rules, commits, released };
        told.push((service, all.prune(options.dry_run)));
    }
    let shown = match options.json {
        true => {
            let services: Vec<Value> =
                told.iter().map(|(name, came)| as_json(name, came)).collect();
            format!(
                "{:#}",
                json!({ "schema": 1, "dry-run": options.dry_run, "services": services })
            )
        }
        false => told.iter().map(|(name, came)| text(name, came)).collect::<Vec<_>>().join("\n"),
    };
    stdout(&shown)?;
    session.processes.interrupt.check()?;
    let is_well = |came: &Result<Came>| {
        came.as_ref().is_ok_and(|it| it.done.as_ref().is_none_or(|done| done.failed.is_empty()))
    };
    let all_well = told.iter().all(|(_, came)| is_well(came));
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn rules(session: &Session, options: &CachePrune) -> Result<Rules> {
    let now = session.env.now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let older_than = match &options.older_than {
        None if options.keep.is_some() => None,
        None => Some(OLD),
        Some(text) if text.ends_with('m') => {
            wrong!("`--older-than {text}`: minutes are no age for a registry; say `h`, `d` or `w`")
        }
        Some(text) => match values::duration(text) {
            Ok(duration) => Some(duration.as_secs()),
            Err(fault) => wrong!(
                "`--older-than {text}`: {}; {}",
                fault.message,
                fault.help.as_deref().unwrap_or("for example `30d`")
            ),
        },
    };
    Ok(Rules { older_than, keep: options.keep.map(|keep| keep as usize), now })
}

/// What releases name. What cannot be read is an error: then nothing is taken away.
#[derive(Default)]
struct Released {
    by_service: BTreeMap<String, Protected>,
    /// The refusal, where records could be new and ours, as GHCR answers for packages that do not exist
    refused: Option<Reason>,
}

impl Released {
    fn read(client: &Registry, place: &str) -> Result<Self> {
        let shelf = Shelf::new(place)?;
        let releases = shelf.list(client).context("nothing is taken away")?;
        let mut all = Self { refused: shelf.refusal(client), ..Self::default() };
        let mut revisions = BTreeMap::new();
        for version in &releases.journals {
            let Some(journal) = shelf.journal(client, version)? else { continue };
            revisions.insert(journal.revision, format!("v{version}"));
            let placed = journal.services.into_iter().map(|(service, it)| (service, it.digest));
            let moves = journal.moves.into_iter().flat_map(|it| {
                let from = it.from.map(|from| (it.service.clone(), from));
                [Some((it.service, it.to)), from].into_iter().flatten()
            });
            all.add(version, placed.chain(moves));
        }
        for version in &releases.records {
            let Some(record) = shelf.record(client, version)? else { continue };
            revisions.insert(record.revision, format!("v{version}"));
            let placed = record.services.into_iter().map(|(service, it)| (service, it.digest));
            all.add(version, placed);
        }
        for protected in all.by_service.values_mut() {
            protected.commits.clone_from(&revisions);
        }
        Ok(all)
    }

    fn add(&mut self, version: &Version, images: impl Iterator<Item = (String, String)>) {
        for (service, digest) in images {
            let protected = self.by_service.entry(service).or_default();
            protected.digests.insert(digest, format!("v{version}"));
        }
    }
}

/// One repository.
struct Asked<'a> {
    session: &'a Session,
    project: &'a Project,
    service: &'a str,
    repository: &'a Reference,
    rules: Rules,
    commits: &'a BTreeMap<String, u64>,
    released: &'a Released,
}

/// What came of it.
struct Came {
    deletes: Deletes,
    plan: Pruning,
    /// None in a dry run
    done: Option<Pruned>,
}

impl Asked<'_> {
    fn prune(&self, dry_run: bool) -> Result<Came> {
        let none = Protected::default();
        let protected = self.released.by_service.get(self.service).unwrap_or(&none);
        let Self { rules, commits, repository, .. } = *self;
        let client = &self.project.client;
        let read = || {
            let read = holdings::read(client, repository);
            read.with_context(|| format!("cannot tell all that `{}` holds", repository.name()))
        };
        let held = read()?;
        let has_versions = held.tags.keys().any(|tag| version_of_tag(tag).is_ok());
        if let (true, Some(reason)) = (has_versions, &self.released.refused) {
            bail!("it has versions, and the records of releases cannot be read: {reason}");
        }
        let decide = |held, deletes| Prune { held, protected, commits, rules, deletes }.decide();
        let anything = Deletes::Tags { digests: true };
        let wanted = decide(&held, &anything);
        if !wanted.goes() {
            let done = (!dry_run).then(Pruned::default);
            return Ok(Came { deletes: anything, plan: wanted, done });
        }
        let way: Way = prune::way(client, repository, &self.session.env.vars)?;
        let mut plan = decide(&held, &way.deletes);
        let mut done = None;
        if !dry_run {
            let interrupt = &self.session.processes.interrupt;
            done = Some(Pruned::default());
            if plan.goes() {
                // Again, just before: what was moved meanwhile counts.
                plan = decide(&read()?, &way.deletes);
                done = Some(prune::carry_out(client, interrupt, repository, &plan, &way)?);
            }
        }
        Ok(Came { deletes: way.deletes, plan, done })
    }
}

fn text(service: &str, came: &Result<Came>) -> String {
    let came = match came {
        Ok(came) => came,
        Err(error) => return format!("{service}: nothing was taken away: {error:#}"),
    };
    let (plan, done) = (&came.plan, &came.done);
    let goes = plan.tags.values().filter(|it| matches!(it.fate, Fate::Goes(_))).count();
    let (tags, manifests) = (count(goes, "tag"), count(plan.manifests.len(), "manifest"));
    let verb = if done.is_some() { "gone" } else { "would go" };
    let stays = plan.tags.len() - goes;
    let frees = size(plan.frees);
    let mut lines = vec![format!(
        "{service}: {tags} and {manifests} {verb}, {stays} stay; the registry can free {frees}"
    )];
    if let Deletes::Nothing(why) = &came.deletes {
        lines.push(format!("  nothing can be taken away: {why}"));
    }
    let width = plan.tags.keys().map(|tag| brief(tag).chars().count()).max().unwrap_or_default();
    for (tag, verdict) in &plan.tags {
        let (word, why) = match &verdict.fate {
            Fate::Goes(why) if done.is_some() => ("gone ", why),
            Fate::Goes(why) => ("goes ", why),
            Fate::Stays(why) => ("stays", why),
        };
        lines.push(format!("  {word}  {:width$}  {why}", brief(tag)));
    }
    for (what, why) in done.iter().flat_map(|done| &done.failed) {
        lines.push(format!("  could not be deleted: {what}: {why}"));
    }
    lines.join("\n")
}

fn as_json(service: &str, came: &Result<Came>) -> Value {
    let came = match came {
        Ok(came) => came,
        Err(error) => return json!({ "service": service, "error": format!("{error:#}") }),
    };
    let tags = came.plan.tags.iter().map(|(tag, verdict)| {
        let (goes, reason) = match &verdict.fate {
            Fate::Goes(reason) => (true, reason),
            Fate::Stays(reason) => (false, reason),
        };
        json!({ "tag": tag, "digest": verdict.digest, "goes": goes, "reason": reason })
    });
    let deletes = match &came.deletes {
        Deletes::Tags { digests: true } => "tags and digests",
        Deletes::Tags { digests: false } => "tags",
        Deletes::Digests => "digests",
        Deletes::Nothing(_) => "nothing",
    };
    let manifests: Vec<&str> = came.plan.manifests.iter().map(|it| it.digest.as_str()).collect();
    json!({
        "service": service,
        "registry-deletes": deletes,
        "tags": tags.collect::<Vec<_>>(),
        "manifests": manifests,
        "frees": came.plan.frees,
        "failed": came.done.as_ref().map(|done| &done.failed),
    })
}
