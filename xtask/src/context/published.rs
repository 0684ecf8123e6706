//! What stands in the registry, asked once, in parallel. Unknown stays unknown.

use super::event::Kind;
use crate::docker::registry::{self, Answer, AtOnce, Fetched, Reason, Reference, Registry};
use crate::plan::facts::Facts;
use crate::plan::look_up::LookUp;
use crate::plan::tags::Known;
use crate::plan::{cache, claim};
use anyhow::Result;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many connections ask at once.
pub const THREADS: usize = 8;

/// Whether the cache tags that the event reads are there, by `<image>:<tag>`.
pub fn cache_tags(
    registry: &Registry,
    facts: &Facts,
    services: &[String],
    within: Option<Duration>,
) -> Result<BTreeMap<String, Known<bool>>> {
    let tags = cache::tags_read(&facts.event.kind);
    let names: Vec<String> = services
        .iter()
        .flat_map(|service| tags.iter().map(|tag| format!("{}:{tag}", facts.image(service))))
        .collect();
    let references =
        names.iter().map(|name| name.parse()).collect::<Result<Vec<Reference>, _>>()?;
    let answers =
        registry.for_each(references, AtOnce { threads: THREADS, within }, Registry::head_manifest);
    let there = answers.into_iter().map(|answer| match answer.known() {
        Ok(found) => Known::Known(found.is_some()),
        Err(reason) => Known::Unknown(reason.to_string()),
    });
    Ok(names.into_iter().zip(there).collect())
}

/// What was found under the fingerprints of services.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What it means, by service
    pub look_ups: BTreeMap<String, LookUp>,
    /// The index of each service whose image is published, byte for byte
    pub indexes: BTreeMap<String, Fetched>,
    /// What stands under the commit's own tag, where that was the image that was looked for
    pub of_commit: BTreeMap<String, Fetched>,
}

/// Looks fingerprints up, by service: one GET each.
///
/// A release asks for the commit's own tag first: what `dev` published of that very commit is what is
/// released, and where that tag stands is known then, too. Only where it is no image of the fingerprint
/// is the handle asked for.
///
/// In a release a repository that refuses us but lets us open an upload is new and ours (GHCR answers
/// 403 for packages that do not exist): nothing is there.
pub fn look_up(
    registry: &Registry,
    facts: &Facts,
    wanted: &BTreeMap<String, String>,
    within: Option<Duration>,
) -> Result<Found> {
    let is_release = matches!(facts.event.kind, Kind::Release(_));
    let commit = facts.revision.clone().filter(|_| is_release);
    let mut questions = Vec::new();
    for (service, fingerprint) in wanted {
        questions.push(Question {
            image: facts.image(service).parse()?,
            commit: commit.clone(),
            fingerprint: fingerprint.clone(),
            platforms: facts.service(service).map_or(Vec::new(), |s| s.platforms.clone()),
            may_be_new: is_release,
        });
    }
    let at_once = AtOnce { threads: THREADS, within };
    let answers =
        registry.for_each(questions, at_once, |registry, question| question.ask(registry));
    let mut found = Found::default();
    for (service, answer) in wanted.keys().zip(answers) {
        let (look_up, index) = match answer.known() {
            Ok(None) => (LookUp::Absent, None),
            Err(reason) => (LookUp::Unknown(reason.to_string()), None),
            Ok(Some(Hit { look_up, index, of_commit })) => {
                if of_commit {
                    found.of_commit.insert(service.clone(), index.clone());
                }
                (look_up, Some(index))
            }
        };
        if let (Some(index), Some(_)) = (index, look_up.published()) {
            found.indexes.insert(service.clone(), index);
        }
        found.look_ups.insert(service.clone(), look_up);
    }
    Ok(found)
}

/// What is asked of one service.
struct Question {
    image: Reference,
    commit: Option<String>,
    fingerprint: String,
    platforms: Vec<String>,
    may_be_new: bool,
}

/// What stands under a tag that was asked for.
struct Hit {
    look_up: LookUp,
    index: Fetched,
    of_commit: bool,
}

impl Question {
    fn ask(&self, registry: &Registry) -> Answer<Hit> {
        if let Some(commit) = &self.commit
            && let Some(index) = self.get(registry, commit).found()
            && let look_up @ LookUp::Published(_) = self.judge(&index)
        {
            return Answer::Found(Hit { look_up, index, of_commit: true });
        }
        let answer = match self.get(registry, &claim::tag(&self.fingerprint)) {
            Answer::Refused(_) if self.may_be_new && registry.may_push(&self.image).is_ok() => {
                Answer::Absent
            }
            other => other,
        };
        answer.map(|index| Hit { look_up: self.judge(&index), index, of_commit: false })
    }

    fn get(&self, registry: &Registry, tag: &str) -> Answer<Fetched> {
        match self.image.with_tag(tag) {
            Ok(reference) => registry.get_manifest(&reference),
            Err(error) => Reason::new(registry::Kind::Local, self.image.name(), error).into(),
        }
    }

    fn judge(&self, index: &Fetched) -> LookUp {
        match index.index() {
            Err(reason) => LookUp::NoClaim(reason.to_string()),
            Ok(parsed) => LookUp::judge(&parsed, &index.digest, &self.fingerprint, &self.platforms),
        }
    }
}
