//! Tells what came of a run, with the place of each failure in its Dockerfile.

use crate::context::environment::Environment;
use crate::context::facts::World;
use crate::docker::bake::service_name;
use crate::docker::build::{Failed, Outcome};
use crate::docker::progress::FailedStep;
use crate::plan::Plan;
use crate::plan::dockerfile::lines_of_vertex;
use crate::report::outcome::{self, Place};
use crate::report::{github, say, seconds, stderr};
use camino::Utf8Path;
use std::collections::BTreeMap;

/// What is known of the run.
#[derive(Clone, Copy)]
pub struct Telling<'a> {
    /// What was read
    pub world: &'a World,
    /// What was to be done
    pub plan: &'a Plan,
    /// What the process was given
    pub env: &'a Environment,
}

impl Telling<'_> {
    /// Prints a line a service, then each failure whole. `quiet` leaves only the failures.
    pub fn tell(&self, quiet: bool, outcomes: &BTreeMap<String, Outcome>, took: f64) {
        if !quiet {
            say!("{}", outcome::summary(self.plan, outcomes));
        }
        self.tell_failures(outcomes);
        if !quiet {
            say!("{} in {}", outcome::counts(self.plan, outcomes), seconds(took));
        }
    }

    /// Prints each failure whole. On GitHub it is noted at the line of the Dockerfile too.
    pub fn tell_failures(&self, outcomes: &BTreeMap<String, Outcome>) {
        let place_of = |service: &str, failed: &Failed| self.place_of(service, failed);
        let failures = outcome::failures(outcomes, &place_of);
        if !github::is_github(self.env) {
            return stderr::write(format_args!("{failures}"));
        }
        let lines = failures.lines().map(github::plain);
        let workspace = self.env.get("GITHUB_WORKSPACE").map(Utf8Path::new);
        let below = workspace.and_then(|workspace| self.world.root.strip_prefix(workspace).ok());
        let notes = outcome::annotations(outcomes, &place_of, below.unwrap_or(Utf8Path::new("")));
        lines.chain(notes).for_each(|line| say!("{line}"));
    }

    /// The service whose Dockerfile holds a failed step: a step that services share is shown under
    /// any of them, but stands in the Dockerfile of the one that the others build on.
    pub fn owner_of(&self, step: &FailedStep) -> Option<String> {
        let shown: Vec<String> = step.targets.iter().map(|t| service_name(t)).collect();
        let candidates = self.world.facts.graph.with_dependencies(shown.iter().map(String::as_str));
        let in_order = self.plan.services.iter().filter(|s| candidates.contains(&s.service));
        let mut holders = in_order.filter(|s| self.lines_of(&s.service, step).is_some());
        holders.next().map(|service| service.service.clone())
    }

    fn lines_of(&self, service: &str, step: &FailedStep) -> Option<(usize, usize)> {
        lines_of_vertex(&self.world.dockerfiles.get(service)?.1, &step.name)
    }

    fn place_of(&self, service: &str, failed: &Failed) -> Option<Place> {
        let (source, _) = self.world.dockerfiles.get(service)?;
        let lines = match &failed.step {
            Some(step) => self.lines_of(service, step)?,
            None => line_of_parse_error(&failed.last_words).map(|line| (line, line))?,
        };
        let text = source.text().lines().skip(lines.0 - 1).take(lines.1 + 1 - lines.0);
        Some(Place { path: source.path().into(), lines, text: text.map(str::to_owned).collect() })
    }
}

/// BuildKit says `dockerfile parse error on line 3: …`.
fn line_of_parse_error(text: &str) -> Option<usize> {
    let after = text.split_once("parse error on line ")?.1;
    after.split(':').next()?.parse().ok().filter(|line| *line > 0)
}
