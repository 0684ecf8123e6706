//! `release publish`: what `build-images` does under the event of the release.

use super::super::Session;
use super::super::build_images::{self, reading};
use super::Publish;
use super::project::stand;
use crate::cli::BuildImages;
use crate::context::event::{self, Kind};
use crate::context::git;
use crate::docker::registry::Patience;
use crate::plan::{Action, Plan, ServicePlan};
use crate::report::outcome::short;
use anyhow::Result;
use serde_json::json;
use std::fmt::Write as _;
use std::process::ExitCode;

pub fn run(session: &Session, options: &Publish) -> Result<ExitCode> {
    let images = BuildImages {
        event: Some(event(session, options)?),
        registry: options.registry.clone(),
        builder: options.builder.clone(),
        again: options.again,
        json: options.json,
        ..BuildImages::default()
    };
    if options.dry_run {
        return dry_run(session, options, &images);
    }
    build_images::run(session, &images)
}

/// The event of the version that was named, or that of GitHub's environment.
fn event(session: &Session, options: &Publish) -> Result<String> {
    if let Some(version) = &options.version {
        let version = format!("v{}", version.trim_start_matches('v'));
        return Ok(format!("release:v{}", event::version_of_tag(&version)?));
    }
    let root = git::root(&session.processes, &session.env.dir)?;
    let payload = session.env.github_payload()?;
    let found = event::find(None, &session.env.vars, payload.as_ref(), "");
    match found.map(|found| found.kind) {
        Ok(kind @ Kind::Release(_)) => Ok(kind.to_string()),
        _ => wrong!(
            "which version? `{root}` is not at a version tag as far as GitHub's environment says: \
             name it, `cargo xtask release publish v1.2.3`"
        ),
    }
}

/// Every tag: where it stands, where it will stand, or why it stays.
fn dry_run(session: &Session, options: &Publish, images: &BuildImages) -> Result<ExitCode> {
    let plan = build_images::planned_release(session, images)?;
    let tags: Vec<(&ServicePlan, &str)> = plan.services.iter().flat_map(tags).collect();
    let names: Vec<String> =
        tags.iter().map(|(plan, tag)| format!("{}:{tag}", plan.image)).collect();
    let stand = stand(&reading::registry(session, Patience::CHECK), &names)?;
    let rows: Vec<Row> =
        tags.iter().zip(&stand).map(|((of, tag), at)| Row::of(of, tag, at)).collect();
    let text = if options.json {
        let rows = rows.iter().map(|row| {
            json!({
                "service": row.service,
                "tag": row.tag,
                "stands": row.stands,
                "shall": row.shall,
                "stays": row.stays,
            })
        });
        let rows: Vec<_> = rows.collect();
        format!("{:#}", json!({ "schema": 1, "event": plan.event, "tags": rows }))
    } else {
        told(&plan, &rows)
    };
    crate::report::stdout(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The tags of a service: those that move, and those that stay.
fn tags(plan: &ServicePlan) -> impl Iterator<Item = (&ServicePlan, &str)> {
    let stays = plan.stays.iter().map(|stays| &stays.tag);
    plan.tags.iter().chain(stays).map(move |tag| (plan, tag.as_str()))
}

struct Row<'a> {
    service: &'a str,
    tag: &'a str,
    stands: Option<&'a str>,
    /// The digest, or none where the image has to be built first
    shall: Option<&'a str>,
    stays: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn of(plan: &'a ServicePlan, tag: &'a str, at: &'a Option<String>) -> Self {
        let stays = plan.stays.iter().find(|stays| stays.tag == tag);
        let published = plan.published.as_deref().filter(|_| plan.action != Action::Build);
        Self {
            service: &plan.service,
            tag,
            stands: at.as_deref(),
            shall: published,
            stays: stays.map(|stays| stays.reason.as_str()),
        }
    }

    fn told(&self) -> String {
        let stands = self.stands.map_or("absent", short);
        match (self.stays, self.shall) {
            (Some(why), _) => format!("stays on {stands}: {why}"),
            (None, Some(shall)) if self.stands == Some(shall) => format!("stands on {stands}"),
            (None, Some(shall)) => format!("{stands} -> {}", short(shall)),
            (None, None) => format!("{stands} -> what is built"),
        }
    }
}

fn told(plan: &Plan, rows: &[Row]) -> String {
    let mut text = String::new();
    let width = rows.iter().map(|row| row.tag.len()).max().unwrap_or_default();
    for service in &plan.services {
        // Writing to a string cannot fail.
        writeln!(text, "{}  {}: {}", service.service, service.action.name(), service.reason).ok();
        for row in rows.iter().filter(|row| row.service == service.service) {
            writeln!(text, "  {:<width$}  {}", row.tag, row.told()).ok();
        }
    }
    text.trim_end().to_owned()
}
