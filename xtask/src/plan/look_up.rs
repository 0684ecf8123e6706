//! What the registry says about the image of a fingerprint (DESIGN 4.5, "Claim and look-up"). Pure.
//!
//! Only an index that claims this very fingerprint, and has every platform that is asked for, is a
//! hit. Everything else leads to a build: a wrong skip is the worst bug of this program.

use super::claim::Claim;
use super::facts::Facts;
use super::{Request, decide};
use crate::context::event::Kind;
use crate::docker::registry::oci::Index;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

/// What stands under `fp-<fingerprint>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookUp {
    /// The image of the fingerprint
    Published(Published),
    /// The registry says that there is nothing
    Absent,
    /// Something that does not count, and why
    NoClaim(String),
    /// Nobody could tell, and why
    Unknown(String),
}

/// A published image whose index claims the fingerprint that was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The digest of its index
    pub digest: String,
    /// What it says of itself
    pub claim: Claim,
}

impl LookUp {
    /// What an index with a digest means for a fingerprint and the platforms that are wanted.
    pub fn judge(index: &Index, digest: &str, fingerprint: &str, platforms: &[String]) -> Self {
        let Some(claim) = Claim::read(&index.annotations) else {
            return Self::NoClaim("it claims nothing (a run ended before it could)".into());
        };
        if claim.fingerprint != fingerprint {
            return Self::NoClaim(format!("it claims to be {}", claim.fingerprint));
        }
        let there: Vec<String> = index.platforms().iter().map(ToString::to_string).collect();
        let lacking = platforms.iter().find(|wanted| !there.iter().any(|p| is_same(p, wanted)));
        if let Some(platform) = lacking {
            return Self::NoClaim(format!("it has no image for {platform}"));
        }
        Self::Published(Published { digest: digest.into(), claim })
    }

    /// The image, where there is one.
    pub fn published(&self) -> Option<&Published> {
        match self {
            Self::Published(published) => Some(published),
            Self::Absent | Self::NoClaim(_) | Self::Unknown(_) => None,
        }
    }
}

/// arm64 is v8 (containerd's rule).
fn is_same(there: &str, wanted: &str) -> bool {
    there == wanted || wanted.strip_suffix("/v8") == Some(there)
}

/// The services whose fingerprint is to be looked up, with the fingerprint. A local run only asks
/// for what it could use: what is to be pulled, and what images that are built stand on. So does a run
/// that skips nothing and pushes nothing: on what is published the cache is that of the registry. One that
/// pushes asks for what may come out as it is published.
pub fn wanted(facts: &Facts, request: &Request) -> Result<BTreeMap<String, String>> {
    let asked = facts.select(&request.names)?;
    let chosen = facts.graph.with_dependencies(asked.iter().map(String::as_str));
    let is_built =
        |name: &str| !facts.stored.contains(name) || decide::is_forced(request, &asked, name);
    let built = chosen.iter().filter(|name| is_built(name));
    let stems: BTreeSet<&str> = built.flat_map(|name| facts.graph.direct(name)).collect();
    let is_of_use = |name: &str| {
        if facts.pushes(request) {
            return decide::may_come_out_the_same(request, &asked, name);
        }
        !request.force && !request.no_cache && stems.contains(name)
    };
    let is_wanted = |name: &str| match facts.event.kind {
        _ if decide::is_forced(request, &asked, name) => is_of_use(name),
        Kind::Local => (request.pull && is_built(name)) || stems.contains(name),
        Kind::Pr | Kind::Dev | Kind::Release(_) => true,
    };
    let known = facts.identities.iter();
    let known = known.filter_map(|(name, identity)| Some((name, identity.as_ref().ok()?)));
    let wanted = known.filter(|(name, _)| chosen.contains(*name) && is_wanted(name));
    Ok(wanted.map(|(name, fingerprint)| (name.clone(), fingerprint.whole.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::registry::oci::{Descriptor, Platform, media};
    use crate::plan::claim::FINGERPRINT;

    fn index(claims: Option<&str>, architectures: &[&str]) -> Index {
        let manifests = architectures.iter().map(|architecture| Descriptor {
            media_type: media::MANIFEST.into(),
            digest: "sha256:m".into(),
            size: 1,
            platform: Some(Platform {
                os: "linux".into(),
                architecture: (*architecture).into(),
                variant: None,
            }),
            annotations: BTreeMap::new(),
        });
        let claims = claims.map(|claim| (FINGERPRINT.to_owned(), claim.to_owned()));
        Index {
            schema_version: 2,
            media_type: None,
            manifests: manifests.collect(),
            annotations: claims.into_iter().collect(),
        }
    }

    #[track_caller]
    fn case(claims: Option<&str>, there: &[&str], wanted: &[&str], expected: Result<(), &str>) {
        let wanted: Vec<String> = wanted.iter().map(|p| (*p).to_owned()).collect();
        match (LookUp::judge(&index(claims, there), "sha256:d", "f1", &wanted), expected) {
            (LookUp::Published(published), Ok(())) => assert_eq!(published.digest, "sha256:d"),
            (LookUp::NoClaim(why), Err(part)) => assert!(why.contains(part), "{why}"),
            (other, _) => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_the_claim_of_this_fingerprint_with_all_platforms_is_a_hit() {
        case(Some("f1"), &["amd64"], &["linux/amd64"], Ok(()));
        case(Some("f1"), &["amd64", "arm64"], &["linux/arm64/v8"], Ok(()));
        case(Some("f1"), &["amd64"], &[], Ok(()));
        case(None, &["amd64"], &["linux/amd64"], Err("claims nothing"));
        case(Some("f2"), &["amd64"], &["linux/amd64"], Err("claims to be f2"));
        case(Some(""), &["amd64"], &["linux/amd64"], Err("claims to be"));
        case(Some("f1"), &["amd64"], &["linux/amd64", "linux/arm64"], Err("linux/arm64"));
        case(Some("f1"), &[], &["linux/amd64"], Err("linux/amd64"));
    }
}
