//! Services that need neither a base nor an engine: what `dev` would have published of them is an index
//! each, written by hand.
#![allow(dead_code)]

use super::project::client;
use super::support::Repository;
use serde_json::json;
use std::collections::BTreeMap;
use xtask::docker::registry::oci::{digest_of, media};

/// A repository of such services; each has a `file`.
pub fn repository<'a>(services: impl IntoIterator<Item = &'a str>) -> Repository {
    let mut manifest = "[project]\nname = \"p\"\nregistry = \"registry.invalid/p\"\n".to_owned();
    let mut files = Vec::new();
    for service in services {
        manifest.push_str(&format!("[services.{service}]\n"));
        files.push((format!("services/{service}/Dockerfile"), "FROM scratch\nCOPY file /\n"));
        files.push((format!("services/{service}/file"), "1"));
    }
    let mut all = vec![("services/services.toml", manifest.as_str())];
    all.extend(files.iter().map(|(path, text)| (path.as_str(), *text)));
    Repository::new(&all)
}

/// The fingerprint of each service.
pub fn fingerprints(repository: &Repository) -> BTreeMap<String, String> {
    let json = repository.xtask(&["fingerprint", "--json"]).run().success().json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let of =
        |service: &serde_json::Value| (text(&service["service"]), text(&service["fingerprint"]));
    json["services"].as_array().unwrap().iter().map(of).collect()
}

/// Puts an image of each fingerprint under its handle and more tags, as `dev` does. Gives the digests.
pub fn publish(
    place: &str,
    fingerprints: &BTreeMap<String, String>,
    tags: &[&str],
) -> BTreeMap<String, String> {
    let mut digests = BTreeMap::new();
    for (service, fingerprint) in fingerprints {
        let index = json!({
            "schemaVersion": 2,
            "mediaType": media::INDEX,
            "manifests": [{
                "mediaType": media::MANIFEST,
                "digest": digest_of(fingerprint.as_bytes()),
                "size": 1,
                "platform": { "os": "linux", "architecture": "amd64" },
            }],
            "annotations": { "io.github.tzervas.autogit.fingerprint": fingerprint },
        });
        let bytes = index.to_string();
        for tag in [&[format!("fp-{fingerprint}").as_str()], tags].concat() {
            let tag = format!("{place}/{service}:{tag}").parse().unwrap();
            client().put_manifest(&tag, media::INDEX, bytes.as_bytes()).unwrap();
        }
        digests.insert(service.clone(), digest_of(bytes.as_bytes()));
    }
    digests
}
