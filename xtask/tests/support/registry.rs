//! What stands in a test's registry.
#![allow(dead_code)]

use relay::Relay;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;
use xtask::docker::registry::{Answer, Fetched, Options, Patience, Reference, Registry};

/// A client without credentials, which waits for what is slow or being written right now.
pub fn client() -> Registry {
    Registry::new(Options {
        vars: BTreeMap::new(),
        processes: xtask::process::Processes::default(),
        patience: Patience::CHECK,
        plain_hosts: Vec::new(),
        clock: Arc::new(SystemTime::now),
    })
}

/// The digest behind each tag of a repository.
#[track_caller]
pub fn tags(repository: &str) -> BTreeMap<String, String> {
    let (client, repository) = (client(), repository.parse::<Reference>().unwrap());
    let tags = match client.tags(&repository) {
        Answer::Found(tags) => tags,
        Answer::Absent => Vec::new(),
        other => panic!("{other:?}"),
    };
    // A tag that is being written right now may be listed before it can be read: not there yet.
    let digest = |tag: &String| match client.head_manifest(&repository.with_tag(tag).unwrap()) {
        Answer::Found(stat) => Some((tag.clone(), stat.digest)),
        Answer::Absent => None,
        other => panic!("{other:?}"),
    };
    tags.iter().filter_map(digest).collect()
}

/// The index or manifest behind a name.
#[track_caller]
pub fn manifest(name: &str) -> Fetched {
    client().get_manifest(&name.parse().unwrap()).found().unwrap()
}

/// Every tag of a repository is there with all manifests and blobs behind it.
#[track_caller]
pub fn is_whole(repository: &str) {
    let (client, image) = (client(), repository.parse::<Reference>().unwrap());
    let tags = client.tags(&image).found().unwrap();
    let mut next: Vec<Reference> = tags.iter().map(|tag| image.with_tag(tag).unwrap()).collect();
    let mut seen = BTreeSet::new();
    assert!(!next.is_empty(), "{repository} has no tag");
    while let Some(one) = next.pop() {
        let fetched = client.get_manifest(&one).found();
        let fetched = fetched.unwrap_or_else(|| panic!("{one} is gone"));
        if !seen.insert(fetched.digest.clone()) {
            continue;
        }
        if fetched.is_index() {
            let parts = fetched.index().unwrap().manifests;
            next.extend(parts.iter().map(|it| image.with_digest(&it.digest).unwrap()));
            continue;
        }
        let manifest = fetched.manifest().unwrap();
        for blob in std::iter::once(&manifest.config).chain(&manifest.layers) {
            let bytes = client.get_blob(&image, &blob.digest, 16 << 20).found();
            assert!(bytes.is_some(), "{} of {one} is gone", blob.digest);
        }
    }
}

/// Takes a tag away, as the registry's own garbage collection would.
#[track_caller]
pub fn delete_by_digest(name: &str) {
    let reference: Reference = name.parse().unwrap();
    let digest = client().head_manifest(&reference).found().unwrap().digest;
    client().delete_manifest(&reference.with_digest(&digest).unwrap()).unwrap();
}

/// A small Dockerfile.
pub const BASE: &str = "FROM busybox:debian\nRUN sleep 1 && echo base > /base\n";

/// A place in an engine's registry that no other test uses.
pub fn place(engine: &super::support::Engine) -> String {
    format!("{}/{}", engine.registry(), super::support::unique("publish"))
}

/// A relay before an engine's registry.
pub fn relay_to(engine: &super::support::Engine) -> Relay {
    Relay::start(engine.registry().parse().unwrap()).unwrap()
}
