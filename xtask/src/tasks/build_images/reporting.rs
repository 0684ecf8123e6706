//! A run's report: put together at the end, and left where people and workflows look for it.

use super::Run;
use crate::docker::build::Outcome;
use crate::docker::registry::Fetched;
use crate::plan::dockerfile::{Dockerfile, lines_of_vertex};
use crate::plan::fingerprint::Kind;
use crate::plan::volatile_args;
use crate::report::advice::{Evidence, advice};
use crate::report::assemble::{self, Traffic, Usual};
use crate::report::data::Report;
use crate::report::github::{Files, is_github};
use crate::report::outputs::outputs;
use crate::report::{json, summary};
use crate::time::rfc3339;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::time::UNIX_EPOCH;

impl Run<'_> {
    /// The report of this run, whose pushed images have these indexes.
    pub fn told(
        &self,
        outcomes: &BTreeMap<String, Outcome>,
        indexes: &BTreeMap<String, Fetched>,
        took: f64,
    ) -> Report {
        let engine = self.measuring.since(self.docker.as_ref());
        let (bakes, there) = self.measuring.take();
        let pushed = self.sent(outcomes, indexes, &there);
        let came = engine.as_ref().map(|engine| self.came(engine, &bakes, &there));
        let counters = self.reading.registry.counters();
        let world = &self.reading.world;
        let before = if bakes.is_empty() { Vec::new() } else { json::built_reports(&world.root) };
        let usual: Usual = before.iter().flat_map(assemble::usual).collect();
        let last = before.last();
        let since_1970 = self.session.env.now.duration_since(UNIX_EPOCH);
        let line_of = |service: &str, step: &str| {
            let (_, dockerfile) = world.dockerfiles.get(service)?;
            lines_of_vertex(dockerfile, step).map(|lines| lines.0)
        };
        let mut report = assemble::report(&assemble::Run {
            project: &world.facts.manifest.project.name,
            plan: &self.plan,
            outcomes,
            bakes: &bakes,
            began: rfc3339(self.session.env.now),
            began_at: since_1970.map_or(0.0, |since| since.as_secs_f64()),
            took,
            line_of: &line_of,
            pushed: &pushed,
            sees_store: came.is_some(),
            untold: came.as_ref().map_or(&BTreeMap::new(), |came| &came.untold),
            of_bases: came.as_ref().map(|came| &came.of_bases),
            own: Traffic { received: counters.bytes_in, sent: counters.bytes_out },
            network: engine.map(|engine| engine.bridge),
            why: &self.measuring.take_why(),
            usual: &usual,
            bases: self.bases(),
            volatile_args: volatile_args::hashes(&world.facts),
        });
        if !report.timeline.is_empty() {
            report.advice = self.advice(&report, last);
        }
        report
    }

    /// Leaves a report where people and workflows look for it.
    pub fn leave(&self, report: &Report) -> Result<()> {
        let root = &self.reading.world.root;
        json::write(root, report)?;
        if is_github(&self.session.env) {
            let files = Files::of(&self.session.env);
            files.summary(&summary::markdown(report))?;
            let (file, page) = (json::last(root), json::timeline(root));
            for (name, value) in outputs(report, file.as_str(), page.as_str()) {
                files.output(name, &value)?;
            }
        }
        if !self.options.json {
            return Ok(());
        }
        crate::report::stdout(&serde_json::to_string_pretty(report)?)
    }

    fn advice(&self, now: &Report, last: Option<&Report>) -> Vec<crate::report::data::Advice> {
        let world = &self.reading.world;
        let built = now.services.iter().filter(|service| service.outcome == "built");
        let dockerfiles: BTreeMap<String, Dockerfile> = built
            .filter_map(|service| {
                let (_, dockerfile) = world.dockerfiles.get(&service.service)?;
                Some((service.service.clone(), dockerfile.clone()))
            })
            .collect();
        let locked: BTreeSet<String> = world.lock.entries.keys().cloned().collect();
        let env = &self.session.env;
        // A builder that was named may be on another machine, which stays.
        let goes_away = is_github(env)
            && env.get("RUNNER_ENVIRONMENT") == Some("github-hosted")
            && self.options.builder.is_none();
        let files = |service: &str| self.files(service);
        let dockerfiles = &dockerfiles;
        advice(&Evidence { now, last, dockerfiles, locked: &locked, goes_away, files: &files })
    }

    /// Digests of external images, by service and name.
    fn bases(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let facts = &self.reading.world.facts;
        let of_service = |service: &String| {
            let needs = facts.needs.get(service).into_iter().flat_map(|needs| &needs.bases);
            let digests = needs.filter_map(|(name, key)| {
                let (_, digest) = facts.bases.get(key)?.context.rsplit_once('@')?;
                Some((name.clone(), digest.to_owned()))
            });
            (service.clone(), digests.collect())
        };
        self.plan.services.iter().map(|plan| of_service(&plan.service)).collect()
    }

    /// The files of a service's context, with their sizes.
    fn files(&self, service: &str) -> Vec<(String, u64)> {
        let world = &self.reading.world;
        let inputs =
            world.facts.inputs.get(service).and_then(|inputs| inputs.context.as_ref().ok());
        let Some((tree, service)) = inputs.zip(world.facts.service(service)) else {
            return Vec::new();
        };
        let folder = world.root.join(&service.context);
        let files = tree.entries.iter().filter(|entry| matches!(entry.kind, Kind::File { .. }));
        let sizes = files.filter_map(|entry| {
            let size = folder.join(&entry.path).symlink_metadata().ok()?.len();
            Some((entry.path.clone(), size))
        });
        sizes.collect()
    }
}
