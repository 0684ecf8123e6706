//! `release publish` killed at each of its requests, before the registry sees it and after: another
//! clone, with nothing of its own to go by, makes the release whole.
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
use relay::{Profile, Relay, Request, Then, When};
use scratch::{fingerprints, publish};
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use support::{Folder, Ran, Repository, long, unique};

const SERVICES: [&str; 3] = ["base", "queue", "web"];

struct Case<'a> {
    world: &'a World,
    /// The repository at v0.1.0 and at v0.2.0, and a clone of the latter
    clones: [&'a Repository; 3],
    fingerprints: [&'a BTreeMap<String, String>; 2],
}

fn release(repository: &Repository, place: &str, version: &str) -> Command {
    let cache = repository.root().join("target/cache");
    let call = repository.xtask(&["release", "publish", version, "--registry", place]);
    call.env("XTASK_CACHE_DIR", cache.to_str().unwrap()).command()
}

impl Case<'_> {
    /// Whether the publish had a k-th request.
    fn run(&self, k: u64, kill: fn(Arc<Mutex<u32>>) -> Then) -> bool {
        let path = unique("killed");
        let place = format!("{}/{path}", self.world.relay.address());
        let old = publish(&place, self.fingerprints[0], &[]);
        Ran::from(release(self.clones[0], &place, "v0.1.0").output().unwrap()).success();
        let new = publish(&place, self.fingerprints[1], &[]);
        let relay = Relay::start(self.world.server.address()).unwrap();
        let held = format!("{}/{path}", relay.address());
        let child = Arc::new(Mutex::new(0));
        relay.rule(When::nth(k), kill(Arc::clone(&child)));
        let ended = {
            let mut pid = child.lock().unwrap();
            let mut command = release(self.clones[1], &held, "v0.2.0");
            let running = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            *pid = running.id();
            running
        };
        let killed = !ended.wait_with_output().unwrap().status.success();
        let whole = self.tags(&path).contains_key("releases:v0.2.0");
        let shown = format!("killed at {k}");
        if whole {
            self.is_whole(&path, &new, &shown);
        }
        for (service, digest) in &old {
            assert_eq!(self.tags(&path)[&format!("{service}:v0.1.0")], *digest, "{shown}");
        }
        Ran::from(release(self.clones[2], &place, "v0.2.0").output().unwrap()).success();
        self.is_whole(&path, &new, &shown);
        killed
    }

    fn tags(&self, path: &str) -> BTreeMap<String, String> {
        let tags = self.world.memory.tags();
        let own = |(name, digest): (&String, &String)| {
            Some((name.strip_prefix(path)?.trim_start_matches('/').to_owned(), digest.clone()))
        };
        tags.iter().filter_map(own).collect()
    }

    fn is_whole(&self, path: &str, digests: &BTreeMap<String, String>, shown: &str) {
        let tags = self.tags(path);
        assert!(tags.contains_key("releases:v0.2.0"), "{shown}");
        for (service, digest) in digests {
            for tag in ["v0.2.0", "0.2", "0", "latest"] {
                assert_eq!(
                    tags.get(&format!("{service}:{tag}")),
                    Some(digest),
                    "{service}:{tag}, {shown}"
                );
            }
        }
    }
}

/// SIGKILL, once the number of the process is known.
fn kill(child: &Mutex<u32>) {
    let pid = child.lock().unwrap().to_string();
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
}

fn before(child: Arc<Mutex<u32>>) -> Then {
    Then::before(move |_: &Request| kill(&child))
}

fn after(child: Arc<Mutex<u32>>) -> Then {
    Then::after(move |_: &Request| kill(&child))
}

#[test]
fn killed_at_every_request() {
    let one = scratch::repository(SERVICES);
    let first = fingerprints(&one);
    let two = scratch::repository(SERVICES);
    two.write("services/web/file", "2");
    two.commit("two");
    let second = fingerprints(&two);
    let folder = Folder::new();
    let (from, to) = (two.root().to_str().unwrap(), folder.0.to_str().unwrap());
    let cloned = Command::new("git").args(["clone", "--quiet", from, to]).status();
    assert!(cloned.unwrap().success());
    let three = Repository::in_folder(&folder.0);
    let world = World::new(Profile::Distribution);
    let case =
        Case { world: &world, clones: [&one, &two, &three], fingerprints: [&first, &second] };
    let mut count = 0;
    for kill in [before as fn(Arc<Mutex<u32>>) -> Then, after] {
        let mut k = 1;
        while case.run(k, kill) {
            k += if long() { 1 } else { 6 };
            count += 1;
        }
        assert!(k > 40, "{k} requests");
    }
    eprintln!("{count} cases");
}
