//! `doctor`: what may be wrong, with the evidence and what mends it.

mod docker;
mod github;
mod machine;
mod registry;
mod tree;

use super::Session;
use super::build_images::reading;
use crate::cli::Doctor;
use crate::context::event::{self, Event};
use crate::context::facts;
use crate::docker::registry::{Patience, Registry};
use crate::manifest::{Loaded, Service};
use crate::plan::doctor::{Finding, Verdict};
use crate::plan::facts::select;
use crate::report::{count, stdout};
use anyhow::Result;
use camino::Utf8PathBuf;
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;

/// Looks at everything. One thing that is broken hides no other.
pub fn run(session: &Session, options: &Doctor) -> Result<ExitCode> {
    let patient = Patient::read(session, options)?;
    let mut findings = docker::check(&patient);
    findings.extend(machine::check(&patient));
    findings.extend(registry::check(&patient));
    findings.extend(tree::check(&patient));
    findings.extend(github::check(&patient));
    session.processes.interrupt.check()?;
    let shown =
        if options.json { as_json(&findings) } else { text(&findings, session.common.verbose) };
    stdout(&shown)?;
    let is_broken = findings.iter().any(|finding| finding.verdict == Verdict::Broken);
    Ok(if is_broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is looked at.
struct Patient<'a> {
    session: &'a Session,
    options: &'a Doctor,
    root: Utf8PathBuf,
    loaded: Loaded,
    services: Vec<Service>,
    /// Where images go
    place: String,
    client: Registry,
    /// Whether a run here is to push
    pushes: bool,
}

impl<'a> Patient<'a> {
    fn read(session: &'a Session, options: &'a Doctor) -> Result<Self> {
        let Session { env, processes, common, .. } = session;
        let (root, _, loaded) = facts::manifest(env, processes, common.manifest.as_deref())?;
        let place =
            facts::registry(env, options.registry.as_deref(), &loaded.manifest.project.registry)?;
        let chosen = select(&loaded.manifest, &options.names)?;
        let services = loaded.manifest.services.values();
        let services = services.filter(|it| chosen.contains(&it.name)).cloned().collect();
        let client = reading::registry(session, Patience::CHECK.within(5.0));
        let pushes = options.push || is_pushed(session, &loaded);
        Ok(Self { session, options, root, loaded, services, place, client, pushes })
    }

    fn image(&self, service: &Service) -> String {
        format!("{}/{}", self.place, service.name)
    }

    /// A failure that matters only where images are pushed.
    fn broken_if_pushed(&self, check: &'static str, evidence: String, mend: String) -> Finding {
        match self.pushes {
            true => Finding::broken(check, evidence, mend),
            false => Finding::warning(check, evidence, mend),
        }
    }
}

/// Whether GitHub's environment is that of a run which pushes. One that no row is for is not.
fn is_pushed(session: &Session, loaded: &Loaded) -> bool {
    let payload = session.env.github_payload().ok().flatten();
    let branch = &loaded.manifest.project.dev_branch;
    let event = event::find(None, &session.env.vars, payload.as_ref(), branch);
    event.is_ok_and(|event: Event| event.kind.pushes())
}

/// How long a short command may take is its own business; a hub has 2 seconds.
const HUB: Duration = crate::context::bases::HUB;

fn text(findings: &[Finding], all: bool) -> String {
    let shown = findings.iter().filter(|finding| all || finding.verdict != Verdict::Good);
    let mut lines: Vec<String> = shown.map(line).collect();
    let number = |verdict| findings.iter().filter(|it| it.verdict == verdict).count();
    lines.push(match (number(Verdict::Broken), number(Verdict::Warning)) {
        (0, 0) => format!("all good: {}", count(findings.len(), "check")),
        (broken, warnings) => {
            let (checks, warnings) = (count(findings.len(), "check"), count(warnings, "warning"));
            format!("{checks}: {broken} broken, {warnings}")
        }
    });
    lines.join("\n")
}

fn line(finding: &Finding) -> String {
    let word = match finding.verdict {
        Verdict::Good => "good",
        Verdict::Warning => "warning",
        Verdict::Broken => "broken",
    };
    let service = finding.service.as_ref().map(|it| format!(" {it}")).unwrap_or_default();
    let mend = finding.mend.as_ref().map(|mend| format!("\n         {mend}")).unwrap_or_default();
    format!("{word:<7}  {}{service}: {}{mend}", finding.check, finding.evidence)
}

fn as_json(findings: &[Finding]) -> String {
    let worst = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Good);
    format!("{:#}", json!({ "schema": 1, "verdict": worst, "findings": findings }))
}
