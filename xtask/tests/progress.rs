//! Recorded streams of buildx's rawjson, and what is made of them.
//!
//! A stream `NAME.jsonl` comes with `NAME.history.json`, what `docker buildx history inspect` said of
//! the same builds, and `NAME.expected`, what we say; `XTASK_ACCEPT=1` writes the last anew.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use xtask::docker::progress::{Progress, Steps, Vertex};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/progress")
}

fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        files.filter_map(|file| Some(file.strip_suffix(".jsonl")?.to_owned())).collect();
    names.sort();
    assert!(names.len() >= 25, "{names:?}");
    names
}

fn read(name: &str) -> (Progress, Value) {
    let text = std::fs::read_to_string(folder().join(format!("{name}.history.json"))).unwrap();
    let history: Value = serde_json::from_str(&text).unwrap();
    let targets = history["targets"].as_array().unwrap();
    let targets: Vec<String> = targets.iter().map(|t| t.as_str().unwrap().into()).collect();
    let mut progress = Progress::new(&targets);
    let stream = std::fs::read_to_string(folder().join(format!("{name}.jsonl"))).unwrap();
    for line in stream.lines() {
        progress.line(line);
    }
    (progress, history)
}

#[test]
fn counts_are_those_of_buildxs_history() {
    let mut compared = 0;
    for name in names() {
        let (progress, history) = read(&name);
        // One that was killed has not heard what became of its builds.
        if name == "killed" {
            continue;
        }
        for (target, said) in history["history"].as_object().unwrap() {
            let Steps { total, cached } = progress.counts(target);
            let number = |key: &str| said[key].as_u64().unwrap() as usize;
            assert_eq!((total, cached), (number("total"), number("cached")), "{name}: {target}");
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared}");
}

/// Counted by eye in the Dockerfiles: RUN, COPY, ADD, WORKDIR of all stages that were needed, and
/// those of them that nothing had changed.
#[test]
fn hit_rates_are_those_counted_by_hand() {
    #[track_caller]
    fn case(name: &str, target: &str, cached: usize, total: usize) {
        let (progress, _) = read(name);
        assert_eq!(progress.steps(target), Steps { total, cached }, "{name}: {target}");
    }
    // WORKDIR, COPY, RUN; COPY --from, RUN
    case("cold-three", "a", 0, 5);
    case("from-registry-cache", "c", 5, 5);
    case("warm-three", "b", 5, 5);
    // Only b's file has changed: its WORKDIR stands.
    case("one-file-changed", "a", 5, 5);
    case("one-file-changed", "b", 1, 5);
    // One asks for no cache.
    case("no-cache", "a", 0, 5);
    // WORKDIR and RUN in a stage that both share; COPY, RUN
    case("shared-vertexes", "left", 0, 4);
    case("shared-vertexes", "right", 0, 4);
    case("shared-vertexes-warm", "left", 4, 4);
    // RUN, COPY, and the RUN of the target that it is linked to
    case("linked-warm", "app", 3, 3);
    case("linked-warm", "base", 1, 1);
    // COPY
    case("hundred", "s042", 0, 1);
}

#[test]
fn states_are_as_expected() {
    for name in names() {
        let (progress, history) = read(&name);
        let state = describe(&progress, &history);
        let path = folder().join(format!("{name}.expected"));
        if std::env::var_os("XTASK_ACCEPT").is_some() {
            std::fs::write(&path, &state).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(state, expected, "{name}: `XTASK_ACCEPT=1` writes it anew");
    }
}

fn describe(progress: &Progress, history: &Value) -> String {
    let mut text = String::new();
    for target in history["targets"].as_array().unwrap() {
        let target = target.as_str().unwrap();
        let Steps { total, cached } = progress.steps(target);
        let digest = progress.digest(target).map_or("not exported", |digest| &digest[..19]);
        let cache = progress.cache(target).map_or("no cache", |digest| &digest[..19]);
        let bytes: u64 = progress.vertexes_of(target).iter().map(|vertex| vertex.bytes()).sum();
        let took = progress.seconds(target);
        writeln!(text, "{target}: {cached}/{total} {digest} {cache} {bytes} bytes {took:.3} s")
            .unwrap();
    }
    for step in progress.failed_steps() {
        writeln!(text, "failed: {:?} {}\n  {}", step.targets, step.name, step.error).unwrap();
        step.log.iter().for_each(|line| writeln!(text, "  | {line:?}").unwrap());
    }
    let running: Vec<&str> = progress.running().into_iter().map(|(name, _)| name).collect();
    writeln!(text, "running: {running:?}").unwrap();
    let canceled: Vec<&Vertex> = progress.vertexes().filter(|v| v.is_canceled()).collect();
    canceled.iter().for_each(|v| writeln!(text, "canceled: {:?}", v.names).unwrap());
    progress.cache_warnings().iter().for_each(|w| writeln!(text, "cache: {w}").unwrap());
    for warning in progress.vertexes().flat_map(|vertex| &vertex.warnings) {
        writeln!(text, "warning: {warning:?}").unwrap();
    }
    let (target, words) = progress.last_words();
    if !words.is_empty() {
        writeln!(text, "last words ({target:?}): {words}").unwrap();
    }
    text
}
