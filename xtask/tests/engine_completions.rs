//! The scripts for shells, in those shells. Two of them are fetched, which is why this is run with the tests of
//! engines; what can stand where is tested beside the parser.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/private.rs"]
mod private;
mod support;

use std::process::Command;
use support::{Ran, Repository};
use xtask::docker::engine::packages::{PackageSet, ensure};

const MANIFEST: &str = "\
[project]
name = \"shop\"
registry = \"ghcr.io/owner/shop\"
[services.web]
[services.worker]
[services.db]
[groups]
workers = [\"worker\"]
";

/// Runs a line in a shell that has our script, in a repository, with a cargo that calls the binary.
fn shell(name: &str, line: &str) -> Vec<String> {
    let repository = Repository::new(&[
        ("services/services.toml", MANIFEST),
        ("services/web/Dockerfile", "FROM scratch\n"),
        ("services/worker/Dockerfile", "FROM scratch\n"),
        ("services/db/Dockerfile", "FROM scratch\n"),
    ]);
    let script = format!("#!/bin/sh\nshift\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_xtask"));
    repository.write("bin/cargo", &script);
    let cargo = repository.root().join("bin/cargo");
    private::sh(&format!("chmod +x {}", cargo.display()));
    let ours = repository.xtask(&["completions", name]).run().success().stdout;
    let setup = private::setup_in(&private::cache(), "shells");
    let root = ensure(&setup, PackageSet::Tests).unwrap();
    let env = root.env(&setup);
    let path = format!("{}/bin:{}", repository.root().display(), root.path(&setup));
    let mut command = Command::new(root.program(&setup, name).unwrap());
    // Nothing of a user's or of the machine's settings.
    match name {
        "zsh" => command.arg("-f"),
        "fish" => command.arg("--no-config"),
        _ => command.args(["--norc", "--noprofile"]),
    };
    // What compinit would have brought.
    let before = if name == "zsh" { "compdef() { :; }\n" } else { "" };
    command.args(["-c", &format!("{before}{ours}\n{line}")]).current_dir(repository.root());
    for (name, value) in env {
        command.env(name, value.unwrap_or_default());
    }
    command.env("PATH", path).env("HOME", repository.root());
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.stderr, "", "{name}: {}", ran.stdout);
    ran.success().stdout.lines().map(str::to_owned).collect()
}

/// Fish says what it would offer, with descriptions behind a tab.
fn fish(line: &str) -> Vec<String> {
    let offered = shell("fish", &format!("complete --do-complete '{line}'"));
    offered.iter().map(|it| it.split('\t').next().unwrap().to_owned()).collect()
}

/// The words as bash has them; `cargo` has another function that completes it.
fn bash(words: &[&str]) -> Vec<String> {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let (at, words) = (words.len() - 1, quoted.join(" "));
    let other = "_cargo() { COMPREPLY=(of-cargo); }";
    let call = "_xtask cargo && printf '%s\\n' \"${COMPREPLY[@]}\"";
    shell("bash", &format!("{other}\nCOMP_WORDS=({words}); COMP_CWORD={at}; {call}"))
}

/// The same for zsh, whose own functions are told instead of called.
fn zsh(words: &[&str]) -> Vec<String> {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let (at, words) = (words.len(), quoted.join(" "));
    let told = "compadd() { shift; print -l -- \"${(@P)1}\" }; _files() { print files }; \
                _cargo() { print of-cargo }";
    shell("zsh", &format!("{told}\nwords=({words}); CURRENT={at}; _xtask"))
}

#[test]
fn in_bash() {
    assert_eq!(bash(&["cargo", "xtask", "build-images", "w"]), ["web", "worker", "workers"]);
    assert_eq!(bash(&["cargo", "xtask", "affec"]), ["affected"]);
    assert_eq!(bash(&["cargo", "xtask", "build-images", "--event", "d"]), ["dev"]);
    assert_eq!(bash(&["cargo", "bu"]), ["of-cargo"]);
}

#[test]
fn in_zsh() {
    assert_eq!(zsh(&["cargo", "xtask", "build-images", "w"]), ["web", "worker", "workers"]);
    assert_eq!(zsh(&["cargo", "xtask", "bench", "--save", ""]), ["files"]);
    assert_eq!(zsh(&["cargo", "bu"]), ["of-cargo"]);
}

#[test]
fn in_fish() {
    assert_eq!(fish("cargo xtask build-images w"), ["web", "worker", "workers"]);
    assert_eq!(fish("cargo xtask why d"), ["db"]);
    assert_eq!(fish("cargo xtask build-images --no-s"), ["--no-skip"]);
}
