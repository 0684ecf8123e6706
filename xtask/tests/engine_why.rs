//! `why` against images that were really built and published.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/registry.rs"]
mod registry;
mod support;

use registry::place;
use support::{EmptyEngine, Repository, busybox, engine};

const DEV: [&str; 3] = ["build-images", "--event", "dev"];

/// `web` builds on `base`.
fn two_services(place: &str) -> Repository {
    let web = format!("FROM {place}/base\nARG LEVEL\nCOPY file /\n");
    let services = "[services.base]\n[services.web]\nargs = { LEVEL = \"1\" }\n";
    let base = "FROM busybox:debian\nCOPY . /base\n";
    let repository = busybox(place, services, &[("base", base), ("web", &web)]);
    repository.write("services/web/file", "1\n");
    repository.write("services/base/file", "1\n");
    repository.commit("files");
    repository
}

#[track_caller]
fn why(repository: &Repository, args: &[&str]) -> Vec<String> {
    let words = engine().xtask(repository, &[&["why", "web"], args].concat()).run().success();
    words.stdout.lines().map(str::to_owned).collect()
}

fn rewrite(repository: &Repository, path: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(repository.root().join(path)).unwrap();
    assert!(text.contains(from), "{text}");
    repository.write(path, &text.replace(from, to));
}

/// Each edit is named, and nothing else.
#[test]
fn ten_edits_of_what_is_published() {
    let place = place(engine());
    let repository = two_services(&place);
    engine().xtask(&repository, &DEV).run().success();
    let revision = repository.git(&["rev-parse", "HEAD"]);
    let same = format!("web: nothing changed: it is `{place}/web:dev` ({})", &revision[..7]);
    assert_eq!(why(&repository, &[]), [same.as_str()]);
    let manifest = "services/services.toml";
    let write = |path: &str, text: &str| repository.write(path, text);
    let edit = |path: &str, from: &str, to: &str| rewrite(&repository, path, from, to);
    let check = |number: usize, parts: &str, expected: &[&str]| {
        let lines = why(&repository, &[]);
        assert!(lines[0].ends_with(&format!("in {parts}")), "edit {number}: {lines:?}");
        assert_eq!(lines[1..], *expected, "edit {number}");
        repository.git(&["reset", "--quiet", "--hard"]);
        repository.git(&["clean", "-ffdxq"]);
    };
    write("services/web/file", "2\n");
    check(1, "context", &["web: context: services/web/file changed (content)"]);
    write("services/web/new", "");
    check(2, "context", &["web: context: services/web/new added"]);
    repository.git(&["rm", "-q", "services/web/file"]);
    check(3, "context", &["web: context: services/web/file removed"]);
    edit(manifest, "LEVEL = \"1\"", "LEVEL = \"2\"");
    check(4, "settings", &["web: settings: arg LEVEL changed (1 -> 2)"]);
    edit(manifest, "[services.web]", "[services.web]\nepoch = 1");
    check(5, "settings", &["web: settings: epoch changed (0 -> 1)"]);
    edit(manifest, "[services.web]", "[services.web]\ndescription = \"x\"");
    let label = "web: settings: label org.opencontainers.image.description added (x)";
    check(6, "settings", &[label]);
    edit("services/web/Dockerfile", "COPY file /", "COPY file /x");
    let twice = "web: dockerfile, context: services/web/Dockerfile changed (content)";
    check(7, "dockerfile, context", &[twice]);
    write("services/web/.dockerignore", ".dockerignore\nfile\n");
    check(8, "context", &["web: context: services/web/file removed"]);
    write("services/base/file", "2\n");
    let below =
        ["web: services: base changed", "base: context: services/base/file changed (content)"];
    check(9, "services", &below);
    edit("services/base/Dockerfile", "COPY .", "COPY file");
    let below = [
        "web: services: base changed",
        "base: dockerfile, context: services/base/Dockerfile changed (content)",
    ];
    check(10, "services", &below);
    write("README.md", "an edit of nothing that is sent");
    assert_eq!(why(&repository, &[]), [same.as_str()]);
}

/// Elsewhere, from a clone: what was promoted names the commit that it was built of.
#[test]
fn in_another_clone_after_promotion_and_against_a_release() {
    let place = place(engine());
    let repository = two_services(&place);
    engine().xtask(&repository, &DEV).run().success();
    let built = repository.git(&["rev-parse", "HEAD"]);
    repository.write("README.md", "promoted");
    repository.commit("readme");
    engine().xtask(&repository, &DEV).run().success();
    let release = ["build-images", "--event", "release:v1.0.0"];
    engine().xtask(&repository, &release).run().success();
    let clone = Repository { folder: support::Folder::new() };
    let url = format!("file://{}", repository.root().display());
    clone.git(&["clone", "--quiet", &url, "."]);
    let other = EmptyEngine::start();
    let words = |args: &[&str]| {
        let args = [&["why", "web"], args].concat();
        other.0.xtask(&clone, &args).run().success().stdout
    };
    let same =
        |tag: &str| format!("web: nothing changed: it is `{place}/web:{tag}` ({})\n", &built[..7]);
    assert_eq!((words(&[]), words(&["--against", "v1.0.0"])), (same("dev"), same("v1.0.0")));
    clone.write("services/web/file", "2\n");
    assert!(words(&["--against", "v1.0.0"]).ends_with("services/web/file changed (content)\n"));
    // No history: the parts are told, and how to get the rest.
    let shallow = Repository { folder: support::Folder::new() };
    shallow.git(&["clone", "--quiet", "--depth", "1", &url, "."]);
    shallow.write("services/web/file", "2\n");
    let ran = other.0.xtask(&shallow, &["why", "web"]).run();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.ends_with("in context\n") && ran.stderr.contains("--unshallow"), "{ran:?}");
    let ran = other.0.xtask(&shallow, &["why", "web", "--against", "gone"]).run();
    assert!(ran.code == Some(1) && ran.stderr.contains("nothing is published"), "{ran:?}");
}

/// `affected` and what a pull request builds are the same services.
#[test]
fn affected_is_what_is_built() {
    let place = place(engine());
    let repository = two_services(&place);
    engine().xtask(&repository, &DEV).run().success();
    for (path, expected) in [("services/web/file", 1), ("services/base/file", 2), ("README.md", 0)]
    {
        repository.write(path, "other\n");
        let args = ["affected", "--since", "HEAD", "--json"];
        let affected = repository.xtask(&args).run().success().json();
        let plan = ["plan", "--event", "pr", "--json"];
        let plan = engine().xtask(&repository, &plan).run().success().json();
        let mut affected: Vec<&serde_json::Value> =
            affected["services"].as_array().unwrap().iter().map(|s| &s["service"]).collect();
        let built = plan["services"].as_array().unwrap().iter().filter(|s| s["action"] == "build");
        let mut built: Vec<&serde_json::Value> = built.map(|s| &s["service"]).collect();
        affected.sort_by_key(|name| name.to_string());
        built.sort_by_key(|name| name.to_string());
        assert_eq!(affected, built, "{path}");
        assert_eq!(affected.len(), expected, "{path}");
        repository.git(&["reset", "--quiet", "--hard"]);
    }
}
