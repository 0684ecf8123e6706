//! `release status`: which releases there are, what stands where, and what to do next.

use super::super::Session;
use super::Status;
use super::project::Project;
use crate::context::event::version_of_tag;
use crate::context::git;
use crate::plan::release::{Placed, Releases};
use crate::plan::tags::{highest_of, shared};
use crate::report::outcome::short;
use anyhow::Result;
use semver::Version;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::ExitCode;

pub fn run(session: &Session, options: &Status) -> Result<ExitCode> {
    let project = Project::read(session, options.registry.as_deref())?;
    let tagged = git::versions(&session.processes, &project.world.root)?;
    let told = match &options.version {
        Some(version) => of_version(&project, &version_of_tag(version)?, &tagged)?,
        None => of_all(&project, &tagged)?,
    };
    let text = if options.json { serde_json::to_string_pretty(&told)? } else { told.text() };
    crate::report::stdout(text.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// What became of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Released,
    Withdrawn,
    /// There is a journal and no record
    Unfinished,
    /// Git has the tag, and nothing was begun
    NotPublished,
}

#[derive(Debug, Serialize)]
struct Told {
    schema: u32,
    versions: Vec<OfVersion>,
    tags: Vec<OfTag>,
    next: Vec<String>,
}

#[derive(Debug, Serialize)]
struct OfVersion {
    version: String,
    state: State,
}

#[derive(Debug, Serialize)]
struct OfTag {
    service: String,
    tag: String,
    /// The version that it belongs to
    version: String,
    stands: Option<String>,
    shall: Option<String>,
}

/// All versions, and the shared tags of what is released.
fn of_all(project: &Project, tagged: &BTreeSet<Version>) -> Result<Told> {
    let releases = &project.releases;
    let all: BTreeSet<&Version> = releases
        .records
        .iter()
        .chain(&releases.journals)
        .chain(&releases.withdrawn)
        .chain(tagged)
        .collect();
    let mut owners: BTreeMap<String, &Version> = BTreeMap::new();
    for tag in releases.standing().flat_map(shared) {
        if let Some(owner) = highest_of(&tag, releases.standing()) {
            owners.insert(tag, owner);
        }
    }
    let mut wanted = Vec::new();
    for (tag, version) in owners {
        let record = project.shelf.record(&project.registry, version)?;
        let services = record.map(|record| record.services).unwrap_or_default();
        wanted.extend(
            services.into_iter().map(|(service, placed)| {
                (service, tag.clone(), version.clone(), Some(placed.digest))
            }),
        );
    }
    let versions = all
        .into_iter()
        .map(|version| OfVersion { version: version.to_string(), state: state(releases, version) });
    Told::new(project, versions.collect(), wanted)
}

/// One version, and all of its tags.
fn of_version(project: &Project, version: &Version, tagged: &BTreeSet<Version>) -> Result<Told> {
    let releases = &project.releases;
    let begun = [&releases.records, &releases.journals, &releases.withdrawn, tagged];
    if !begun.iter().any(|versions| versions.contains(version)) {
        wrong!("there is no v{version}: neither git nor the registry knows it");
    }
    let record = project.shelf.record(&project.registry, version)?;
    let journal = project.shelf.journal(&project.registry, version)?;
    let revision = record.as_ref().map(|r| r.revision.clone());
    let revision = revision.or_else(|| journal.as_ref().map(|j| j.revision.clone()));
    let services: BTreeMap<String, Placed> =
        record.map(|r| r.services).or_else(|| journal.map(|j| j.services)).unwrap_or_default();
    let mut wanted = Vec::new();
    for (service, placed) in services {
        let digest = Some(placed.digest);
        let mut add = |tag: String| {
            wanted.push((service.clone(), tag, version.clone(), digest.clone()));
        };
        add(format!("v{version}"));
        revision.clone().map(&mut add);
        let counting = || releases.standing().chain([version]);
        for tag in shared(version) {
            if highest_of(&tag, counting()) == Some(version) {
                add(tag);
            }
        }
    }
    let state = state(releases, version);
    Told::new(project, vec![OfVersion { version: version.to_string(), state }], wanted)
}

fn state(releases: &Releases, version: &Version) -> State {
    match version {
        version if releases.withdrawn.contains(version) => State::Withdrawn,
        version if releases.records.contains(version) => State::Released,
        version if releases.journals.contains(version) => State::Unfinished,
        _ => State::NotPublished,
    }
}

impl Told {
    fn new(
        project: &Project,
        versions: Vec<OfVersion>,
        wanted: Vec<(String, String, Version, Option<String>)>,
    ) -> Result<Self> {
        let names: Vec<(String, String)> =
            wanted.iter().map(|(service, tag, ..)| (service.clone(), tag.clone())).collect();
        let stand = project.stand(&names)?;
        let tags: Vec<OfTag> = wanted
            .into_iter()
            .zip(stand)
            .map(|((service, tag, version, shall), stands)| OfTag {
                service,
                tag,
                version: version.to_string(),
                stands,
                shall,
            })
            .collect();
        let next = next(&versions, &tags);
        Ok(Self { schema: 1, versions, tags, next })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        for version in &self.versions {
            let state = match version.state {
                State::Released => "released",
                State::Withdrawn => "taken back",
                State::Unfinished => "unfinished: it was begun, and there is no record",
                State::NotPublished => "not published: git has its tag, the registry has nothing",
            };
            writeln!(text, "v{}  {state}", version.version).ok();
        }
        if self.versions.is_empty() {
            writeln!(text, "nothing is released yet").ok();
        }
        for tag in &self.tags {
            let stands = tag.stands.as_deref().map_or("absent", short);
            let shall = tag.shall.as_deref().filter(|_| tag.stands != tag.shall);
            let shall = shall.map(|shall| format!(", shall stand on {}", short(shall)));
            let (service, name, version) = (&tag.service, &tag.tag, &tag.version);
            writeln!(text, "{service}:{name}  {stands}  v{version}{}", shall.unwrap_or_default())
                .ok();
        }
        for next in &self.next {
            writeln!(text, "next: {next}").ok();
        }
        text
    }
}

fn next(versions: &[OfVersion], tags: &[OfTag]) -> Vec<String> {
    let mut next = Vec::new();
    for version in versions {
        let name = &version.version;
        match version.state {
            State::Unfinished | State::NotPublished => next.push(format!(
                "`git checkout v{name}` and `cargo xtask release publish v{name}` publish it; \
                 or leave it, and release a higher one"
            )),
            State::Withdrawn | State::Released => {}
        }
    }
    let is_withdrawn =
        |name: &str| versions.iter().any(|v| v.version == name && v.state == State::Withdrawn);
    let wrong: BTreeSet<&str> = tags
        .iter()
        .filter(|tag| tag.stands != tag.shall && !is_withdrawn(&tag.version))
        .map(|tag| tag.version.as_str())
        .collect();
    next.extend(wrong.into_iter().map(|version| {
        format!("tags of v{version} stand elsewhere: `cargo xtask release publish v{version}` at that tag puts them right")
    }));
    next.sort();
    next.dedup();
    next
}
