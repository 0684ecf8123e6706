//! Reads the Dockerfiles of all services, and what they build on.
#![expect(clippy::disallowed_methods, reason = "the reader of Dockerfiles")]

use crate::diagnostic::{Diagnostic, Source, report};
use crate::error::Wrong;
use crate::manifest::{Loaded, Service};
use crate::parallel;
use crate::plan::dockerfile::{self, Dockerfile, Question, Unclear};
use crate::plan::graph::{Cycle, Graph, Needs, Problem, needs};
use crate::plan::steering;
use anyhow::Result;
use camino::Utf8Path;
use std::collections::BTreeMap;
use std::io::ErrorKind;

/// The Dockerfiles of all services.
#[derive(Clone, Debug, Default)]
pub struct Dockerfiles {
    by_service: BTreeMap<String, (Source, Dockerfile)>,
}

/// Reads the Dockerfile of each service.
pub fn read(root: &Utf8Path, loaded: &Loaded) -> Result<Dockerfiles> {
    let mut by_service = BTreeMap::new();
    let mut mistakes = Vec::new();
    let services: Vec<&Service> = loaded.manifest.services.values().collect();
    let read = parallel::compute(&services, |service| -> std::io::Result<_> {
        let text = std::fs::read_to_string(root.join(&service.dockerfile))?;
        Ok((Source::new(service.dockerfile.as_str(), &text), dockerfile::parse(&text)))
    });
    for (service, read) in services.into_iter().zip(read) {
        match read {
            Ok(read) => {
                by_service.insert(service.name.clone(), read);
            }
            Err(error) => {
                let span = loaded.places.service(&service.name);
                let reason = match error.kind() {
                    ErrorKind::InvalidData => "it is no text in UTF-8".to_owned(),
                    _ => error.to_string(),
                };
                let what = format!("cannot read the Dockerfile `{}`: {reason}", service.dockerfile);
                mistakes.push(loaded.at(&span, what));
            }
        }
    }
    if mistakes.is_empty() { Ok(Dockerfiles { by_service }) } else { fail(&mistakes) }
}

impl Dockerfiles {
    /// The Dockerfile of a service, and its text.
    pub fn get(&self, service: &str) -> Option<&(Source, Dockerfile)> {
        self.by_service.get(service)
    }

    /// What each service needs, and the graph. All mistakes at once, each with its place.
    pub fn graph(&self, loaded: &Loaded) -> Result<(BTreeMap<String, Needs>, Graph)> {
        let mut all = BTreeMap::new();
        let mut mistakes = Vec::new();
        let services: Vec<&Service> = loaded.manifest.services.values().collect();
        let needed = parallel::compute(&services, |service| self.needs_of(loaded, service));
        for (service, needed) in services.into_iter().zip(needed) {
            match needed {
                Ok(needs) => {
                    all.insert(service.name.clone(), needs);
                }
                Err(found) => mistakes.extend(found),
            }
        }
        if !mistakes.is_empty() {
            return fail(&mistakes);
        }
        let on = all
            .iter()
            .map(|(name, needs)| (name.clone(), needs.services.values().cloned().collect()));
        match Graph::new(on.collect()) {
            Ok(graph) => Ok((all, graph)),
            Err(cycle) => fail(&[cycle_at(loaded, &cycle)]),
        }
    }

    fn needs_of(&self, loaded: &Loaded, service: &Service) -> Result<Needs, Vec<Diagnostic>> {
        let Some((source, dockerfile)) = self.get(&service.name) else {
            return Ok(Needs::default());
        };
        let contexts: Vec<String> = service.contexts.keys().cloned().collect();
        let question = Question {
            args: &service.args,
            target: service.target.as_deref(),
            contexts: &contexts,
            platforms: &service.platforms,
        };
        let reads = dockerfile::reads(dockerfile, &question)
            .map_err(|trouble| vec![source.at_line(trouble.line, trouble.what)])?;
        let found = needs(&loaded.manifest, &service.name, &reads.references);
        let mut needs = found.map_err(|problems| {
            let at = |problem: Problem| {
                let message = format!("service `{}` {}", service.name, problem.message);
                source.at_line(problem.line, message).help(problem.help)
            };
            problems.into_iter().map(at).collect::<Vec<_>>()
        })?;
        let unclear = reads.unclear.iter();
        let tell = |u: &Unclear| format!("{}:{}: cannot tell {}", source.path(), u.line, u.what);
        needs.unclear = unclear.map(tell).collect();
        needs.unpinned.extend(steering::volatile(service, dockerfile, &question, &reads));
        Ok(needs)
    }
}

fn cycle_at(loaded: &Loaded, cycle: &Cycle) -> Diagnostic {
    let first = cycle.0.first().map(String::as_str).unwrap_or_default();
    loaded
        .at(
            &loaded.places.service(first),
            format!("services build on each other: {}", cycle.0.join(" -> ")),
        )
        .help("let one of their Dockerfiles start from something else")
}

fn fail<T>(mistakes: &[Diagnostic]) -> Result<T> {
    Err(Wrong(report(mistakes)).into())
}
