//! Which failed builds are worth another try: those that no step of theirs made fail. Pure.

use super::bake::{Definition, target_name};
use super::build::Failed;
use super::registry::Patience;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How a build that failed is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// After a while: the registry did not take the image just now (BuildKit gives up after six tries
    /// within a moment, whatever Retry-After says), or BuildKit has lost sight of the build itself
    Later,
    /// Without the caches that name this layer: the registry has lost it, and BuildKit knows no way
    /// around it
    Without(String),
    /// Without the gha cache: its token is no good, and BuildKit asks it before it ignores errors
    WithoutGha,
}

/// Answers of a registry that pass: statuses, and what Go says of connections.
const PASSING: [&str; 16] = [
    " 408 ",
    " 429 ",
    " 500 ",
    " 502 ",
    " 503 ",
    " 504 ",
    "EOF",
    "connection reset",
    "connection refused",
    "broken pipe",
    "i/o timeout",
    "TLS handshake timeout",
    "Client.Timeout",
    "use of closed network connection",
    // GHCR says 403 for its throttle, and now and then has not heard of what it was just given.
    "secondary rate limit",
    "unknown blob",
];

/// What a failure asks for; `None` where it is to stay.
pub fn again(failed: &Failed) -> Option<Again> {
    let text = failed.step.as_ref().map_or(&failed.last_words, |step| &step.error);
    if let Some((_, gone)) = text.split_once("could not fetch content descriptor ") {
        return Some(Again::Without(gone.split(' ').next().unwrap_or_default().to_owned()));
    }
    if text.contains("failed to configure gha cache ") {
        return Some(Again::WithoutGha);
    }
    // Of a hundred targets one now and then: `NotFound: forwarding Ping: no such job …`.
    if failed.step.is_none() && text.contains(": no such job ") {
        return Some(Again::Later);
    }
    let why = text.split_once("failed to push ")?.1.to_owned() + " ";
    PASSING.iter().any(|part| why.contains(part)).then_some(Again::Later)
}

/// The tries of a level's services so far.
#[derive(Debug, Default)]
pub struct Tries {
    failed: BTreeMap<String, u32>,
    without: BTreeMap<String, BTreeSet<String>>,
    uncached: BTreeSet<String>,
    without_gha: bool,
}

/// What is done about a service that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How long to wait before
    pub wait: Duration,
    /// What the user is told
    pub note: String,
}

impl Tries {
    /// What is changed in a definition for the services that are tried again.
    pub fn adapt(&self, definition: &mut Definition) {
        for (service, caches) in &self.without {
            definition.leave_out_caches(&target_name(service), caches);
        }
        for service in &self.uncached {
            definition.build_anew(&target_name(service));
        }
        if self.without_gha {
            definition.leave_out_gha();
        }
    }

    /// Whether and when a service is tried again. `naming` gives those of its caches that name a layer.
    pub fn next(
        &mut self,
        service: &str,
        failed: &Failed,
        patience: Patience,
        naming: impl FnOnce(&str) -> Vec<String>,
    ) -> Option<Retry> {
        match again(failed)? {
            Again::Without(_) if self.uncached.contains(service) => None,
            Again::Without(layer) => Some(self.without(service, &layer, naming(&layer))),
            // All of a bake fail by it, whichever of them says so.
            Again::WithoutGha => {
                self.without_gha = true;
                let tries = self.failed.entry(service.to_owned()).or_default();
                *tries += 1;
                let note = format!("the gha cache is left out: {}", failed.last_words.trim());
                (*tries == 1).then_some(Retry { wait: Duration::ZERO, note })
            }
            Again::Later => {
                let tries = self.failed.entry(service.to_owned()).or_default();
                *tries += 1;
                if *tries >= patience.tries {
                    return None;
                }
                let wait = patience.wait(*tries, None, 0);
                let (seconds, why) = (wait.as_secs_f32(), &failed.last_words);
                let note = format!("`{service}` is tried again in {seconds} s: {why}");
                Some(Retry { wait, note })
            }
        }
    }

    /// Once without the caches that name the layer, then without any.
    fn without(&mut self, service: &str, layer: &str, caches: Vec<String>) -> Retry {
        let known = self.without.entry(service.to_owned()).or_default();
        let new: Vec<String> = caches.into_iter().filter(|cache| !known.contains(cache)).collect();
        let what = match new.as_slice() {
            [] => {
                self.uncached.insert(service.to_owned());
                "any cache".to_owned()
            }
            [one] => format!("its cache `{one}`"),
            several => format!("its caches `{}`", several.join("`, `")),
        };
        known.extend(new);
        let note = format!(
            "`{service}` is built again without {what}: the registry has lost {layer} of it"
        );
        Retry { wait: Duration::ZERO, note }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::bake::{Target, attributes};
    use crate::docker::progress::FailedStep;

    #[track_caller]
    fn case(last_words: &str, expected: Option<Again>) {
        let failed = Failed { step: None, last_words: last_words.into() };
        assert_eq!(again(&failed), expected);
    }

    #[test]
    fn a_push_is_tried_again_where_the_trouble_may_pass() {
        let push = |why: &str| {
            let put = "unexpected status from PUT request to http://r/v2/x/manifests/t: ";
            format!("failed to solve: failed to push r/x:t: {put}{why}")
        };
        case(&push("429 Too Many Requests"), Some(Again::Later));
        case(&push("500 Internal Server Error"), Some(Again::Later));
        case(&push("503"), Some(Again::Later));
        case(&push("401 Unauthorized"), None);
        case(&push("403 Forbidden"), None);
        case("failed to solve: failed to push r/x:t: EOF", Some(Again::Later));
        case("failed to push r/x:t: write tcp 1:1->2:2: broken pipe", Some(Again::Later));
        case("failed to push r/x:t: push access denied", None);
        let lost = "target web: NotFound: forwarding Ping: no such job a1b2";
        case(lost, Some(Again::Later));
        case("dockerfile parse error on line 3: unknown instruction: 429 EOF", None);
    }

    #[test]
    fn a_step_that_failed_by_itself_is_not() {
        let failed = |error: &str| Failed {
            step: Some(FailedStep {
                targets: ["web".to_owned()].into(),
                name: "[2/2] RUN false".into(),
                error: error.into(),
                log: Vec::new(),
            }),
            last_words: "failed to push r/x:t: 500 ".into(),
        };
        let exited = "process \"/bin/sh -c false\" did not complete successfully: exit code: 1";
        assert_eq!(again(&failed(exited)), None);
        let gone = "failed to copy: httpReadSeeker: failed open: \
            could not fetch content descriptor sha256:1 (x) from remote: not found";
        assert_eq!(again(&failed(gone)), Some(Again::Without("sha256:1".into())));
    }

    #[test]
    fn a_gha_cache_that_cannot_be_used_is_left_out_once() {
        let why = "failed to solve: failed to configure gha cache exporter: invalid token";
        case(why, Some(Again::WithoutGha));
        let failed = Failed { step: None, last_words: why.into() };
        let mut tries = Tries::default();
        for service in ["web", "api"] {
            let mut next = || tries.next(service, &failed, Patience::PUBLISH, |_| Vec::new());
            assert!(next().is_some());
            assert!(next().is_none());
        }
        assert!(tries.without_gha);
    }

    #[test]
    fn tries_come_to_an_end() {
        let mut tries = Tries::default();
        let pushed = Failed { step: None, last_words: "failed to push r/x:t: EOF".into() };
        let mut next = || {
            tries.next("web", &pushed, Patience::PUBLISH, |_| Vec::new()).map(|retry| retry.wait)
        };
        let waits: Vec<Duration> = std::iter::from_fn(&mut next).collect();
        assert_eq!(waits.len(), 7);
        assert!(waits.is_sorted() && waits.iter().sum::<Duration>() > Duration::from_secs(60));
    }

    #[test]
    fn the_caches_that_name_a_lost_layer_are_left_out_and_named() {
        let mut tries = Tries::default();
        let words = "x: could not fetch content descriptor sha256:1 (x) from remote: not found";
        let gone = Failed { step: None, last_words: words.into() };
        let mut note = |naming: &[&str]| {
            let naming = naming.iter().map(|cache| (*cache).to_owned()).collect();
            let retry = tries.next("web", &gone, Patience::PUBLISH, |layer| {
                assert_eq!(layer, "sha256:1");
                naming
            });
            retry.map(|retry| retry.note)
        };
        let told = "`web` is built again without its cache `r/web:cache`: \
            the registry has lost sha256:1 of it";
        assert_eq!(note(&["r/web:cache"]).as_deref(), Some(told));
        assert!(note(&["r/web:dev", "r/web:x"]).unwrap().contains("caches `r/web:dev`, `r/web:x`"));
        assert!(note(&["r/web:dev"]).unwrap().contains("without any cache"));
        assert_eq!(note(&["r/web:dev"]), None);
        let source = |cache: &str| attributes([("type", "registry"), ("ref", cache)]);
        let mut definition = Definition::default();
        let target = Target {
            cache_from: ["r/web:cache", "r/web:y"].map(source).to_vec(),
            ..Target::default()
        };
        definition.target.insert("web".into(), target);
        let left = |tries: &Tries| {
            let mut definition = definition.clone();
            tries.adapt(&mut definition);
            let target = definition.target.remove("web").unwrap();
            (target.cache_from.len(), target.no_cache)
        };
        assert_eq!(left(&tries), (0, Some(true)));
        tries.uncached.clear();
        assert_eq!(left(&tries), (1, None));
    }
}
