//! The registry: whether it is there, knows us, lets us push, and has whole caches; and the hub.

use super::{HUB, Patient};
use crate::docker::cache_manifest;
use crate::docker::registry::{Answer, Options, Patience, Reason, Reference, Registry};
use crate::manifest::Service;
use crate::parallel;
use crate::plan::cache::CACHE_TAG;
use crate::plan::claim::Claim;
use crate::plan::doctor::{Finding, clock};
use crate::plan::tags::Known;
use crate::time::{age, seconds_of_rfc3339};
use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

/// A cache that is older is of little use, in seconds: 30 days.
const OLD: u64 = 30 * 86_400;
/// How many services are looked at at once.
const AT_ONCE: usize = 8;
/// How long all questions about caches may take.
const WITHIN: Duration = Duration::from_secs(30);

pub fn check(patient: &Patient) -> Vec<Finding> {
    let mut findings = hubs(patient);
    let Some(first) = patient.services.first() else { return findings };
    let Ok(first) = patient.image(first).parse::<Reference>() else { return findings };
    match patient.client.ping(&first) {
        Err(reason) => {
            let mend = format!(
                "see whether `{}` is up, and a proxy or firewall lets us through",
                first.host()
            );
            findings.push(Finding::broken("registry", reason.to_string(), mend));
            return findings;
        }
        Ok(date) => {
            findings.push(Finding::good("registry", format!("`{}` answers", first.host())));
            let now = patient.session.env.now + patient.session.began.elapsed();
            let ours = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            findings.extend(date.map(|theirs| clock(first.host(), ours, theirs)));
        }
    }
    let told = parallel::map(AT_ONCE, &patient.services, |service| of_service(patient, service));
    findings.extend(told.into_iter().flatten());
    findings.extend(visibility(patient, &first));
    findings
}

/// The hosts that bases which are no longer at hand come from.
fn hubs(patient: &Patient) -> Vec<Finding> {
    let mut hosts: BTreeMap<String, (Reference, Vec<&str>, bool)> = BTreeMap::new();
    for (name, base) in &patient.loaded.manifest.bases {
        let Ok(image) = name.parse::<Reference>() else { continue };
        let (_, bases, all_made) = hosts
            .entry(image.api_host().to_owned())
            .or_insert_with(|| (image.clone(), Vec::new(), true));
        bases.push(name);
        *all_made &= base.bootstrap.is_some();
    }
    let patience = Patience { total: HUB, per_request: HUB, tries: 1, ..Patience::LOCAL };
    let client = patient.client.with_patience(patience);
    let told = hosts.into_iter().map(|(host, (image, bases, all_made))| {
        let bases = format!("`{}`", bases.join("`, `"));
        match client.ping(&image) {
            Ok(_) => Finding::good("hub", format!("`{host}` answers")),
            Err(reason) if all_made => Finding::warning(
                "hub",
                format!("{reason}; so {bases} is made from Debian's packages unless it is locked"),
                "let this machine reach it, or lock bases: `cargo xtask bases update`",
            ),
            Err(reason) => Finding::broken(
                "hub",
                format!("{reason}; {bases} comes from there"),
                "let this machine reach it, or say in the manifest how the base is made (`bootstrap`)",
            ),
        }
    });
    told.collect()
}

fn of_service(patient: &Patient, service: &Service) -> Vec<Finding> {
    let Ok(image) = patient.image(service).parse::<Reference>() else { return Vec::new() };
    let Ok(cache) = image.with_tag(CACHE_TAG) else { return Vec::new() };
    let may_push = patient.client.may_push(&image);
    let mut findings = Vec::new();
    match patient.client.head_manifest(&cache) {
        Answer::Found(_) => findings.extend(whole(patient, service, &image)),
        // GHCR answers 403 for packages that do not exist: one that we may push to is new and ours.
        Answer::Refused(reason) if may_push.is_err() => findings.push(refused(&image, &reason)),
        Answer::Absent | Answer::Refused(_) => findings.push(Finding::warning(
            "cache",
            format!("there is no `{cache}`: each build begins with nothing"),
            format!("`cargo xtask warm-cache {}`, or push to `{}`", service.name, branch(patient)),
        )),
        Answer::Unknown(reason) => findings.push(Finding::broken(
            "registry",
            reason.to_string(),
            "try again later; the registry answers, and not to this",
        )),
    }
    findings.push(match may_push {
        Ok(()) => Finding::good("push", format!("an upload to `{}` can be opened", image.name())),
        Err(reason) => patient.broken_if_pushed("push", reason.to_string(), may_not_push(&image)),
    });
    findings.into_iter().map(|finding| finding.of(&service.name)).collect()
}

fn branch<'a>(patient: &'a Patient<'_>) -> &'a str {
    &patient.loaded.manifest.project.dev_branch
}

fn refused(image: &Reference, reason: &Reason) -> Finding {
    let mend = match reason.status {
        Some(401) => format!("log in: `docker login {}`", image.host()),
        _ => format!("`docker login {}` as somebody who may read `{}`", image.host(), image.name()),
    };
    Finding::broken("login", reason.to_string(), mend)
}

fn may_not_push(image: &Reference) -> String {
    let login = format!("`docker login {}` with a token that may write packages", image.host());
    match image.host() {
        "ghcr.io" => format!(
            "{login}; in a workflow `permissions: {{ packages: write }}`, and in the repository's \
             settings Actions > General > Workflow permissions"
        ),
        _ => login,
    }
}

/// A cache that is there: its layers, and its age.
fn whole(patient: &Patient, service: &Service, image: &Reference) -> Option<Finding> {
    let mend = format!("`cargo xtask warm-cache {}`", service.name);
    let read = cache_manifest::read(&patient.client, &[image.name()], WITHIN).ok()?;
    let cache = match read.into_iter().next()? {
        Known::Known(cache) => cache?,
        Known::Unknown(why) => return Some(Finding::warning("cache", why, "try again later")),
    };
    let gone = cache.blobs.iter().filter(|(_, there)| **there == Known::Known(false));
    let gone: Vec<&str> = gone.map(|(digest, _)| digest.as_str()).collect();
    if !gone.is_empty() {
        let evidence = format!("the registry has lost layers of it: {}", gone.join(", "));
        return Some(Finding::broken("cache", evidence, mend));
    }
    let dev = patient.client.get_manifest(&image.with_tag("dev").ok()?).found();
    let claim = dev.and_then(|dev| Claim::read(&dev.index().ok()?.annotations));
    let created = claim.filter(|claim| claim.cache.as_ref() == Some(&cache.digest));
    let created = created.and_then(|claim| seconds_of_rfc3339(&claim.created?));
    let now = patient.session.env.now.duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
    let layers = cache.blobs.len();
    Some(match created.map(|created| now.saturating_sub(created)) {
        Some(old) if old > OLD => {
            Finding::warning("cache", format!("it was written {} ago", age(old)), mend)
        }
        Some(old) => Finding::good("cache", format!("{layers} blobs, written {} ago", age(old))),
        None => Finding::good("cache", format!("{layers} blobs, of unknown age")),
    })
}

/// New packages are private on GHCR: then nobody else can read records and bases.
fn visibility(patient: &Patient, image: &Reference) -> Vec<Finding> {
    let vars =
        ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"];
    let vars = vars
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), patient.session.env.get(name)?.to_owned())));
    let anonymous = Registry::new(Options {
        vars: vars.collect(),
        ..Options::new(
            &patient.session.env,
            &patient.session.processes,
            Patience::CHECK.within(5.0),
        )
    });
    if anonymous.tags(image).found().is_none() {
        return Vec::new();
    }
    let told = ["releases", "bases"].into_iter().filter_map(|name| {
        let package: Reference = format!("{}/{name}", patient.place).parse().ok()?;
        patient.client.tags(&package).found()?;
        Some(match anonymous.tags(&package) {
            Answer::Refused(_) => Finding::warning(
                "visibility",
                format!("`{}` is private, while images are public", package.name()),
                "make it public: on GitHub, the package's settings, Change visibility",
            ),
            _ => Finding::good("visibility", format!("`{}` can be read", package.name())),
        })
    });
    told.collect()
}
