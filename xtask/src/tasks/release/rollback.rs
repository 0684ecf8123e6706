//! `release rollback`: a version is taken back. First that is written down, then its shared tags go to
//! the highest release that remains; `vX.Y.Z` itself is never touched, and nothing is deleted.

use super::super::Session;
use super::Rollback;
use super::project::Project;
use crate::context::event::version_of_tag;
use crate::docker::publish::CONNECTIONS;
use crate::docker::release::ensure;
use crate::parallel;
use crate::plan::release::Record;
use crate::plan::tags::{highest_of, shared};
use crate::report::alive::during;
use crate::report::outcome::short;
use crate::time::rfc3339;
use anyhow::{Context as _, Result};
use semver::Version;
use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

pub fn run(session: &Session, options: &Rollback) -> Result<ExitCode> {
    let version = version_of_tag(&options.version)?;
    let project = Project::read(session, options.registry.as_deref())?;
    if !project.releases.records.contains(&version) {
        wrong!(
            "v{version} is no release: there is no record of it (`cargo xtask release status` lists \
             all that there are)"
        );
    }
    let record = project.shelf.record(&project.registry, &version)?;
    let record = record.with_context(|| format!("the record of v{version} is gone"))?;
    let moves = moves(&project, &version, &record)?;
    let lines: Vec<String> = moves.iter().map(Move::told).collect();
    crate::report::stdout(&format!("v{version} is taken back:\n{}", lines.join("\n")))?;
    if options.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    if !options.yes && !confirmed()? {
        wrong!("nothing was moved: say `--yes` to take v{version} back");
    }
    if !project.releases.withdrawn.contains(&version) {
        project.shelf.withdraw(&project.registry, &version, &rfc3339(session.env.now))?;
    }
    let moved = during("putting tags back", || {
        parallel::map(CONNECTIONS, &moves, |one| one.carry_out(&project))
    });
    moved
        .into_iter()
        .collect::<Result<()>>()
        .with_context(|| format!("v{version} is taken back, but run this again to go on"))?;
    crate::report::say!("v{version} is taken back; `v{version}` itself stays where it is");
    Ok(ExitCode::SUCCESS)
}

/// A shared tag of a service, and the version and digest that it goes to.
struct Move {
    service: String,
    tag: String,
    to: Option<(Version, String)>,
}

impl Move {
    fn carry_out(&self, project: &Project) -> Result<()> {
        let Some((_, digest)) = &self.to else { return Ok(()) };
        let repository = project.world.facts.image(&self.service).parse()?;
        ensure(&project.registry, &repository, &self.tag, digest).map(drop)
    }

    fn told(&self) -> String {
        match &self.to {
            Some((version, digest)) => {
                format!("  {}:{} -> v{version}  {}", self.service, self.tag, short(digest))
            }
            None => format!("  {}:{} stays: no other release has it", self.service, self.tag),
        }
    }
}

fn moves(project: &Project, version: &Version, record: &Record) -> Result<Vec<Move>> {
    let remaining: Vec<&Version> = project.releases.standing().filter(|v| *v != version).collect();
    let mut records: BTreeMap<&Version, Option<Record>> = BTreeMap::new();
    let mut moves = Vec::new();
    for tag in shared(version) {
        let owner = highest_of(&tag, remaining.iter().copied());
        if owner.is_some_and(|owner| owner > version) {
            continue;
        }
        if let Some(owner) = owner.filter(|owner| !records.contains_key(owner)) {
            records.insert(owner, project.shelf.record(&project.registry, owner)?);
        }
        for service in record.services.keys() {
            let before = owner.and_then(|owner| Some((owner, records.get(owner)?.as_ref()?)));
            let to = before.and_then(|(owner, record)| {
                Some((owner.clone(), record.services.get(service)?.digest.clone()))
            });
            moves.push(Move { service: service.clone(), tag: tag.clone(), to });
        }
    }
    Ok(moves)
}

fn confirmed() -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    crate::report::stderr::write(format_args!("go on? [y/N] "));
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
