//! Compares the Dockerfile reader with BuildKit's own frontend.
//!
//! `XTASK_CASES` and `XTASK_SEED` say how many random files, and which; `cargo xtask test --long`
//! runs more of them.
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

#[path = "dockerfile/generator.rs"]
mod generator;
mod support;

use generator::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};
use xtask::plan::dockerfile::{Dockerfile, Question, context_key, parse, reads};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// Each name that we find is given to BuildKit as a named context: if it then looks for another
/// one, we missed it; if it is content without one of them, we found too many.
#[test]
fn buildkit_reads_the_same_names() {
    let (count, seed) =
        (number("XTASK_CASES", if support::long() { 1000 } else { 60 }), number("XTASK_SEED", 1));
    let mut random = Random::new(seed);
    let mut tally = Tally::default();
    for _ in 0..count {
        let (text, damaged) = random.text();
        compare(&text, damaged, &mut random, &mut tally);
    }
    println!(
        "{count} files with seed {seed}: {} clear, {} refused, {} unclear; BuildKit refuses {} \
         damaged ones that we take; {} differences",
        tally.clear,
        tally.refused,
        tally.unclear,
        tally.stricter,
        tally.differences.len()
    );
    assert!(tally.differences.is_empty(), "{}", tally.differences.join("\n----\n"));
    assert!(tally.clear * 5 > count * 2, "too few files are clear");
}

#[derive(Default)]
struct Tally {
    clear: u64,
    refused: u64,
    unclear: u64,
    /// Damaged files that are wrong in ways that do not matter to us
    stricter: u64,
    differences: Vec<String>,
}

fn compare(text: &str, damaged: bool, random: &mut Random, tally: &mut Tally) {
    let args = BTreeMap::from([("B".to_owned(), "b".to_owned())]);
    let platforms = ["linux/amd64".to_owned()];
    let file = parse(text);
    let question = Question { args: &args, target: None, contexts: &[], platforms: &platforms };
    let names: BTreeSet<String> = match reads(&file, &question) {
        Err(trouble) => {
            tally.refused += 1;
            if asks_buildkit("outline", text, &BTreeSet::new()).is_ok() {
                tally.differences.push(format!("{text}\nBuildKit takes it: {trouble}"));
            }
            return;
        }
        Ok(reads) if !reads.unclear.is_empty() => {
            tally.unclear += 1;
            return;
        }
        Ok(reads) => reads.references.iter().map(|r| key(&r.name)).collect(),
    };
    tally.clear += 1;
    if let Err(log) = asks_buildkit("outline", text, &names) {
        if damaged && !log.contains("load metadata for docker.io") {
            tally.stricter += 1;
        } else {
            tally.differences.push(format!("{text}\nonly {names:?}: {log}"));
        }
        return;
    }
    match asks_buildkit("targets", text, &names) {
        Ok(answer) if stages(&file) == targets(&answer) => {}
        answer => tally.differences.push(format!("{text}\nstages: {answer:?}")),
    }
    let Some(extra) = names.iter().nth(random.below(names.len().max(1))) else { return };
    let rest = names.iter().filter(|name| *name != extra).cloned().collect();
    if asks_buildkit("outline", text, &rest).is_ok() {
        tally.differences.push(format!("{text}\nBuildKit does not need {extra}"));
    }
}

fn key(name: &str) -> String {
    context_key(name).expect("a name that was found is an image's")
}

/// Name, base and line of each stage, as we read them.
fn stages(file: &Dockerfile) -> Vec<(String, String, u64)> {
    let stage = file.stages.iter().map(|stage| {
        let name = stage.name.clone().unwrap_or_default();
        (name, stage.from.clone(), u64::try_from(stage.line).expect("a line"))
    });
    stage.collect()
}

/// The same as BuildKit lists it.
fn targets(answer: &str) -> Vec<(String, String, u64)> {
    let answer: serde_json::Value = serde_json::from_str(answer).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let targets = answer["targets"].as_array().expect("targets").iter().map(|target| {
        let line = &target["location"]["ranges"][0]["start"]["line"];
        (text(&target["name"]), text(&target["base"]), line.as_u64().expect("a line"))
    });
    targets.collect()
}

/// An image that the engine has, with nothing in it.
fn empty_image() -> &'static str {
    static MADE: std::sync::OnceLock<()> = std::sync::OnceLock::new();
    MADE.get_or_init(|| {
        let folder = support::Folder::new();
        let archive = folder.0.join("empty.tar");
        std::fs::write(&archive, [0; 10240]).expect("writing an empty archive");
        support::engine().docker(&["import", archive.to_str().expect("plain path"), "xtask-empty"]);
    });
    "xtask-empty:latest"
}

/// What `docker buildx build --call` says of this Dockerfile, or why it says nothing.
fn asks_buildkit(call: &str, text: &str, contexts: &BTreeSet<String>) -> Result<String, String> {
    let (engine, image) = (support::engine(), empty_image());
    let mut command = Command::new("docker");
    command.envs(&engine.env);
    command.args(["buildx", "build", &format!("--call={call},format=json"), "--build-arg=B=b"]);
    for name in contexts {
        command.arg(format!("--build-context={name}=docker-image://{image}"));
    }
    command.arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starting docker");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(text.as_bytes()).expect("giving the Dockerfile");
    drop(input);
    let output = child.wait_with_output().expect("waiting for docker");
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
