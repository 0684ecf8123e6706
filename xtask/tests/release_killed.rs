//! `release publish` killed at each of its requests, before the registry sees it and after: another
//! clone, with nothing of its own to go by, makes the release whole.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
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
const PUBLISH: [&str; 2] = ["release publish v0.1.0", "release publish v0.2.0"];
const ROLL_BACK: &str = "release rollback v0.2.0 --yes";

struct Case<'a> {
    world: &'a World,
    /// The repository at v0.1.0 and at v0.2.0, and a clone of the latter
    clones: [&'a Repository; 3],
    fingerprints: [&'a BTreeMap<String, String>; 2],
}

fn call(repository: &Repository, place: &str, args: &str) -> Command {
    let cache = repository.root().join("target/cache");
    let mut args: Vec<&str> = args.split(' ').collect();
    args.extend(["--registry", place]);
    repository.xtask(&args).env("XTASK_CACHE_DIR", cache.to_str().unwrap()).command()
}

/// As a SIGKILL before or after the registry sees a request.
type Kill = fn(Arc<Mutex<u32>>) -> Then;

impl Case<'_> {
    /// v0.1.0 is released, and v0.2.0 published by `dev`. Where, and the digests of both.
    fn begin(&self) -> (String, String, [BTreeMap<String, String>; 2]) {
        let path = unique("killed");
        let place = format!("{}/{path}", self.world.relay.address());
        let old = publish(&place, self.fingerprints[0], &[]);
        Ran::from(call(self.clones[0], &place, PUBLISH[0]).output().unwrap()).success();
        let new = publish(&place, self.fingerprints[1], &[]);
        (path, place, [old, new])
    }

    /// Whether the call had a k-th request, at which it was killed.
    fn killed(&self, path: &str, args: &str, k: u64, kill: Kill) -> bool {
        let relay = Relay::start(self.world.server.address()).unwrap();
        let held = format!("{}/{path}", relay.address());
        let child = Arc::new(Mutex::new(0));
        relay.rule(When::nth(k), kill(Arc::clone(&child)));
        let ended = {
            let mut pid = child.lock().unwrap();
            let mut command = call(self.clones[1], &held, args);
            let running = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            *pid = running.id();
            running
        };
        !ended.wait_with_output().unwrap().status.success()
    }

    fn publish(&self, k: u64, kill: Kill) -> bool {
        let (path, place, [old, new]) = self.begin();
        let killed = self.killed(&path, PUBLISH[1], k, kill);
        let shown = format!("killed at {k}");
        if self.tags(&path).contains_key("releases:v0.2.0") {
            self.is_whole(&path, &new, &shown);
        }
        for (service, digest) in &old {
            assert_eq!(self.tags(&path)[&format!("{service}:v0.1.0")], *digest, "{shown}");
        }
        Ran::from(call(self.clones[2], &place, PUBLISH[1]).output().unwrap()).success();
        self.is_whole(&path, &new, &shown);
        killed
    }

    fn roll_back(&self, k: u64, kill: Kill) -> bool {
        let (path, place, [old, _]) = self.begin();
        Ran::from(call(self.clones[1], &place, PUBLISH[1]).output().unwrap()).success();
        let before = self.tags(&path);
        let killed = self.killed(&path, ROLL_BACK, k, kill);
        let shown = format!("killed at {k}");
        let tags = self.tags(&path);
        if !tags.contains_key("releases:withdrawn-v0.2.0") {
            assert_eq!(tags, before, "{shown}");
        }
        Ran::from(call(self.clones[2], &place, ROLL_BACK).output().unwrap()).success();
        let tags = self.tags(&path);
        assert!(tags.contains_key("releases:withdrawn-v0.2.0"), "{shown}");
        for (name, digest) in &before {
            let (service, tag) = name.split_once(':').unwrap();
            let digest = match tag {
                "0" | "latest" => &old[service],
                _ => digest,
            };
            assert_eq!(tags[name], *digest, "{name}, {shown}");
        }
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

/// Goes through all requests of a case.
fn at_every_request(case: fn(&Case, u64, Kill) -> bool, requests: u64) {
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
    let clones = [&one, &two, &three];
    let all = Case { world: &world, clones, fingerprints: [&first, &second] };
    let mut count = 0;
    for kill in [before as Kill, after] {
        let mut k = 1;
        while case(&all, k, kill) {
            k += if long() { 1 } else { 6 };
            count += 1;
        }
        assert!(k > requests, "{k} requests");
    }
    println!("{count} cases");
}

#[test]
fn a_publish_killed_at_every_request() {
    at_every_request(|case, k, kill| case.publish(k, kill), 40);
}

#[test]
fn a_roll_back_killed_at_every_request() {
    at_every_request(|case, k, kill| case.roll_back(k, kill), 15);
}
