//! Caches that are hot, absent, broken or of something else, and `warm-cache` on each. Real engines
//! and a real registry, from whose storage blobs are deleted.
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

use registry::{place, relay_to};
use relay::{Canned, Scripted, Then, When};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use support::{EmptyEngine, Engine, Ran, Repository, busybox, engine};

const DEV: [&str; 4] = ["build-images", "--event", "dev", "--json"];
const CHECK: [&str; 2] = ["warm-cache", "--check"];

/// `base`, and `web` that builds on its published image.
fn two_services(place: &str) -> Repository {
    let web = format!("FROM {place}/base\nCOPY file /\nRUN cp /file /copy\n");
    let base = "FROM busybox:debian\nRUN echo base > /base\n";
    let services = "[services.base]\n[services.web]\n";
    let repository = busybox(place, services, &[("base", base), ("web", &web)]);
    repository.write("services/web/file", "1");
    repository.commit("files");
    repository
}

/// The lines by service, and the exit code. No Docker is there for who only looks.
#[track_caller]
fn check(repository: &Repository, code: i32) -> BTreeMap<String, String> {
    let ran = repository.xtask(&CHECK).env("DOCKER_HOST", "unix:///nowhere/docker.sock").run();
    assert_eq!(ran.code, Some(code), "{}\n{}", ran.stdout, ran.stderr);
    lines(&ran)
}

fn lines(ran: &Ran) -> BTreeMap<String, String> {
    let pairs = ran.stdout.lines().map(|line| line.split_once("  ").unwrap());
    pairs.map(|(service, text)| (service.trim().to_owned(), text.trim().to_owned())).collect()
}

#[track_caller]
fn warm(engine: &Engine, repository: &Repository, args: &[&str]) -> BTreeMap<String, String> {
    lines(&engine.xtask(repository, &[&["warm-cache"], args].concat()).run().success())
}

/// Each step of a service is taken from the registry's cache by an engine that has nothing.
#[track_caller]
fn hits(repository: &Repository, services: &[&str]) {
    let empty = EmptyEngine::start();
    let args = ["build-images", "--event", "pr", "--force", "--json"];
    let report = empty.0.xtask(repository, &[&args, services].concat()).run().success().json();
    for service in report["services"].as_array().unwrap() {
        if services.contains(&service["service"].as_str().unwrap()) {
            let steps = &service["steps"];
            assert_eq!(steps["total"], steps["cached"], "{report}");
            assert!(steps["total"].as_u64().unwrap() > 0, "{report}");
        }
    }
}

/// All that git keeps of a repository, and what it says of the tree.
fn of_git(repository: &Repository) -> Vec<String> {
    let mut all = vec![repository.git(&["status", "--porcelain", "--ignored"])];
    let mut todo = vec![repository.root().join(".git")];
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                todo.push(entry.path());
            } else if entry.file_name() != "index" {
                let text = std::fs::read(entry.path()).unwrap();
                all.push(format!("{:?} {text:?}", entry.path()));
            }
        }
    }
    all.sort();
    all
}

fn digests(place: &str) -> Vec<BTreeMap<String, String>> {
    ["base", "web"].map(|service| registry::tags(&format!("{place}/{service}"))).into()
}

/// The same without the cache.
fn images(place: &str) -> Vec<BTreeMap<String, String>> {
    let mut all = digests(place);
    all.iter_mut().for_each(|tags| drop(tags.remove("cache")));
    all
}

fn layers(name: &str) -> Vec<String> {
    let manifest: Value = serde_json::from_slice(&registry::manifest(name).bytes).unwrap();
    let layers = manifest["layers"].as_array().unwrap().iter();
    layers.map(|layer| layer["digest"].as_str().unwrap().to_owned()).collect()
}

/// Deletes a blob from the storage of the registry.
fn delete_blob(image: &str, digest: &str) {
    let hex = digest.strip_prefix("sha256:").unwrap();
    let engine = Path::new(&engine().env["DOCKER_CONFIG"]).parent().unwrap();
    let storage: PathBuf = engine.join("registry/docker/registry/v2");
    let repository = image.split_once('/').unwrap().1;
    let link = format!("repositories/{repository}/_layers/sha256/{hex}");
    std::fs::remove_dir_all(storage.join(link)).unwrap();
    std::fs::remove_dir_all(storage.join(format!("blobs/sha256/{}/{hex}", &hex[..2]))).unwrap();
}

#[test]
fn absent_or_without_a_layer_it_is_made_hot_again() {
    let place = place(engine());
    let repository = two_services(&place);
    let none = check(&repository, 1);
    assert_eq!(none["web"], "cold: it is absent");
    engine().xtask(&repository, &DEV).run().success();
    assert!(check(&repository, 0).values().all(|text| text == "hot"));
    let before = images(&place);

    let web = format!("{place}/web");
    let cache = format!("{web}:cache");
    registry::delete_by_digest(&cache);
    let told = check(&repository, 1);
    assert_eq!((&*told["base"], &*told["web"]), ("hot", "cold: it is absent"));
    let (tags, git) = (digests(&place), of_git(&repository));
    assert_eq!(warm(engine(), &repository, &["--dry-run"]), told);
    assert_eq!((digests(&place), of_git(&repository)), (tags, git.clone()));
    let told = warm(engine(), &repository, &[]);
    assert_eq!(told["base"], "hot");
    assert!(told["web"].starts_with("warmed in "), "{told:?}");
    assert!(check(&repository, 0).values().all(|text| text == "hot"));
    assert_eq!((images(&place), of_git(&repository)), (before.clone(), git));
    // Forced along, `base` would be a target, and no longer the image that the cache stands on.
    hits(&repository, &["web"]);

    // The engine that built the layer uploads the same bytes again.
    let of_base = layers(&format!("{place}/base:cache"));
    let own: Vec<String> = layers(&cache).into_iter().filter(|it| !of_base.contains(it)).collect();
    delete_blob(&web, &own[0]);
    let told = check(&repository, 1);
    assert_eq!(told["web"], format!("cold: a layer of it is gone ({})", own[0]));
    assert_eq!(told["base"], "hot");
    assert!(warm(engine(), &repository, &[])["web"].starts_with("warmed in "));
    assert!(check(&repository, 0).values().all(|text| text == "hot"));
    assert!(layers(&cache).contains(&own[0]));
    hits(&repository, &["web"]);

    // Another engine makes new ones.
    delete_blob(&web, &own[0]);
    let other = EmptyEngine::start();
    let report = other.0.xtask(&repository, &["warm-cache", "web", "--json"]).run().success();
    let service = &report.json()["services"][0];
    assert_eq!((&service["state"], &service["outcome"]), (&"cold".into(), &"warmed".into()));
    assert_eq!(service["gone"][0], own[0].as_str());
    assert!(check(&repository, 0).values().all(|text| text == "hot"));
    assert_eq!(images(&place), before);
    hits(&repository, &["web"]);
}

#[test]
fn the_head_of_dev_is_warmed_whatever_is_in_the_tree() {
    let place = place(engine());
    let repository = two_services(&place);
    engine().xtask(&repository, &DEV).run().success();
    repository.git(&["tag", "v1.0.0"]);
    repository.write("services/web/file", "2");
    repository.write("services/base/Dockerfile", "FROM busybox:debian\nRUN echo 2 > /base\n");
    repository.commit("not published");
    let dev = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["checkout", "--quiet", "-b", "other", "HEAD~1"]);
    repository.write("services/web/file", "3");
    let git = of_git(&repository);
    let told = check(&repository, 1);
    let unpublished = "cold: no claim names it: nothing is published of its fingerprint";
    assert!(told.values().all(|text| text == unpublished), "{told:?}");
    let tag = repository.xtask(&[&CHECK[..], &["--tag", "v1.0.0"]].concat()).run().success();
    assert!(lines(&tag).values().all(|text| text == "hot"), "{tag:?}");
    let before = images(&place);

    let told = warm(engine(), &repository, &[]);
    assert!(told.values().all(|text| text.starts_with("warmed in ")), "{told:?}");
    assert!(check(&repository, 0).values().all(|text| text == "hot"));
    assert_eq!((images(&place), of_git(&repository)), (before, git));
    repository.git(&["checkout", "--quiet", "--force", &dev]);
    hits(&repository, &["base", "web"]);

    let tag = repository.xtask(&[&CHECK[..], &["web", "--tag", "v1.0.0"]].concat()).run();
    assert_eq!(tag.code, Some(1), "{tag:?}");
    assert!(tag.stdout.contains("web  cold: it is of another fingerprint ("), "{tag:?}");
    // What a dev run publishes then stands on the published base.
    engine().xtask(&repository, &DEV).run().success();
    assert!(check(&repository, 0).values().all(|text| text == "hot"));
    repository.xtask(&["warm-cache", "--tag", "v9.9.9"]).run().refused("no tag `v9.9.9`");
}

#[test]
fn what_the_registry_does_not_say_is_neither_hot_nor_cold() {
    let relay = relay_to(engine());
    let place = format!("{}/{}", relay.address(), support::unique("warm"));
    let repository = two_services(&place);
    engine().xtask(&repository, &DEV).run().success();
    let before = digests(&place);
    let layer = layers(&format!("{place}/web:cache")).pop().unwrap();
    for path in [format!("/web/blobs/{layer}"), "/web/manifests/cache".into()] {
        relay.rule(When::is(move |it| it.path.contains(&path)), Then::Answer(Canned::status(500)));
        let told = check(&repository, 1);
        assert_eq!(told["base"], "hot");
        assert!(told["web"].starts_with("unknown: "), "{told:?}");
        relay.reset();
        let ran = engine().xtask(&repository, &["warm-cache"]).run();
        assert_eq!((ran.code, lines(&ran)), (Some(1), told));
        assert_eq!(relay.log().iter().filter(|it| it.method == "PUT").count(), 0);
        relay.clear_rules();
    }
    // A rule of the relay in the place of a blob that is gone; and a manifest that cannot be written.
    let path = format!("/web/blobs/{layer}");
    relay.rule(When::on("HEAD", &path), Then::Answer(Canned::error(404, "BLOB_UNKNOWN")));
    relay.rule(When::on("PUT", "/web/manifests/cache"), Then::Answer(Canned::status(403)));
    assert_eq!(check(&repository, 1)["web"], format!("cold: a layer of it is gone ({layer})"));
    let ran = engine().xtask(&repository, &["warm-cache"]).run();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(lines(&ran)["web"].starts_with("not warmed: cannot write `"), "{ran:?}");
    relay.clear_rules();
    assert_eq!(digests(&place), before);
}

/// The token that a runner gives: it says what may be written where. Nobody checks who signed it.
const RUNNER_TOKEN: &str = "eyJhbGciOiJub25lIn0.\
    eyJhYyI6Ilt7XCJTY29wZVwiOlwicmVmcy9oZWFkcy9kZXZcIixcIlBlcm1pc\
    3Npb25cIjozfV0iLCJuYmYiOjE3MDAwMDAwMDAsImV4cCI6NDEwMjQ0NDgwMH0.eA";

/// Where the runner's cache variables are set its cache is written, too: each service in its own scope.
#[test]
fn the_runner_s_cache_is_warmed_along() {
    let place = place(engine());
    let repository = two_services(&place);
    // As little of a runner's cache service as takes everything and has nothing.
    let runner = Scripted::start(|request| {
        let answer = match (request.method.as_str(), request.route()) {
            ("GET", _) => Canned::status(204),
            ("POST", "/_apis/artifactcache/caches") => Canned::json(201, "{\"cacheId\":1}"),
            _ => Canned::status(204),
        };
        answer.into()
    });
    let runner = runner.unwrap();
    let url = format!("http://{}/", runner.address());
    let warm = |mode: &str, token: &str| {
        let call = engine().xtask(&repository, &["warm-cache"]);
        let call = call.env("ACTIONS_RUNTIME_TOKEN", token).env("ACTIONS_CACHE_URL", &url);
        call.env("ACTIONS_CACHE_MODE", mode).run().success()
    };
    let written = || -> Vec<String> {
        let all = runner.received();
        let new = all.iter().filter(|it| it.route() == "/_apis/artifactcache/caches");
        new.map(|it| String::from_utf8_lossy(&it.body).into_owned()).collect()
    };
    engine().xtask(&repository, &DEV).run().success();
    let none = "note: the gha cache is left out";
    let of_runner = RUNNER_TOKEN;
    for (mode, token, scopes) in
        [("read", of_runner, 0), ("write", "run-out", 0), ("write", of_runner, 2)]
    {
        for service in ["base", "web"] {
            registry::delete_by_digest(&format!("{place}/{service}:cache"));
        }
        let told = warm(mode, token);
        assert_eq!(told.stderr.contains(none), token != of_runner, "{}", told.stderr);
        assert!(!told.stderr.contains("no gha cache"), "{}", told.stderr);
        assert!(check(&repository, 0).values().all(|text| text == "hot"));
        let is_index = |scope: &&str| {
            let key = format!("index-{scope}-");
            written().iter().any(|body| body.contains(&key))
        };
        assert_eq!(["base", "web"].into_iter().filter(is_index).count(), scopes, "{:?}", written());
    }
}
