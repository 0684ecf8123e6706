//! The watch of `up`: looks at what images are made of, and acts upon edits.

use super::super::Session;
use super::super::build_images;
use super::{Project, as_built, tell};
use crate::cli::Up;
use crate::context::dockerfiles;
use crate::context::inputs::Glance;
use crate::docker::Docker;
use crate::docker::compose::Reach;
use crate::error::Interrupted;
use crate::manifest::{self, Service};
use crate::plan::graph::Graph;
use crate::plan::watch::{Watched, affected};
use crate::report::say;
use anyhow::Result;
use camino::Utf8Path;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

/// How often is looked; less often where a look takes long.
const EVERY: Duration = Duration::from_millis(250);
/// How long nothing may change before an edit is taken to be over.
const QUIET: Duration = Duration::from_millis(100);
/// A look takes at most this part of the time.
const PART: u32 = 4;

/// What is looked at of a service: its entry in the manifest and its files. What cannot be looked at is
/// a state too.
type Look = (Service, Result<Glance, String>);

/// A watch that has begun.
pub struct Watch {
    project: Project,
    /// Of the manifest's file, when it was last read
    written: Option<(SystemTime, u64)>,
    watched: Watched<Look>,
    /// Whether all services were started; until then an edit is a new try of all
    pub is_up: bool,
}

impl Watch {
    /// Takes the first look, before anything is built.
    pub fn new(project: Project) -> Self {
        let (written, watched) = (written(&project.manifest), Watched::new(look(&project)));
        Self { project, written, watched, is_up: false }
    }

    /// Goes on until Ctrl-C.
    pub fn go_on(&mut self, session: &Session, options: &Up, docker: &Docker) -> Result<ExitCode> {
        tell(session, "watching; Ctrl-C ends it");
        loop {
            let began = Instant::now();
            let changed = self.look(session);
            let usual = if self.watched.is_pending() { QUIET } else { EVERY };
            let rest = usual.max((began.elapsed() * (PART - 1)).min(PART * EVERY));
            let acted = self.act(session, options, docker, &changed);
            let acted = match acted {
                Err(error) if !error.chain().any(|cause| cause.is::<Interrupted>()) => {
                    say!("error: {error:#}");
                    tell(session, "waiting for the next edit");
                    Ok(())
                }
                acted => acted,
            };
            if let Err(error) = acted.and_then(|()| session.processes.interrupt.sleep(rest)) {
                tell(session, "\nthe services go on; `cargo xtask down` stops them");
                return Err(error);
            }
        }
    }

    /// The services that were edited, each with what shows it.
    fn look(&mut self, session: &Session) -> BTreeMap<String, String> {
        let written = written(&self.project.manifest);
        if written != self.written {
            self.written = written;
            match manifest::load(&self.project.manifest, &self.project.root) {
                Ok(loaded) => self.project.loaded = loaded,
                Err(error) => {
                    say!("error: {error:#}");
                    tell(session, "going on with the manifest as it was");
                }
            }
        }
        let seen = self.watched.see(look(&self.project));
        let shown = |before: Option<Look>, now: Option<Look>| match (before, now) {
            (None, _) => "it is new".into(),
            (_, None) => "it is no longer in the manifest".into(),
            (_, Some((_, Err(why)))) => why,
            (Some((_, Ok(before))), Some((_, Ok(now)))) => match now.difference(&before) {
                Some(path) => format!("`{path}` changed"),
                None => "its entry in the manifest changed".into(),
            },
            (Some((_, Err(_))), Some(_)) => "it can be read again".into(),
        };
        seen.into_iter().map(|(service, before, now)| (service, shown(before, now))).collect()
    }

    fn act(
        &mut self,
        session: &Session,
        options: &Up,
        docker: &Docker,
        changed: &BTreeMap<String, String>,
    ) -> Result<()> {
        if changed.is_empty() {
            return Ok(());
        }
        let project = &self.project;
        let graph = graph(project)?;
        let running: BTreeSet<String> = project.select(&options.names)?.into_iter().collect();
        let touched = match self.is_up {
            true => affected(&graph, &changed.keys().cloned().collect(), &running),
            false => running,
        };
        if touched.is_empty() {
            return Ok(());
        }
        let touched: Vec<String> = touched.into_iter().collect();
        for (service, why) in changed {
            tell(session, &format!("{service}: {why}"));
        }
        tell(session, &format!("building {}", touched.join(", ")));
        let built = build_images::run(&session.anew(), &as_built(options, touched.clone()))?;
        if built == ExitCode::SUCCESS {
            let reach = if self.is_up { Reach::TheseAlone } else { Reach::WithDependencies };
            session.processes.run(&project.compose(docker).up(&touched, reach))?;
            self.is_up = true;
            tell(session, &format!("up: {}", touched.join(", ")));
        }
        Ok(())
    }
}

fn graph(project: &Project) -> Result<Graph> {
    let read = dockerfiles::read(&project.root, &project.loaded)?;
    Ok(read.graph(&project.loaded)?.1)
}

/// All services of the manifest: those that run may build on any.
fn look(project: &Project) -> BTreeMap<String, Look> {
    let services = project.loaded.manifest.services.values();
    let look = |service: &Service| {
        (service.name.clone(), (service.clone(), Glance::of(&project.root, service)))
    };
    services.map(look).collect()
}

fn written(file: &Utf8Path) -> Option<(SystemTime, u64)> {
    let meta = file.metadata().ok()?;
    Some((meta.modified().ok()?, meta.len()))
}
