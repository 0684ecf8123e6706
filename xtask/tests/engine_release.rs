//! Releases on a real engine and a real registry: what was published on `dev` is what is released.
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

use registry::relay_to;
use relay::{Canned, Relay, Then, When};
use serde_json::Value;
use std::collections::BTreeMap;
use support::{Repository, busybox, engine, unique};

const SERVICES: [&str; 3] = ["base", "queue", "web"];

fn three_services(relay: &Relay) -> (Repository, String) {
    let place = format!("{}/{}", relay.address(), unique("story"));
    let web = format!("FROM {place}/base\nCOPY file /\n");
    let base = "FROM busybox:debian\nRUN echo base > /base\n";
    let queue = "FROM busybox:debian\nRUN echo queue > /queue\n";
    let services = "[services.base]\n[services.queue]\n[services.web]\n";
    let repository = busybox(&place, services, &[("base", base), ("queue", queue), ("web", &web)]);
    repository.write("services/web/file", "1");
    repository.commit("files");
    (repository, place)
}

fn run(repository: &Repository, event: &str) -> Value {
    let args = ["build-images", "--json", "--event", event];
    engine().xtask(repository, &args).run().success().json()
}

fn outcomes(report: &Value) -> Vec<&str> {
    let services = report["services"].as_array().unwrap();
    services.iter().map(|service| service["outcome"].as_str().unwrap()).collect()
}

/// How many tags a report says that each service was given.
fn tags_told(report: &Value) -> Vec<usize> {
    let services = report["services"].as_array().unwrap();
    services.iter().map(|service| service["tags"].as_array().unwrap().len()).collect()
}

/// What stands where, by service.
fn tags(place: &str) -> BTreeMap<&'static str, BTreeMap<String, String>> {
    SERVICES.map(|service| (service, registry::tags(&format!("{place}/{service}")))).into()
}

fn records(place: &str) -> Vec<String> {
    registry::tags(&format!("{place}/releases")).into_keys().collect()
}

#[test]
fn what_dev_published_is_released_byte_for_byte() {
    let relay = relay_to(engine());
    let (repository, place) = three_services(&relay);
    run(&repository, "dev");
    let dev = tags(&place);
    let sha = repository.git(&["rev-parse", "HEAD"]);
    relay.reset();
    let report = run(&repository, "release:v0.1.0");
    assert_eq!(outcomes(&report), ["promoted"; 3]);
    for entry in relay.log() {
        let of_service =
            SERVICES.iter().any(|service| entry.path.contains(&format!("/{service}/")));
        assert!(!(of_service && entry.path.contains("/blobs/")), "{entry:?}");
    }
    for (service, tags) in tags(&place) {
        for tag in ["v0.1.0", "0.1", "0", "latest", &sha] {
            assert_eq!(tags[tag], dev[service]["dev"], "{service}:{tag}");
        }
    }
    assert_eq!(records(&place), ["journal-v0.1.0", "v0.1.0"]);

    repository.write("services/web/file", "2");
    repository.commit("edit");
    run(&repository, "dev");
    let first = tags(&place);
    assert_eq!(outcomes(&run(&repository, "release:v0.1.1")), ["promoted"; 3]);
    let second = tags(&place);
    for service in SERVICES {
        let kept = first[service]["v0.1.0"] == second[service]["v0.1.1"];
        assert_eq!(kept, service != "web", "{service}");
        assert_eq!(second[service]["latest"], second[service]["v0.1.1"]);
        assert_eq!(second[service]["v0.1.0"], first[service]["v0.1.0"]);
    }

    repository.write("services/web/file", "3");
    repository.commit("one");
    // Its commit never ran on dev: built once, then moved.
    assert_eq!(outcomes(&run(&repository, "release:v1.0.0")), ["promoted", "promoted", "built"]);
    let one = tags(&place);
    // A backport.
    repository.git(&["checkout", "--quiet", "-b", "backport", "HEAD~1"]);
    repository.write("services/web/file", "4");
    repository.commit("backport");
    let report = run(&repository, "release:v0.1.2");
    assert_eq!(outcomes(&report), ["promoted", "promoted", "built"]);
    // v0.1.2, 0.1, 0 and the commit: `latest` stays with 1.0.0.
    assert_eq!(tags_told(&report), [4; 3]);
    let after = tags(&place);
    for service in SERVICES {
        for tag in ["latest", "1", "1.0", "v1.0.0", "v0.1.1"] {
            assert_eq!(after[service][tag], one[service][tag], "{service}:{tag}");
        }
        for tag in ["0", "0.1"] {
            assert_eq!(after[service][tag], after[service]["v0.1.2"], "{service}:{tag}");
        }
    }
    assert_ne!(after["web"]["0"], one["web"]["0"]);
}

#[test]
fn a_version_with_other_content_stops_before_anything_moves() {
    let relay = relay_to(engine());
    let (repository, place) = three_services(&relay);
    run(&repository, "dev");
    run(&repository, "release:v0.1.0");
    let image = format!("{place}/queue:v0.2.0").parse().unwrap();
    let theirs = registry::manifest(&format!("{place}/queue:dev"));
    let other = "FROM busybox:debian\nRUN echo other > /queue\n";
    repository.write("services/queue/Dockerfile", other);
    repository.commit("edit");
    run(&repository, "dev");
    registry::client().put_manifest(&image, &theirs.media_type, &theirs.bytes).unwrap();
    let before = (tags(&place), records(&place));
    let ran = engine().xtask(&repository, &["build-images", "--event", "release:v0.2.0"]).run();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let ours = &before.0["queue"]["dev"];
    for part in ["`queue`: v0.2.0", &theirs.digest, ours, "nothing was moved"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    assert_eq!((tags(&place), records(&place)), before);
}

#[test]
fn a_tag_that_cannot_be_moved_puts_all_back_and_a_new_run_ends_it() {
    let relay = relay_to(engine());
    let (repository, place) = three_services(&relay);
    run(&repository, "dev");
    run(&repository, "release:v0.1.0");
    repository.write("services/web/file", "2");
    repository.commit("edit");
    run(&repository, "dev");
    let before = tags(&place);
    relay
        .rule(When::on("PUT", "/web/manifests/latest"), Then::Answer(Canned::error(403, "DENIED")));
    let args = ["build-images", "--event", "release:v0.2.0", "--json"];
    let ran = engine().xtask(&repository, &args).run();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("v0.2.0 is not released"), "{}", ran.stderr);
    assert_eq!(tags_told(&ran.json()), [0; 3]);
    for (service, tags) in tags(&place) {
        for tag in ["latest", "0", "0.1", "v0.1.0", "dev"] {
            assert_eq!(tags[tag], before[service][tag], "{service}:{tag}");
        }
        // This registry takes no tag away.
        assert!(ran.stderr.contains(&format!("{service}:v0.2.0: ")), "{}", ran.stderr);
    }
    assert!(!records(&place).contains(&"v0.2.0".to_owned()));
    relay.clear_rules();
    assert_eq!(outcomes(&run(&repository, "release:v0.2.0")), ["promoted"; 3]);
    for (service, tags) in tags(&place) {
        assert_eq!(tags["latest"], tags["v0.2.0"], "{service}");
    }
    assert!(records(&place).contains(&"v0.2.0".to_owned()));
}

/// It is built once for its release: what a run has pushed and written down, the next one takes.
#[test]
fn a_service_without_a_fingerprint_is_built_once_for_its_release() {
    let relay = relay_to(engine());
    let place = format!("{}/{}", relay.address(), unique("story"));
    let web = "FROM busybox:debian\nRUN cat /proc/uptime > /now\n";
    let repository = busybox(&place, "[services.web]\n", &[("web", web)]);
    // Something that is no file: what is in it cannot be told. Git does not see it.
    let fifo = repository.root().join("services/web/fifo");
    assert!(std::process::Command::new("mkfifo").arg(fifo).status().unwrap().success());
    let plan = engine().xtask(&repository, &["plan", "--json"]).run().success().json();
    assert!(plan["services"][0]["fingerprint"].is_null(), "{plan}");
    let told = |args: &[&str]| engine().xtask(&repository, args).run().success().stdout;
    let dry = told(&["release", "publish", "v1.0.0", "--dry-run"]);
    assert!(dry.contains("web  build: it has no fingerprint: `services/web/fifo`"), "{dry}");
    let args = ["build-images", "--json", "--event", "release:v1.0.0"];
    relay
        .rule(When::on("PUT", "/web/manifests/latest"), Then::Answer(Canned::error(403, "DENIED")));
    let ran = engine().xtask(&repository, &args).run();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let first = tags_of(&place, "web")["v1.0.0"].clone();
    relay.clear_rules();
    let report = engine().xtask(&repository, &args).run().success().json();
    assert_eq!(outcomes(&report), ["promoted"]);
    assert!(report["services"][0]["reason"].as_str().unwrap().contains("journal"), "{report}");
    let tags = tags_of(&place, "web");
    assert_eq!((&tags["v1.0.0"], &tags["latest"]), (&first, &first));
    let notes = told(&["release", "notes", "v1.0.0"]);
    let named = "Without a fingerprint, and so built for this release: web";
    assert!(notes.contains(named), "{notes}");
}

fn tags_of(place: &str, service: &str) -> BTreeMap<String, String> {
    registry::tags(&format!("{place}/{service}"))
}
