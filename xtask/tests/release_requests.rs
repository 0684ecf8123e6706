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
use relay::{Gate, Profile, Then, When};
use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;
use support::{Repository, Xtask, unique};

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

    fn call(&self, args: &[&str]) -> Xtask {
        self.repository.xtask(&[args, &["--registry", &self.place]].concat())
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
        self.call(&["release", "publish", version]).run().success();
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

#[test]
fn a_dry_run_lists_the_releases_once_and_changes_nothing() {
    let story = Story::new();
    story.release("v0.1.0");
    story.release("v0.1.1");
    let before = story.world.memory.tags();
    story.world.relay.reset();
    story.call(&["release", "publish", "v0.1.2", "--dry-run"]).run().success();
    let log = story.world.relay.log();
    let lists = log.iter().filter(|entry| entry.path.contains("/releases/tags/list"));
    assert_eq!(lists.count(), 1, "{log:?}");
    assert!(log.iter().all(|entry| matches!(entry.method.as_str(), "GET" | "HEAD")), "{log:?}");
    story.call(&["release", "rollback", "v0.1.1", "--dry-run"]).run().success();
    assert_eq!(story.world.memory.tags(), before);
}

#[test]
fn a_roll_back_moves_tags_side_by_side() {
    let story = Story::new();
    story.release("v0.1.0");
    story.release("v0.1.1");
    let gate = Gate::new();
    story.world.relay.rule(When::on("PUT", "/manifests/0"), Then::Hold(gate.clone()));
    let mut command = story.call(&["release", "rollback", "v0.1.1", "--yes"]).command();
    let running = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let side_by_side = gate.wait_for(4, Duration::from_secs(60));
    gate.open();
    assert!(running.wait_with_output().unwrap().status.success() && side_by_side);
    let tags = story.world.memory.tags();
    let path = story.place.split_once('/').unwrap().1;
    for n in 0..SERVICES {
        let at = |tag: &str| &tags[&format!("{path}/s{n:02}:{tag}")];
        for tag in ["0.1", "0", "latest"] {
            assert_eq!(at(tag), at("v0.1.0"), "{tag}");
        }
        assert_ne!(at("v0.1.1"), at("v0.1.0"));
    }
}
