//! The registry client against the real registry of a private engine.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

#[path = "support/registry.rs"]
mod registry;
mod support;

use registry::client;
use std::collections::BTreeMap;
use xtask::docker::registry::oci::{annotated, digest_of, media};
use xtask::docker::registry::{Answer, Arrival, AtOnce, Deletion, Reference, Registry, Source};

fn host() -> &'static str {
    support::engine().registry()
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

/// An image of one layer, pushed by hand; gives its manifest's bytes.
fn push_image(registry: &Registry, tag: &Reference, layer: &[u8]) -> Vec<u8> {
    let config: &[u8] = br#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers"}}"#;
    let entry = |kind: &str, bytes: &[u8]| {
        let digest = digest_of(bytes);
        registry.put_blob(tag, &digest, Source::Bytes(bytes), None).unwrap();
        format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":{}}}"#, bytes.len())
    };
    let layer = entry("application/vnd.oci.image.layer.v1.tar", layer);
    let (config, kind) = (entry(media::CONFIG, config), media::MANIFEST);
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{kind}","config":{config},"layers":[{layer}]}}"#
    );
    registry.put_manifest(tag, kind, manifest.as_bytes()).unwrap();
    manifest.into_bytes()
}

#[test]
fn blobs_are_uploaded_looked_for_and_mounted() {
    let (registry, one, two) = (client(), repository("one"), repository("two"));
    registry.may_push(&one).unwrap();
    let bytes: Vec<u8> = format!("{:?}", std::time::Instant::now()).repeat(100_000).into_bytes();
    let digest = digest_of(&bytes);
    let source = Source::Bytes(&bytes);
    assert_eq!(registry.head_blob(&one, &digest), Answer::Absent);
    assert_eq!(registry.put_blob(&one, &digest, source, None).unwrap(), Arrival::Uploaded);
    assert_eq!(registry.put_blob(&one, &digest, source, None).unwrap(), Arrival::Present);
    assert_eq!(registry.head_blob(&one, &digest), Answer::Found(Some(bytes.len() as u64)));
    assert_eq!(registry.get_blob(&one, &digest, 1 << 30).found().unwrap(), bytes);
    assert_eq!(registry.put_blob(&two, &digest, source, Some(&one)).unwrap(), Arrival::Mounted);
    let wrong = registry.put_blob(&one, &digest_of(b"other"), source, None).unwrap_err();
    assert_eq!(wrong.status, Some(400));
}

#[test]
fn an_image_is_annotated_promoted_listed_and_copied() {
    let (registry, repository) = (client(), repository("image"));
    let handle = repository.with_tag("fp-1").unwrap();
    let manifest = push_image(&registry, &handle, b"layer");
    let resolved = registry.resolve(&handle).found().unwrap();
    assert_eq!(resolved.platforms[0].to_string(), "linux/amd64");
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{{"mediaType":"{}","digest":"{}","size":{},"platform":{{"os":"linux","architecture":"amd64"}}}}]}}"#,
        media::INDEX,
        media::MANIFEST,
        digest_of(&manifest),
        manifest.len()
    );
    let claim = BTreeMap::from([("fingerprint".to_owned(), "1".to_owned())]);
    let index = annotated(index.as_bytes(), &claim).unwrap();
    let digest = registry.put_manifest(&handle, media::INDEX, &index).unwrap();
    let read = registry.get_manifest(&handle).found().unwrap();
    assert_eq!(read.index().unwrap().annotations, claim);
    assert_eq!(read.platforms()[0].to_string(), "linux/amd64");
    let tags: Vec<String> = (0..120).map(|n| format!("v0.{n:03}.0")).collect();
    assert_eq!(registry.promote(&handle, &tags).unwrap().digest, digest);
    let listed = registry.tags(&repository).found().unwrap();
    assert_eq!((listed[0].as_str(), &listed[1..]), ("fp-1", &tags[..]));
    let copy: Reference = format!("{}-copy:x", repository.name()).parse().unwrap();
    let copied = registry.copy_image(&handle, &copy).unwrap();
    assert_eq!((copied.digest.as_str(), copied.mounted, copied.bytes), (digest.as_str(), 2, 0));
    assert_eq!(registry.copy_image(&handle, &copy).unwrap().present, 2);
}

#[test]
fn what_is_deleted_by_digest_takes_its_tags_along() {
    let (registry, repository) = (client(), repository("delete"));
    let tag = repository.with_tag("a").unwrap();
    let manifest = push_image(&registry, &tag, b"gone");
    registry.promote(&tag, &["b".into()]).unwrap();
    let by_tag = registry.delete_manifest(&tag).unwrap();
    assert!(matches!(by_tag, Deletion::Done | Deletion::Unsupported(_)), "{by_tag:?}");
    let by_digest = repository.with_digest(&digest_of(&manifest)).unwrap();
    assert_eq!(registry.delete_manifest(&by_digest).unwrap(), Deletion::Done);
    assert_eq!(registry.delete_manifest(&by_digest).unwrap(), Deletion::Absent);
    assert_eq!(registry.get_manifest(&repository.with_tag("b").unwrap()), Answer::Absent);
}

#[test]
fn a_hundred_look_ups_are_a_hundred_requests() {
    let (registry, repository) = (client(), repository("many"));
    let tag = repository.with_tag("here").unwrap();
    push_image(&registry, &tag, b"many");
    let before = registry.counters().requests;
    let references = (0..100).map(|n| repository.with_tag(["here", "gone"][n % 2]).unwrap());
    let at_once = AtOnce { threads: 4, within: Some(std::time::Duration::from_secs(2)) };
    let answers = registry.get_manifests(references.collect(), at_once);
    assert_eq!(registry.counters().requests - before, 100);
    assert!(answers.iter().step_by(2).all(|answer| matches!(answer, Answer::Found(_))));
    assert!(answers.iter().skip(1).step_by(2).all(|answer| *answer == Answer::Absent));
}
