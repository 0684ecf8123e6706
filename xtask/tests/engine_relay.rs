//! Publishing through a relay that counts and disturbs what goes to the registry.
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
use std::io::Write as _;
use std::process::{Command, Stdio};
use support::{EmptyEngine, Engine, Ran, Repository, busybox, engine, unique};

const SERVICE: &str = "FROM busybox:debian\nRUN echo 1 > /1\n";

fn one_service(relay: &Relay) -> (Repository, String) {
    let place = format!("{}/{}", relay.address(), unique("relay"));
    let repository = busybox(&place, "[services.web]\n", &[("web", SERVICE)]);
    (repository, format!("{place}/web"))
}

fn publishes(trouble: impl Fn(&Relay)) -> Ran {
    let relay = relay_to(engine());
    let (repository, image) = one_service(&relay);
    trouble(&relay);
    let ran = engine().xtask(&repository, &["build-images", "--event", "dev"]).run().success();
    relay.clear_rules();
    let there = registry::tags(&image);
    let sha = repository.git(&["rev-parse", "HEAD"]);
    assert_eq!(there["dev"], there[&sha], "{there:?}");
    ran
}

#[test]
fn passing_trouble_is_survived() {
    // The tag `dev` is written by us, with patience.
    publishes(|relay| {
        relay.rule(When::on("PUT", "/manifests/dev").once(), Then::Answer(Canned::status(500)));
    });
    publishes(|relay| {
        let busy = Canned::status(429).header("Retry-After", "1");
        relay.rule(When::on("PUT", "/manifests/dev").once(), Then::Answer(busy));
    });
    publishes(|relay| relay.rule(When::on("PUT", "/manifests/dev").once(), Then::LoseAnswer));
    publishes(|relay| relay.rule(When::on("HEAD", "/manifests/cache").once(), Then::Cut));
}

/// buildx gives a push up after six tries within a moment, whatever Retry-After says.
#[test]
fn passing_trouble_of_a_push_is_survived() {
    let busy = || Then::Answer(Canned::status(429).header("Retry-After", "1"));
    publishes(|relay| {
        relay.rule(When::on("PUT", "/manifests/fp-").once(), Then::Answer(Canned::status(500)));
    });
    publishes(|relay| relay.rule(When::on("PUT", "/manifests/fp-").times(8), busy()));
    publishes(|relay| relay.rule(When::on("POST", "/web/blobs/uploads/").times(20), busy()));
    publishes(|relay| relay.rule(When::on("PUT", "/web/blobs/uploads/").once(), Then::Cut));
}

/// Whether a cache is there that nobody could ask for is unknown: it is used, not left out.
#[test]
fn a_cache_that_cannot_be_asked_for_is_unknown() {
    let relay = relay_to(engine());
    let (repository, image) = one_service(&relay);
    let plan = |event: &str| {
        let args = ["plan", "--json", "--event", event];
        engine().xtask(&repository, &args).run().success().json()
    };
    let state = |plan: &serde_json::Value| plan["services"][0]["cache-from"][0]["state"].clone();
    let used = |plan: &serde_json::Value| {
        let sources = &plan["definition"]["target"]["web"]["cache-from"];
        sources[0]["ref"] == format!("{image}:cache")
    };
    let absent = plan("pr");
    assert_eq!((state(&absent), used(&absent)), ("absent".into(), false), "{absent}");
    relay.rule(When::on("HEAD", "/manifests/cache"), Then::Cut);
    let unknown = plan("pr");
    assert_eq!((state(&unknown), used(&unknown)), ("unknown".into(), true), "{unknown}");
}

/// A registry that has collected a layer which the cache still names.
/// The layer of the cache is gone, and either a step builds on it or the image, which is the published one,
/// is pushed once more: what is in the registry already is not asked for by its content.
#[test]
fn a_cached_layer_that_is_gone_fails_no_build() {
    for dockerfile in [format!("{SERVICE}RUN cat /1 > /2\n"), SERVICE.to_owned()] {
        let relay = relay_to(engine());
        let (repository, image) = one_service(&relay);
        engine().xtask(&repository, &["build-images", "--event", "dev"]).run().success();
        repository.write("services/web/Dockerfile", &dockerfile);
        repository.commit("the same, or a step more");
        let other = EmptyEngine::start();
        relay.rule(When::on("HEAD", "/web/blobs/"), Then::Answer(Canned::status(404)));
        relay.rule(When::on("GET", "/web/blobs/").skip(1), Then::Answer(Canned::status(404)));
        let dev = ["build-images", "--event", "dev", "--force"];
        let ran = other.0.xtask(&repository, &dev).run().success();
        let told = format!(
            "`web` is built again without its cache `{image}:cache`: the registry has lost"
        );
        assert!(ran.stderr.contains(&told), "{dockerfile}: {}", ran.stderr);
        assert!(!ran.stderr.contains("any cache"), "{dockerfile}: {}", ran.stderr);
        relay.clear_rules();
        let pulled = EmptyEngine::start();
        let image = format!("{image}:dev");
        assert_eq!(pulled.0.docker(&["run", "--rm", &image, "/bin/busybox", "cat", "/1"]), "1");
    }
}

#[test]
fn a_cache_that_cannot_be_written_fails_no_build() {
    let ran = publishes(|relay| {
        relay.rule(When::on("PUT", "/manifests/cache"), Then::Answer(Canned::status(500)));
    });
    assert!(ran.stderr.contains("1 of 1 image built"), "{}", ran.stderr);
}

#[test]
fn a_tag_that_cannot_be_written_is_a_failure_that_names_it() {
    let relay = relay_to(engine());
    let (repository, image) = one_service(&relay);
    relay.rule(When::on("PUT", "/manifests/dev-"), Then::Answer(Canned::status(401)));
    let ran = engine().xtask(&repository, &["build-images", "--event", "dev"]).run();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot move the tag `dev-"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`dev` moved before"), "{}", ran.stderr);
    relay.clear_rules();
    let sha = repository.git(&["rev-parse", "HEAD"]);
    assert!(!registry::tags(&image).contains_key(&sha));
}

#[test]
fn a_pull_request_writes_nothing() {
    let relay = relay_to(engine());
    let (repository, _) = one_service(&relay);
    engine().xtask(&repository, &["build-images", "--event", "pr"]).run().success();
    let writes = ["PUT", "POST", "PATCH", "DELETE"].map(|method| relay.count(method, "/"));
    assert_eq!(writes, [0; 4]);
    assert!(relay.totals().requests > 0);
}

/// Services that share layers are not to send them again and again, as parallel pushes do.
#[test]
fn cold_uploads_are_no_more_than_one_after_the_other() {
    // Twelve that share what the manifest names, two that share a layer of a service.
    let layer = "FROM busybox:debian\nRUN head -c 3000000 /dev/urandom > /layer\n";
    let mut dockerfiles = vec![("base".to_owned(), layer)];
    let small = |i| (format!("alone{i}"), "FROM busybox:debian\nRUN echo own > /own\n");
    dockerfiles.extend((0..12).map(small));
    let on_base = |i| (format!("web{i}"), "FROM registry.invalid/x/base\nRUN echo own > /own\n");
    dockerfiles.extend((0..2).map(on_base));
    let manifest: String =
        dockerfiles.iter().map(|(name, _)| format!("[services.{name}]\n")).collect();
    let dockerfiles: Vec<(&str, &str)> =
        dockerfiles.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let repository = busybox("registry.invalid/x", &manifest, &dockerfiles);

    let ours = EmptyEngine::start();
    let relay = relay_to(&ours.0);
    let place = format!("{}/ours", relay.address());
    let args = ["build-images", "--event", "dev", "--registry", &place];
    ours.0.xtask(&repository, &args).run().success();
    let sent = relay.totals().up;

    let peer = EmptyEngine::start();
    let relay = relay_to(&peer.0);
    let place = format!("{}/loop", relay.address());
    let plan = |event: &str| {
        let args = ["plan", "--json", "--event", event, "--registry", &place];
        peer.0.xtask(&repository, &args).run().success().json()
    };
    let (dev, local) = (plan("dev"), plan("local"));
    for service in dev["services"].as_array().unwrap() {
        let name = service["service"].as_str().unwrap();
        let mut definition = dev["definition"].clone();
        definition["group"]["default"]["targets"] = serde_json::json!([name]);
        for (name, target) in definition["target"].as_object_mut().unwrap() {
            target["contexts"] = local["definition"]["target"][name]["contexts"].clone();
        }
        bake(&peer.0, repository.root(), &definition);
    }
    let one_by_one = relay.totals().up;
    assert!(one_by_one > 4_000_000, "{one_by_one}");
    assert!(sent * 10 <= one_by_one * 11, "{sent} bytes sent, one after the other {one_by_one}");
}

fn bake(engine: &Engine, root: &std::path::Path, definition: &serde_json::Value) {
    let mut child = Command::new("docker")
        .args(["buildx", "bake", "-f", "-", "--allow=fs.read=*"])
        .envs(&engine.env)
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(definition.to_string().as_bytes()).unwrap();
    Ran::from(child.wait_with_output().unwrap()).success();
}
