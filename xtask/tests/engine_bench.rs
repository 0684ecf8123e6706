//! `bench` on real engines, with little work: what it reports, and that nothing is left.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/private.rs"]
mod private;
mod support;

use private::{cache, traces};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use support::{Ran, Repository};
use xtask::docker::engine::Instance;

const CONTESTANTS: [&str; 4] = ["xtask", "bake", "compose", "loop"];
const OF_RELEASES: [&str; 3] = ["xtask", "bake", "imagetools"];

fn start(place: &Repository, args: &[&str]) -> Child {
    let args = [&["bench", "--services", "3", "--files", "3", "--runs", "1"], args].concat();
    let mut command = place.xtask(&args).env("XTASK_CACHE_DIR", cache().as_str()).command();
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Nothing of any engine, and nothing in the repository.
#[track_caller]
fn nothing_is_left(place: &Repository, pid: u32) {
    for suffix in CONTESTANTS.iter().chain(&["fresh", "imagetools"]) {
        let instance = Instance::named(&cache(), &format!("bench-{pid}-{suffix}"));
        assert_eq!(traces(&instance), [] as [String; 0]);
        assert!(!instance.folder.exists(), "{}", instance.folder);
    }
    assert!(!place.root().join("target/xtask/bench").exists());
}

fn row<'a>(report: &'a Value, case: [&str; 3], contestant: &str) -> &'a Value {
    let is = |row: &&Value| {
        [&row["scenario"], &row["event"], &row["engine"]].map(|v| v.as_str().unwrap()) == case
            && row["contestant"] == contestant
    };
    let rows: Vec<&Value> = report["rows"].as_array().unwrap().iter().filter(is).collect();
    assert_eq!(rows.len(), 1, "{case:?} {contestant}: {report:#}");
    rows[0]
}

#[test]
fn everyone_is_measured_at_the_same_work_and_nothing_is_left() {
    let place = Repository::new(&[]);
    let all = "cold,noop,warm,dev-commit,one-edit,base-edit,pr";
    let child = start(&place, &["--scenario", all, "--json", "--save", "saved.json"]);
    let pid = child.id();
    let ran = Ran::from(child.wait_with_output().unwrap()).success();
    nothing_is_left(&place, pid);
    let report = ran.json();
    let saved = std::fs::read(place.root().join("saved.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&saved).unwrap(), report);

    let cases = [
        ["cold", "dev", "new"],
        ["noop", "pr", "warm"],
        ["noop", "dev", "warm"],
        ["noop", "pr", "fresh"],
        ["noop", "dev", "fresh"],
        ["dev-commit", "dev", "warm"],
        ["one-edit", "pr", "warm"],
        ["one-edit", "dev", "warm"],
        ["warm", "pr", "fresh"],
        ["warm", "dev", "fresh"],
        ["base-edit", "pr", "warm"],
        ["base-edit", "dev", "warm"],
        ["pr", "pr", "fresh"],
    ];
    assert_eq!(report["rows"].as_array().unwrap().len(), cases.len() * 4 + 2);
    for case in cases {
        for contestant in CONTESTANTS {
            let row = row(&report, case, contestant);
            assert!(row["seconds"]["median"].as_f64().unwrap() > 0.0, "{row}");
            let methods = &row["traffic"]["methods"];
            let writes = ["PUT", "POST", "PATCH"].iter().any(|m| methods[m].as_u64() > Some(0));
            assert_eq!(writes, case[1] == "dev", "{row:#}");
            assert!(row["requests-per-service"].as_f64().unwrap() >= 1.0, "{row:#}");
            assert_eq!(row.get("peak-memory").is_some(), contestant == "xtask", "{row:#}");
        }
    }
    let steps = |case: usize, contestant: &str| {
        let counts = row(&report, cases[case], contestant)["counts"].clone();
        ["steps", "cached"].map(|count| counts[count]["max"].as_u64().unwrap())
    };
    let ours = |case: usize| steps(case, "xtask");
    // Nothing is built; everything from the cache; a base, and the service that stands on it.
    assert_eq!(ours(1), [0, 0]);
    assert_eq!(ours(8)[0], ours(8)[1], "{report:#}");
    assert!(ours(8)[0] > 10 && ours(11)[0] > ours(11)[1], "{report:#}");
    for peer in &CONTESTANTS[1..] {
        let all = steps(0, peer);
        assert!(all[0] > 10 && all[1] < all[0], "{peer} cold: {report:#}");
        // They go through every step again, and find it in the engine.
        assert_eq!(steps(1, peer), [all[0], all[0]], "{peer} noop: {report:#}");
        assert!(steps(7, peer)[1] < all[0], "{peer} one-edit: {report:#}");
    }
    let floor = row(&report, cases[1], "floor");
    assert!(floor["floor"]["gets"].as_f64().unwrap() > 0.0, "{floor:#}");
    assert!(floor.get("traffic").is_none());
    for contestant in CONTESTANTS {
        let sent = |case: usize| {
            let traffic = &row(&report, cases[case], contestant)["traffic"];
            traffic["bytes-pushed"].as_u64().unwrap()
        };
        // A changed file is in a layer of megabytes; a commit that no service sends is in none.
        assert!(sent(0) > 10_000_000 && sent(7) > 5_000_000, "{contestant}: {report:#}");
        assert!(sent(2) < 1_000_000 && sent(5) < 1_000_000, "{contestant}: {report:#}");
    }
}

#[test]
fn a_release_moves_tags_and_no_bytes() {
    let place = Repository::new(&[]);
    let args = ["--scenario", "release", "--peers", "bake,imagetools", "--json"];
    let child = start(&place, &args);
    let pid = child.id();
    let report = Ran::from(child.wait_with_output().unwrap()).success().json();
    nothing_is_left(&place, pid);
    assert_eq!(report["rows"].as_array().unwrap().len(), OF_RELEASES.len());
    for contestant in OF_RELEASES {
        let row = row(&report, ["release", "release", "warm"], contestant);
        let count = |name: &str| row["traffic"][name].as_u64().unwrap();
        assert!(count("bytes-pushed") < 100_000, "{row:#}");
        // Each of four tags of each of three services.
        assert!(count("tags") >= 12, "{row:#}");
    }
}

#[test]
fn an_interrupt_leaves_nothing() {
    let place = Repository::new(&[]);
    let mut child = start(&place, &["--scenario", "noop"]);
    let pid = child.id();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    // Then an engine is up, and a build is on its way or about to be.
    assert!(lines.any(|line| line.contains("publishing everything by bake")));
    let pid_text = pid.to_string();
    private::sh(&format!("kill -INT {pid_text}"));
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    nothing_is_left(&place, pid);
}

#[test]
fn a_plan_is_measured_without_an_engine() {
    let place = Repository::new(&[]);
    let child = start(&place, &["--scenario", "plan", "--json"]);
    let pid = child.id();
    let report = Ran::from(child.wait_with_output().unwrap()).success().json();
    nothing_is_left(&place, pid);
    let plan = row(&report, ["plan", "pr", "none"], "xtask");
    assert!(plan["peak-memory"].as_u64() > Some(1_000_000), "{plan:#}");
    assert!(plan.get("times-fastest-peer").is_none(), "{plan:#}");
    assert_eq!(report["rows"].as_array().unwrap().len(), 1);
}
