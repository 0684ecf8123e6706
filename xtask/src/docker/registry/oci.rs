//! The parts of the OCI image format that are read or written here.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// Media types of manifests, in the order of our preference.
pub mod media {
    /// An OCI index: a list of manifests
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// An OCI manifest
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// An OCI image configuration
    pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// The empty object, as an artifact's configuration
    pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    /// Docker's list of manifests
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// Docker's manifest
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

    /// Whether a media type is that of a list of manifests.
    pub fn is_index(media_type: &str) -> bool {
        [INDEX, DOCKER_LIST].contains(&media_type)
    }

    /// Whether a media type is that of a manifest or a list of them.
    pub fn is_manifest(media_type: &str) -> bool {
        is_index(media_type) || [MANIFEST, DOCKER_MANIFEST].contains(&media_type)
    }
}

/// What points at a blob or manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is
    pub media_type: String,
    /// The digest of its bytes
    pub digest: String,
    /// How many bytes it has
    pub size: u64,
    /// What an image runs on
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Free texts
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What an image runs on. It prints as buildx writes it: `linux/arm64`, `linux/arm/v7`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`
    pub os: String,
    /// `amd64`
    pub architecture: String,
    /// `v7`; none where it is the usual one
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// A list of manifests: one for each platform, and attestations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// 2
    pub schema_version: u32,
    /// [`media::INDEX`] or Docker's
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What it lists
    pub manifests: Vec<Descriptor>,
    /// Free texts
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// One image (or artifact): a configuration and layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// 2
    pub schema_version: u32,
    /// [`media::MANIFEST`] or Docker's
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What sort of artifact it is, where it is no image
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The configuration
    pub config: Descriptor,
    /// The layers
    pub layers: Vec<Descriptor>,
    /// Free texts
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// Whether it is an attestation of another entry rather than an image.
    pub fn is_attestation(&self) -> bool {
        self.annotations.contains_key("vnd.docker.reference.type")
    }
}

impl Index {
    /// The platforms that it has images for, attestations left out.
    pub fn platforms(&self) -> Vec<Platform> {
        let images = self.manifests.iter().filter(|m| !m.is_attestation());
        images.filter_map(|m| m.platform.clone()).map(Platform::normal).collect()
    }
}

impl Platform {
    /// Without the variant that is implied anyway: arm64 is v8 (containerd's rule).
    pub fn normal(mut self) -> Self {
        if self.architecture == "arm64" && self.variant.as_deref() == Some("v8") {
            self.variant = None;
        }
        self
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

/// The digest of bytes, as OCI writes it: `sha256:<64 hex>`.
pub fn digest_of(bytes: &[u8]) -> String {
    written("sha256", ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

/// Whether bytes have a digest (sha256 or sha512).
pub fn has_digest(bytes: &[u8], digest: &str) -> bool {
    if digest.starts_with("sha512:") {
        written("sha512", ring::digest::digest(&ring::digest::SHA512, bytes).as_ref()) == digest
    } else {
        digest_of(bytes) == digest
    }
}

/// An index's bytes with annotations added (or replaced). The same input gives the same bytes, and
/// everything else that stands in it is kept. Fails where the bytes are no index.
pub fn annotated(
    index: &[u8],
    annotations: &BTreeMap<String, String>,
) -> Result<Vec<u8>, serde_json::Error> {
    drop(serde_json::from_slice::<Index>(index)?);
    // Through the untyped value, so that what the types leave out is kept; its keys are sorted.
    let mut index: Value = serde_json::from_slice(index)?;
    for (name, text) in annotations {
        index["annotations"][name] = Value::from(text.as_str());
    }
    serde_json::to_vec_pretty(&index)
}

pub(super) fn written(algorithm: &str, digest: &[u8]) -> String {
    use fmt::Write as _;
    let mut text = format!("{algorithm}:");
    for byte in digest {
        // Writing into a `String` cannot fail.
        write!(text, "{byte:02x}").ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",
        "manifests":[
          {"mediaType":"m","digest":"sha256:a","size":1,"platform":{"architecture":"amd64","os":"linux"}},
          {"mediaType":"m","digest":"sha256:b","size":2,"platform":{"architecture":"arm64","os":"linux","variant":"v8"}},
          {"mediaType":"m","digest":"sha256:c","size":3,"platform":{"architecture":"arm","os":"linux","variant":"v7","os.version":"9"}},
          {"mediaType":"m","digest":"sha256:d","size":4,"urls":["u"],"platform":{"architecture":"unknown","os":"unknown"},
           "annotations":{"vnd.docker.reference.type":"attestation-manifest"}}],
        "subject":{"x":1},"annotations":{"a":"1"}}"#;

    #[test]
    fn platforms_leave_attestations_out() {
        let index: Index = serde_json::from_str(INDEX).unwrap();
        let platforms: Vec<_> = index.platforms().iter().map(Platform::to_string).collect();
        assert_eq!(platforms, ["linux/amd64", "linux/arm64", "linux/arm/v7"]);
    }

    #[test]
    fn annotating_keeps_everything_else_and_repeats_itself() {
        let new = BTreeMap::from([("a".into(), "2".into()), ("b".into(), "3".into())]);
        let bytes = annotated(INDEX.as_bytes(), &new).unwrap();
        assert_eq!(bytes, annotated(INDEX.as_bytes(), &new).unwrap());
        assert_eq!(bytes, annotated(&bytes, &new).unwrap(), "once more changes nothing");
        let mut expected: Value = serde_json::from_str(INDEX).unwrap();
        expected["annotations"] = serde_json::json!({"a": "2", "b": "3"});
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), expected);
        assert!(annotated(br#"{"schemaVersion":2,"config":{}}"#, &new).is_err());
    }

    #[test]
    fn digests() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest_of(b""), empty);
        assert!(has_digest(b"", empty) && !has_digest(b"x", empty));
        assert!(has_digest(
            b"",
            &written("sha512", ring::digest::digest(&ring::digest::SHA512, b"").as_ref())
        ));
    }
}
