//! Environments: GitHub's events that fit no row, and machines that lack something.

use super::support::Ran;
use super::{Folder, Repository, Xtask, good, refused};
use std::process::Command;

/// A call under GitHub's environment.
fn github(repository: &Repository, event: &str, git_ref: &str) -> Xtask {
    repository
        .xtask(&["build-images"])
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", event)
        .env("GITHUB_REF", git_ref)
        .env("GITHUB_SHA", &repository.git(&["rev-parse", "HEAD"]))
}

#[test]
fn events_that_fit_no_row() {
    let repository = good();
    let cases = [
        ("push", "refs/heads/main", "publishes nothing"),
        ("push", "refs/heads/dev/x", "publishes nothing"),
        ("push", "refs/tags/nightly", "is no version"),
        ("push", "refs/tags/v1.2", "is no version"),
        ("push", "refs/tags/1.2.3", "a version tag is `vX.Y.Z`"),
        ("push", "refs/tags/v1.2.3+x", "build metadata"),
        ("push", "", "cannot tell what was pushed"),
        ("push", "refs/notes/x", "refs/notes/x"),
        ("", "refs/heads/dev", "GITHUB_EVENT_NAME"),
        ("schedule", "refs/heads/main", "say `--event dev`"),
        ("workflow_dispatch", "refs/heads/dev", "say `--event dev`"),
        ("pull_request_target", "refs/heads/main", "secrets"),
        ("issue_comment", "refs/heads/main", "say `--event`"),
        ("release", "refs/tags/v1.2.3", "--event"),
        ("workflow_run", "refs/heads/dev", "--event"),
    ];
    for (event, git_ref, part) in cases {
        refused(&repository, github(&repository, event, git_ref), part);
    }
}

#[test]
fn events_that_never_publish() {
    let repository = good();
    for event in ["merge_group", "pull_request"] {
        for asked in ["dev", "release:v1.2.3"] {
            let call = repository
                .xtask(&["build-images", "--event", asked])
                .env("GITHUB_ACTIONS", "true")
                .env("GITHUB_EVENT_NAME", event);
            refused(&repository, call, "never publish");
        }
    }
}

#[test]
fn payloads_that_are_none() {
    let repository = good();
    let folder = Folder::new();
    let file = |name: &str, text: &str| {
        let path = folder.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let cases = [
        ("/nowhere.json".to_owned(), "cannot read GITHUB_EVENT_PATH"),
        (folder.0.to_str().unwrap().to_owned(), "cannot read GITHUB_EVENT_PATH"),
        (file("toml", "[project]\nname = 1\n"), "is not JSON"),
        (file("empty", ""), "is not JSON"),
        (file("array", "[]"), "is no event"),
        (file("null", "null"), "is no event"),
    ];
    for (path, part) in cases {
        for (event, git_ref) in [("pull_request", "refs/pull/1/merge"), ("push", "refs/heads/dev")]
        {
            let call = github(&repository, event, git_ref).env("GITHUB_EVENT_PATH", &path);
            refused(&repository, call, part);
        }
    }
}

#[test]
fn commits_that_are_not_what_is_published() {
    let repository = good();
    for (sha, part) in [("1".repeat(40).as_str(), "is checked out"), ("HEAD~9", "is checked out")] {
        let call = github(&repository, "push", "refs/heads/dev").env("GITHUB_SHA", sha);
        refused(&repository, call, part);
    }
    let release = ["release", "publish", "v1.2.3", "--registry", "registry.invalid/shop"];
    let release = repository.xtask(&release);
    refused(&repository, release, "there is no tag v1.2.3 here");
    repository.write("services/web/new", "x");
    let dev = |repository: &Repository| repository.xtask(&["build-images", "--event", "dev"]);
    refused(&repository, dev(&repository), "services/web/new");

    std::fs::remove_dir_all(repository.root().join(".git")).unwrap();
    repository.git(&["init", "--quiet"]);
    refused(&repository, dev(&repository), "there is no commit yet");
    let release = repository.xtask(&["build-images", "--event", "release:v1.2.3"]);
    refused(&repository, release, "there is no commit yet");
}

#[test]
fn machines_that_lack_something() {
    let repository = good();
    let call = || repository.xtask(&["build-images"]);
    refused(&repository, call().env("XTASK_REGISTRY", "not a registry"), "XTASK_REGISTRY");
    refused(&repository, call().env("PATH", "/nowhere"), "cannot run git");
    refused(&repository, call().env("PATH", ""), "cannot run git");
    let outside = Folder::new();
    refused(&repository, call().dir(&outside.0), "is in no git repository");
    let compose = repository.xtask(&["compose"]).dir(&outside.0);
    refused(&repository, compose, "is in no git repository");
    let homeless = || ["HOME", "XTASK_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"];
    for args in [&["build-images"][..], &["engine", "up"], &["engine", "status"]] {
        let call = homeless().into_iter().fold(repository.xtask(args), Xtask::unset);
        refused(&repository, call, "set XTASK_CACHE_DIR or HOME");
    }
    let manifest = repository.root().join("services/services.toml");
    for file in [manifest.clone(), manifest.join("below")] {
        let call = call().env("XTASK_CACHE_DIR", file.to_str().unwrap());
        refused(&repository, call, "services/services.toml` is no folder");
    }
    let call = repository.xtask(&["engine", "up"]).env("XTASK_ENGINE", "No Name");
    refused(&repository, call, "XTASK_ENGINE is `No Name`");
}

#[test]
fn a_working_folder_that_is_gone() {
    let folder = Folder::new();
    let script = format!("rmdir \"$PWD\" && exec '{}' plan", env!("CARGO_BIN_EXE_xtask"));
    let output = Command::new("sh").args(["-c", &script]).current_dir(&folder.0).output();
    Ran::from(output.unwrap()).refused("cannot tell the working folder");
}
