//! What a run tells where there is no terminal, and on GitHub.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod support;

use support::{Repository, busybox, engine, unique};

const REGISTRY: &str = "registry.invalid/small";

/// Nothing of it was ever built before.
fn two() -> Repository {
    let new = unique("progress");
    let good = format!("FROM busybox:debian\nWORKDIR /{new}\nRUN sleep 1; echo {new} > fine\n");
    let bad = format!(
        "FROM busybox:debian\n\nRUN sleep 1; \\\n    echo '::error::evil'; echo last words; \\\n    \
         exit 3 # {new}\n"
    );
    let services = "[services.good]\n[services.bad]\n";
    busybox(REGISTRY, services, &[("good", &good), ("bad", &bad)])
}

fn position(text: &str, line: &str) -> usize {
    text.lines().position(|l| l == line).unwrap_or_else(|| panic!("no line `{line}` in:\n{text}"))
}

#[test]
fn lines_say_what_begins_ends_and_fails() {
    let ran = engine().xtask(&two(), &["build-images"]).run();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let said = &ran.stderr;
    let begins = (position(said, "bad  begins"), position(said, "good  begins"));
    let tail: Vec<usize> = said
        .lines()
        .enumerate()
        .filter_map(|(number, line)| (line == "  | last words").then_some(number))
        .collect();
    assert_eq!(tail.len(), 2, "at once and at the end:\n{said}");
    let ends = said.lines().position(|line| line.starts_with("good  built in ")).unwrap();
    let error = said.lines().position(|line| line.starts_with("error: services/bad")).unwrap();
    assert!(begins.0 < tail[0] && begins.1 < ends && tail[0] < error && error < tail[1], "{said}");
    let is_command = |line: &str| line.trim_start().starts_with("::");
    assert!(!said.contains('\x1b') && !said.lines().any(is_command), "{said}");
}

#[test]
fn github_folds_what_went_well_and_notes_what_failed_at_its_lines() {
    let repository = two();
    let call = engine().xtask(&repository, &["build-images", "--event", "local"]);
    let workspace = repository.root().parent().unwrap().to_str().unwrap();
    let call = call.env("GITHUB_ACTIONS", "true").env("GITHUB_WORKSPACE", workspace);
    let ran = call.run();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let commands: Vec<&str> =
        ran.stderr.lines().filter(|line| line.trim_start().starts_with("::")).collect();
    let folder = repository.root().file_name().unwrap().to_str().unwrap();
    let note = format!(
        "::error file={folder}/services/bad/Dockerfile,line=3,endLine=5,title=bad failed::"
    );
    let groups = commands.iter().filter(|line| line.starts_with("::group::")).count();
    let ends = commands.iter().filter(|line| **line == "::endgroup::").count();
    assert!(groups == ends && groups >= 1, "{commands:?}");
    let notes: Vec<&&str> = commands.iter().filter(|line| !line.contains("group::")).collect();
    assert_eq!(notes.len(), 1, "{commands:?}");
    assert!(notes[0].starts_with(&note) && notes[0].contains("exit code: 3"), "{}", notes[0]);
    assert!(notes[0].ends_with("%0A::error::evil%0Alast words"), "{}", notes[0]);
    let group = ran.stderr.lines().position(|line| line.starts_with("::group::good  built in"));
    let step = ran.stderr.lines().nth(group.unwrap() + 1).unwrap();
    assert!(step.starts_with("1/3 WORKDIR /progress-"), "{step}");
}
