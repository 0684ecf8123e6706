//! Which release a tag stands for, so that what is pulled is always of one release. Pure.

use super::release::Releases;
use super::tags::{highest_of, is_shared};
use crate::context::event::version_of_tag;
use anyhow::Result;
use semver::Version;

/// The images that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Those of the highest release of a shared tag: `latest`, `1`, `1.2`
    Shared(String),
    /// Those of a release
    Version(Version),
    /// Wherever a tag stands that is of no release: `dev`, a commit
    Tag(String),
}

/// Where the digests are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In the record of a release, whether or not it was taken back
    Record {
        /// Which
        version: Version,
        /// Whether it was taken back
        withdrawn: bool,
    },
    /// From each service's own tag
    Tags {
        /// What the user should know about that
        note: Option<String>,
    },
}

impl Wanted {
    /// Reads `--tag`.
    pub fn parse(text: &str) -> Result<Self> {
        let first = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let other = |c: char| first(c) || ".-".contains(c);
        if !text.starts_with(first) || !text.chars().all(other) || text.len() > 128 {
            wrong!(
                "`--tag {text}`: no image can have such a tag; say `latest`, `dev`, `vX.Y.Z`, `X.Y` or a commit"
            );
        }
        if is_shared(text) {
            return Ok(Self::Shared(text.to_owned()));
        }
        let number = text.strip_prefix('v').unwrap_or(text);
        match version_of_tag(&format!("v{number}")) {
            Ok(version) => Ok(Self::Version(version)),
            Err(_) => Ok(Self::Tag(text.to_owned())),
        }
    }

    /// The tag that images have of it.
    pub fn tag(&self) -> String {
        match self {
            Self::Shared(tag) | Self::Tag(tag) => tag.clone(),
            Self::Version(version) => format!("v{version}"),
        }
    }

    /// Where its digests are read. An error is why there are none.
    pub fn source(&self, releases: &Releases) -> Result<Source> {
        match self {
            Self::Tag(_) => Ok(Source::Tags { note: None }),
            Self::Version(version) => of_version(version, releases),
            Self::Shared(tag) => of_shared(tag, releases),
        }
    }
}

fn of_version(version: &Version, releases: &Releases) -> Result<Source> {
    if releases.records.contains(version) {
        let withdrawn = releases.withdrawn.contains(version);
        return Ok(Source::Record { version: version.clone(), withdrawn });
    }
    is_finished(version, releases)?;
    match releases.records.first() {
        None => Ok(never_recorded()),
        Some(first) if version < first => {
            let note = format!("v{version} is older than the first record (v{first}): {BY_TAG}");
            Ok(Source::Tags { note: Some(note) })
        }
        Some(_) => match highest_of("latest", releases.standing()) {
            Some(latest) => anyhow::bail!("v{version} is not released: the latest is v{latest}"),
            None => {
                anyhow::bail!("v{version} is not released: `cargo xtask release status` lists all")
            }
        },
    }
}

fn of_shared(tag: &str, releases: &Releases) -> Result<Source> {
    if let Some(version) = highest_of(tag, releases.standing()) {
        return Ok(Source::Record { version: version.clone(), withdrawn: false });
    }
    if let Some(version) = highest_of(tag, &releases.records) {
        anyhow::bail!(
            "no release stands that has `{tag}`: the last was v{version}, and it was taken back; \
             `--tag v{version}` pulls it all the same"
        );
    }
    if let Some(version) = highest_of(tag, releases.unfinished()) {
        is_finished(version, releases)?;
    }
    match releases.records.first() {
        None => Ok(never_recorded()),
        Some(first) => {
            let note = format!("no record has `{tag}` (the first is of v{first}): {BY_TAG}");
            Ok(Source::Tags { note: Some(note) })
        }
    }
}

/// Tags of a publish that has not ended may stand on images of two releases.
fn is_finished(version: &Version, releases: &Releases) -> Result<()> {
    if releases.unfinished().any(|unfinished| unfinished == version) {
        anyhow::bail!(
            "v{version} is not released yet: it was begun, and there is no record; \
             `cargo xtask release status v{version}` tells what to do"
        );
    }
    Ok(())
}

const BY_TAG: &str = "each image is the one that its own tag stands on";

fn never_recorded() -> Source {
    Source::Tags { note: Some(format!("there is no record of any release: {BY_TAG}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn source(tag: &str, tags: &str) -> Result<Source, String> {
        let releases = Releases::of_tags(tags.split_whitespace());
        let wanted = Wanted::parse(tag).unwrap();
        wanted.source(&releases).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn record(tag: &str, tags: &str, version: &str) {
        let version = version.parse().unwrap();
        assert_eq!(source(tag, tags), Ok(Source::Record { version, withdrawn: false }));
    }

    #[track_caller]
    fn by_tag(tag: &str, tags: &str, note: Option<&str>) {
        match (source(tag, tags), note) {
            (Ok(Source::Tags { note: None }), None) => {}
            (Ok(Source::Tags { note: Some(note) }), Some(part)) => {
                assert!(note.contains(part), "{note}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn not(tag: &str, tags: &str, part: &str) {
        let error = source(tag, tags).unwrap_err();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn a_release_is_pulled_by_its_record() {
        let all = "v0.1.0 v0.2.0 v1.0.0 v1.1.0-rc.1 journal-v1.0.1";
        record("latest", all, "1.0.0");
        record("1", all, "1.0.0");
        record("0", all, "0.2.0");
        record("0.1", all, "0.1.0");
        record("v0.1.0", all, "0.1.0");
        record("0.1.0", all, "0.1.0");
        record("v1.1.0-rc.1", all, "1.1.0-rc.1");
        not("v1.0.1", all, "begun, and there is no record");
        not("v1.2.0", all, "the latest is v1.0.0");
    }

    #[test]
    fn what_was_taken_back_is_pulled_only_by_its_name() {
        let all = "v0.1.0 v0.2.0 withdrawn-v0.2.0";
        record("latest", all, "0.1.0");
        not("0.2", all, "taken back");
        let withdrawn = Source::Record { version: Version::new(0, 2, 0), withdrawn: true };
        assert_eq!(source("v0.2.0", all), Ok(withdrawn));
    }

    #[test]
    fn without_a_record_each_tag_counts() {
        by_tag("latest", "", Some("no record of any release"));
        by_tag("v0.1.0", "", Some("no record of any release"));
        by_tag("v0.1.0", "v0.2.0", Some("older than the first record (v0.2.0)"));
        by_tag("0.1", "v0.2.0", Some("no record has `0.1`"));
        not("latest", "journal-v0.1.0", "v0.1.0 is not released yet");
        not("v0.1.0", "v0.2.0 journal-v0.1.0", "v0.1.0 is not released yet");
    }

    #[test]
    fn what_is_no_version_is_a_tag() {
        for tag in ["dev", "dev-1a2b3c4", "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d", "v1", "01"] {
            by_tag(tag, "v0.1.0", None);
        }
        for tag in ["", "a b", ".x", "a:b", "1.0.0+x", &"x".repeat(129)] {
            assert!(Wanted::parse(tag).is_err(), "{tag}");
        }
    }
}
