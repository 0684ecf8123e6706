//! What is built again and comes out the same keeps its index, and with it the cache of what builds on
//! it. Real engines and a real registry.
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
const NO_SKIP: [&str; 5] = ["build-images", "--event", "dev", "--no-skip", "--json"];

/// `base`, and `web` that builds on it. No other test shares a step of theirs in the engine's cache.
fn two_services(place: &str) -> Repository {
    let web = format!("FROM {place}/base\nCOPY file /\nRUN cp /file /copy\n");
    let base = format!("FROM busybox:debian\nRUN echo {place} > /base\n");
    let services = "[services.base]\n[services.web]\n";
    let repository = busybox(place, services, &[("base", &base), ("web", &web)]);
    repository.write("services/web/file", "1");
    repository.commit("files");
    repository
}

fn run(engine: &Engine, repository: &Repository, args: &[&str]) -> Value {
    engine.xtask(repository, args).run().success().json()
}

/// The tags of images, without the caches.
fn images(place: &str) -> Vec<BTreeMap<String, String>> {
    let tags = |service| {
        let mut tags = registry::tags(&format!("{place}/{service}"));
        tags.remove("cache");
        tags
    };
    ["base", "web"].map(tags).into()
}

/// Steps that ran and the digest, of both.
fn built(report: &Value) -> Vec<(u64, String)> {
    let services = report["services"].as_array().unwrap();
    let of = |service: &Value| {
        assert_eq!(service["outcome"], "built", "{report}");
        let steps = |key: &str| service["steps"][key].as_u64().unwrap();
        assert!(steps("total") > 0, "{report}");
        (steps("total") - steps("cached"), service["digest"].as_str().unwrap().to_owned())
    };
    services.iter().map(of).collect()
}

#[test]
fn what_comes_out_the_same_stays_as_it_is_published() {
    let place = place(engine());
    let repository = two_services(&place);
    run(engine(), &repository, &DEV);
    let first = images(&place);
    let as_published: Vec<(u64, String)> =
        first.iter().map(|tags| (0, tags["dev"].clone())).collect();

    assert_eq!(built(&run(engine(), &repository, &NO_SKIP)), as_published);
    assert_eq!(images(&place), first);
    // Its caches are still known to be of this commit.
    engine().xtask(&repository, &["warm-cache", "--check"]).run().success();

    let empty = EmptyEngine::start();
    let report = run(&empty.0, &repository, &NO_SKIP);
    assert_eq!(built(&report), as_published);
    // Not a layer is pulled for what is cached and published: that of the base alone has 1 MB.
    assert!(report["pulled"].as_u64().unwrap() < 200_000, "{report}");
    assert_eq!(images(&place), first);
    empty.0.xtask(&repository, &["warm-cache", "--check"]).run().success();
    run(&empty.0, &repository, &["build-images", "--event", "pr", "--json"]);

    // At another commit, as if it were promoted.
    repository.write("README.md", "an edit of nothing that is sent");
    let sha = repository.commit("readme");
    let forced = [&DEV[..], &["--force"]].concat();
    assert_eq!(built(&run(engine(), &repository, &forced)), as_published);
    for (tags, before) in images(&place).iter().zip(&first) {
        assert_eq!(tags[&sha], before["dev"]);
        assert_eq!(tags["dev"], before["dev"]);
    }
}

/// What is to be new is new, and says when it was made.
#[test]
fn what_is_built_without_cache_is_published_anew() {
    let place = place(engine());
    let repository = two_services(&place);
    run(engine(), &repository, &DEV);
    let first = images(&place);
    run(engine(), &repository, &[&DEV[..], &["--no-cache"]].concat());
    for (tags, before) in images(&place).iter().zip(&first) {
        assert_ne!(tags["dev"], before["dev"]);
    }
}

/// An index of something else under the handle is not put back, whatever it claims.
#[test]
fn another_image_under_the_handle_is_replaced() {
    let place = place(engine());
    let repository = two_services(&place);
    run(engine(), &repository, &DEV);
    let first = images(&place);
    let handle = first[1].keys().find(|tag| tag.starts_with("fp-")).unwrap();
    let name = format!("{place}/web:{handle}");
    let (ours, theirs) =
        (registry::manifest(&name), registry::manifest(&format!("{place}/base:dev")));
    let mut false_claim: Value = serde_json::from_slice(&theirs.bytes).unwrap();
    let claim: Value = serde_json::from_slice(&ours.bytes).unwrap();
    false_claim["annotations"] = claim["annotations"].clone();
    let client = registry::client();
    let base = format!("{place}/base:dev").parse().unwrap();
    client.copy_image(&base, &name.parse().unwrap()).unwrap();
    let bytes = serde_json::to_vec(&false_claim).unwrap();
    client.put_manifest(&name.parse().unwrap(), &theirs.media_type, &bytes).unwrap();

    let report = run(engine(), &repository, &NO_SKIP);
    let now = images(&place);
    assert_eq!(now[0], first[0], "{report}");
    let images_of = |bytes: &[u8]| {
        let index: Value = serde_json::from_slice(bytes).unwrap();
        index["manifests"][0]["digest"].as_str().unwrap().to_owned()
    };
    assert_eq!(images_of(&registry::manifest(&name).bytes), images_of(&ours.bytes));
    assert_eq!(now[1]["dev"], now[1][handle]);
}
