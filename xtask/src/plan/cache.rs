//! Which caches a run reads and writes. Pure: one function over event, fork and token (DESIGN 4.3).

use super::tags::Known;
use crate::context::event::{Event, Kind};
use serde::Serialize;
use std::collections::BTreeMap;

/// The tag of the registry cache, in the image's own repository so that blobs are shared.
pub const CACHE_TAG: &str = "cache";

/// How long a gha export may take before BuildKit gives it up; GitHub throttles its cache service
/// (buildkit#2804).
const GHA_TIMEOUT: &str = "2m";

/// What the runner's cache service lets this run do. Only GitHub runners have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GhaAccess {
    /// The runner's cache variables are not in the environment
    Absent,
    /// Nothing may be read or written (`cache-mode: none`)
    None,
    /// Restores only: a fork's or another low-trust run
    Read,
    /// Saves only
    Write,
    /// Both
    ReadWrite,
}

impl GhaAccess {
    /// From the variables that GitHub gives to actions, and that a step has to hand on.
    ///
    /// `ACTIONS_CACHE_MODE` is `read`, `write`, `write-only` or `none`; a mode that is not known
    /// is taken as `read`, and a fork never writes.
    pub fn from_env(env: &BTreeMap<String, String>, fork: bool) -> Self {
        let has = |name: &str| env.get(name).is_some_and(|value| !value.is_empty());
        if !has("ACTIONS_RUNTIME_TOKEN")
            || !(has("ACTIONS_RESULTS_URL") || has("ACTIONS_CACHE_URL"))
        {
            return Self::Absent;
        }
        match (env.get("ACTIONS_CACHE_MODE").map(String::as_str).unwrap_or_default(), fork) {
            ("none", _) | ("write-only", true) => Self::None,
            ("" | "write", false) => Self::ReadWrite,
            ("write-only", false) => Self::Write,
            _ => Self::Read,
        }
    }

    fn reads(self) -> bool {
        matches!(self, Self::Read | Self::ReadWrite)
    }

    fn writes(self) -> bool {
        matches!(self, Self::Write | Self::ReadWrite)
    }
}

/// Whether a cache source is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is
    Present,
    /// It is not: it is left out of the definition
    Absent,
    /// Nobody could tell
    Unknown,
}

/// One entry of `cache-from`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Source {
    /// `type=registry`
    Registry {
        /// `<image>:<tag>`
        r#ref: String,
        /// Whether it is there
        state: State,
    },
    /// `type=gha`
    Gha {
        /// The service: buildx's default scope is one for all, and the last to write wins
        scope: String,
        /// Unknown: the cache service is not asked beforehand
        state: State,
    },
}

/// One entry of `cache-to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Destination {
    /// `type=registry`: a cache never fails a build, so errors are ignored
    #[serde(rename_all = "kebab-case")]
    Registry {
        /// `<image>:cache`
        r#ref: String,
        /// `max`: the layers of all stages
        mode: &'static str,
        /// Always: an OCI image manifest, which every registry takes
        image_manifest: &'static str,
        /// Always
        oci_mediatypes: &'static str,
        /// Always
        ignore_error: &'static str,
    },
    /// `type=gha`
    #[serde(rename_all = "kebab-case")]
    Gha {
        /// The service
        scope: String,
        /// `max`
        mode: &'static str,
        /// Always
        ignore_error: &'static str,
        /// How long an export may take
        timeout: &'static str,
    },
    /// `type=inline`: the image itself is a cache source (mode=min)
    Inline,
}

/// What one image reads and writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// In the order in which BuildKit looks
    pub sources: Vec<Source>,
    /// In the order in which they are written
    pub destinations: Vec<Destination>,
}

/// The tags of the registry that an event reads as cache.
pub fn tags_read(kind: &Kind) -> &'static [&'static str] {
    match kind {
        Kind::Local | Kind::Pr | Kind::Dev => &[CACHE_TAG],
        Kind::Release(_) => &[CACHE_TAG, "dev", "latest"],
    }
}

/// The row of the table for one image.
///
/// `there` says of each tag of [`tags_read`] whether it is in the registry.
pub fn policy(
    event: &Event,
    gha: GhaAccess,
    service: &str,
    image: &str,
    there: &dyn Fn(&str) -> Known<bool>,
) -> Policy {
    let mut policy = Policy::default();
    for tag in tags_read(&event.kind) {
        let state = match there(tag) {
            Known::Known(true) => State::Present,
            Known::Known(false) => State::Absent,
            Known::Unknown(_) => State::Unknown,
        };
        policy.sources.push(Source::Registry { r#ref: format!("{image}:{tag}"), state });
    }
    if event.kind != Kind::Local && gha.reads() {
        policy.sources.push(Source::Gha { scope: service.into(), state: State::Unknown });
    }
    if event.kind.pushes() && !event.fork {
        policy.destinations.push(Destination::Registry {
            r#ref: format!("{image}:{CACHE_TAG}"),
            mode: "max",
            image_manifest: "true",
            oci_mediatypes: "true",
            ignore_error: "true",
        });
    }
    if event.kind != Kind::Local && gha.writes() && !event.fork {
        policy.destinations.push(Destination::Gha {
            scope: service.into(),
            mode: "max",
            ignore_error: "true",
            timeout: GHA_TIMEOUT,
        });
    }
    if event.kind.pushes() && !event.fork {
        policy.destinations.push(Destination::Inline);
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;
    use semver::Version;

    const IMAGE: &str = "ghcr.io/me/it/web";

    fn summary(policy: &Policy) -> String {
        let from = policy.sources.iter().map(|source| match source {
            Source::Registry { r#ref, .. } => r#ref.replace(IMAGE, ""),
            Source::Gha { scope, .. } => format!("gha({scope})"),
        });
        let to = policy.destinations.iter().map(|destination| match destination {
            Destination::Registry { r#ref, mode, .. } => {
                format!("{}({mode})", r#ref.replace(IMAGE, ""))
            }
            Destination::Gha { scope, mode, .. } => format!("gha({scope},{mode})"),
            Destination::Inline => "inline".into(),
        });
        format!("{} > {}", from.collect::<Vec<_>>().join(" "), to.collect::<Vec<_>>().join(" "))
    }

    #[track_caller]
    fn row(kind: Kind, fork: bool, gha: GhaAccess, expected: &str) {
        let event = Event { kind, git_ref: None, revision: None, fork };
        let policy = policy(&event, gha, "web", IMAGE, &|_| Known::Known(true));
        assert_eq!(summary(&policy), expected);
    }

    fn release() -> Kind {
        Kind::Release(Version::new(1, 2, 3))
    }

    #[test]
    fn every_cell_of_the_table() {
        use GhaAccess::{Absent, None, Read, ReadWrite, Write};
        for gha in [Absent, None, Read, Write, ReadWrite] {
            row(Kind::Local, false, gha, ":cache > ");
        }
        row(Kind::Pr, false, Absent, ":cache > ");
        row(Kind::Pr, false, None, ":cache > ");
        row(Kind::Pr, false, Read, ":cache gha(web) > ");
        row(Kind::Pr, false, Write, ":cache > gha(web,max)");
        row(Kind::Pr, false, ReadWrite, ":cache gha(web) > gha(web,max)");
        row(Kind::Dev, false, Absent, ":cache > :cache(max) inline");
        row(Kind::Dev, false, Read, ":cache gha(web) > :cache(max) inline");
        row(Kind::Dev, false, ReadWrite, ":cache gha(web) > :cache(max) gha(web,max) inline");
        row(release(), false, Absent, ":cache :dev :latest > :cache(max) inline");
        row(
            release(),
            false,
            ReadWrite,
            ":cache :dev :latest gha(web) > :cache(max) gha(web,max) inline",
        );
    }

    #[test]
    fn a_fork_writes_nothing_whatever_its_token_says() {
        for gha in [GhaAccess::Absent, GhaAccess::Read, GhaAccess::Write, GhaAccess::ReadWrite] {
            for kind in [Kind::Local, Kind::Pr, Kind::Dev, release()] {
                let event = Event { kind, git_ref: None, revision: None, fork: true };
                let policy = policy(&event, gha, "web", IMAGE, &|_| Known::Known(true));
                assert_eq!(policy.destinations, []);
            }
        }
    }

    #[test]
    fn unknown_is_neither_present_nor_absent() {
        let event = Event { kind: Kind::Pr, git_ref: None, revision: None, fork: false };
        let state = |there: Known<bool>| {
            let policy = policy(&event, GhaAccess::Absent, "web", IMAGE, &|_| there.clone());
            match policy.sources[0] {
                Source::Registry { state, .. } | Source::Gha { state, .. } => state,
            }
        };
        assert_eq!(state(Known::Known(true)), State::Present);
        assert_eq!(state(Known::Known(false)), State::Absent);
        assert_eq!(state(Known::Unknown("timed out".into())), State::Unknown);
    }

    #[track_caller]
    fn access(vars: &[(&str, &str)], fork: bool, expected: GhaAccess) {
        let env = vars.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        assert_eq!(GhaAccess::from_env(&env, fork), expected);
    }

    #[test]
    fn the_runner_says_what_its_cache_allows() {
        let (token, url) = (("ACTIONS_RUNTIME_TOKEN", "t"), ("ACTIONS_RESULTS_URL", "u"));
        let mode = |mode| ("ACTIONS_CACHE_MODE", mode);
        access(&[], false, GhaAccess::Absent);
        access(&[token], false, GhaAccess::Absent);
        access(&[url], false, GhaAccess::Absent);
        access(&[token, ("ACTIONS_RESULTS_URL", "")], false, GhaAccess::Absent);
        access(&[token, ("ACTIONS_CACHE_URL", "u")], false, GhaAccess::ReadWrite);
        access(&[token, url], false, GhaAccess::ReadWrite);
        access(&[token, url], true, GhaAccess::Read);
        access(&[token, url, mode("read")], false, GhaAccess::Read);
        access(&[token, url, mode("write")], false, GhaAccess::ReadWrite);
        access(&[token, url, mode("write")], true, GhaAccess::Read);
        access(&[token, url, mode("write-only")], false, GhaAccess::Write);
        access(&[token, url, mode("write-only")], true, GhaAccess::None);
        access(&[token, url, mode("none")], false, GhaAccess::None);
        access(&[token, url, mode("something new")], false, GhaAccess::Read);
    }
}
