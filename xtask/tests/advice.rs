//! Advice in recorded builds: each kind has one in which it must be given, with its step and its cost,
//! and one that looks like it in which it must not.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use xtask::plan::dockerfile::parse;
use xtask::report::advice::{Evidence, advice};
use xtask::report::data::{Advice, Report};

/// A recorded build, and the one before it where there was one.
struct Recorded {
    now: Report,
    last: Option<Report>,
    dockerfile: String,
    locked: BTreeSet<String>,
    goes_away: bool,
    files: Vec<(String, u64)>,
}

fn recorded(kind: &str, name: &str) -> Recorded {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/advice").join(kind).join(name);
    let report = |file: PathBuf| {
        let text = std::fs::read_to_string(file).ok()?;
        Some(serde_json::from_str::<Report>(&text).unwrap())
    };
    let mut now = report(folder.join("now.json")).unwrap();
    // What was advised then is no proof.
    now.advice.clear();
    Recorded {
        now,
        last: report(folder.join("last.json")),
        dockerfile: std::fs::read_to_string(folder.join("Dockerfile")).unwrap(),
        locked: BTreeSet::new(),
        goes_away: false,
        files: Vec::new(),
    }
}

impl Recorded {
    fn advice(&self) -> Vec<Advice> {
        let dockerfiles = BTreeMap::from([("web".to_owned(), parse(&self.dockerfile))]);
        let files = |_: &str| self.files.clone();
        advice(&Evidence {
            now: &self.now,
            last: self.last.as_ref(),
            dockerfiles: &dockerfiles,
            locked: &self.locked,
            goes_away: self.goes_away,
            files: &files,
        })
    }

    #[track_caller]
    fn only(&self, kind: &str) -> Advice {
        let all = self.advice();
        let kinds: Vec<&str> = all.iter().map(|advice| advice.kind.as_str()).collect();
        assert_eq!(kinds, [kind], "{all:?}");
        assert_eq!(all[0].service, "web");
        all[0].clone()
    }

    /// How long a step took in the record.
    fn took(&self, start: &str) -> Option<f64> {
        let step = self.now.timeline.iter().find(|step| step.name.starts_with(start))?;
        Some((step.seconds() * 1000.0).round() / 1000.0)
    }
}

#[test]
fn an_install_behind_the_whole_context() {
    let build = recorded("install", "must");
    let advice = build.only("copy-before-install");
    assert_eq!((advice.step.as_deref(), advice.line), (Some("RUN npm ci"), Some(5)));
    assert_eq!(advice.seconds, build.took("RUN npm ci"));
    assert!(advice.text.contains("`COPY . .` before it (line 4)"), "{}", advice.text);
    // The list of packages is copied first; what stands behind `COPY . .` builds.
    assert_eq!(recorded("install", "must-not").advice(), []);
}

#[test]
fn of_a_cold_build_nothing_is_sure() {
    let warm = recorded("install", "must");
    let cold = Recorded { now: warm.last.unwrap(), last: None, ..recorded("install", "must") };
    assert_eq!(cold.advice(), []);
}

#[test]
fn an_argument_that_changes_every_run() {
    let build = recorded("args", "must");
    let advice = build.only("arg-that-changes");
    assert_eq!((advice.line, advice.seconds), (Some(4), build.took("RUN sleep 2")));
    assert!(advice.text.contains("`BUILD_DATE`") && advice.text.contains("(line 3)"));
    // Declared after what takes long.
    assert_eq!(recorded("args", "must-not").advice(), []);
    // The same value twice: then the step ran for another reason.
    let mut same = recorded("args", "must");
    let value = same.last.as_ref().unwrap().services[0].volatile_args.clone();
    same.now.services[0].volatile_args = value;
    assert_eq!(same.advice(), []);
}

#[test]
fn a_context_that_is_sent_and_not_copied() {
    let files = vec![("data/big".to_owned(), 3_200_000), ("src/main.c".to_owned(), 10)];
    let build = Recorded { files: files.clone(), ..recorded("context", "must") };
    let advice = build.only("context-not-copied");
    assert_eq!(advice.step.as_deref(), Some("load build context"));
    assert_eq!(advice.bytes, Some(3_200_000));
    assert!(advice.text.contains("`data`"), "{}", advice.text);
    // As much is sent, but copied.
    assert_eq!(Recorded { files, ..recorded("context", "must-not") }.advice(), []);
}

#[test]
fn a_cache_mount_on_a_machine_that_goes_away() {
    let build = Recorded { goes_away: true, ..recorded("mount", "must") };
    let advice = build.only("cache-mount");
    assert_eq!((advice.line, advice.seconds), (Some(2), build.took("RUN --mount=type=cache")));
    // On a machine that stays it is a good thing; and not every mount is a cache.
    assert_eq!(recorded("mount", "must").advice(), []);
    assert_eq!(Recorded { goes_away: true, ..recorded("mount", "must-not") }.advice(), []);
}

#[test]
fn a_base_that_has_moved() {
    let build = recorded("base", "must");
    let advice = build.only("base-moved");
    assert_eq!(advice.step.as_deref(), Some("FROM busybox:debian"));
    assert_eq!(advice.seconds, build.now.services[0].seconds);
    assert!(advice.text.contains("cargo xtask bases update busybox:debian"), "{}", advice.text);
    // Built anew for another reason, on the same base; and a lock is moved by a person.
    assert_eq!(recorded("base", "must-not").advice(), []);
    let locked = ["busybox:debian".to_owned()].into();
    assert_eq!(Recorded { locked, ..recorded("base", "must") }.advice(), []);
}
