//! What sort of tag a tag is, told by its name.

use crate::context::event::version_of_tag;
use crate::plan::cache::CACHE_TAG;
use crate::plan::tags::is_shared;

/// What a tag of an image is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sort<'a> {
    /// `dev`, `latest`, `X.Y`, `X`, `vX.Y.Z`: never taken away
    Standing,
    /// `cache`, and `cache-…` of platforms that are built apart
    Cache,
    /// `dev-<7 of sha>`, `<full sha>`, `build-<full sha>`: the (part of the) sha
    Commit(&'a str),
    /// `fp-<64 hex>`
    Fingerprint,
    /// `sha256-<64 hex>`, with or without an ending: a signature or attestation of that digest
    Of(String),
    /// None of ours
    Foreign,
}

impl<'a> Sort<'a> {
    /// Of a tag.
    pub fn of(tag: &'a str) -> Self {
        if tag == "dev" || is_shared(tag) || version_of_tag(tag).is_ok() {
            return Self::Standing;
        }
        if tag.strip_prefix(CACHE_TAG).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        {
            return Self::Cache;
        }
        if let Some(short) = tag.strip_prefix("dev-").filter(|sha| is_hex(sha, 7)) {
            return Self::Commit(short);
        }
        let whole = tag.strip_prefix("build-").unwrap_or(tag);
        if is_hex(whole, 40) || is_hex(whole, 64) {
            return Self::Commit(whole);
        }
        if tag.strip_prefix("fp-").is_some_and(|hex| is_hex(hex, 64)) {
            return Self::Fingerprint;
        }
        let subject = tag.strip_prefix("sha256-").and_then(|rest| rest.get(..64));
        match subject.filter(|hex| is_hex(hex, 64)) {
            Some(hex) => Self::Of(format!("sha256:{hex}")),
            None => Self::Foreign,
        }
    }
}

/// A tag for people: of a long row of hex digits the first twelve.
pub fn brief(tag: &str) -> String {
    let begins = tag.rfind('-').map_or(0, |at| at + 1);
    let (name, hex) = tag.split_at(begins);
    let is_long = hex.len() >= 40 && is_hex(hex, hex.len());
    if is_long { format!("{name}{}…", &hex[..12]) } else { tag.to_owned() }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_tags_are_brief_for_people() {
        let hex = "0f".repeat(32);
        assert_eq!(brief(&format!("fp-{hex}")), "fp-0f0f0f0f0f0f…");
        assert_eq!(brief(&hex[..40]), "0f0f0f0f0f0f…");
        for tag in ["dev-1a2b3c4", "v1.2.3", "cache-linux-arm64", "dev", ""] {
            assert_eq!(brief(tag), tag);
        }
    }

    #[test]
    fn tags_are_told_by_their_names() {
        let sha = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
        let hex = "0f".repeat(32);
        for standing in ["dev", "latest", "0", "1.2", "v1.2.3", "v1.2.3-rc.1"] {
            assert_eq!(Sort::of(standing), Sort::Standing, "{standing}");
        }
        for cache in ["cache", "cache-linux-arm64"] {
            assert_eq!(Sort::of(cache), Sort::Cache);
        }
        assert_eq!(Sort::of("dev-1a2b3c4"), Sort::Commit("1a2b3c4"));
        assert_eq!(Sort::of(sha), Sort::Commit(sha));
        assert_eq!(Sort::of(&format!("build-{sha}")), Sort::Commit(sha));
        assert_eq!(Sort::of(&hex), Sort::Commit(&hex), "a SHA-256 repository's commit");
        assert_eq!(Sort::of(&format!("fp-{hex}")), Sort::Fingerprint);
        let subject = Sort::Of(format!("sha256:{hex}"));
        assert_eq!(Sort::of(&format!("sha256-{hex}.sig")), subject);
        assert_eq!(Sort::of(&format!("sha256-{hex}")), subject);
        let foreign =
            ["nightly", "dev-branch", "dev-1A2B3C4", "fp-12", "cached", "1.2.3", "sha256-1"];
        for foreign in foreign {
            assert_eq!(Sort::of(foreign), Sort::Foreign, "{foreign}");
        }
    }
}
