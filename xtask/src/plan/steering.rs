//! Whether arguments that are left out of the fingerprint decide what a build reads. Pure.

use super::dockerfile::{Dockerfile, Question, Reads, reads};
use crate::manifest::Service;
use std::collections::BTreeMap;

/// A value that no Dockerfile expects.
const STRANGE: &str = "xtask-strange-value";

/// Reasons against a fingerprint: what a volatile argument names as a base is not known to be what
/// was looked up, since its value may come from anywhere.
pub fn volatile(
    service: &Service,
    dockerfile: &Dockerfile,
    question: &Question,
    known: &Reads,
) -> Vec<String> {
    let steers = |name: &&String| {
        let mut without: BTreeMap<String, String> = question.args.clone();
        without.remove(*name);
        let mut strange = without.clone();
        strange.insert((*name).clone(), STRANGE.to_owned());
        let differs = |args: &BTreeMap<String, String>| {
            reads(dockerfile, &Question { args, ..*question }).as_ref() != Ok(known)
        };
        let platforms = dockerfile.stages.iter().filter_map(|stage| stage.platform.as_deref());
        differs(&without) || differs(&strange) || platforms.into_iter().any(|p| p.contains(*name))
    };
    let steering = service.volatile_args.iter().filter(steers);
    steering
        .map(|name| format!("the volatile argument `{name}` decides what it builds on"))
        .collect()
}
