//! Workflows, and what a job on GitHub is given.
#![expect(clippy::disallowed_methods, reason = "reads the workflows")]

use super::Patient;
use crate::context::git::git;
use crate::plan::cache::GhaAccess;
use crate::plan::doctor::{Finding, workflow};

pub fn check(patient: &Patient) -> Vec<Finding> {
    let mut findings = workflows(patient);
    if patient.session.env.get("GITHUB_ACTIONS") == Some("true") {
        findings.push(gha(patient));
        findings.extend(depth(patient));
    }
    findings
}

/// GHCR alone asks for the permission.
fn workflows(patient: &Patient) -> Vec<Finding> {
    let folder = patient.root.join(".github/workflows");
    let of_github = patient.loaded.manifest.project.registry.starts_with("ghcr.io/");
    let listing = folder.read_dir_utf8().ok().filter(|_| of_github).into_iter().flatten();
    let files =
        listing.flatten().filter(|file| matches!(file.path().extension(), Some("yml" | "yaml")));
    let told = files.filter_map(|file| {
        let text = std::fs::read_to_string(file.path()).ok()?;
        Some(workflow(&format!(".github/workflows/{}", file.file_name()), &text))
    });
    told.collect()
}

fn gha(patient: &Patient) -> Finding {
    match GhaAccess::from_env(&patient.session.env.vars, false) {
        GhaAccess::Absent => Finding::warning(
            "gha",
            "ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL are not set, so that there is no gha cache",
            "GitHub gives them to actions only: let a step hand them on, such as crazy-max/ghaction-github-runtime",
        ),
        GhaAccess::None => Finding::warning(
            "gha",
            "ACTIONS_CACHE_MODE forbids the gha cache",
            "nothing, where a fork or another untrusted event caused the run",
        ),
        access => Finding::good("gha", format!("the runner's cache may be used ({access:?})")),
    }
}

fn depth(patient: &Patient) -> Option<Finding> {
    let ask = git(&patient.root, "ask for the history", &["rev-parse", "--is-shallow-repository"]);
    let is_shallow = patient.session.processes.read(&ask).ok()? == "true";
    Some(match is_shallow {
        true => Finding::warning(
            "history",
            "the checkout is shallow: `affected`, `release notes` and `cache prune` need the history",
            "give actions/checkout `fetch-depth: 0` in the jobs that run these",
        ),
        false => Finding::good("history", "the whole history is here"),
    })
}
