//! The claim: annotations of an index that say "this is the image of this fingerprint" (DESIGN 4.5).
//! Pure: from and to annotations.
//!
//! An index is published under `fp-<fingerprint>` first without them, by buildx; only when the
//! fingerprint is the same after the build are they added. An index without them is no claim.

use super::fingerprint::{Fingerprint, Part};
use std::collections::BTreeMap;

/// The annotation that holds the fingerprint.
pub const FINGERPRINT: &str = "io.github.tzervas.autogit.fingerprint";
/// The digest of the cache manifest that the build wrote.
pub const CACHE: &str = "io.github.tzervas.autogit.cache";
/// The commit (OCI image specification, "Pre-Defined Annotation Keys").
pub const REVISION: &str = "org.opencontainers.image.revision";
/// When the image was built, RFC 3339.
pub const CREATED: &str = "org.opencontainers.image.created";

const PARTS: [Part; 5] =
    [Part::Dockerfile, Part::Context, Part::Settings, Part::Images, Part::Services];

/// What a published index says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// 64 hex digits
    pub fingerprint: String,
    /// The digest of each part of it
    pub parts: BTreeMap<Part, String>,
    /// The commit that it was built of
    pub revision: Option<String>,
    /// When it was built, RFC 3339
    pub created: Option<String>,
    /// The digest of the cache manifest that this build wrote
    pub cache: Option<String>,
}

/// The tag under which the image of a fingerprint is published.
pub fn tag(fingerprint: &str) -> String {
    format!("fp-{fingerprint}")
}

impl Claim {
    /// The claim of a fingerprint.
    pub fn of(fingerprint: &Fingerprint) -> Self {
        Self {
            fingerprint: fingerprint.whole.clone(),
            parts: fingerprint.parts.clone(),
            revision: None,
            created: None,
            cache: None,
        }
    }

    /// What annotations say. `None` where they claim nothing.
    pub fn read(annotations: &BTreeMap<String, String>) -> Option<Self> {
        let part = |part: Part| Some((part, annotations.get(&part_key(part))?.clone()));
        Some(Self {
            fingerprint: annotations.get(FINGERPRINT)?.clone(),
            parts: PARTS.into_iter().filter_map(part).collect(),
            revision: annotations.get(REVISION).cloned(),
            created: annotations.get(CREATED).cloned(),
            cache: annotations.get(CACHE).cloned(),
        })
    }

    /// The annotations of an index.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        let own = [
            (FINGERPRINT, Some(&self.fingerprint)),
            (REVISION, self.revision.as_ref()),
            (CREATED, self.created.as_ref()),
            (CACHE, self.cache.as_ref()),
        ];
        let own = own.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.clone())));
        own.chain(self.parts.iter().map(|(part, digest)| (part_key(*part), digest.clone())))
            .collect()
    }
}

/// The annotation that holds the digest of a part.
fn part_key(part: Part) -> String {
    format!("{FINGERPRINT}.{}", part.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let parts = PARTS.map(|part| (part, part.name().to_owned())).into();
        let claim = Claim {
            fingerprint: "f".repeat(64),
            parts,
            revision: Some("r".into()),
            created: None,
            cache: Some("sha256:c".into()),
        };
        assert_eq!(Claim::read(&claim.annotations()), Some(claim));
    }

    #[test]
    fn an_index_without_a_fingerprint_claims_nothing() {
        let annotations = [(REVISION.to_owned(), "r".to_owned())].into();
        assert_eq!(Claim::read(&annotations), None);
    }
}
