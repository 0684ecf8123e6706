//! Projects whose releases are published in memory, without an engine.
#![allow(dead_code)]

use super::support::unique;
use relay::{Memory, Profile, Relay, Scripted};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};
use xtask::docker::registry::oci::{digest_of, media};
use xtask::docker::registry::{Fetched, Options, Patience, Registry};
use xtask::docker::release::{Image, Release, Shelf};

pub const SERVICES: [&str; 5] = ["base", "git", "queue", "runner", "web"];

const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(60),
    per_request: Duration::from_secs(60),
    total: Duration::from_secs(60),
    tries: 3,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(5),
};

/// A registry in memory with a relay before it.
pub struct World {
    pub memory: Memory,
    pub relay: Relay,
    pub server: Scripted,
}

impl World {
    pub fn new(profile: Profile) -> Self {
        let memory = Memory::new(profile, digest_of);
        let store = memory.clone();
        let server = Scripted::start(move |request| store.answer(request).into()).unwrap();
        let relay = Relay::start(server.address()).unwrap();
        Self { memory, relay, server }
    }

    /// An empty project of its own.
    pub fn project(&self) -> Project {
        let (memory, path) = (self.memory.clone(), unique("release"));
        Project { memory, place: format!("{}/{path}", self.relay.address()), path }
    }
}

/// Services whose images are only an index each.
pub struct Project {
    memory: Memory,
    /// The project's registry
    pub place: String,
    /// The same without the host
    pub path: String,
}

/// A client that tries three times, and waits for what is held or slow.
pub fn client() -> &'static Registry {
    static CLIENT: OnceLock<Registry> = OnceLock::new();
    CLIENT.get_or_init(|| of_patience(PATIENCE))
}

/// A client that does not wait long for an answer.
pub fn hasty() -> &'static Registry {
    static CLIENT: OnceLock<Registry> = OnceLock::new();
    let per_request = Duration::from_millis(150);
    CLIENT.get_or_init(|| of_patience(Patience { per_request, ..PATIENCE }))
}

fn of_patience(patience: Patience) -> Registry {
    Registry::new(Options {
        vars: BTreeMap::new(),
        processes: xtask::process::Processes::default(),
        patience,
        plain_hosts: Vec::new(),
        clock: Arc::new(SystemTime::now),
    })
}

/// The image of a service in a version.
pub fn index(service: &str, version: &str) -> Fetched {
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{{"mediaType":"{}",
        "digest":"{}","size":1}}]}}"#,
        media::INDEX,
        media::MANIFEST,
        digest_of(format!("{service} {version}").as_bytes())
    );
    Fetched::from_bytes(text.into_bytes(), media::INDEX).unwrap()
}

impl Project {
    /// The same, reached by another way.
    pub fn by(&self, relay: &Relay) -> Self {
        let (memory, path) = (self.memory.clone(), self.path.clone());
        Self { memory, place: format!("{}/{path}", relay.address()), path }
    }

    /// A release that moves these tags; the last one is the commit.
    pub fn release(&self, version: &str, tags: &[&str]) -> Release<'static> {
        let image = |service: &str| Image {
            service: service.into(),
            repository: format!("{}/{service}", self.place).parse().unwrap(),
            index: index(service, version),
            fingerprint: Some(format!("f-{service}-{version}")),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        };
        Release {
            registry: client(),
            shelf: Shelf::new(&self.place).unwrap(),
            version: version.parse().unwrap(),
            revision: (*tags.last().unwrap()).into(),
            created: "2026-11-24T00:00:00Z".into(),
            images: SERVICES.map(image).to_vec(),
            stands: BTreeMap::new(),
            again: false,
        }
    }

    /// `service:tag` to digest.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let tags = self.memory.tags();
        let own = tags.iter().filter_map(|(name, digest)| {
            let name = name.strip_prefix(&self.path)?.trim_start_matches('/');
            Some((name.to_owned(), digest.clone()))
        });
        own.collect()
    }

    pub fn stands(&self, service: &str, tag: &str) -> Option<String> {
        self.tags().get(&format!("{service}:{tag}")).cloned()
    }

    #[track_caller]
    pub fn is_whole(&self, version: &str, tags: &[&str]) {
        assert!(self.tags().contains_key(&format!("releases:v{version}")));
        for service in SERVICES {
            let digest = index(service, version).digest;
            for tag in tags {
                assert_eq!(self.stands(service, tag).as_ref(), Some(&digest), "{service}:{tag}");
            }
        }
    }
}
