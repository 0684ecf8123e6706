//! What is published, or in the engine's store, is not built again; what is not is. Real engines and
//! a real registry.
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

use registry::place;
use serde_json::Value;
use std::collections::BTreeMap;
use support::{EmptyEngine, Engine, Repository, busybox, engine};

const DEV: [&str; 4] = ["build-images", "--event", "dev", "--json"];
const PR: [&str; 4] = ["build-images", "--event", "pr", "--json"];
const LOCAL: [&str; 2] = ["build-images", "--json"];

/// `base`, `web` that builds on it, and `alone`.
fn three_services(registry: &str) -> Repository {
    let web = format!("FROM {registry}/base\nCOPY file /\n");
    let alone = "FROM busybox:debian\nRUN echo alone > /alone\n";
    let services = "[services.base]\n[services.web]\n[services.alone]\n";
    let base = "FROM busybox:debian\nRUN echo base > /base\n";
    let repository =
        busybox(registry, services, &[("base", base), ("web", &web), ("alone", alone)]);
    repository.write("services/web/file", "1");
    repository.commit("files");
    repository
}

fn run(engine: &Engine, repository: &Repository, args: &[&str]) -> Value {
    engine.xtask(repository, args).run().success().json()
}

/// `alone base web`, each by the first letter of what came of it.
fn outcomes(report: &Value) -> String {
    let services = report["services"].as_array().unwrap();
    let of = |service: &Value| {
        let name = service["service"].as_str().unwrap().to_owned();
        (name, service["outcome"].as_str().unwrap().to_owned())
    };
    let outcomes: BTreeMap<String, String> = services.iter().map(of).collect();
    outcomes.into_values().map(|outcome| outcome[..1].to_owned()).collect::<Vec<_>>().join("")
}

fn reason(report: &Value, service: &str) -> String {
    let services = report["services"].as_array().unwrap();
    let found = services.iter().find(|entry| entry["service"] == service).unwrap();
    found["reason"].as_str().unwrap().to_owned()
}

fn digests(place: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let services = ["alone", "base", "web"];
    services.map(|s| (s.to_owned(), registry::tags(&format!("{place}/{s}")))).into()
}

#[test]
fn what_one_engine_published_another_skips_and_promotes() {
    let place = place(engine());
    let repository = three_services(&place);
    assert_eq!(outcomes(&run(engine(), &repository, &DEV)), "bbb");
    let first = digests(&place);
    let other = EmptyEngine::start();
    assert_eq!(outcomes(&run(&other.0, &repository, &PR)), "sss");
    assert_eq!(digests(&place), first);

    repository.write("README.md", "an edit of nothing that is sent");
    let sha = repository.commit("readme");
    let report = run(&other.0, &repository, &DEV);
    assert_eq!(outcomes(&report), "ppp", "{report}");
    for (service, tags) in digests(&place) {
        let digest = &first[&service]["dev"];
        let new = ["dev".to_owned(), format!("dev-{}", &sha[..7]), sha.clone()];
        assert!(new.iter().all(|tag| tags[tag] == *digest), "{service}: {tags:?}");
        assert_eq!(tags.len(), first[&service].len() + 2);
    }

    // Only what changed, and what builds on it.
    repository.write("services/web/file", "2");
    repository.commit("edit web");
    assert_eq!(outcomes(&run(&other.0, &repository, &PR)), "ssb");
    assert_eq!(outcomes(&run(&other.0, &repository, &DEV)), "ppb");
    repository.write("services/base/file", "sent, though nothing copies it");
    repository.commit("edit base");
    assert_eq!(outcomes(&run(engine(), &repository, &DEV)), "pbb");
    // Back to what was published before.
    repository.git(&["revert", "--no-edit", "HEAD"]);
    assert_eq!(outcomes(&run(engine(), &repository, &DEV)), "ppp");
}

#[test]
fn an_image_survives_the_engine_that_made_it() {
    let place = place(engine());
    let repository = three_services(&place);
    {
        let gone = EmptyEngine::start();
        assert_eq!(outcomes(&run(&gone.0, &repository, &DEV)), "bbb");
        assert_eq!(outcomes(&run(&gone.0, &repository, &PR)), "sss");
    }
    assert_eq!(outcomes(&run(engine(), &repository, &PR)), "sss");
}

#[test]
fn a_pull_request_that_skips_all_needs_no_docker() {
    let place = place(engine());
    let repository = three_services(&place);
    run(engine(), &repository, &DEV);
    let pr = repository.xtask(&PR).env("XTASK_ENGINE", "none").env("PATH", "/usr/bin:/bin");
    let ran = pr.run().success();
    assert_eq!(outcomes(&ran.json()), "sss");
    assert!(!ran.stderr.contains("engine"), "{}", ran.stderr);
    // Its tests need the images: they are pulled.
    let other = EmptyEngine::start();
    let load = ["build-images", "--event", "pr", "--load", "--json"];
    assert_eq!(outcomes(&run(&other.0, &repository, &load)), "sss");
    other.0.docker(&["run", "--rm", "small-web:local", "/bin/busybox", "cat", "/base", "/file"]);
}

#[test]
fn it_can_be_forced() {
    let place = place(engine());
    let repository = three_services(&place);
    run(engine(), &repository, &DEV);
    let with = |options: &[&str]| {
        let args = [&DEV[..], options].concat();
        outcomes(&run(engine(), &repository, &args))
    };
    assert_eq!(with(&["web", "--force"]), "pb");
    assert_eq!(with(&["web", "--no-skip"]), "bb");
    assert_eq!(with(&["web", "--no-cache"]), "pb");
    assert_eq!(with(&["--force"]), "bbb");
    assert_eq!(with(&["--no-skip"]), "bbb");
    assert_eq!(with(&[]), "ppp");
}

#[test]
fn the_engines_own_store_counts_in_a_local_run() {
    let place = place(engine());
    let repository = three_services(&place);
    let store = EmptyEngine::start();
    let local = |options: &[&str]| {
        let report = run(&store.0, &repository, &[&LOCAL[..], options].concat());
        outcomes(&report)
    };
    assert_eq!(local(&[]), "bbb");
    assert_eq!(local(&[]), "sss");
    assert_eq!(local(&["web"]), "ss");
    assert_eq!(local(&["--force"]), "bbb");
    assert_eq!(local(&["--no-skip"]), "bbb");
    repository.write("services/web/file", "2");
    assert_eq!(local(&[]), "ssb");
    assert_eq!(
        store.0.docker(&["run", "--rm", "small-web:local", "/bin/busybox", "cat", "/file"]),
        "2"
    );
    // The tree is as it was, the image is not.
    repository.write("services/web/file", "1");
    assert_eq!(local(&[]), "ssb");
    // Somebody gave the name to something else.
    store.0.docker(&["tag", "small-base:local", "small-alone:local"]);
    assert_eq!(local(&[]), "bss");
    store.0.docker(&["image", "rm", "small-alone:local"]);
    assert_eq!(local(&[]), "bss");
    // The name that Dockerfiles use counts too.
    store.0.docker(&["tag", "small-alone:local", &format!("{place}/base:latest")]);
    assert_eq!(local(&["web"]), "ss", "what is not built needs no base");
    assert_eq!(local(&[]), "sbs");
    // Another engine's store is another one.
    let other = EmptyEngine::start();
    assert_eq!(outcomes(&run(&other.0, &repository, &LOCAL)), "bbb");
}

#[test]
fn a_local_run_pulls_only_when_asked() {
    let place = place(engine());
    let repository = three_services(&place);
    run(engine(), &repository, &DEV);
    let one = EmptyEngine::start();
    let report = run(&one.0, &repository, &LOCAL);
    assert_eq!(outcomes(&report), "bbb");
    let two = EmptyEngine::start();
    let pull = [&LOCAL[..], &["--pull"]].concat();
    let report = run(&two.0, &repository, &pull);
    assert_eq!(outcomes(&report), "sss", "{report}");
    let id = two.0.docker(&["image", "inspect", "--format", "{{.Id}}", "small-web:local"]);
    assert_eq!(id, digests(&place)["web"]["dev"]);
    assert_eq!(outcomes(&run(&two.0, &repository, &LOCAL)), "sss");
    // What is edited is built on the published image of the base.
    repository.write("services/web/file", "2");
    let three = EmptyEngine::start();
    let report = run(&three.0, &repository, &[&LOCAL[..], &["web"]].concat());
    assert_eq!(outcomes(&report), "sb", "{}", reason(&report, "base"));
}

#[test]
fn a_tag_without_a_claim_of_this_very_fingerprint_is_no_hit() {
    let place = place(engine());
    let repository = three_services(&place);
    run(engine(), &repository, &DEV);
    let tags = digests(&place);
    let handle = |service: &str| {
        let tag = tags[service].keys().find(|tag| tag.starts_with("fp-")).unwrap().clone();
        format!("{place}/{service}:{tag}")
    };
    // The other service's claim, and an index without any.
    let client = registry::client();
    let alone = handle("alone").parse().unwrap();
    let theirs = registry::manifest(&handle("base"));
    client.copy_image(&handle("base").parse().unwrap(), &alone).unwrap();
    let report = run(engine(), &repository, &PR);
    assert_eq!(outcomes(&report), "bss");
    assert!(reason(&report, "alone").contains("it claims to be"), "{report}");
    let mut bare: Value = serde_json::from_slice(&theirs.bytes).unwrap();
    bare.as_object_mut().unwrap().remove("annotations");
    let bare = serde_json::to_vec(&bare).unwrap();
    client.put_manifest(&alone, &theirs.media_type, &bare).unwrap();
    let report = run(engine(), &repository, &PR);
    assert_eq!(outcomes(&report), "bss");
    assert!(reason(&report, "alone").contains("it claims nothing"), "{report}");
}

/// Has a published image say that it was built long ago.
fn backdate(name: &str) {
    let index = registry::manifest(name);
    let long_ago = "2020-01-01T00:00:00Z".to_owned();
    let created = [("org.opencontainers.image.created".to_owned(), long_ago)].into();
    let bytes = xtask::docker::registry::oci::annotated(&index.bytes, &created).unwrap();
    let client = registry::client();
    client.put_manifest(&name.parse().unwrap(), &index.media_type, &bytes).unwrap();
}

/// What a step brought in from the world outside does not stay for ever.
#[test]
fn an_old_image_is_refreshed_on_dev_and_only_there() {
    let place = place(engine());
    let base = "FROM busybox:debian\nRUN cat /proc/uptime > /now\n";
    let web = format!("FROM {place}/base\nRUN cp /now /copy\n");
    let services = "[services.base]\nrefresh = \"7d\"\n[services.web]\n";
    let repository = busybox(&place, services, &[("base", base), ("web", &web)]);
    let tags = || ["base", "web"].map(|service| registry::tags(&format!("{place}/{service}")));
    assert_eq!(outcomes(&run(engine(), &repository, &DEV)), "bb");
    let fresh = tags();
    let fp = fresh[0].keys().find(|tag| tag.starts_with("fp-")).unwrap();
    // A release takes what stands under the commit's own tag.
    for tag in [fp, &repository.git(&["rev-parse", "HEAD"])] {
        backdate(&format!("{place}/base:{tag}"));
    }
    let first = tags();
    assert_eq!(outcomes(&run(engine(), &repository, &PR)), "ss");
    let release = ["build-images", "--event", "release:v1.0.0", "--json"];
    assert_eq!(outcomes(&run(engine(), &repository, &release)), "pp");
    let report = run(engine(), &repository, &DEV);
    assert_eq!(outcomes(&report), "bb");
    assert!(reason(&report, "base").starts_with("refresh: "), "{report}");
    let second = tags();
    for (first, second) in first.iter().zip(&second) {
        let fp = first.keys().find(|tag| tag.starts_with("fp-")).unwrap();
        assert_ne!(first[fp], second[fp]);
        assert_eq!(second[fp], second["dev"]);
        assert_eq!(first[fp], second["v1.0.0"]);
    }
    let now = |image: &str, file: &str| {
        let image = format!("{place}/{image}:dev");
        engine().docker(&["run", "--rm", "--pull=always", &image, "/bin/busybox", "cat", file])
    };
    assert_eq!(now("base", "/now"), now("web", "/copy"));
}
