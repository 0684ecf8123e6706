//! `build-images` and `plan`: facts, plan, then print it or carry it out.

use super::Session;
use crate::cli::BuildImages;
use crate::context::facts::{self, Asked, World};
use crate::docker::Docker;
use crate::docker::build::{Build, Failed, OnFailure, Outcome};
use crate::docker::buildx::Buildx;
use crate::docker::progress::FailedStep;
use crate::plan::dockerfile::lines_of_vertex;
use crate::plan::{self, Plan, Request};
use crate::report::outcome::{self, Place};
use crate::report::terminal::{Level, Terminal};
use crate::report::{count, seconds};
use anyhow::Result;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Prints the plan and does nothing.
pub fn plan(session: &Session, options: &BuildImages) -> Result<ExitCode> {
    let world = facts::read(&asked(session, options))?;
    let plan = plan::make(&world.facts, &request(options))?;
    crate::report::stdout(&if options.json {
        serde_json::to_string_pretty(&plan)?
    } else {
        plan.to_string().trim_end().to_owned()
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Builds images as the event says.
pub fn run(session: &Session, options: &BuildImages) -> Result<ExitCode> {
    if options.dry_run {
        return plan(session, options);
    }
    let world = facts::read(&asked(session, options))?;
    let docker = Docker { program: "docker".into(), ..Docker::default() };
    let plan = plan::make(&world.facts, &request(options))?;
    if !session.common.quiet {
        plan.warnings.iter().for_each(|warning| eprintln!("note: {warning}"));
    }
    let mut terminal = Terminal::new(level(session), plan.services.len(), is_plain(session));
    let outcomes = build(session, options, &world, &plan, &docker, &mut terminal);
    terminal.clear();
    let outcomes = outcomes?;
    tell(session, &world, &plan, &outcomes, &terminal);
    let all_built = outcomes.values().all(|outcome| matches!(outcome, Outcome::Built(_)));
    Ok(if all_built { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn asked<'a>(session: &'a Session, options: &'a BuildImages) -> Asked<'a> {
    Asked {
        env: &session.env,
        processes: &session.processes,
        manifest: session.common.manifest.as_deref(),
        event: options.event.as_deref(),
        registry: options.registry.as_deref(),
        names: &options.names,
    }
}

fn request(options: &BuildImages) -> Request {
    Request {
        names: options.names.clone(),
        no_cache: options.no_cache,
        load: options.load,
        no_push: options.no_push,
    }
}

fn build(
    session: &Session,
    options: &BuildImages,
    world: &World,
    plan: &Plan,
    docker: &Docker,
    terminal: &mut Terminal,
) -> Result<BTreeMap<String, Outcome>> {
    let buildx = Buildx {
        docker,
        processes: &session.processes,
        root: &world.root,
        builder: options.builder.as_deref(),
    };
    let build = Build {
        buildx,
        graph: &world.facts.graph,
        owner_of: &|step| owner_of(world, plan, step),
        on_failure: if options.fail_fast { OnFailure::Stop } else { OnFailure::GoOn },
    };
    build.run(plan, &mut |update, progress| terminal.update(update, progress))
}

/// The service whose Dockerfile holds a failed step: a step that services share is shown under any
/// of them, but stands in the Dockerfile of the one that the others build on.
fn owner_of(world: &World, plan: &Plan, step: &FailedStep) -> Option<String> {
    let shown: Vec<String> =
        step.targets.iter().map(|t| crate::docker::bake::service_name(t)).collect();
    let candidates = world.facts.graph.with_dependencies(shown.iter().map(String::as_str));
    let in_order = plan.services.iter().filter(|plan| candidates.contains(&plan.service));
    let mut holders = in_order.filter(|plan| lines_of(world, &plan.service, step).is_some());
    holders.next().map(|plan| plan.service.clone())
}

fn lines_of(world: &World, service: &str, step: &FailedStep) -> Option<(usize, usize)> {
    lines_of_vertex(&world.dockerfiles.get(service)?.1, &step.name)
}

fn place_of(world: &World, service: &str, failed: &Failed) -> Option<Place> {
    let (source, _) = world.dockerfiles.get(service)?;
    let lines = match &failed.step {
        Some(step) => lines_of(world, service, step)?,
        None => line_of_parse_error(&failed.last_words).map(|line| (line, line))?,
    };
    let text = source.text().lines().skip(lines.0 - 1).take(lines.1 + 1 - lines.0);
    Some(Place { path: source.path().into(), lines, text: text.map(str::to_owned).collect() })
}

/// BuildKit says `dockerfile parse error on line 3: …`.
fn line_of_parse_error(text: &str) -> Option<usize> {
    let after = text.split_once("parse error on line ")?.1;
    after.split(':').next()?.parse().ok().filter(|line| *line > 0)
}

fn tell(
    session: &Session,
    world: &World,
    plan: &Plan,
    outcomes: &BTreeMap<String, Outcome>,
    terminal: &Terminal,
) {
    let failures = outcome::failures(outcomes, &|service, failed| place_of(world, service, failed));
    if !session.common.quiet {
        eprintln!("{}", outcome::summary(plan, outcomes));
    }
    eprint!("{failures}");
    if !session.common.quiet {
        let built = outcomes.values().filter(|o| matches!(o, Outcome::Built(_))).count();
        let all = count(plan.services.len(), "image");
        eprintln!("{built} of {all} built in {}", seconds(terminal.elapsed()));
    }
}

fn level(session: &Session) -> Level {
    match (session.common.quiet, session.common.verbose) {
        (true, _) => Level::Quiet,
        (false, true) => Level::Verbose,
        (false, false) => Level::Normal,
    }
}

fn is_plain(session: &Session) -> bool {
    session.env.get("TERM") == Some("dumb") || session.env.get("NO_COLOR").is_some()
}
