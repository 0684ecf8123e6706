//! Which public tags a run moves, and why others stay. Pure (DESIGN 4.3, "Version rules").

use crate::context::event::Kind;
use semver::Version;
use serde::Serialize;

/// Something that was asked of the world: an answer, or none. Unknown is never taken for empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// The answer
    Known(T),
    /// Why there is none
    Unknown(String),
}

/// The public tags of one image in this run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// Tags that are moved, in this order
    pub moves: Vec<String>,
    /// Tags that such an event moves at other times
    pub stays: Vec<Stays>,
}

/// A tag that is left where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stays {
    /// The tag
    pub tag: String,
    /// Why, as a fragment: "v2.0.0 is higher"
    pub reason: String,
}

/// The tags for an event at a revision (full hex).
///
/// `released` are the versions that stand in the registry, without the one being published.
pub fn tags(kind: &Kind, revision: &str, released: &Known<Vec<Version>>) -> Tags {
    match kind {
        Kind::Local | Kind::Pr => Tags::default(),
        Kind::Dev => {
            let short = revision.get(..7).unwrap_or(revision);
            let moves = vec!["dev".into(), format!("dev-{short}"), revision.into()];
            Tags { moves, stays: Vec::new() }
        }
        Kind::Release(version) => release_tags(version, revision, released),
    }
}

/// Whether a tag is shared by versions, so that it moves from one to the next: `latest`, `X`, `X.Y`.
pub fn is_shared(tag: &str) -> bool {
    let number = |text: &str| text.parse::<u64>().is_ok_and(|number| number.to_string() == text);
    tag == "latest"
        || number(tag)
        || tag.split_once('.').is_some_and(|(x, y)| number(x) && number(y))
}

/// The highest of some versions that a shared tag is for. Pre-releases have no shared tags.
pub fn highest_of<'a>(
    tag: &str,
    versions: impl IntoIterator<Item = &'a Version>,
) -> Option<&'a Version> {
    let stable = versions.into_iter().filter(|version| version.pre.is_empty());
    stable.filter(|version| shared(version).iter().any(|shared| shared == tag)).max()
}

/// The shared tags of a version, the narrowest first.
pub fn shared(version: &Version) -> [String; 3] {
    let Version { major, minor, .. } = version;
    [format!("{major}.{minor}"), major.to_string(), "latest".into()]
}

fn release_tags(version: &Version, revision: &str, released: &Known<Vec<Version>>) -> Tags {
    let mut tags = Tags { moves: vec![format!("v{version}")], stays: Vec::new() };
    for tag in shared(version) {
        match why_it_stays(version, released, &tag) {
            None => tags.moves.push(tag),
            Some(reason) => tags.stays.push(Stays { tag, reason }),
        }
    }
    tags.moves.push(revision.into());
    tags
}

fn why_it_stays(version: &Version, released: &Known<Vec<Version>>, tag: &str) -> Option<String> {
    if !version.pre.is_empty() {
        return Some(format!("v{version} is a pre-release"));
    }
    let released = match released {
        Known::Known(released) => released,
        Known::Unknown(why) => {
            return Some(format!("it is unknown which versions are released: {why}"));
        }
    };
    let highest = highest_of(tag, released)?;
    (highest > version).then(|| format!("v{highest} is higher"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

    #[track_caller]
    fn release(version: &str, released: &[&str], moves: &[&str]) {
        let released = released.iter().map(|v| Version::parse(v).unwrap()).collect();
        let kind = Kind::Release(Version::parse(version).unwrap());
        let tags = tags(&kind, SHA, &Known::Known(released));
        let mut expected: Vec<&str> = moves.to_vec();
        expected.push(SHA);
        assert_eq!(tags.moves, expected);
        assert_eq!(tags.moves.len() + tags.stays.len(), 5);
    }

    #[test]
    fn dev_has_three_tags_and_local_and_pr_none() {
        let nothing = Known::Known(Vec::new());
        assert_eq!(tags(&Kind::Dev, SHA, &nothing).moves, ["dev", "dev-1a2b3c4", SHA]);
        assert_eq!(tags(&Kind::Local, SHA, &nothing), Tags::default());
        assert_eq!(tags(&Kind::Pr, SHA, &nothing), Tags::default());
    }

    #[test]
    fn shared_tags_move_only_forward() {
        release("0.1.0", &[], &["v0.1.0", "0.1", "0", "latest"]);
        release("0.1.1", &["0.1.0"], &["v0.1.1", "0.1", "0", "latest"]);
        release("1.2.4", &["2.0.0", "1.2.3"], &["v1.2.4", "1.2", "1"]);
        release("1.2.4", &["2.0.0", "1.3.0"], &["v1.2.4", "1.2"]);
        release("1.2.4", &["1.2.5", "1.2.3"], &["v1.2.4"]);
        release("1.2.4", &["1.2.4"], &["v1.2.4", "1.2", "1", "latest"]);
        release("0.2.0", &["0.10.0"], &["v0.2.0", "0.2"]);
        release("10.0.0", &["9.9.9"], &["v10.0.0", "10.0", "10", "latest"]);
    }

    #[test]
    fn a_pre_release_moves_its_own_tag_and_holds_back_no_other() {
        release("1.2.3-rc.1", &["0.1.0"], &["v1.2.3-rc.1"]);
        release("1.2.3-rc.1", &[], &["v1.2.3-rc.1"]);
        release("1.2.3", &["2.0.0-rc.1", "1.2.3-rc.1"], &["v1.2.3", "1.2", "1", "latest"]);
    }

    #[test]
    fn unknown_is_not_empty() {
        let kind = Kind::Release(Version::new(1, 2, 3));
        let tags = tags(&kind, SHA, &Known::Unknown("timed out".into()));
        assert_eq!(tags.moves, ["v1.2.3", SHA]);
        assert!(tags.stays.iter().all(|stays| stays.reason.contains("timed out")));
    }
}
