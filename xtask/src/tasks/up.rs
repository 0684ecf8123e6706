//! `up`, `down` and `logs`: the services at work, by compose, on the images that are built here.

mod watch;

use super::Session;
use super::build_images::{self, reading::setup};
use super::compose::{is_current, secret_files};
use crate::cli::{BuildImages, Down, Logs, Up};
use crate::context::facts;
use crate::docker::compose::{Compose, FILE, Reach, Volumes};
use crate::docker::{Docker, connect};
use crate::error::Interrupted;
use crate::manifest::Loaded;
use crate::plan::facts::select;
use crate::process::Command;
use crate::report::{say, stdout};
use anyhow::Result;
use camino::Utf8PathBuf;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Builds the images and starts the services; then goes on where that was asked.
pub fn up(session: &Session, options: &Up) -> Result<ExitCode> {
    let project = Project::read(session)?;
    let services = project.select(&options.names)?;
    if !is_current(session)? {
        tell(
            session,
            "note: docker-compose.yml is not what the manifest says: `cargo xtask compose`",
        );
    }
    let build = as_built(options, options.names.clone());
    if options.dry_run {
        let command = project
            .compose(&Docker::new("docker", crate::docker::Buildx::OfDocker))
            .up(&services, Reach::WithDependencies);
        let plan = build_images::planned(session, &build)?;
        stdout(&format!("{}\nthen: {command}", plan.to_string().trim_end()))?;
        return Ok(ExitCode::SUCCESS);
    }
    // Before the images are read: an edit while they are built is one to act upon.
    let watched = options.watch.then(|| watch::Watch::new(project.clone()));
    let built = build_images::run(session, &build);
    let is_built = matches!(&built, Ok(code) if *code == ExitCode::SUCCESS);
    let docker = match (&watched, is_built) {
        (None, false) => return built,
        _ => connect::connect(&setup(session)?)?,
    };
    if is_built {
        let up = project.compose(&docker).up(&services, Reach::WithDependencies);
        session.processes.run(&up)?;
        tell(session, &format!("up: {}", services.join(", ")));
    }
    match (watched, built) {
        (None, built) => built,
        (Some(_), Err(error)) if error.chain().any(|cause| cause.is::<Interrupted>()) => Err(error),
        (Some(mut watched), built) => {
            if let Err(error) = built {
                say!("error: {error:#}");
            }
            watched.is_up = is_built;
            watched.go_on(session, options, &docker)
        }
    }
}

/// Stops them.
pub fn down(session: &Session, options: &Down) -> Result<ExitCode> {
    let project = Project::read(session)?;
    let volumes = if options.volumes { Volumes::Remove } else { Volumes::Keep };
    let Some(docker) = connect::find(&setup(session)?)? else {
        tell(session, "no engine runs, so nothing is up");
        return Ok(ExitCode::SUCCESS);
    };
    let down: Command = project.compose(&docker).down(volumes);
    if options.dry_run {
        stdout(&down.to_string())?;
    } else {
        session.processes.run(&down)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what they print.
pub fn logs(session: &Session, options: &Logs) -> Result<ExitCode> {
    let project = Project::read(session)?;
    let services = match options.names.is_empty() {
        true => Vec::new(),
        false => project.select(&options.names)?,
    };
    let Some(docker) = connect::find(&setup(session)?)? else {
        wrong!("no engine runs, so there are no logs: `cargo xtask up` starts the services");
    };
    let tail = options.tail.map(|lines| lines.to_string());
    let mut args = Vec::new();
    args.extend(options.follow.then_some("--follow"));
    args.extend(tail.iter().flat_map(|lines| ["--tail", lines.as_str()]));
    let code = session.processes.pass_through(&project.compose(&docker).logs(&services, &args))?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// The images of a run at a desk, whatever GitHub's environment says.
fn as_built(options: &Up, names: Vec<String>) -> BuildImages {
    BuildImages {
        names,
        event: Some("local".into()),
        registry: options.registry.clone(),
        builder: options.builder.clone(),
        ..BuildImages::default()
    }
}

fn tell(session: &Session, line: &str) {
    if !session.common.quiet {
        say!("{line}");
    }
}

/// The manifest, and the file that compose reads.
#[derive(Clone)]
struct Project {
    root: Utf8PathBuf,
    manifest: Utf8PathBuf,
    loaded: Loaded,
    secrets: BTreeMap<String, String>,
}

impl Project {
    fn read(session: &Session) -> Result<Self> {
        let Session { env, processes, common, .. } = session;
        let (root, manifest, loaded) = facts::manifest(env, processes, common.manifest.as_deref())?;
        if !root.join(FILE).is_file() {
            wrong!("there is no `{FILE}`: write it with `cargo xtask compose`");
        }
        let mut secrets = secret_files(session);
        secrets.retain(|name, _| env.get(name).is_none());
        Ok(Self { root, manifest, loaded, secrets })
    }

    fn compose<'a>(&self, docker: &'a Docker) -> Compose<'a> {
        Compose::new(docker, &self.root, self.secrets.clone())
    }

    fn select(&self, names: &[String]) -> Result<Vec<String>> {
        Ok(select(&self.loaded.manifest, names)?.into_iter().collect())
    }
}
