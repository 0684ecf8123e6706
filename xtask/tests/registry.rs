//! The registry client against a real registry, whose address is in `XTASK_ENGINE_REGISTRY`:
//! `cargo xtask engine exec -- cargo test --test registry`.
#![expect(clippy::disallowed_methods, reason = "a test reads its own environment and clock")]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;
use xtask::docker::registry::oci::{digest_of, media};
use xtask::docker::registry::{Answer, Options, Patience, Reference, Registry};

fn host() -> String {
    std::env::var("XTASK_ENGINE_REGISTRY").expect(
        "XTASK_ENGINE_REGISTRY names no registry: run this by `cargo xtask engine exec -- cargo test --test registry`",
    )
}

fn client() -> Registry {
    Registry::new(Options {
        vars: BTreeMap::new(),
        processes: xtask::process::Processes::default(),
        patience: Patience::LOCAL,
        plain_hosts: Vec::new(),
        clock: Arc::new(SystemTime::now),
    })
}

fn repository(name: &str) -> Reference {
    format!("{}/client-tests/{name}-{}", host(), std::process::id()).parse().unwrap()
}

#[test]
fn a_manifest_is_written_found_and_read() {
    let (registry, repository) = (client(), repository("manifest"));
    let tag = repository.with_tag("dev").unwrap();
    assert_eq!(registry.get_manifest(&tag), Answer::Absent);
    assert_eq!(registry.head_manifest(&tag), Answer::Absent);
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[]}}"#, media::INDEX);
    let digest = registry.put_manifest(&tag, media::INDEX, index.as_bytes()).unwrap();
    assert_eq!(digest, digest_of(index.as_bytes()));
    let stat = registry.head_manifest(&tag).found().unwrap();
    assert_eq!((&stat.digest, stat.size), (&digest, Some(index.len() as u64)));
    for reference in [&tag, &repository.with_digest(&digest).unwrap()] {
        let fetched = registry.get_manifest(reference).found().unwrap();
        assert_eq!((fetched.bytes.as_slice(), &fetched.digest), (index.as_bytes(), &digest));
    }
}
