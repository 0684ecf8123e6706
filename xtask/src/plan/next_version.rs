//! Which version comes next, and whether a version may still be given. Pure (DESIGN 4.6).

use crate::context::event::version_of_tag;
use crate::error::Wrong;
use crate::nearest::nearest;
use anyhow::Result;
use semver::{Prerelease, Version};
use std::collections::BTreeSet;

const STEPS: [(&str, Wanted); 4] = [
    ("major", Wanted::Major),
    ("minor", Wanted::Minor),
    ("patch", Wanted::Patch),
    ("pre", Wanted::Pre),
];

/// The version that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The next that may break what was there
    Major,
    /// The next with something new
    Minor,
    /// The next with something mended
    Patch,
    /// The next release candidate
    Pre,
    /// This one
    Given(Version),
}

/// Where a version stands among those that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// Higher than all
    Highest,
    /// Lower than some, but the highest of its line `X.Y`
    Backport {
        /// The highest of its line so far
        after: &'a Version,
    },
    /// Lower than some, with no other version in its line
    NewLine {
        /// The highest of all
        highest: &'a Version,
    },
    /// Lower than some of its line
    Behind {
        /// The highest of its line
        highest: &'a Version,
    },
}

impl Wanted {
    /// Reads `major`, `minor`, `patch`, `pre`, `1.2.3` or `v1.2.3`.
    pub fn parse(text: &str) -> Result<Self> {
        if let Some((_, step)) = STEPS.iter().find(|(name, _)| *name == text) {
            return Ok(step.clone());
        }
        let number = text.strip_prefix('v').unwrap_or(text);
        if number.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(Self::Given(version_of_tag(&format!("v{number}"))?));
        }
        let near = nearest(text, STEPS.map(|(name, _)| name));
        let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        wrong!(
            "`{text}` is no version: {near}say `vX.Y.Z`, or `major`, `minor`, `patch` or `pre` for the next one"
        )
    }

    /// The version that it is, after these.
    pub fn version(&self, there: &BTreeSet<Version>) -> Result<Version> {
        let stable = highest_stable(there).cloned().unwrap_or(Version::new(0, 0, 0));
        let Version { major, minor, patch, .. } = stable;
        Ok(match self {
            Self::Given(version) => version.clone(),
            Self::Major => Version::new(after(major)?, 0, 0),
            Self::Minor => Version::new(major, after(minor)?, 0),
            Self::Patch => Version::new(major, minor, after(patch)?),
            Self::Pre => match there.last().filter(|last| **last > stable) {
                Some(last) => Version { pre: pre_after(&last.pre)?, ..last.clone() },
                None => Version {
                    pre: Prerelease::new("rc.1")?,
                    ..Version::new(major, minor, after(patch)?)
                },
            },
        })
    }
}

/// Where a version stands that is not there yet.
pub fn place<'a>(version: &Version, there: &'a BTreeSet<Version>) -> Place<'a> {
    let Some(highest) = there.last().filter(|last| *last > version) else {
        return Place::Highest;
    };
    let is_of_line =
        |other: &&Version| (other.major, other.minor) == (version.major, version.minor);
    match there.iter().rfind(is_of_line) {
        None => Place::NewLine { highest },
        Some(of_line) if of_line > version => Place::Behind { highest: of_line },
        Some(of_line) => Place::Backport { after: of_line },
    }
}

/// The highest version that is no pre-release.
pub fn highest_stable(versions: &BTreeSet<Version>) -> Option<&Version> {
    versions.iter().rfind(|version| version.pre.is_empty())
}

/// The version that people compare a version with: the one before; a stable one with a stable one.
pub fn before<'a>(version: &Version, there: &'a BTreeSet<Version>) -> Option<&'a Version> {
    let compares = |other: &Version| other.pre.is_empty() || !version.pre.is_empty();
    there.range(..version).rfind(|other| compares(other))
}

/// `rc.2` after `rc.1`, `alpha.1` after `alpha`.
fn pre_after(pre: &Prerelease) -> Result<Prerelease> {
    let next = match pre.rsplit_once('.') {
        Some((name, last)) if last.parse::<u64>().is_ok() => {
            format!("{name}.{}", after(last.parse()?)?)
        }
        None if pre.parse::<u64>().is_ok() => after(pre.parse()?)?.to_string(),
        _ => format!("{pre}.1"),
    };
    Ok(Prerelease::new(&next)?)
}

fn after(number: u64) -> Result<u64, Wrong> {
    number.checked_add(1).ok_or_else(|| {
        Wrong(format!("there is no version number after {number}: name the version, `vX.Y.Z`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(text: &str) -> BTreeSet<Version> {
        text.split_whitespace().map(|v| v.parse().unwrap()).collect()
    }

    #[test]
    fn steps_count_from_the_highest_stable_version() {
        for (there, major, minor, patch, pre) in [
            ("", "1.0.0", "0.1.0", "0.0.1", "0.0.1-rc.1"),
            ("0.1.0", "1.0.0", "0.2.0", "0.1.1", "0.1.1-rc.1"),
            ("0.9.0 0.10.1", "1.0.0", "0.11.0", "0.10.2", "0.10.2-rc.1"),
            ("1.2.4 2.0.0", "3.0.0", "2.1.0", "2.0.1", "2.0.1-rc.1"),
            ("1.0.0 1.0.1-rc.1", "2.0.0", "1.1.0", "1.0.1", "1.0.1-rc.2"),
            ("1.0.0 1.0.1-rc.9 1.0.1-rc.10", "2.0.0", "1.1.0", "1.0.1", "1.0.1-rc.11"),
            ("1.0.0 2.0.0-beta", "2.0.0", "1.1.0", "1.0.1", "2.0.0-beta.1"),
            ("1.0.0 2.0.0-7", "2.0.0", "1.1.0", "1.0.1", "2.0.0-8"),
            ("1.0.0-rc.1 1.0.0", "2.0.0", "1.1.0", "1.0.1", "1.0.1-rc.1"),
            ("0.1.0-rc.1", "1.0.0", "0.1.0", "0.0.1", "0.1.0-rc.2"),
        ] {
            let next = |word: &str| {
                Wanted::parse(word).unwrap().version(&versions(there)).unwrap().to_string()
            };
            let found = ["major", "minor", "patch", "pre"].map(next);
            assert_eq!(found, [major, minor, patch, pre], "after `{there}`");
        }
    }

    #[test]
    fn a_version_is_read_with_and_without_v() {
        let given = Wanted::Given("1.2.3-rc.1".parse().unwrap());
        assert_eq!(Wanted::parse("1.2.3-rc.1").unwrap(), given);
        assert_eq!(Wanted::parse("v1.2.3-rc.1").unwrap(), given);
        for (text, part) in [
            ("1.2", "`v1.2` is no version"),
            ("vv1.2.3", "is no version: say `vX.Y.Z`"),
            ("v1.2.3+4", "build metadata"),
            ("v01.2.3", "is no version"),
            ("pacth", "did you mean `patch`?"),
            ("", "say `vX.Y.Z`"),
            ("99999999999999999999.0.0", "is no version"),
        ] {
            let error = Wanted::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_number_that_has_no_successor_is_said() {
        for (there, step) in [
            ("18446744073709551615.0.0", "major"),
            ("1.0.18446744073709551615", "patch"),
            ("1.0.0-rc.18446744073709551615", "pre"),
        ] {
            let error = Wanted::parse(step).unwrap().version(&versions(there)).unwrap_err();
            assert!(error.to_string().contains("no version number after"), "{error}");
        }
    }

    #[test]
    fn a_version_is_the_highest_or_a_backport_or_too_late() {
        let there = versions("1.0.0 1.2.3 1.2.4-rc.1 2.0.0 2.1.0-rc.1");
        let v = |text: &str| there.get(&text.parse().unwrap()).unwrap();
        for (version, expected) in [
            ("3.0.0", Place::Highest),
            ("2.1.0", Place::Highest),
            ("2.1.0-rc.2", Place::Highest),
            ("2.0.1", Place::Backport { after: v("2.0.0") }),
            ("1.2.4", Place::Backport { after: v("1.2.4-rc.1") }),
            ("1.0.1", Place::Backport { after: v("1.0.0") }),
            ("1.2.2", Place::Behind { highest: v("1.2.4-rc.1") }),
            ("2.1.0-beta", Place::Behind { highest: v("2.1.0-rc.1") }),
            ("1.3.0", Place::NewLine { highest: v("2.1.0-rc.1") }),
        ] {
            assert_eq!(place(&version.parse().unwrap(), &there), expected, "{version}");
        }
        assert_eq!(place(&Version::new(0, 0, 1), &versions("")), Place::Highest);
    }

    #[test]
    fn a_stable_version_is_compared_with_a_stable_one() {
        let there = versions("1.0.0 1.1.0-rc.1 2.0.0");
        for (version, expected) in [
            ("1.1.0", Some("1.0.0")),
            ("1.1.0-rc.2", Some("1.1.0-rc.1")),
            ("2.0.1", Some("2.0.0")),
            ("0.1.0", None),
        ] {
            let before = before(&version.parse().unwrap(), &there).map(Version::to_string);
            assert_eq!(before.as_deref(), expected, "{version}");
        }
    }
}
