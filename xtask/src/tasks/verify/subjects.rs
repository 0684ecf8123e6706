//! What is verified: the services of which there is a published image to compare with.

use super::super::build_images::reading::Reading;
use crate::cli::Verify as Options;
use crate::docker::registry::{Fetched, Reference};
use crate::plan::claim::{self, Claim};
use crate::plan::look_up::LookUp;
use crate::report::verify::{Verdict, Verified};
use anyhow::Result;
use std::collections::BTreeMap;

/// A published image, and what it is compared with.
pub struct Subject<I = Fetched> {
    /// 64 hex digits
    pub fingerprint: String,
    /// Its name with a tag
    pub against: Reference,
    /// Its index
    pub index: I,
}

/// What was found.
#[derive(Default)]
pub struct Found {
    /// What can be compared
    pub subjects: BTreeMap<String, Subject>,
    /// What cannot, and why
    pub verified: BTreeMap<String, Verified>,
}

impl<I> Subject<I> {
    /// What came of it.
    pub fn verified(&self, service: &str, verdict: Verdict) -> Verified {
        Verified {
            service: service.to_owned(),
            fingerprint: Some(self.fingerprint.clone()),
            against: Some(self.against.to_string()),
            verdict,
        }
    }
}

/// Refuses what can be no tag.
pub fn check_tag(tag: Option<&str>) -> Result<()> {
    let image: Reference = "host.invalid/image".parse()?;
    if let Some(tag) = tag.filter(|tag| image.with_tag(tag).is_err()) {
        wrong!("`--against {tag}`: a tag has letters, digits, `_`, `.` and `-`, 128 at most");
    }
    Ok(())
}

/// Looks for the published image of each service that was asked for.
pub fn find(reading: &Reading, options: &Options) -> Result<Found> {
    let facts = &reading.world.facts;
    let mut found = Found::default();
    for service in facts.select(&options.names)? {
        match facts.identities.get(&service) {
            Some(Ok(fingerprint)) => {
                let fingerprint = &fingerprint.whole;
                let tag = options.against.clone().unwrap_or_else(|| claim::tag(fingerprint));
                let against = facts.image(&service).parse::<Reference>()?.with_tag(&tag)?;
                let index = match options.against {
                    None => of_fingerprint(reading, &service),
                    Some(_) => of_tag(reading, &against),
                };
                found.add(service, Subject { fingerprint: fingerprint.clone(), against, index });
            }
            Some(Err(reasons)) => {
                let why = reasons.join("; ");
                let why = format!("it has no fingerprint, so it is never skipped: {why}");
                let verdict = Verdict::NothingToProve(why);
                let verified = Verified {
                    service: service.clone(),
                    fingerprint: None,
                    against: None,
                    verdict,
                };
                found.verified.insert(service, verified);
            }
            None => {}
        }
    }
    Ok(found)
}

impl Found {
    fn add(&mut self, service: String, subject: Subject<Result<Fetched, Verdict>>) {
        let Subject { fingerprint, against, index } = subject;
        match index {
            Ok(index) => {
                self.subjects.insert(service, Subject { fingerprint, against, index });
            }
            Err(verdict) => {
                let verified =
                    Subject { fingerprint, against, index: () }.verified(&service, verdict);
                self.verified.insert(service, verified);
            }
        }
    }
}

impl Subject {
    /// What a reader should know besides the differences.
    pub fn notes(&self) -> Vec<String> {
        let annotations = self.index.index().map(|index| index.annotations).unwrap_or_default();
        let claims = Claim::read(&annotations).map(|claim| claim.fingerprint);
        let is_of = match claims {
            Some(other) if other == self.fingerprint => return Vec::new(),
            Some(other) => format!("is of the fingerprint {other}"),
            None => "claims no fingerprint".into(),
        };
        let now = &self.fingerprint;
        vec![format!("`{}` {is_of}, and what is here now is {now}", self.against)]
    }
}

fn of_fingerprint(reading: &Reading, service: &str) -> Result<Fetched, Verdict> {
    let why = match reading.world.facts.look_ups.get(service) {
        Some(LookUp::Published(_)) => match reading.indexes.get(service) {
            Some(index) => return Ok(index.clone()),
            None => return Err(Verdict::NotCompared("its index was not kept".into())),
        },
        Some(LookUp::Unknown(why)) => {
            let why = format!("it is unknown whether it is published: {why}");
            return Err(Verdict::NotCompared(why));
        }
        Some(LookUp::NoClaim(why)) => {
            format!("what is published under its fingerprint does not count: {why}")
        }
        Some(LookUp::Absent) | None => "nothing is published of its fingerprint".into(),
    };
    Err(Verdict::NothingToProve(format!("{why}, so that it is built and not skipped")))
}

fn of_tag(reading: &Reading, tag: &Reference) -> Result<Fetched, Verdict> {
    match reading.registry.get_manifest(tag).known() {
        Ok(Some(index)) => Ok(index),
        Ok(None) => Err(Verdict::NotCompared(format!("`{tag}` is not there"))),
        Err(reason) => Err(Verdict::NotCompared(reason.to_string())),
    }
}
