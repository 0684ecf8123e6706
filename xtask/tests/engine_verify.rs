//! `verify` against a real engine and registry: what is as published, what is not, and why.
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
use support::{Engine, Ran, Repository, busybox, engine};

fn verify(engine: &Engine, repository: &Repository, args: &[&str]) -> Ran {
    engine.xtask(repository, &[&["verify"], args].concat()).run()
}

/// What the JSON says of a service.
fn service<'a>(json: &'a Value, name: &str) -> &'a Value {
    json["services"].as_array().unwrap().iter().find(|s| s["service"] == name).unwrap()
}

fn paths<'a>(of: &'a Value, kind: &str) -> Vec<&'a str> {
    let all = of["platforms"][0][kind].as_array().unwrap();
    all.iter().map(|one| one["path"].as_str().or(one["config"].as_str()).unwrap()).collect()
}

#[test]
fn what_is_published_is_built_again_the_same() {
    let place = place(engine());
    let base = "FROM busybox:debian\nRUN echo base > /base && mkdir -p /a/b && ln /base /a/b/hard\n";
    let web = format!(
        "FROM {place}/base AS build\nRUN echo out > /out\n\nFROM {place}/base\nCOPY --from=build \
         --chown=7:8 --chmod=0640 /out /\nRUN rm -r /a && ln -s /out /link\nENV A=b\nLABEL l=m\n"
    );
    let services = "[services.base]\n[services.web]\n";
    let repository = busybox(&place, services, &[("base", base), ("web", &web)]);

    engine().xtask(&repository, &["build-images", "--event", "dev"]).run().success();
    let ran = verify(engine(), &repository, &[]).success();
    for line in ["base  as published (", "web   as published ("] {
        assert!(ran.stdout.contains(line), "{}\n{}", ran.stdout, ran.stderr);
    }
    let json = verify(engine(), &repository, &["web", "--json", "--against", "dev"]).success().json();
    let web = service(&json, "web");
    assert_eq!(web["verdict"], "as-published", "{json:#}");
    assert_eq!(paths(web, "unstable"), [""; 0]);
    assert!(web["platforms"][0]["files"].as_u64().unwrap() > 5, "{json:#}");
    assert!(!repository.root().join("target/xtask/verify").exists());

    repository.write("services/base/Dockerfile", &format!("{base}RUN true\n"));
    let ran = verify(engine(), &repository, &[]).success();
    let nothing = "base  nothing to prove: nothing is published of its fingerprint";
    assert!(ran.stdout.contains(nothing), "{}", ran.stdout);
    let ran = verify(engine(), &repository, &["base", "--against", "none"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("base:none` is not there"), "{}", ran.stdout);
}
