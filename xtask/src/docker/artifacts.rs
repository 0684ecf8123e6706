//! Small JSON documents as OCI artifacts: a manifest with one layer, which is the document (OCI image
//! specification 1.1, "Guidelines for Artifact Usage").

use super::registry::oci::{Descriptor, Manifest, digest_of, media};
use super::registry::{Answer, Kind, Reason, Reference, Registry, Source};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// The largest document that is read, in bytes.
const LIMIT: u64 = 16 << 20;
/// The empty object, as the configuration of an artifact.
const EMPTY: &[u8] = b"{}";

/// Reads the document under a tag. One of another type is no answer.
pub fn get<T: DeserializeOwned>(
    registry: &Registry,
    reference: &Reference,
    artifact_type: &str,
) -> Answer<T> {
    registry.get_manifest(reference).and_then(|fetched| {
        let garbage = |detail: String| Reason::new(Kind::Garbage, reference.to_string(), detail);
        let manifest = fetched.manifest()?;
        let layer = match manifest.layers.as_slice() {
            [layer] if manifest.artifact_type.as_deref() == Some(artifact_type) => layer,
            _ => return Err(garbage(format!("it is no {artifact_type}"))),
        };
        let bytes = registry.get_blob(reference, &layer.digest, LIMIT).known()?;
        let bytes = bytes.ok_or_else(|| garbage("its content is gone".into()))?;
        serde_json::from_slice(&bytes).map_err(|e| garbage(format!("no {artifact_type}: {e}")))
    })
}

/// Writes a document under a tag; the tag comes last, in one request. The same document gives the
/// same bytes.
pub fn put<T: Serialize>(
    registry: &Registry,
    reference: &Reference,
    artifact_type: &str,
    document: &T,
) -> Result<(), Reason> {
    let local = |e: serde_json::Error| Reason::new(Kind::Local, reference.to_string(), e);
    let bytes = serde_json::to_vec_pretty(document).map_err(local)?;
    let descriptor = |media_type: &str, bytes: &[u8]| Descriptor {
        media_type: media_type.into(),
        digest: digest_of(bytes),
        size: bytes.len() as u64,
        platform: None,
        annotations: BTreeMap::new(),
    };
    let (config, layer) = (descriptor(media::EMPTY, EMPTY), descriptor(artifact_type, &bytes));
    for (descriptor, bytes) in [(&config, EMPTY), (&layer, bytes.as_slice())] {
        registry.put_blob(reference, &descriptor.digest, Source::Bytes(bytes), None)?;
    }
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media::MANIFEST.into()),
        artifact_type: Some(artifact_type.into()),
        config,
        layers: vec![layer],
        annotations: BTreeMap::new(),
    };
    let manifest = serde_json::to_vec(&manifest).map_err(local)?;
    registry.put_manifest(reference, media::MANIFEST, &manifest).map(drop)
}
