//! Two releases at the same time, one of them held at each of its requests while the other runs to its
//! end: each version is whole, and shared tags end on the higher one.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/project.rs"]
mod project;
mod support;

use project::{Project, SERVICES, World, client, index};
use relay::{Canned, Gate, Profile, Relay, Then, When};
use std::collections::BTreeMap;
use std::time::Duration;
use support::long;
use xtask::context::event::{Kind, version_of_tag};
use xtask::docker::release::Shelf;
use xtask::plan::tags::{Known, tags};

const COMMITS: [(&str, &str); 3] = [
    ("1.0.0", "1000000000000000000000000000000000000000"),
    ("1.0.1", "1010000000000000000000000000000000000000"),
    ("1.1.0", "1100000000000000000000000000000000000000"),
];

/// What a version moves, as far as is known before it is published.
fn moves(project: &Project, version: &str) -> Vec<String> {
    let releases = Shelf::new(&project.place).unwrap().list(client()).unwrap();
    let commit = COMMITS.iter().find(|(of, _)| *of == version).unwrap().1;
    let kind = Kind::Release(version_of_tag(&format!("v{version}")).unwrap());
    tags(&kind, commit, &Known::Known(releases.counting(&[]))).moves
}

/// Publishes it. Gives the tags of each service that it says to have moved.
fn publish(project: &Project, version: &str, moves: &[String]) -> BTreeMap<String, Vec<String>> {
    let moves: Vec<&str> = moves.iter().map(String::as_str).collect();
    project.release(version, &moves).publish().unwrap_or_else(|e| panic!("{version}: {e:#}"))
}

/// `first` is held at its k-th request while `second` runs to its end. Whether there was a k-th.
fn case(world: &World, k: u64, first: &str, second: &str) -> bool {
    let project = world.project();
    publish(&project, "1.0.0", &moves(&project, "1.0.0"));
    let relay = Relay::start(world.server.address()).unwrap();
    let held = project.by(&relay);
    let (ours, theirs) = (moves(&project, first), moves(&project, second));
    let gate = Gate::new();
    relay.rule(When::nth(k), Then::Hold(gate.clone()));
    let (was_held, told) = std::thread::scope(|scope| {
        let running = scope.spawn(|| publish(&held, first, &ours));
        let mut was_held = false;
        while !running.is_finished() && !was_held {
            was_held = gate.wait_for(1, Duration::from_millis(10));
        }
        publish(&project, second, &theirs);
        gate.open();
        (was_held, running.join().unwrap())
    });
    let shown = format!("{first} held at {k}, {second}");
    for service in SERVICES {
        let own = Some(index(service, first).digest);
        for tag in ours.iter().filter(|tag| project.stands(service, tag) == own) {
            assert!(told[service].contains(tag), "{service}:{tag} is not told: {shown}");
        }
        for version in ["1.0.0", first, second] {
            let digest = Some(index(service, version).digest);
            assert_eq!(
                project.stands(service, &format!("v{version}")),
                digest,
                "{service}: {shown}"
            );
        }
        let highest = Some(index(service, "1.1.0").digest);
        for tag in ["latest", "1", "1.1"] {
            assert_eq!(project.stands(service, tag), highest, "{service}:{tag}: {shown}");
        }
        if [first, second].contains(&"1.0.1") {
            assert_eq!(
                project.stands(service, "1.0"),
                Some(index(service, "1.0.1").digest),
                "{shown}"
            );
        }
    }
    for version in [first, second] {
        assert!(project.tags().contains_key(&format!("releases:v{version}")), "{shown}");
    }
    was_held
}

#[test]
fn two_versions_at_once() {
    let world = World::new(Profile::Distribution);
    let mut count = 0;
    for (first, second) in [("1.0.1", "1.1.0"), ("1.1.0", "1.0.1"), ("1.1.0", "1.1.0")] {
        let stride = if long() { 1 } else { 7 };
        let mut k = 1;
        while case(&world, k, first, second) {
            k += stride;
            count += 1;
        }
        assert!(k > 60, "{k} requests");
    }
    eprintln!("{count} cases");
}

/// `first` is held at its k-th request while `second` is released, and then its record is refused: tags
/// are not put back to where they stood before `second`. Whether there was a k-th request.
fn failing_case(world: &World, k: u64, first: &str, second: &str) -> bool {
    let project = world.project();
    publish(&project, "1.0.0", &moves(&project, "1.0.0"));
    let relay = Relay::start(world.server.address()).unwrap();
    let held = project.by(&relay);
    let (ours, theirs) = (moves(&project, first), moves(&project, second));
    let gate = Gate::new();
    let record = format!("/releases/manifests/v{first}");
    relay.rule(When::on("PUT", &record), Then::Answer(Canned::error(403, "DENIED")));
    relay.rule(When::nth(k), Then::Hold(gate.clone()));
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
            held.release(first, &ours).publish().unwrap_err()
        });
        let mut was_held = false;
        while !running.is_finished() && !was_held {
            was_held = gate.wait_for(1, Duration::from_millis(10));
        }
        publish(&project, second, &theirs);
        gate.open();
        running.join().unwrap();
    });
    let shown = format!("{first} failed, held at {k} while {second} ran");
    assert!(!project.tags().contains_key(&format!("releases:v{first}")), "{shown}");
    for service in SERVICES {
        let second_s = Some(index(service, second).digest);
        for tag in theirs.iter().filter(|tag| tag.len() < 40) {
            assert_eq!(project.stands(service, tag), second_s, "{service}:{tag}: {shown}");
        }
    }
    relay.log().len() as u64 >= k
}

/// What was known of tags before another version was released or begun is not where they are put back to.
#[test]
fn what_is_known_of_tags_may_be_out_of_date() {
    let world = World::new(Profile::Capable);
    for begun in [false, true] {
        world.relay.clear_rules();
        let project = world.project();
        let refused = |version: &str| {
            let record = format!("/releases/manifests/v{version}");
            world.relay.rule(When::on("PUT", &record), Then::Answer(Canned::error(403, "DENIED")));
        };
        if begun {
            // A run that was killed: its tags have moved, and it has no record.
            refused("1.0.0");
            world.relay.rule(When::on("HEAD", "/manifests/"), Then::Cut);
            let moved = moves(&project, "1.0.0");
            let moved: Vec<&str> = moved.iter().map(String::as_str).collect();
            project.release("1.0.0", &moved).publish().unwrap_err();
            world.relay.clear_rules();
        } else {
            publish(&project, "1.0.0", &moves(&project, "1.0.0"));
        }
        let before = project.tags();
        refused("1.0.1");
        let tags = moves(&project, "1.0.1");
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let mut release = project.release("1.0.1", &tags);
        let absent = SERVICES.iter().flat_map(|service| {
            ["1.0", "1", "latest"].map(|tag| (((*service).to_owned(), tag.to_owned()), None))
        });
        release.stands.extend(absent);
        release.publish().unwrap_err();
        let mut after = project.tags();
        after.remove("releases:journal-v1.0.1");
        assert_eq!(after, before, "begun: {begun}");
    }
}

#[test]
fn a_version_that_fails_beside_another_leaves_it_whole() {
    let world = World::new(Profile::Distribution);
    let mut count = 0;
    for (first, second) in [("1.0.1", "1.1.0"), ("1.1.0", "1.0.1")] {
        let stride = if long() { 1 } else { 9 };
        let mut k = 1;
        while failing_case(&world, k, first, second) {
            k += stride;
            count += 1;
        }
        assert!(k > 60, "{k} requests");
    }
    eprintln!("{count} cases");
}
