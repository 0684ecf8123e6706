//! Compares `.dockerignore` as we read it with what a real BuildKit sends.
//!
//! `XTASK_CASES` and `XTASK_SEED` say how many random cases, and which; `cargo xtask test --long`
//! runs more of them.
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

mod support;

#[path = "dockerignore/cases.rs"]
mod cases;
#[path = "dockerignore/judge.rs"]
mod judge;

use cases::{Case, Random};
use std::collections::BTreeSet;
use xtask::plan::dockerignore::{Folder, Ignore, Parent};

/// So many cases are built by one bake.
const BATCH: usize = 50;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

#[test]
fn what_is_sent_is_what_the_rules_say() {
    let (count, seed) =
        (number("XTASK_CASES", if support::long() { 5000 } else { 500 }), number("XTASK_SEED", 1));
    let mut random = Random::new(seed);
    let (mut compared, mut refused, mut trimmed) = (0, 0, 0);
    let mut differences = Vec::new();
    while compared < count {
        let mut batch = Vec::new();
        while batch.len() < BATCH && compared < count {
            let case = random.case();
            match Ignore::parse(&case.rules) {
                Ok(ignore) => {
                    let expected = walk(&ignore, &case);
                    trimmed += u64::from(expected.len() != case.entries().len());
                    batch.push((case, expected));
                    compared += 1;
                }
                Err(_) => refused += 1,
            }
        }
        let sent = judge::sent(&batch.iter().map(|(case, _)| case).collect::<Vec<_>>());
        for ((case, expected), sent) in batch.iter().zip(sent) {
            if *expected != sent {
                differences.push(difference(case, expected, &sent));
            }
        }
    }
    println!(
        "{compared} cases with seed {seed}, {trimmed} of them leave something out, \
         {refused} more that are refused, {} differences",
        differences.len()
    );
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(trimmed * 3 > compared, "too few cases leave something out");
}

/// What the rules say is sent, folders with a slash at the end.
fn walk(ignore: &Ignore, case: &Case) -> BTreeSet<String> {
    let mut sent = BTreeSet::new();
    let mut waiting = vec![(String::new(), Parent::default())];
    while let Some((folder, parent)) = waiting.pop() {
        for entry in case.entries_in(&folder) {
            let Some(path) = entry.strip_suffix('/') else {
                if ignore.sends_file(&entry, &parent) {
                    with_folders(&mut sent, &entry);
                }
                continue;
            };
            let (verdict, state) = ignore.folder(path, &parent);
            if verdict == Folder::Sent {
                with_folders(&mut sent, &entry);
            }
            if verdict != Folder::Skipped {
                waiting.push((entry.clone(), state));
            }
        }
    }
    sent
}

/// An entry is sent with all folders above it.
fn with_folders(sent: &mut BTreeSet<String>, entry: &str) {
    sent.extend(entry.match_indices('/').map(|(at, _)| entry[..=at].to_owned()));
    sent.insert(entry.to_owned());
}

fn difference(case: &Case, ours: &BTreeSet<String>, theirs: &BTreeSet<String>) -> String {
    format!(
        "{:?}: only we send {:?}, only BuildKit sends {:?}",
        case.rules,
        ours.difference(theirs).collect::<Vec<_>>(),
        theirs.difference(ours).collect::<Vec<_>>()
    )
}

/// Rules that BuildKit refuses are refused by us, and those are the only ones it refuses.
#[test]
fn what_buildkit_refuses_is_refused() {
    for rules in ["[", "a\n!", "[]", "!/", "a\\", "x*[a", "[-a]", "[z-a]", "[a-*]", "\\y"] {
        assert!(Ignore::parse(rules).is_err(), "{rules:?}");
        let case = Case::with_rules(rules);
        assert!(!judge::builds(&case), "BuildKit takes {rules:?}");
    }
}

/// Which of the two files counts, and that neither is special in the context.
#[test]
fn the_file_beside_the_dockerfile_wins() {
    let (root, beside) = (".dockerignore", "Dockerfile.dockerignore");
    #[track_caller]
    fn case(files: &[(&str, &str)], sent: &[&str]) {
        assert_eq!(judge::sent_from(files), sent.iter().map(|s| (*s).to_owned()).collect());
    }
    case(&[("a", ""), (root, "a")], &["Dockerfile", root]);
    case(&[("a", ""), ("b", ""), (root, "a"), (beside, "b")], &["Dockerfile", "a", root, beside]);
    case(&[("a", ""), (root, "a"), (beside, "")], &["Dockerfile", "a", root, beside]);
    case(&[("a", ""), (root, "a"), (beside, "# b")], &["Dockerfile", "a", root, beside]);
    case(&[("a", ""), (root, "Dockerfile")], &["a", root]);
    case(&[("a", ""), (root, root)], &["Dockerfile", "a"]);
    case(&[("a", ""), (root, "*\n!b")], &[]);
}
