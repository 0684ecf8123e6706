//! The whole story on small services: clone, build, up, push, edit, pull request, dev, release, pull, a
//! second version, back again, prune, down. At each step what a user would look at is looked at.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/compose.rs"]
mod compose;
#[path = "story/desk.rs"]
mod desk;
#[path = "support/registry.rs"]
mod registry;
mod support;

use desk::{Desk, Listing, RUNNING, SERVICES};
use serde_json::Value;
use std::collections::BTreeSet;
use support::{Ran, engine};
use xtask::docker::release::Shelf;

#[test]
fn the_whole_story() {
    let desk = Desk::new();
    build_and_run(&desk);
    let first = push_to_dev(&desk);
    let second = edit_through_a_pull_request(&desk, &first);
    release(&desk, "v0.1.0", &second);
    pull_by_its_record(&desk);
    second_version(&desk);
    roll_back(&desk);
    prune(&desk, &first);
    end(&desk);
}

/// A value of each service in a report or a plan, in the plan's order.
fn of_services<'a>(told: &'a Value, key: &str) -> Vec<&'a str> {
    let services = told["services"].as_array().unwrap();
    services.iter().map(|service| service[key].as_str().unwrap()).collect()
}

fn run_in(image: &str, file: &str) -> String {
    engine().docker(&["run", "--rm", "--pull", "never", image, "cat", file])
}

fn build_and_run(desk: &Desk) {
    assert_eq!(desk.repository.git(&["status", "--porcelain", "--ignored"]), "");
    let ran = desk.does("build-images");
    assert!(ran.stderr.contains("3 of 3 images built"), "{}", ran.stderr);
    for service in SERVICES {
        let name = format!("small-{service}:local");
        assert!(desk.local_images().iter().any(|it| it.starts_with(&name)), "{service}");
    }
    let ran = desk.does("build-images");
    assert!(ran.stderr.contains("3 images skipped"), "{}", ran.stderr);
    desk.does("up");
    for container in desk.containers() {
        assert_eq!(engine().docker(&["exec", &container, "cat", "/page"]), "first");
    }
    let logs = desk.does("logs web").stdout;
    assert!(logs.contains("first") && !logs.contains("queue"), "{logs}");
    assert!(desk.listing().values().all(|tags| tags.is_empty()), "{:?}", desk.listing());
}

/// The first push to `dev`: all is built and published. Gives its commit.
fn push_to_dev(desk: &Desk) -> String {
    let commit = desk.head();
    let report = desk.json("build-images --event dev --json");
    assert_eq!(of_services(&report, "outcome"), ["built"; 3]);
    let listing = desk.listing();
    for service in SERVICES {
        let tags = &listing[service];
        stand_on_one(tags, &dev_tags(&commit));
        let others: Vec<&String> = tags.keys().filter(|tag| !is_of(tag, &commit)).collect();
        let [cache, fingerprint] = others[..] else { panic!("{service}: {others:?}") };
        assert_eq!((cache.as_str(), fingerprint.len()), ("cache", "fp-".len() + 64));
        assert_eq!(tags[fingerprint], tags["dev"]);
    }
    assert!(listing["releases"].is_empty());
    commit
}

fn dev_tags(commit: &str) -> [String; 3] {
    ["dev".into(), format!("dev-{}", &commit[..7]), commit.into()]
}

fn is_of(tag: &str, commit: &str) -> bool {
    dev_tags(commit).iter().any(|it| it == tag)
}

#[track_caller]
fn stand_on_one(tags: &std::collections::BTreeMap<String, String>, wanted: &[String]) {
    let digests: BTreeSet<Option<&String>> = wanted.iter().map(|tag| tags.get(tag)).collect();
    assert!(digests.len() == 1 && !digests.contains(&None), "{wanted:?}: {tags:?}");
}

/// On a branch only what was edited is built, and nothing is written. On `dev` the rest is promoted. Gives
/// the commit.
fn edit_through_a_pull_request(desk: &Desk, first: &str) -> String {
    let before = desk.listing();
    desk.repository.git(&["checkout", "--quiet", "-b", "topic"]);
    let commit = desk.edit("services/web/page", "second\n", "2026-02-01T00:00:00Z");
    let affected = desk.does("affected --since origin/dev...").stdout;
    assert_eq!(affected.split_whitespace().collect::<Vec<_>>(), ["web", "context"]);
    let plan = desk.json("plan --event pr --json");
    assert_eq!(of_services(&plan, "service"), SERVICES);
    assert_eq!(of_services(&plan, "action"), ["skip", "skip", "build"]);
    assert_eq!(plan["definition"]["target"].as_object().unwrap().len(), 1);
    assert_eq!(desk.listing(), before);
    let report = desk.json("build-images --event pr --json");
    assert_eq!(of_services(&report, "outcome"), ["skipped", "skipped", "built"]);
    // The step before the page comes from the registry's cache or the engine's.
    assert_eq!(report["services"][2]["steps"]["cached"], 1, "{report}");
    assert_eq!(desk.listing(), before);

    desk.repository.git(&["checkout", "--quiet", "dev"]);
    desk.repository.git(&["merge", "--quiet", "--ff-only", "topic"]);
    desk.repository.git(&["push", "--quiet", "origin", "dev"]);
    let report = desk.json("build-images --event dev --json");
    assert_eq!(of_services(&report, "outcome"), ["promoted", "promoted", "built"]);
    let after = desk.listing();
    for service in SERVICES {
        stand_on_one(&after[service], &dev_tags(&commit));
        assert_eq!(after[service][first], before[service][first]);
        let is_same = after[service]["dev"] == before[service]["dev"];
        assert_eq!(is_same, service != "web", "{service}");
    }
    commit
}

/// What stands on `dev` is released, byte for byte.
fn release(desk: &Desk, version: &str, commit: &str) {
    let before = desk.listing();
    let told = desk.does(&format!("release tag {version} --dry-run")).stdout;
    assert!(told.contains(commit), "{told}");
    assert_eq!(desk.remote.git(&["tag", "--list", version]), "");
    desk.does(&format!("release tag {version}"));
    let tagged = desk.remote.git(&["rev-parse", &format!("{version}^{{commit}}")]);
    assert_eq!(tagged, commit);
    desk.does(&format!("release publish {version} --dry-run"));
    assert_eq!(desk.listing(), before);
    let report = desk.json(&format!("release publish {version} --json"));
    assert_eq!(of_services(&report, "outcome"), ["promoted"; 3]);
    let after = desk.listing();
    let short = version.trim_start_matches('v').rsplit_once('.').unwrap().0;
    for service in SERVICES {
        let tags = [version, short, "0", "latest", "dev", commit].map(str::to_owned);
        stand_on_one(&after[service], &tags);
        assert_eq!(after[service][version], before[service]["dev"], "{service}");
    }
    assert!(after["releases"].contains_key(version));
    let status = desk.does(&format!("release status {version}")).stdout;
    assert!(SERVICES.iter().all(|service| status.contains(service)), "{status}");
}

fn pull_by_its_record(desk: &Desk) {
    let shelf = Shelf::new(&desk.place).unwrap();
    let version = "0.1.0".parse().unwrap();
    let record = shelf.record(&registry::client(), &version).unwrap().unwrap();
    let told = desk.json("pull --tag v0.1.0 --json");
    let listing = desk.listing();
    assert_eq!(record.services.len(), SERVICES.len());
    for (service, digest) in SERVICES.iter().zip(of_services_in(&told, "images", "digest")) {
        assert_eq!(digest, record.services[*service].digest, "{service}");
        assert_eq!(digest, listing[*service]["v0.1.0"], "{service}");
        let name = format!("{}/{service}:v0.1.0", desk.place);
        let digests = ["image", "inspect", "--format", "{{json .RepoDigests}}", &name];
        assert!(engine().docker(&digests).contains(digest), "{service}");
    }
    assert_eq!(run_in(&format!("{}/web:v0.1.0", desk.place), "/page"), "second");
}

fn of_services_in<'a>(told: &'a Value, list: &str, key: &str) -> Vec<&'a str> {
    told[list].as_array().unwrap().iter().map(|one| one[key].as_str().unwrap()).collect()
}

fn second_version(desk: &Desk) {
    let commit = desk.edit("services/queue/page", "third\n", "2026-03-01T00:00:00Z");
    desk.repository.git(&["push", "--quiet", "origin", "dev"]);
    let report = desk.json("build-images --event dev --json");
    assert_eq!(of_services(&report, "outcome"), ["promoted", "built", "promoted"]);
    release(desk, "v0.2.0", &commit);
    let now = desk.listing();
    for service in SERVICES {
        let is_same = now[service]["v0.1.0"] == now[service]["v0.2.0"];
        assert_eq!(is_same, service != "queue", "{service}");
        assert_eq!(now[service]["0.1"], now[service]["v0.1.0"], "{service}");
    }
}

/// `latest` and `0` go back to the first version; `v0.2.0` stays.
fn roll_back(desk: &Desk) {
    let before = desk.listing();
    desk.does("release rollback v0.2.0 --dry-run");
    assert_eq!(desk.listing(), before);
    let unsaid = desk.xtask("release rollback v0.2.0").run();
    unsaid.refused("--yes");
    assert_eq!(desk.listing(), before);
    desk.does("release rollback v0.2.0 --yes");
    let after = desk.listing();
    for service in SERVICES {
        stand_on_one(&after[service], &["v0.1.0", "0.1", "0", "latest"].map(str::to_owned));
        for tag in ["v0.2.0", "dev"] {
            assert_eq!(after[service][tag], before[service][tag], "{service}:{tag}");
        }
    }
    let told = desk.json("pull --json");
    assert_eq!(told["version"], "0.1.0");
    assert_eq!(run_in(&format!("{}/queue:latest", desk.place), "/page"), "first");
}

/// Only what the first push made of `web` alone is old and in nobody's use.
fn prune(desk: &Desk, first: &str) {
    let before = desk.listing();
    let gone = |listing: &Listing| -> Vec<(&str, String)> {
        let of = |service: &'static str| {
            let there = &listing[service];
            let old = before[service].keys().filter(|tag| !there.contains_key(*tag));
            old.map(move |tag| (service, tag.clone())).collect::<Vec<_>>()
        };
        before.keys().flat_map(|service| of(service)).collect()
    };
    let told = desk.does("cache prune --keep 1 --dry-run").stdout;
    assert!(told.contains("web: 3 tags and") && told.contains("would go"), "{told}");
    assert_eq!(desk.listing(), before);
    desk.does("cache prune --keep 1");
    let gone = gone(&desk.listing());
    assert_eq!(gone.len(), 3, "{gone:?}");
    let old = &before["web"][first];
    for (service, tag) in &gone {
        assert_eq!((*service, &before["web"][tag]), ("web", old), "{tag}");
    }
    let mut pulled = BTreeSet::new();
    for (service, tags) in desk.listing() {
        registry::is_whole(&format!("{}/{service}", desk.place));
        if !SERVICES.contains(&service) {
            continue;
        }
        for digest in tags.iter().filter(|(tag, _)| *tag != "cache").map(|(_, digest)| digest) {
            if pulled.insert(digest.clone()) {
                let image = format!("{}/{service}@{digest}", desk.place);
                engine().docker(&["pull", "--quiet", &image]);
            }
        }
    }
    // Nothing of it is needed to go on.
    let plan = desk.json("plan --event pr --json");
    assert_eq!(of_services(&plan, "action"), ["skip"; 3]);
}

/// What runs is left by `clean`, and said so; after `down` nothing is left.
fn end(desk: &Desk) {
    let running = desk.containers();
    let told = clean(desk);
    assert!(told.stdout.contains("left small-web:local: in use by container"), "{told:?}");
    assert!(told.stderr.contains("`cargo xtask down`"), "{told:?}");
    let left: Vec<String> = desk.local_images().into_iter().collect();
    let runs = |name: &String| RUNNING.iter().any(|it| name.starts_with(&format!("small-{it}:")));
    assert!(left.len() == RUNNING.len() && left.iter().all(runs), "{left:?}");
    assert_eq!(desk.containers(), running);
    desk.does("down");
    assert_eq!(desk.containers(), ["", ""]);
    let told = clean(desk);
    assert!(!told.stdout.contains("left ") && !told.stderr.contains("in use"), "{told:?}");
    assert_eq!(desk.local_images(), BTreeSet::new());
    assert!(!desk.repository.root().join("target/xtask").exists());
    assert_eq!(desk.repository.git(&["status", "--porcelain"]), "");
}

/// Its dry run says the same, and does nothing.
fn clean(desk: &Desk) -> Ran {
    let before = desk.local_images();
    let would = desk.does("clean --dry-run").stdout;
    assert_eq!(desk.local_images(), before);
    let told = desk.does("clean");
    assert_eq!(
        would.replace("would remove ", "removed ").replace("would leave ", "left "),
        told.stdout
    );
    told
}
