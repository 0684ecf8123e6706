//! A release is whole or not at all, whatever request of it goes wrong, and in whatever way. Against a
//! registry in memory with a relay before it; no image is built.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod support;

use relay::{Canned, Entry, Memory, Profile, Relay, Scripted, Then, When};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use support::{long, unique};
use xtask::docker::registry::oci::{digest_of, media};
use xtask::docker::registry::{Fetched, Options, Patience, Registry};
use xtask::docker::release::{Image, NotReleased, Release, Shelf};

const SERVICES: [&str; 5] = ["base", "git", "queue", "runner", "web"];
const OLD: [&str; 5] = ["v0.1.0", "0.1", "0", "latest", "1111111111111111111111111111111111111111"];
const NEW: [&str; 5] = ["v0.2.0", "0.2", "0", "latest", "2222222222222222222222222222222222222222"];

const PATIENCE: Patience = Patience {
    connect: Duration::from_millis(500),
    per_request: Duration::from_millis(150),
    total: Duration::from_secs(5),
    tries: 3,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(5),
};

struct World {
    memory: Memory,
    relay: Relay,
    _server: Scripted,
}

impl World {
    fn new(profile: Profile) -> Self {
        let memory = Memory::new(profile, digest_of);
        let store = memory.clone();
        let server = Scripted::start(move |request| store.answer(request).into()).unwrap();
        let relay = Relay::start(server.address()).unwrap();
        Self { memory, relay, _server: server }
    }

    /// A project of its own with a whole v0.1.0.
    fn project(&self) -> Project<'_> {
        let place = format!("{}/{}", self.relay.address(), unique("release"));
        let project = Project { world: self, place };
        self.relay.clear_rules();
        project.release("0.1.0", OLD).publish().unwrap();
        project
    }
}

struct Project<'a> {
    world: &'a World,
    place: String,
}

fn client() -> &'static Registry {
    static CLIENT: std::sync::OnceLock<Registry> = std::sync::OnceLock::new();
    CLIENT.get_or_init(|| {
        Registry::new(Options {
            vars: BTreeMap::new(),
            processes: xtask::process::Processes::default(),
            patience: PATIENCE,
            plain_hosts: Vec::new(),
            clock: Arc::new(SystemTime::now),
        })
    })
}

/// The image of a service in a version.
fn index(service: &str, version: &str) -> Fetched {
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{{"mediaType":"{}",
        "digest":"{}","size":1}}]}}"#,
        media::INDEX,
        media::MANIFEST,
        digest_of(format!("{service} {version}").as_bytes())
    );
    Fetched::from_bytes(text.into_bytes(), media::INDEX).unwrap()
}

impl Project<'_> {
    fn release(&self, version: &str, tags: [&str; 5]) -> Release<'static> {
        let image = |service: &str| Image {
            service: service.into(),
            repository: format!("{}/{service}", self.place).parse().unwrap(),
            index: index(service, version),
            fingerprint: Some(format!("f-{service}-{version}")),
            tags: tags.map(str::to_owned).to_vec(),
        };
        Release {
            registry: client(),
            shelf: Shelf::new(&self.place).unwrap(),
            version: version.parse().unwrap(),
            revision: tags[4].into(),
            created: "2026-11-24T00:00:00Z".into(),
            images: SERVICES.map(image).to_vec(),
            again: false,
        }
    }

    /// `service:tag` to digest.
    fn tags(&self) -> BTreeMap<String, String> {
        let (_, path) = self.place.split_once('/').unwrap();
        let tags = self.world.memory.tags();
        let own = tags.iter().filter_map(|(name, digest)| {
            Some((name.strip_prefix(path)?.trim_start_matches('/').to_owned(), digest.clone()))
        });
        own.collect()
    }

    fn stands(&self, service: &str, tag: &str) -> Option<String> {
        self.tags().get(&format!("{service}:{tag}")).cloned()
    }

    #[track_caller]
    fn is_whole(&self, version: &str, tags: [&str; 5]) {
        assert!(self.tags().contains_key(&format!("releases:v{version}")));
        for service in SERVICES {
            let digest = index(service, version).digest;
            for tag in tags {
                assert_eq!(self.stands(service, tag).as_ref(), Some(&digest), "{service}:{tag}");
            }
        }
    }
}

/// The requests of a publish of v0.2.0 that meets no trouble, the n-th of each kind told apart.
fn requests(world: &World) -> Vec<(String, String, u64)> {
    let project = world.project();
    world.relay.reset();
    project.release("0.2.0", NEW).publish().unwrap();
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

/// The ways in which a request goes wrong: its name, whether it does so for ever, and how.
fn faults() -> Vec<(&'static str, bool, Then)> {
    let busy = Canned::error(429, "TOOMANYREQUESTS").header("Retry-After", "1");
    vec![
        ("500 once", false, Then::Answer(Canned::status(500))),
        ("500 for ever", true, Then::Answer(Canned::status(500))),
        ("429 once", false, Then::Answer(busy.clone())),
        ("429 for ever", true, Then::Answer(busy)),
        ("403", true, Then::Answer(Canned::error(403, "DENIED"))),
        ("cut", true, Then::Cut),
        ("answer lost", true, Then::LoseAnswer),
        ("slow", true, Then::Delay(Duration::from_millis(300))),
    ]
}

/// One case. Whether v0.2.0 became whole at once.
fn case(
    world: &World,
    request: &(String, String, u64),
    fault: &(&'static str, bool, Then),
) -> bool {
    let project = world.project();
    let before = project.tags();
    let (method, path, nth) = request.clone();
    let full = format!("{}{path}", project.place.split_once('/').unwrap().1);
    let wanted = method.clone();
    let when =
        When::is(move |r| r.method == wanted && r.path.split('?').next().unwrap().ends_with(&full));
    let when = when.skip(nth);
    let when = if fault.1 { when } else { when.once() };
    world.relay.rule(when, fault.2.clone());
    let result = project.release("0.2.0", NEW).publish();
    world.relay.clear_rules();
    let shown = format!("{method} {path} ({nth}), {}: {result:?}", fault.0);
    let after = project.tags();
    let recorded = after.contains_key("releases:v0.2.0");
    if recorded {
        project.is_whole("0.2.0", NEW);
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
    project.release("0.2.0", NEW).publish().unwrap_or_else(|e| panic!("{e:#} after {shown}"));
    project.is_whole("0.2.0", NEW);
    recorded
}

#[test]
fn every_request_that_goes_wrong_leaves_a_whole_release_or_none() {
    let mut count = 0;
    for profile in [Profile::Capable, Profile::Distribution] {
        let world = World::new(profile);
        let (requests, faults) = (requests(&world), faults());
        assert!(requests.len() > 80, "{}", requests.len());
        let all: Vec<_> =
            requests.iter().flat_map(|r| faults.iter().map(move |f| (r, f))).collect();
        // A stride that shares no factor with the number of faults meets each of them.
        let stride = if long() { 1 } else { 17 };
        let mut whole = 0;
        for (request, fault) in all.iter().step_by(stride) {
            count += 1;
            whole += usize::from(case(&world, request, fault));
        }
        assert!(whole > 0 && whole < count, "{whole} of {count}");
    }
    eprintln!("{count} cases, none half-made");
}
