//! The services' folders and Dockerfiles, and the lock file of bases.

use super::super::bases::check as bases;
use super::Patient;
use crate::context::inputs::Glance;
use crate::context::{dockerfiles, secrets};
use crate::manifest::Service;
use crate::plan::doctor::{Finding, context};

pub fn check(patient: &Patient) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        patient.services.iter().flat_map(|service| of_context(patient, service)).collect();
    match dockerfiles::read(&patient.root, &patient.loaded) {
        Ok(read) => {
            let told = patient.services.iter().filter_map(|service| {
                let (source, dockerfile) = read.get(&service.name)?;
                Some(cache_mounts(source.path(), dockerfile)?.of(&service.name))
            });
            findings.extend(told);
        }
        Err(error) => findings.push(Finding::broken("dockerfile", error.to_string(), "write it")),
    }
    findings.push(secrets_of(patient));
    findings.extend(bases::findings(patient.session, &patient.client, patient.options));
    findings
}

fn of_context(patient: &Patient, service: &Service) -> Vec<Finding> {
    let found = match Glance::of(&patient.root, service) {
        Ok(glance) => {
            let Glance { files, bytes, has_ignore_file, .. } = glance;
            context(service.context.as_str(), files, bytes, has_ignore_file)
        }
        Err(why) => vec![Finding::broken("context", why, "mend the folder or its ignore file")],
    };
    found.into_iter().map(|finding| finding.of(&service.name)).collect()
}

/// What they hold never leaves the machine (buildkit#1474).
fn cache_mounts(path: &str, dockerfile: &crate::plan::dockerfile::Dockerfile) -> Option<Finding> {
    let runs = dockerfile.stages.iter().flat_map(|stage| &stage.instructions);
    let mounts = |text: &str| {
        text.split_whitespace()
            .take_while(|word| word.starts_with("--"))
            .any(|flag| flag.starts_with("--mount=") && flag.contains("type=cache"))
    };
    let run = runs.into_iter().find(|run| run.keyword == "RUN" && mounts(&run.text))?;
    Some(Finding::warning(
        "cache-mounts",
        format!("{path}:{}: what a cache mount holds is lost with the runner", run.lines.0),
        "fetch dependencies in a step of its own, before the sources are copied: its layer is cached",
    ))
}

fn secrets_of(patient: &Patient) -> Finding {
    let names = patient.services.iter().map(|service| service.name.clone()).collect();
    match secrets::find(&patient.loaded, &patient.root, &patient.session.env, &names) {
        Ok(_) => Finding::good("secrets", "those that are needed are there"),
        Err(error) => {
            Finding::broken("secrets", error.to_string(), "provide it, or say `optional = true`")
        }
    }
}
