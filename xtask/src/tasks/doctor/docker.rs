//! The engine, buildx and the builder.

use super::super::build_images::reading::setup;
use super::Patient;
use crate::docker::builder::{self, Wanted};
use crate::docker::engine::{Setup, check_machine};
use crate::docker::{Docker, connect};
use crate::error::Wrong;
use crate::plan::doctor::{Finding, buildx, space};

pub fn check(patient: &Patient) -> Vec<Finding> {
    let setup = match setup(patient.session) {
        Ok(setup) => setup,
        Err(error) => {
            let mend = "set XTASK_CACHE_DIR to a folder that can be written to";
            return vec![Finding::broken("docker", format!("{error:#}"), mend)];
        }
    };
    let docker = match connect::find(&setup) {
        Ok(Some(docker)) => docker,
        Ok(None) => return vec![without(&setup)],
        Err(error) => {
            let mend = "start the engine that DOCKER_HOST names, or unset DOCKER_HOST";
            return vec![Finding::broken("docker", format!("{error:#}"), mend)];
        }
    };
    let engine = docker.private.as_ref().map_or_else(
        || format!("`{}` reaches an engine", docker.program),
        |engine| format!("the private engine `{}` is up", engine.instance.name),
    );
    let mut findings = vec![Finding::good("docker", engine)];
    findings.push(version(patient, &docker));
    if docker.private.is_none() {
        findings.push(driver(patient, &docker));
        findings.extend(disk(patient, &docker));
    }
    findings
}

/// Nothing is there: a private engine may take its place.
fn without(setup: &Setup) -> Finding {
    let why = connect::why_not_used(setup).ok().flatten();
    let why = why.unwrap_or_else(|| "there is no `docker` command in PATH".into());
    match check_machine(setup) {
        Ok(_) => Finding::warning(
            "docker",
            format!("{why}; a private engine is started when one is needed"),
            "`cargo xtask engine up`, or install Docker with buildx",
        ),
        Err(error) => Finding::broken("docker", why, format!("{error:#}")),
    }
}

fn version(patient: &Patient, docker: &Docker) -> Finding {
    let ask = docker.buildx("ask for buildx's version").args(["version"]);
    match patient.session.processes.read(&ask) {
        Ok(printed) => buildx(&printed),
        Err(error) => {
            Finding::broken("buildx", format!("{error:#}"), "install the docker-buildx plugin")
        }
    }
}

fn driver(patient: &Patient, docker: &Docker) -> Finding {
    let wanted = Wanted { cache_export: true, several_platforms: true, oci_layout: true };
    let named = patient.options.builder.as_deref();
    let named = named.or_else(|| patient.session.env.get("BUILDX_BUILDER"));
    match builder::check(docker, &patient.session.processes, named, wanted) {
        Ok(()) => Finding::good("builder", "it exports caches and builds for several platforms"),
        Err(error) if error.is::<Wrong>() && named.is_none() => {
            let text = error.to_string();
            let (what, next) = text.split_once('\n').unwrap_or((&text, "see `docker buildx ls`"));
            patient.broken_if_pushed("builder", what.to_owned(), next.to_owned())
        }
        Err(error) => {
            let mend = "see `docker buildx ls` for the builders that there are";
            Finding::broken("builder", format!("{error:#}"), mend)
        }
    }
}

/// Where the engine keeps its images, if that is on this machine.
fn disk(patient: &Patient, docker: &Docker) -> Option<Finding> {
    let ask = docker.command("ask where the engine keeps its images");
    let ask = ask.args(["info", "--format", "{{.DockerRootDir}}"]);
    let folder = patient.session.processes.read(&ask).ok()?;
    let free = super::machine::free(folder.trim().into())?;
    Some(space(folder.trim(), "the engine's images", free))
}
