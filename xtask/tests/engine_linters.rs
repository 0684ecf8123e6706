//! Linters of workflows, scripts and Dockerfiles: they find nothing, and they would. They are fetched, which is
//! why they are run with the tests of engines.
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

use std::path::{Path, PathBuf};
use support::{Folder, Ran};
use xtask::docker::engine::packages::{Tools, ensure_tools};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Runs a linter in a folder.
fn lint(dir: &Path, name: &str, args: &[&str]) -> Ran {
    let setup = private::setup_in(&private::cache(), "linters");
    let tools: Tools = ensure_tools(&setup).unwrap();
    let command = tools.command(&setup, name);
    let mut run = std::process::Command::new(&command.program);
    run.args(args).current_dir(dir).stdin(std::process::Stdio::null());
    for (name, value) in &command.env {
        match value {
            Some(value) => run.env(name, value),
            None => run.env_remove(name),
        };
    }
    Ran::from(run.output().unwrap())
}

const ZIZMOR: [&str; 5] =
    ["--offline", "--no-progress", "--persona=auditor", "--strict-collection", "."];

#[test]
fn workflows_are_clean() {
    lint(root(), "zizmor", &ZIZMOR).success();
    lint(root(), "actionlint", &[]).success();
}

#[test]
fn what_is_wrong_with_a_workflow_is_found() {
    let folder = Folder::new();
    let workflows = folder.0.join(".github/workflows");
    std::fs::create_dir_all(&workflows).unwrap();
    std::fs::create_dir(folder.0.join(".git")).unwrap();
    let text = std::fs::read_to_string(root().join(".github/workflows/docker-build.yml")).unwrap();
    let wrong = text
        .replace("needs: [plan, build]", "needs: [plan, bulid]")
        .replace("\"$SINCE\"", "${{ github.head_ref }}")
        .replace("\"$SERVICES\"", "$SERVICES");
    std::fs::write(workflows.join("docker-build.yml"), wrong).unwrap();
    let found = lint(&folder.0, "actionlint", &[]);
    assert_eq!(found.code, Some(1), "{found:?}");
    for part in ["bulid", "SC2086", "github.head_ref"] {
        assert!(found.stdout.contains(part), "{part}: {found:?}");
    }
    let found = lint(&folder.0, "zizmor", &ZIZMOR);
    assert_ne!(found.code, Some(0), "{found:?}");
    assert!(found.stdout.contains("template-injection"), "{found:?}");
}

#[test]
fn scripts_and_dockerfiles_are_clean() {
    let files = std::process::Command::new("git").args(["ls-files"]).current_dir(root()).output();
    let files = Ran::from(files.unwrap()).success().stdout;
    let first_line = |file: &str| {
        let text = std::fs::read(root().join(file)).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned()
    };
    let is_shell = |file: &&str| {
        let first = first_line(file);
        first.starts_with("#!") && (first.ends_with("sh") || first.contains("bash"))
    };
    let mut scripts: Vec<&str> = files.lines().filter(is_shell).collect();
    assert!(scripts.contains(&".ci/run"), "{scripts:?}");
    assert!(scripts.len() > 3, "{scripts:?}");
    scripts.insert(0, "--");
    lint(root(), "shellcheck", &scripts).success();
    let completions = "xtask/src/tasks/completions/xtask.bash";
    lint(root(), "shellcheck", &["--shell", "bash", completions]).success();
    let name =
        |file: &&str| PathBuf::from(file).file_name().is_some_and(|name| name == "Dockerfile");
    let dockerfiles: Vec<&str> =
        files.lines().filter(|f| f.starts_with("services/")).filter(name).collect();
    assert_eq!(dockerfiles.len(), 3, "{dockerfiles:?}");
    lint(root(), "hadolint", &dockerfiles).success();
}
