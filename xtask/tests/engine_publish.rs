//! Publishing against a real registry: what stands there afterwards, and what does not.
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

use registry::{BASE, place};
use std::collections::BTreeSet;
use support::{EmptyEngine, Repository, busybox, engine};

/// `base`, and `web` of two stages that builds on it.
fn two_services(registry: &str) -> Repository {
    let web = format!(
        "FROM {registry}/base AS build\nCOPY first /\nRUN echo compiled > /out\nCOPY source /\n\
         RUN cat /source >> /out\n\nFROM {registry}/base\nCOPY --from=build /out /\n"
    );
    let repository =
        busybox(registry, "[services.base]\n[services.web]\n", &[("base", BASE), ("web", &web)]);
    repository.write("services/web/first", "1");
    repository.write("services/web/source", "1");
    repository.commit("files");
    repository
}

fn names<'a>(tags: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    tags.into_iter().map(str::to_owned).collect()
}

fn service<'a>(report: &'a serde_json::Value, service: &str) -> &'a serde_json::Value {
    let services = report["services"].as_array().unwrap();
    services.iter().find(|entry| entry["service"] == service).unwrap()
}

fn outcomes(report: &serde_json::Value) -> [&str; 2] {
    ["base", "web"].map(|name| service(report, name)["outcome"].as_str().unwrap())
}

fn steps(report: &serde_json::Value, name: &str) -> (u64, u64) {
    let found = service(report, name);
    (found["steps"]["total"].as_u64().unwrap(), found["steps"]["cached"].as_u64().unwrap())
}

/// The provenance of the one image in an index.
fn provenance(image: &str, index: &serde_json::Value) -> serde_json::Value {
    let manifests = index["manifests"].as_array().unwrap();
    let of = |entry: &&serde_json::Value| {
        entry["annotations"]["vnd.docker.reference.type"] == "attestation-manifest"
    };
    let digest = manifests.iter().find(of).unwrap()["digest"].as_str().unwrap();
    let manifest = registry::manifest(&format!("{image}@{digest}")).manifest().unwrap();
    let layer = &manifest.layers[0].digest;
    let blob = registry::client().get_blob(&image.parse().unwrap(), layer, 1 << 20).found();
    serde_json::from_slice(&blob.unwrap()).unwrap()
}

#[test]
fn dev_then_a_pull_request_and_a_release_elsewhere() {
    let place = place(engine());
    let repository = two_services(&place);
    let sha = repository.git(&["rev-parse", "HEAD"]);
    let args = ["build-images", "--event", "dev", "--json"];
    let report = engine().xtask(&repository, &args).run().success().json();
    assert_eq!(outcomes(&report), ["built", "built"]);
    let short = format!("dev-{}", &sha[..7]);
    let plan = engine().xtask(&repository, &["plan", "--event", "dev", "--json"]).run().json();
    for (service, plan) in ["base", "web"].into_iter().zip(plan["services"].as_array().unwrap()) {
        let handle = format!("fp-{}", plan["fingerprint"].as_str().unwrap());
        let there = registry::tags(&format!("{place}/{service}"));
        let expected = names(["cache", "dev", &short, &sha, &handle]);
        assert_eq!(there.keys().cloned().collect::<BTreeSet<_>>(), expected);
        let public: BTreeSet<&String> =
            ["dev", &short, &sha, &handle].iter().map(|tag| &there[*tag]).collect();
        assert_eq!(public.len(), 1, "{there:?}");
        let index = registry::manifest(&format!("{place}/{service}:dev"));
        let text: serde_json::Value = serde_json::from_slice(&index.bytes).unwrap();
        assert_eq!(text["mediaType"], "application/vnd.oci.image.index.v1+json");
        assert_eq!(text["annotations"]["org.opencontainers.image.revision"], sha);
        assert!(text["annotations"]["org.opencontainers.image.created"].is_string(), "{text}");
        assert_eq!(text["annotations"]["io.github.tzervas.autogit.cache"], there["cache"]);
        let provenance = provenance(&format!("{place}/{service}"), &text);
        assert_eq!(provenance["predicateType"], "https://slsa.dev/provenance/v0.2");
        // What mode=max says, `min` does not.
        assert!(provenance["predicate"]["buildConfig"].is_null(), "{provenance}");
    }
    let listing = || ["base", "web", "bases"].map(|s| registry::tags(&format!("{place}/{s}")));
    let before = listing();

    // A pull request on an empty engine: everything comes from the registry, nothing goes there.
    let other = EmptyEngine::start();
    let args = ["build-images", "--event", "pr", "--json"];
    let report = other.0.xtask(&repository, &args).run().success().json();
    assert_eq!(outcomes(&report), ["skipped", "skipped"]);
    let args = ["build-images", "web", "--event", "pr", "--force", "--json"];
    let report = other.0.xtask(&repository, &args).run().success().json();
    assert_eq!(outcomes(&report), ["skipped", "built"]);
    assert_eq!(steps(&report, "web"), (5, 5));
    assert_eq!(listing(), before);

    let args = ["build-images", "--event", "release:v0.1.0", "--json"];
    let report = other.0.xtask(&repository, &args).run().success().json();
    assert_eq!(outcomes(&report), ["promoted", "promoted"]);
    for service in ["base", "web"] {
        let there = registry::tags(&format!("{place}/{service}"));
        let five = ["v0.1.0", "0.1", "0", "latest", &sha].map(|tag| &there[tag]);
        assert!(five.iter().all(|digest| *digest == five[0]), "{there:?}");
    }

    // Without the cache tag, the inline cache of `dev` and `latest` still holds the last stage.
    for service in ["base", "web"] {
        registry::delete_by_digest(&format!("{place}/{service}:cache"));
    }
    let third = EmptyEngine::start();
    let args = ["build-images", "--event", "release:v0.1.1", "--force", "--json"];
    let report = third.0.xtask(&repository, &args).run().success().json();
    assert_eq!(steps(&report, "base"), (1, 1));
    let (total, cached) = steps(&report, "web");
    assert_eq!(total, cached, "an unchanged tree is all cached by inline cache: {report}");

    // Inline cache is mode=min: after an edit the builder stage misses.
    for service in ["base", "web"] {
        registry::delete_by_digest(&format!("{place}/{service}:cache"));
    }
    repository.write("services/web/source", "2");
    repository.commit("edit");
    let fourth = EmptyEngine::start();
    let args = ["build-images", "--event", "release:v0.1.2", "--verbose"];
    let ran = fourth.0.xtask(&repository, &args).run().success();
    let line = ran.stderr.lines().find(|line| line.contains("RUN echo compiled > /out"));
    assert!(line.is_some_and(|line| !line.ends_with("cached")), "{}", ran.stderr);
}

#[test]
fn an_edit_of_a_dependant_leaves_its_base_alone() {
    let place = place(engine());
    let repository = two_services(&place);
    engine().xtask(&repository, &["build-images", "--event", "dev"]).run().success();
    let base = || registry::manifest(&format!("{place}/base:dev"));
    let before = base();
    repository.write("services/web/source", "2");
    repository.commit("edit");
    let other = EmptyEngine::start();
    let args = ["build-images", "--event", "dev", "--json", "--verbose"];
    let ran = other.0.xtask(&repository, &args).run().success();
    let report = ran.json();
    assert_eq!(outcomes(&report), ["promoted", "built"]);
    assert_eq!(steps(&report, "web"), (5, 2), "{}", ran.stderr);
    for cached in ["COPY first /", "RUN echo compiled > /out"] {
        let line = ran.stderr.lines().find(|line| line.contains(cached));
        assert!(line.is_some_and(|line| line.ends_with("cached")), "{}", ran.stderr);
    }
    let built = ran.stderr.lines().find(|line| line.contains("RUN cat /source >> /out"));
    assert!(built.is_some_and(|line| !line.ends_with("cached")), "{}", ran.stderr);
    assert_eq!(base(), before, "promotion changes no byte");
    // It is referred to by the digest under which everybody finds it.
    let index = registry::manifest(&format!("{place}/web:dev"));
    let index = serde_json::from_slice(&index.bytes).unwrap();
    let provenance = provenance(&format!("{place}/web"), &index);
    let materials = provenance["predicate"]["materials"].as_array().unwrap();
    assert_eq!(materials.len(), 1, "{materials:?}");
    assert_eq!(
        format!("sha256:{}", materials[0]["digest"]["sha256"].as_str().unwrap()),
        before.digest
    );
}

/// A pull request's commit was never published; its base was, on `dev`.
#[test]
fn a_pull_request_that_edits_a_dependant_uses_the_cache_of_dev() {
    let place = place(engine());
    let repository = two_services(&place);
    engine().xtask(&repository, &["build-images", "--event", "dev"]).run().success();
    repository.write("services/web/source", "2");
    repository.commit("edit");
    let other = EmptyEngine::start();
    let pr = ["build-images", "--event", "pr", "--json"];
    let report = other.0.xtask(&repository, &pr).run().success().json();
    assert_eq!(
        (outcomes(&report), steps(&report, "web")),
        (["skipped", "built"], (5, 2)),
        "{report}"
    );
    // An edited base is what its dependants are built on, published or not.
    repository.write("services/base/Dockerfile", &format!("{BASE}RUN echo edited > /edited\n"));
    let plan = other.0.xtask(&repository, &["plan", "--event", "pr", "--json"]).run().json();
    let contexts = &plan["definition"]["target"]["web"]["contexts"];
    assert_eq!(contexts[format!("{place}/base")], "target:base");
}

#[test]
fn a_base_that_was_shared_serves_plain_docker_elsewhere() {
    let place = place(engine());
    let repository = busybox(&place, "[services.base]\n", &[("base", BASE)]);
    engine().xtask(&repository, &["build-images", "--event", "dev"]).run().success();
    let shared = registry::tags(&format!("{place}/bases"));
    assert_eq!(shared.len(), 1, "{shared:?}");
    let other = EmptyEngine::start();
    other.0.xtask(&repository, &["build-images"]).run().success();
    let id = other.0.docker(&["image", "inspect", "--format", "{{.Id}}", "busybox:debian"]);
    assert!(shared.values().any(|digest| *digest == id), "{shared:?} {id}");
    let context = repository.root().join("services/base");
    other.0.docker(&["build", "--quiet", context.to_str().unwrap()]);
}
