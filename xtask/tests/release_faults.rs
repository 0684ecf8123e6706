//! A release is whole or not at all, whatever request of it goes wrong, and in whatever way. Against a
//! registry in memory with a relay before it; no image is built.
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

use project::{Project, SERVICES, World, hasty};
use relay::{Canned, Entry, Gate, Profile, Then, When};
use std::collections::BTreeMap;
use std::sync::Mutex;
use support::long;
use xtask::docker::release::NotReleased;
use xtask::parallel;

const OLD: [&str; 5] = ["v0.1.0", "0.1", "0", "latest", "1111111111111111111111111111111111111111"];
const NEW: [&str; 5] = ["v0.2.0", "0.2", "0", "latest", "2222222222222222222222222222222222222222"];

/// A project with a whole v0.1.0.
fn begun(world: &World) -> Project {
    world.relay.clear_rules();
    let project = world.project();
    project.release("0.1.0", &OLD).publish().unwrap();
    project
}

/// The requests of a publish of v0.2.0 that meets no trouble, the n-th of each kind told apart.
fn requests(world: &World) -> Vec<(String, String, u64)> {
    let project = begun(world);
    world.relay.reset();
    project.release("0.2.0", &NEW).publish().unwrap();
    let prefix = format!("/v2/{}", project.place.split_once('/').unwrap().1);
    let mut seen: BTreeMap<(String, String), u64> = BTreeMap::new();
    let one = |entry: Entry| {
        let path = entry.path.split('?').next().unwrap().strip_prefix(&prefix)?.to_owned();
        let count = seen.entry((entry.method.clone(), path.clone())).or_default();
        *count += 1;
        Some((entry.method, path, *count - 1))
    };
    world.relay.log().into_iter().filter_map(one).collect()
}

/// A way in which a request goes wrong: its name, whether it does so for ever, and how.
type Fault = (&'static str, bool, Then);

/// Slow is beyond all patience: it arrives when the gate opens, long after the run has given up.
fn faults(gate: &Gate) -> Vec<Fault> {
    let busy = Canned::error(429, "TOOMANYREQUESTS").header("Retry-After", "1");
    vec![
        ("500 once", false, Then::Answer(Canned::status(500))),
        ("500 for ever", true, Then::Answer(Canned::status(500))),
        ("429 once", false, Then::Answer(busy.clone())),
        ("429 for ever", true, Then::Answer(busy)),
        ("403", true, Then::Answer(Canned::error(403, "DENIED"))),
        ("cut", true, Then::Cut),
        ("answer lost", true, Then::LoseAnswer),
        ("slow", true, Then::Hold(gate.clone())),
        ("answer slow", true, Then::HoldAnswer(gate.clone())),
    ]
}

/// One case. Whether v0.2.0 became whole at once.
fn case(world: &World, request: &(String, String, u64), fault: usize) -> bool {
    let gate = Gate::new();
    let fault = &faults(&gate)[fault];
    let project = begun(world);
    let before = project.tags();
    let (method, path, nth) = request.clone();
    let full = format!("{}{path}", project.place.split_once('/').unwrap().1);
    let wanted = method.clone();
    let when =
        When::is(move |r| r.method == wanted && r.path.split('?').next().unwrap().ends_with(&full));
    let when = when.skip(nth);
    let when = if fault.1 { when } else { when.once() };
    world.relay.rule(when, fault.2.clone());
    let mut release = project.release("0.2.0", &NEW);
    if fault.0.ends_with("slow") {
        release.registry = hasty();
    }
    let result = release.publish();
    world.relay.clear_rules();
    let shown = format!("{method} {path} ({nth}), {}: {result:?}", fault.0);
    let after = project.tags();
    let recorded = after.contains_key("releases:v0.2.0");
    if recorded {
        project.is_whole("0.2.0", &NEW);
    } else {
        let error = result.expect_err(&shown);
        let left = error.downcast_ref::<NotReleased>().map(|error| error.left().join("\n"));
        for service in SERVICES {
            for tag in ["0", "latest", "v0.1.0", "0.1"] {
                let name = format!("{service}:{tag}");
                let named = left.as_ref().is_some_and(|left| left.contains(&format!("{name}:")));
                assert!(after[&name] == before[&name] || named, "{name} after {shown}");
                // Only a tag whose own requests fail for ever cannot be put back.
                assert!(!named || path.ends_with(&format!("{service}/manifests/{tag}")), "{shown}");
            }
            for tag in ["v0.2.0", "0.2", NEW[4]] {
                let name = format!("{service}:{tag}");
                let named = left.as_ref().is_some_and(|left| left.contains(&format!("{name}:")));
                assert!(!after.contains_key(&name) || named, "{name} after {shown}");
            }
        }
    }
    gate.open();
    project.release("0.2.0", &NEW).publish().unwrap_or_else(|e| panic!("{e:#} after {shown}"));
    project.is_whole("0.2.0", &NEW);
    recorded
}

/// Worlds for so many cases at once: each has its own registry and its own rules.
const AT_ONCE: usize = 6;

#[test]
fn every_request_that_goes_wrong_leaves_a_whole_release_or_none() {
    let mut count = 0;
    for profile in [Profile::Capable, Profile::Distribution] {
        let worlds: Mutex<Vec<World>> =
            Mutex::new((0..AT_ONCE).map(|_| World::new(profile)).collect());
        let requests = requests(&worlds.lock().unwrap()[0]);
        assert!(requests.len() > 70, "{}", requests.len());
        let faults = faults(&Gate::new()).len();
        let all: Vec<_> = requests.iter().flat_map(|r| (0..faults).map(move |f| (r, f))).collect();
        // A stride that shares no factor with the number of faults meets each of them.
        let stride = if long() { 1 } else { 17 };
        let chosen: Vec<_> = all.into_iter().step_by(stride).collect();
        let whole = parallel::map(AT_ONCE, &chosen, |(request, fault)| {
            let world = worlds.lock().unwrap().pop().unwrap();
            let whole = case(&world, request, *fault);
            worlds.lock().unwrap().push(world);
            whole
        });
        let (cases, whole) = (whole.len(), whole.into_iter().filter(|whole| *whole).count());
        assert!(whole > 0 && whole < cases, "{whole} of {cases}");
        eprintln!("{profile:?}: {cases} cases, {whole} whole at once");
        count += cases;
    }
    eprintln!("{count} cases, none half-made");
}
