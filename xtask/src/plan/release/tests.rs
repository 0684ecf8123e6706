//! Every rule of where the tags of a release go, as rows of a table.

use super::*;
use crate::context::event::Kind;
use crate::plan::tags::{Known, tags};

const SHA: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

/// A row: the version, the tags in `releases`, the version tags of services, and the tags that move
/// besides the version's own and the sha.
#[track_caller]
fn row(version: &str, releases: &str, own: &str, expected: &str) {
    let releases = Releases::of_tags(releases.split_whitespace());
    let own: Vec<Version> = own.split_whitespace().map(|v| version_of_tag(v).unwrap()).collect();
    let kind = Kind::Release(version_of_tag(version).unwrap());
    let tags = tags(&kind, SHA, &Known::Known(releases.counting(&own)));
    let (first, last) = (tags.moves.first().unwrap(), tags.moves.last().unwrap());
    assert_eq!((first.as_str(), last.as_str()), (version, SHA));
    assert_eq!(tags.moves[1..tags.moves.len() - 1].join(" "), expected, "{version}");
    assert_eq!(tags.moves.len() + tags.stays.len(), 5, "each tag moves or stays");
}

#[test]
fn forward() {
    row("v0.1.0", "", "", "0.1 0 latest");
    row("v0.1.1", "v0.1.0", "v0.1.0", "0.1 0 latest");
    row("v0.2.0", "v0.1.0 v0.1.1", "", "0.2 0 latest");
    row("v1.0.0", "v0.1.0 v0.2.0", "", "1.0 1 latest");
    row("v2.0.0", "v1.9.9", "", "2.0 2 latest");
    row("v10.0.0", "v9.9.9", "", "10.0 10 latest");
    row("v1.10.0", "v1.9.0", "", "1.10 1 latest");
    row("v0.0.1", "", "", "0.0 0 latest");
    row("v0.0.2", "v0.0.1", "", "0.0 0 latest");
}

#[test]
fn backports_and_gaps() {
    row("v1.2.4", "v2.0.0 v1.2.3", "", "1.2 1");
    row("v1.2.4", "v2.0.0 v1.3.0", "", "1.2");
    row("v1.2.4", "v1.2.5 v1.2.3", "", "");
    row("v0.1.2", "v0.1.0 v0.1.1 v1.0.0", "", "0.1 0");
    row("v0.1.2", "v0.2.0 v1.0.0", "", "0.1");
    row("v0.2.0", "v0.10.0", "", "0.2");
    row("v1.5.0", "v1.1.0 v1.9.0", "", "1.5");
    row("v3.0.0", "v1.0.0 v5.0.0", "", "3.0 3");
    row("v1.0.5", "v1.0.2 v1.0.9", "", "");
}

#[test]
fn pre_releases() {
    row("v1.0.0-rc.1", "", "", "");
    row("v1.0.0-rc.1", "v0.9.0", "", "");
    row("v1.0.0", "v1.0.0-rc.1 v1.0.0-rc.2", "", "1.0 1 latest");
    row("v1.0.0", "v2.0.0-alpha", "", "1.0 1 latest");
    row("v1.0.1", "v1.0.2-rc.1 v1.0.0", "", "1.0 1 latest");
    row("v0.1.0-0", "v0.1.0-alpha.1", "", "");
}

#[test]
fn the_same_version_again() {
    row("v1.0.0", "v1.0.0", "v1.0.0", "1.0 1 latest");
    row("v1.0.0", "v1.0.0 v1.0.1", "", "");
    row("v1.0.0", "v1.0.0 v1.1.0", "", "1.0");
}

#[test]
fn unfinished_and_withdrawn_versions_do_not_count() {
    row("v1.0.1", "v1.0.0 journal-v2.0.0", "v2.0.0", "1.0 1 latest");
    row("v1.0.1", "v1.0.0 v2.0.0 withdrawn-v2.0.0", "v2.0.0", "1.0 1 latest");
    row("v1.0.1", "v1.0.0 journal-v1.0.1", "v1.0.1", "1.0 1 latest");
    // Rolled back to v1.0.0, then a hotfix.
    row("v1.1.1", "v1.0.0 v1.1.0 withdrawn-v1.1.0", "", "1.1 1 latest");
    // A higher version was abandoned half-way: its tags are there, its record is not.
    row("v1.5.0", "v1.4.0 journal-v1.6.0", "v1.4.0 v1.6.0", "1.5 1 latest");
    row("v1.0.0", "v1.0.0 withdrawn-v1.0.0", "", "1.0 1 latest");
    row("v0.9.0", "v1.0.0 withdrawn-v1.0.0", "v1.0.0", "0.9 0 latest");
    row("v1.0.2", "v1.0.1 v1.0.3 withdrawn-v1.0.1", "", "");
}

#[test]
fn adoption() {
    row("v1.0.1", "", "v1.0.0 v0.9.0", "1.0 1 latest");
    row("v1.0.1", "", "v2.0.0", "1.0 1");
    row("v1.0.1", "journal-v1.0.1", "v2.0.0", "1.0 1");
    // From the first record on only records count.
    row("v1.0.1", "v1.0.0", "v2.0.0", "1.0 1 latest");
    row("v1.0.1", "withdrawn-v2.0.0", "v2.0.0 v1.0.0", "1.0 1 latest");
}

#[test]
fn odd_tags_are_passed_over() {
    row(
        "v1.0.1",
        "latest v1 v1.0 1.5.0 vv2.0.0 v02.0.0 v2.0.0.0 sha-1 journal- x-v9.0.0",
        "",
        "1.0 1 latest",
    );
    row("v1.0.1", "v18446744073709551615.0.0", "", "1.0 1");
    row(
        "v18446744073709551615.0.0",
        "v1.0.0",
        "",
        "18446744073709551615.0 18446744073709551615 latest",
    );
    let hundreds: Vec<String> = (0..300).map(|patch| format!("v1.0.{patch}")).collect();
    row("v1.0.300", &hundreds.join(" "), "", "1.0 1 latest");
    row("v1.0.30", &hundreds.join(" "), "", "");
    for odd in
        ["1.2.3", "v1.2", "v1.2.3+build", "v01.2.3", "v1.2.3-01", "v18446744073709551616.0.0", "v"]
    {
        assert!(version_of_tag(odd).is_err(), "{odd}");
    }
}

#[test]
fn what_is_begun_and_not_ended() {
    let releases = Releases::of_tags([
        "journal-v1.0.0",
        "v1.0.0",
        "journal-v1.1.0",
        "journal-v1.2.0",
        "withdrawn-v1.2.0",
    ]);
    let unfinished: Vec<String> = releases.unfinished().map(ToString::to_string).collect();
    assert_eq!(unfinished, ["1.1.0"]);
    let pre = Version::parse("1.0.0-rc.1").unwrap();
    for tag in [record_tag(&pre), journal_tag(&pre), withdrawn_tag(&pre)] {
        let releases = Releases::of_tags([tag.as_str()]);
        let all = [&releases.records, &releases.journals, &releases.withdrawn];
        assert_eq!(all.iter().filter(|set| set.contains(&pre)).count(), 1, "{tag}");
    }
}
