//! Publishing runs that are overtaken, stopped or refused while requests to the registry are held.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/registry.rs"]
mod registry;
mod support;

use registry::{BASE, relay_to};
use relay::{Gate, Relay, Then, When};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::{Folder, Ran, Repository, busybox, engine, unique};

const DEV: [&str; 3] = ["build-images", "--event", "dev"];
/// Longer than any request takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn one_service(relay: &Relay, dockerfile: &str) -> (Repository, String) {
    let place = format!("{}/{}", relay.address(), unique("held"));
    let repository = busybox(&place, "[services.base]\n", &[("base", dockerfile)]);
    (repository, format!("{place}/base"))
}

fn start(repository: &Repository) -> Child {
    let mut command = engine().xtask(repository, &DEV).command();
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn interrupt(child: Child) -> Ran {
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    Ran::from(child.wait_with_output().unwrap())
}

/// Bytes that went to the registry, and requests that may change it.
fn writes(relay: &Relay) -> usize {
    ["PUT", "POST", "PATCH", "DELETE"].map(|method| relay.count(method, "/")).iter().sum()
}

fn with_remote(repository: &Repository) -> Folder {
    let remote = Folder::new();
    let path = remote.0.to_str().unwrap();
    repository.git(&["init", "--quiet", "--bare", path]);
    repository.git(&["remote", "add", "origin", path]);
    repository.git(&["push", "--quiet", "origin", "dev"]);
    remote
}

#[test]
fn a_commit_that_comes_while_the_image_is_pushed_keeps_dev() {
    let relay = relay_to(engine());
    let (repository, image) = one_service(&relay, BASE);
    let _remote = with_remote(&repository);
    let gate = Gate::new();
    relay.rule(When::on("PUT", "/manifests/fp-").once(), Then::Hold(gate.clone()));
    let child = start(&repository);
    assert!(gate.wait_for(1, PATIENCE));
    let ours = repository.git(&["rev-parse", "HEAD"]);
    let tree = repository.git(&["rev-parse", "HEAD^{tree}"]);
    let theirs = repository.git(&["commit-tree", &tree, "-p", &ours, "-m", "theirs"]);
    repository.git(&["push", "--quiet", "origin", &format!("{theirs}:refs/heads/dev")]);
    gate.open();
    let ran = Ran::from(child.wait_with_output().unwrap()).success();
    assert!(ran.stderr.contains(&format!("the head of `dev` is {theirs}")), "{}", ran.stderr);
    let there = registry::tags(&image);
    assert!(!there.contains_key("dev"), "{there:?}");
    let own = format!("dev-{}", &ours[..7]);
    assert_eq!(there[&own], there[&ours]);
    // What is shown is what was moved: when it was built, and when it is promoted.
    let again = engine().xtask(&repository, &DEV).run().success();
    for told in [&ran.stderr, &again.stderr] {
        let line = told.lines().find(|line| line.starts_with("base  ") && line.contains("sha256:"));
        assert!(line.is_some_and(|line| line.ends_with(&format!("  {own}"))), "{told}");
    }
    assert_eq!(tags_in_report(&repository), serde_json::json!([own, ours]));
}

fn tags_in_report(repository: &Repository) -> serde_json::Value {
    let file = repository.root().join("target/xtask/report.json");
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    report["services"][0]["tags"].clone()
}

#[test]
fn an_interrupt_while_a_step_runs_moves_no_tag() {
    let relay = relay_to(engine());
    let slow = "FROM busybox:debian\nRUN echo begun > /begun\nRUN sleep 60\n";
    let (repository, image) = one_service(&relay, slow);
    let args = [&DEV[..], &["--verbose"]].concat();
    let mut command = engine().xtask(&repository, &args).command();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("RUN echo begun")));
    // The next step begins by itself; if it has not yet, no less is interrupted.
    std::thread::sleep(Duration::from_millis(300));
    let ran = interrupt(child);
    let rest: Vec<String> = lines.collect();
    assert_eq!(ran.code, Some(130), "{rest:?}");
    assert!(registry::tags(&image).is_empty());
}

#[test]
fn an_interrupt_while_the_image_is_pushed_moves_no_tag() {
    let relay = relay_to(engine());
    let (repository, image) = one_service(&relay, BASE);
    let gate = Gate::new();
    relay.rule(When::on("PUT", "/manifests/fp-"), Then::Hold(gate.clone()));
    let child = start(&repository);
    assert!(gate.wait_for(1, PATIENCE));
    let ran = interrupt(child);
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    gate.open();
    let there = registry::tags(&image);
    assert!(there.keys().all(|tag| tag.starts_with("fp-") || tag == "cache"), "{there:?}");
}

#[test]
fn an_interrupt_between_two_tags_is_mended_by_the_next_run() {
    let relay = relay_to(engine());
    let (repository, image) = one_service(&relay, BASE);
    let gate = Gate::new();
    relay.rule(When::on("PUT", "/manifests/dev-").once(), Then::Hold(gate.clone()));
    let child = start(&repository);
    assert!(gate.wait_for(1, PATIENCE));
    let opening = gate.clone();
    let opener = std::thread::spawn(move || {
        // While the run still waits for its answer.
        std::thread::sleep(Duration::from_millis(200));
        opening.open();
    });
    let ran = interrupt(child);
    opener.join().unwrap();
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    let sha = repository.git(&["rev-parse", "HEAD"]);
    assert!(!registry::tags(&image).contains_key(&sha), "{}", ran.stderr);
    engine().xtask(&repository, &DEV).run().success();
    let there = registry::tags(&image);
    let all = ["dev", &format!("dev-{}", &sha[..7]), &sha].map(|tag| there[tag].clone());
    assert!(all.iter().all(|digest| *digest == all[0]), "{there:?}");
}

#[test]
fn a_dirty_tree_sends_nothing() {
    let relay = relay_to(engine());
    let (repository, image) = one_service(&relay, BASE);
    repository.write("services/base/untracked", "x");
    engine().xtask(&repository, &DEV).run().refused("services/base/untracked");
    assert_eq!(writes(&relay), 0, "{:?}", relay.log());
    let dirty = [&DEV[..], &["--allow-dirty"]].concat();
    engine().xtask(&repository, &dirty).run().success();
    assert!(writes(&relay) > 0);
    // What no commit describes names none.
    let index = registry::manifest(&format!("{image}:dev"));
    let index: serde_json::Value = serde_json::from_slice(&index.bytes).unwrap();
    let annotations = &index["annotations"];
    assert!(annotations["org.opencontainers.image.created"].is_string(), "{annotations}");
    assert!(annotations["org.opencontainers.image.revision"].is_null(), "{annotations}");
}
