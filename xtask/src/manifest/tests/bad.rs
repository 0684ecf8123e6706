//! Bad manifests and every word of what is said about them, in `bad.txt`. In it `@head` stands for a
//! `[project]` without mistakes (three lines). `XTASK_ACCEPT=1` writes down what is said now.
#![expect(clippy::disallowed_methods, reason = "a golden file is rewritten on request")]

use crate::diagnostic::report;
use crate::manifest::parse;

const GOLDEN: &str = include_str!("bad.txt");
const HEAD: &str = "[project]\nname = \"shop\"\nregistry = \"ghcr.io/owner/shop\"";
const NEXT: &str = "\n################ ";
const SAYS: &str = "\n----------------\n";

/// What is said about a manifest; nothing if it is good.
fn said(manifest: &str) -> String {
    let text = manifest.replace("@head", HEAD);
    match parse("services/services.toml", &text) {
        Ok(_) => String::new(),
        Err(mistakes) => report(&mistakes),
    }
}

#[test]
fn every_mistake_is_told_as_written_down() {
    let mut now = String::new();
    let mut titles = Vec::new();
    for case in GOLDEN.split(NEXT).map(|case| case.trim_start_matches("################ ")) {
        let (title, rest) = case.split_once('\n').unwrap();
        let manifest = rest.split_once(SAYS).map_or(rest, |(manifest, _)| manifest);
        let said = said(manifest.trim_end_matches('\n'));
        assert!(!said.is_empty(), "`{title}` is good");
        now += &format!("{NEXT}{title}\n{}{SAYS}{said}\n", manifest.trim_end_matches('\n'));
        titles.push(title);
    }
    let now = now.trim_start_matches('\n');
    if std::env::var_os("XTASK_ACCEPT").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/manifest/tests/bad.txt");
        std::fs::write(path, now).unwrap();
        return;
    }
    let differs = now.lines().zip(GOLDEN.lines()).find(|(now, golden)| now != golden);
    if let Some((now, golden)) = differs {
        panic!("said now:\n{now}\nwritten down:\n{golden}");
    }
    assert_eq!(now.len(), GOLDEN.len());
    assert!(titles.len() >= 60, "{} cases", titles.len());
}

#[test]
fn all_mistakes_of_a_file_are_told_in_its_order() {
    let text =
        format!("{HEAD}\nnmae = 1\n[services.Web]\nagrs = {{}}\nepoch = -1\n[groups]\nx = ['y']");
    let mistakes = parse("f", &text).unwrap_err();
    let places: Vec<_> = mistakes.iter().map(|mistake| (mistake.line, mistake.column)).collect();
    assert_eq!(places, [(4, 1), (5, 11), (6, 1), (7, 9), (9, 6)]);
}
