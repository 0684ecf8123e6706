//! A registry that misbehaves while fingerprints are looked up: what is skipped, built, claimed and
//! refused then. The image is published all the time; only the answers differ.
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
use relay::{Canned, Memory, Profile, Relay, Scripted, Then, When};
use serde_json::Value;
use std::time::Duration;
use support::{Repository, busybox, engine, unique};
use xtask::docker::registry::oci::digest_of;

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    /// The image is there
    There,
    /// It is not, or what is there does not count
    Nothing,
    /// Nobody can tell
    Unknown,
    /// We are not let in, though we may push
    Refused,
}

fn service(place: &str) -> Repository {
    busybox(place, "[services.web]\n", &[("web", "FROM busybox:debian\nRUN echo web > /web\n")])
}

/// The outcome of a run (`built`, `skipped`, `promoted`), or what its error says.
fn outcome(repository: &Repository, args: &[&str]) -> Result<String, String> {
    let call = engine().xtask(repository, args).env("XTASK_REGISTRY_PATIENCE", "0.4");
    let ran = call.run();
    if ran.code != Some(0) {
        return Err(ran.stderr);
    }
    Ok(ran.json()["services"][0]["outcome"].as_str().unwrap().to_owned())
}

fn index(image: &str, tag: &str) -> Value {
    serde_json::from_slice(&registry::manifest(&format!("{image}:{tag}")).bytes).unwrap()
}

/// One misbehaviour, under every event.
fn case(relay: &Relay, fault: &dyn Fn() -> Then, means: Means) {
    let place = format!("{}/{}", relay.address(), unique("look-ups"));
    let (repository, image) = (service(&place), format!("{place}/web"));
    relay.clear_rules();
    assert_eq!(
        outcome(&repository, &["build-images", "--event", "dev", "--json"]),
        Ok("built".into())
    );
    let claimed = index(&image, "dev")["annotations"].clone();
    let before = registry::tags(&image);
    relay.rule(When::on("GET", "/web/manifests/fp-"), fault());
    let run = |args: &[&str]| outcome(&repository, &[&["build-images", "--json"], args].concat());
    let built = Ok("built".to_owned());

    let there =
        |there: &str| if means == Means::There { Ok(there.to_owned()) } else { built.clone() };
    assert_eq!(run(&["--event", "pr"]), there("skipped"), "{:?}", fault());
    assert_eq!(registry::tags(&image), before);
    // So that the engine's own store has nothing to say.
    assert_eq!(run(&["--pull", "--force"]), built);
    std::fs::remove_file(repository.root().join("target/xtask/images.json")).unwrap();
    assert_eq!(run(&["--pull"]), there("skipped"), "{:?}", fault());

    // A commit that `dev` has not published: what it has is asked for by its commit's tag alone.
    let sha = repository.commit("again");
    let released = run(&["--event", "release:v1.0.0"]);
    if means == Means::Unknown {
        let error = released.unwrap_err();
        assert!(error.contains("cannot tell whether the image of `web` is published"), "{error}");
        assert_eq!(registry::tags(&image), before);
    } else {
        assert_eq!(released, there("promoted"), "{:?}", fault());
    }
    assert_eq!(run(&["--event", "dev"]), there("promoted"), "{:?}", fault());
    let now = index(&image, &sha);
    for (name, text) in claimed.as_object().unwrap() {
        if name.contains("fingerprint") {
            assert_eq!(now["annotations"][name], *text, "{:?}", fault());
        }
    }
    assert_eq!(now, index(&image, "dev"));
}

#[test]
fn every_misbehaviour_under_every_event() {
    let relay = relay_to(engine());
    let answer = |canned: Canned| move || Then::Answer(canned.clone());
    let limit = Canned::html(403).body("You have exceeded a secondary rate limit");
    let other = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",
        "manifests":[],"annotations":{"io.github.tzervas.autogit.fingerprint":"0"}}"#;
    let manifest = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
        "config":{"mediaType":"c","digest":"sha256:c","size":1},"layers":[]}"#;
    let cases: [(Box<dyn Fn() -> Then>, Means); 19] = [
        (Box::new(|| Then::Pass), Means::There),
        (Box::new(|| Then::Delay(Duration::from_millis(50))), Means::There),
        (Box::new(answer(Canned::error(404, "MANIFEST_UNKNOWN"))), Means::Nothing),
        (Box::new(answer(Canned::error(401, "UNAUTHORIZED"))), Means::Refused),
        (Box::new(answer(Canned::error(403, "DENIED"))), Means::Refused),
        (Box::new(answer(limit)), Means::Unknown),
        (Box::new(answer(Canned::html(404))), Means::Unknown),
        (
            Box::new(answer(Canned::error(429, "TOOMANYREQUESTS").header("Retry-After", "1"))),
            Means::Unknown,
        ),
        (Box::new(answer(Canned::status(500))), Means::Unknown),
        (Box::new(answer(Canned::html(503))), Means::Unknown),
        (Box::new(answer(Canned::status(418))), Means::Unknown),
        (Box::new(answer(Canned::html(200))), Means::Unknown),
        (Box::new(answer(Canned::json(200, "{}"))), Means::Unknown),
        (Box::new(|| Then::Cut), Means::Unknown),
        (Box::new(|| Then::CutAnswer(100)), Means::Unknown),
        (Box::new(|| Then::Delay(Duration::from_secs(3))), Means::Unknown),
        (Box::new(answer(Canned::json(200, other))), Means::Nothing),
        (
            Box::new(answer(Canned::json(
                200,
                r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#,
            ))),
            Means::Nothing,
        ),
        (Box::new(answer(Canned::json(200, manifest))), Means::Nothing),
    ];
    for (fault, means) in &cases {
        case(&relay, fault, *means);
    }
}

#[test]
fn a_misbehaviour_that_passes_is_tried_again() {
    let relay = relay_to(engine());
    let place = format!("{}/{}", relay.address(), unique("look-ups"));
    let repository = service(&place);
    let dev = ["build-images", "--event", "dev", "--json"];
    engine().xtask(&repository, &dev).run().success();
    for canned in [Canned::status(500), Canned::error(429, "TOOMANYREQUESTS")] {
        for (event, expected) in
            [("pr", "skipped"), ("dev", "promoted"), ("release:v1.0.0", "promoted")]
        {
            relay.rule(When::on("GET", "/web/manifests/fp-").once(), Then::Answer(canned.clone()));
            let args = ["build-images", "--event", event, "--json"];
            let report = engine().xtask(&repository, &args).run().success().json();
            assert_eq!(report["services"][0]["outcome"], expected);
        }
    }
}

/// Only a run at a desk has no time.
#[test]
fn a_slow_registry_is_waited_for_where_there_is_time() {
    let relay = relay_to(engine());
    let repository = service(&format!("{}/{}", relay.address(), unique("look-ups")));
    let run = |args: &[&str]| {
        let args = [&["build-images", "--json"], args].concat();
        let report = engine().xtask(&repository, &args).run().success().json();
        report["services"][0]["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(run(&["--event", "dev"]), "built");
    let slow = Then::Delay(Duration::from_millis(2500));
    relay.rule(When::on("GET", "/web/manifests/fp-"), slow);
    assert_eq!(run(&["--pull"]), "built");
    assert_eq!(run(&["--event", "pr"]), "skipped");
    assert_eq!(run(&["--event", "dev"]), "promoted");
}

/// GHCR answers 403 for packages that do not exist.
#[test]
fn a_registry_that_refuses_what_it_does_not_have() {
    let memory = Memory::new(Profile::Ghcr, digest_of);
    let answers = memory.clone();
    let server = Scripted::start(move |request| answers.answer(request).into()).unwrap();
    // Before it a relay, which speaks to an engine that tries TLS first.
    let relay = Relay::start(server.address().to_string().parse().unwrap()).unwrap();
    let tags = || memory.tags().into_keys().filter(|tag| tag.contains("/web:")).count();
    for event in ["dev", "release:v1.0.0"] {
        let repository = service(&format!("{}/{}", relay.address(), unique("ghcr")));
        let run = |event: &str| outcome(&repository, &["build-images", "--event", event, "--json"]);
        let before = tags();
        assert_eq!(run("pr"), Ok("built".into()));
        assert_eq!(tags(), before);
        assert_eq!(run(event), Ok("built".into()));
        assert!(tags() > before);
        assert_eq!(run("pr"), Ok("skipped".into()));
        assert_eq!(run("dev"), Ok("promoted".into()));
        assert_eq!(run("release:v1.0.0"), Ok("promoted".into()));
    }
}
