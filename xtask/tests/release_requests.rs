//! What a release costs: the requests of `release publish`, by kind, where `dev` has published all
//! services (DESIGN 5: at most 2 a tag and 3 a service, no layer bytes).
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/project.rs"]
mod project;
#[path = "support/scratch.rs"]
mod scratch;
mod support;

use project::World;
use relay::Profile;
use std::collections::BTreeMap;
use support::{Repository, unique};

const SERVICES: usize = 20;

struct Story {
    world: World,
    place: String,
    repository: Repository,
}

impl Story {
    fn new() -> Self {
        let world = World::new(Profile::Distribution);
        let place = format!("{}/{}", world.relay.address(), unique("requests"));
        let names: Vec<String> = (0..SERVICES).map(|n| format!("s{n:02}")).collect();
        let repository = scratch::repository(names.iter().map(String::as_str));
        Self { world, place, repository }
    }

    /// All services change, `dev` publishes them, and then the version is released. Gives the requests
    /// of the latter to the services' repositories by kind, and how many there were to others.
    fn release(&self, version: &str) -> (BTreeMap<String, usize>, usize) {
        for n in 0..SERVICES {
            self.repository.write(&format!("services/s{n:02}/file"), version);
        }
        let commit = self.repository.commit(version);
        let short = format!("dev-{}", &commit[..7]);
        let fingerprints = scratch::fingerprints(&self.repository);
        scratch::publish(&self.place, &fingerprints, &["dev", &short, &commit]);
        self.world.relay.reset();
        self.repository
            .xtask(&["release", "publish", version, "--registry", &self.place])
            .run()
            .success();
        let (mut kinds, mut others) = (BTreeMap::new(), 0);
        for entry in self.world.relay.log() {
            let path = entry.path.split('?').next().unwrap();
            if path.contains("/releases/") {
                others += 1;
                continue;
            }
            let key = path.rsplit('/').next().unwrap();
            let key = match key {
                _ if key.starts_with("fp-") => "fp",
                _ if key == commit => "sha",
                _ => key,
            };
            let what = path.rsplit('/').nth(1).unwrap();
            *kinds.entry(format!("{} {what} {key}", entry.method)).or_default() += 1;
        }
        (kinds, others)
    }
}

/// The kinds that are expected: each tag with its methods, besides those that are always the same.
fn expected(version: &str, shared: &[(&str, &str)], more: &[&str]) -> BTreeMap<String, usize> {
    let own = [("sha", "GET HEAD"), (version, "GET PUT HEAD")];
    let of_tag = |(tag, methods): &(&str, &str)| {
        let kinds = methods.split(' ').map(|method| format!("{method} manifests {tag}"));
        kinds.collect::<Vec<String>>()
    };
    let kinds = own.iter().chain(shared).flat_map(of_tag);
    kinds.chain(more.iter().map(|kind| (*kind).to_owned())).map(|kind| (kind, SERVICES)).collect()
}

/// `fp-…` is not asked for: what `dev` published of the commit is found under the commit's own tag. Of
/// the shared tags one is read, as long as it stands where the records say.
#[test]
fn requests_of_a_release_that_dev_published() {
    let story = Story::new();
    let new = |tag| (tag, "GET PUT HEAD");
    let moved = |tag| (tag, "PUT HEAD");
    for (version, shared, more) in [
        // Nothing is released yet: a list of each service's tags tells which are absent.
        ("v0.1.0", [moved("0.1"), moved("0"), moved("latest")], &["GET tags list"][..]),
        ("v0.1.1", [moved("0.1"), moved("0"), new("latest")], &[]),
        ("v0.2.0", [new("0.2"), moved("0"), moved("latest")], &[]),
        ("v1.0.0", [new("1.0"), new("1"), moved("latest")], &[]),
    ] {
        let (kinds, others) = story.release(version);
        assert_eq!(kinds, expected(version, &shared, more), "{version}");
        let count: usize = kinds.values().sum();
        assert!(count <= (2 * 5 + 3) * SERVICES, "{version}: {count}");
        assert!(others <= 17, "{version}: {others} requests to `releases`");
        if version != "v1.0.0" {
            assert!(count + others <= (2 * 5 + 3) * SERVICES, "{version}: {count} and {others}");
        }
    }
}
