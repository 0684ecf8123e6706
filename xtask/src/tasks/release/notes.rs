//! `release notes`: what changed since the release before, for people, as Markdown.

use super::super::Session;
use super::Notes;
use super::project::Project;
use crate::context::event::version_of_tag;
use crate::context::git;
use crate::plan::release::Record;
use crate::report::outcome::short;
use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;
use semver::Version;
use std::fmt::Write as _;
use std::process::ExitCode;

pub fn run(session: &Session, options: &Notes) -> Result<ExitCode> {
    let version = version_of_tag(&options.version)?;
    let project = Project::read(session, options.registry.as_deref())?;
    let read = |version: &Version| project.shelf.record(&project.registry, version);
    let Some(record) = read(&version)? else {
        anyhow::bail!("v{version} is no release: there is no record of it; publish it first");
    };
    let before = project.releases.standing().filter(|v| **v < version && v.pre.is_empty()).max();
    let before = before.map(|before| Ok::<_, anyhow::Error>((before, read(before)?)));
    let before = before.transpose()?.and_then(|(version, record)| Some((version, record?)));
    crate::report::stdout(&text(session, &project, &version, &record, before.as_ref())?)?;
    Ok(ExitCode::SUCCESS)
}

fn text(
    session: &Session,
    project: &Project,
    version: &Version,
    record: &Record,
    before: Option<&(&Version, Record)>,
) -> Result<String> {
    let mut text = format!("## v{version}\n\n");
    let since = before.map(|(before, _)| format!(" since v{before}")).unwrap_or_default();
    // Writing to a string cannot fail.
    writeln!(text, "Commit `{}`, images{since}:\n", record.revision).ok();
    writeln!(text, "| service | image | {} |", if before.is_some() { "before" } else { "" }).ok();
    writeln!(text, "|---|---|---|").ok();
    for (service, placed) in &record.services {
        let old = before.and_then(|(_, before)| before.services.get(service));
        let change = match old {
            _ if before.is_none() => String::new(),
            None => "new".into(),
            Some(old) if old.digest == placed.digest => "unchanged".into(),
            Some(old) => format!("`{}`", short(&old.digest)),
        };
        let image = project.world.facts.image(service);
        writeln!(text, "| {service} | `{image}@{}` | {change} |", placed.digest).ok();
    }
    let gone = before.into_iter().flat_map(|(_, before)| before.services.keys());
    for service in gone.filter(|service| !record.services.contains_key(*service)) {
        writeln!(text, "| {service} | gone | |").ok();
    }
    let built: Vec<&String> =
        record.services.iter().filter(|(_, p)| p.fingerprint.is_none()).map(|(s, _)| s).collect();
    if !built.is_empty() {
        let names = built.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(", ");
        writeln!(text, "\nWithout a fingerprint, and so built for this release: {names}").ok();
    }
    if let Some((_, before)) = before {
        for (service, placed) in &record.services {
            let same = before.services.get(service).is_some_and(|old| old.digest == placed.digest);
            if !same {
                text.push_str(&commits(
                    session,
                    project,
                    service,
                    &before.revision,
                    &record.revision,
                )?);
            }
        }
    }
    Ok(text.trim_end().to_owned())
}

/// The commits that touched a service or what it builds on.
fn commits(
    session: &Session,
    project: &Project,
    service: &str,
    from: &str,
    to: &str,
) -> Result<String> {
    let facts = &project.world.facts;
    let all = facts.graph.with_dependencies([service]);
    let services = all.iter().filter_map(|name| facts.service(name));
    let paths: Vec<Utf8PathBuf> =
        services.flat_map(|s| [s.context.clone(), s.dockerfile.clone()]).collect();
    let subjects = git::subjects(&session.processes, &project.world.root, from, to, &paths)
        .with_context(|| {
            format!("cannot list the commits of `{service}`: is the clone shallow?")
        })?;
    let mut text = String::new();
    if !subjects.is_empty() {
        // Writing to a string cannot fail.
        writeln!(text, "\n### {service}\n").ok();
        for subject in subjects {
            writeln!(text, "- {subject}").ok();
        }
    }
    Ok(text)
}
