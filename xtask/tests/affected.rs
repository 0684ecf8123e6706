//! `affected` and `matrix` as the binary does them, without an engine.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod support;

#[path = "affected/history.rs"]
mod history;
#[path = "affected/left_behind.rs"]
mod left_behind;
#[path = "affected/matrix.rs"]
mod matrix;

use support::Repository;

const MANIFEST: &str = "\
[project]
name = \"shop\"
registry = \"127.0.0.1:1/owner/shop\"
[bases.\"debian:slim\"]
bootstrap = { debian = \"trixie\" }
[services.base]
[services.web]
[services.db]
[groups]
some = [\"db\"]
";

/// `web` builds on `base`, `db` stands alone.
fn shop() -> Repository {
    Repository::new(&[
        ("services/services.toml", MANIFEST),
        ("services/base/Dockerfile", "FROM debian:slim\nCOPY . /\n"),
        ("services/base/a", "a\n"),
        ("services/web/Dockerfile", "FROM 127.0.0.1:1/owner/shop/base\nCOPY . /\n"),
        ("services/web/.dockerignore", "README.md\n"),
        ("services/web/README.md", "read\n"),
        ("services/web/b", "b\n"),
        ("services/db/Dockerfile", "FROM debian:slim\n"),
    ])
}

#[track_caller]
fn since(repository: &Repository, rev: &str) -> String {
    repository.xtask(&["affected", "--since", rev]).run().success().stdout
}

#[test]
fn what_is_affected_and_why() {
    let shop = shop();
    assert_eq!(since(&shop, "HEAD"), "");
    shop.write("services/base/a", "other\n");
    shop.write("services/web/README.md", "left out\n");
    assert_eq!(since(&shop, "HEAD"), "base  context\nweb   builds on base\n");
    let json = shop.xtask(&["affected", "--since", "HEAD", "--json"]).run().success().json();
    let expected = serde_json::json!({
        "schema": 1,
        "since": shop.git(&["rev-parse", "HEAD"]),
        "services": [
            { "service": "base", "because": ["context"] },
            { "service": "web", "because": ["builds on base"] },
        ]
    });
    assert_eq!(json, expected);
    shop.write("services/web/new", "untracked\n");
    assert_eq!(since(&shop, "HEAD"), "base  context\nweb   context, builds on base\n");
    shop.commit("edit");
    assert_eq!(since(&shop, "HEAD"), "");
    assert_eq!(since(&shop, "HEAD~1"), "base  context\nweb   context, builds on base\n");
}

#[test]
fn what_the_manifest_changes() {
    let shop = shop();
    let edit =
        |from: &str, to: &str| shop.write("services/services.toml", &MANIFEST.replace(from, to));
    edit("[services.db]", "[services.db]\nepoch = 1");
    assert_eq!(since(&shop, "HEAD"), "db  settings\n");
    edit("[services.db]", "# nothing\n[services.db]\nplatforms = [\"linux/arm64\"]");
    assert_eq!(since(&shop, "HEAD"), "");
    edit("\"trixie\"", "\"bookworm\"");
    assert_eq!(since(&shop, "HEAD"), "base  images\ndb    images\nweb   builds on base\n");
    edit("[services.db]", "[services.db]\n[services.more]\ncontext = \"services/db\"");
    assert_eq!(since(&shop, "HEAD"), "more  new\n");
    edit("[services.db]", "[services.db]\ntarget = \"gone\"");
    shop.xtask(&["affected", "--since", "HEAD"]).run().refused("gone");
}

/// What `bases update` writes for a base that a hub has.
fn lock(digit: &str) -> String {
    format!(
        "schema = 1\n[bases.\"tool:1\"]\nfrom = \"hub\"\nimage = \"hub.invalid/tool:1\"\n\
         digest = \"sha256:{}\"\nplatforms = [\"linux/amd64\"]\nlocked = \"2026-01-01T00:00:00Z\"\n",
        digit.repeat(64)
    )
}

#[test]
fn what_a_base_is_locked_to() {
    let shop = shop();
    shop.write("services/services.toml", &format!("{MANIFEST}[bases.\"tool:1\"]\n"));
    shop.write("services/db/Dockerfile", "FROM tool:1\n");
    shop.write("services/bases.lock", &lock("1"));
    shop.commit("locked");
    assert_eq!(since(&shop, "HEAD"), "");
    shop.write("services/bases.lock", &format!("# nothing\n{}", lock("1")));
    assert_eq!(since(&shop, "HEAD"), "");
    shop.write("services/bases.lock", &lock("2"));
    assert_eq!(since(&shop, "HEAD"), "db  images\n");
    std::fs::remove_file(shop.root().join("services/bases.lock")).unwrap();
    assert_eq!(since(&shop, "HEAD"), "db  images\n");
}

#[test]
fn what_has_no_fingerprint_is_always_affected() {
    let shop = shop();
    shop.write("services/db/Dockerfile", "# syntax=docker/dockerfile:1\nFROM debian:slim\n");
    shop.commit("frontend");
    let line = since(&shop, "HEAD");
    assert!(line.starts_with("db  no fingerprint: the frontend `docker/dockerfile:1` "), "{line}");
    let line = since(&shop, "HEAD~1");
    assert!(line.starts_with("db  dockerfile, context, no fingerprint: the frontend "), "{line}");
    shop.git(&["checkout", "--quiet", "HEAD~1", "."]);
    assert_eq!(since(&shop, "HEAD"), "db  dockerfile, context\n");
}

#[test]
fn what_git_does_not_store_makes_no_difference() {
    let shop = shop();
    shop.write(".gitignore", "/target/\nignored\n");
    shop.commit("ignore");
    shop.write("services/web/ignored", "x");
    std::fs::create_dir_all(shop.root().join("services/web/empty/deep")).unwrap();
    assert_eq!(since(&shop, "HEAD"), "");
    // Also where the service is looked at more closely.
    shop.write("services/web/README.md", "left out\n");
    assert_eq!(since(&shop, "HEAD"), "");
}

#[test]
fn a_folder_that_comes_with_what_is_left_out_is_sent() {
    let shop = shop();
    shop.write("services/web/.dockerignore", "**/README.md\n");
    shop.commit("rules");
    shop.write("services/web/docs/README.md", "left out\n");
    assert_eq!(since(&shop, "HEAD"), "web  context\n");
}

#[test]
fn rules_beside_the_dockerfile() {
    let shop = shop();
    shop.write("docker/web", "FROM scratch\nCOPY . /\n");
    shop.write("docker/web.dockerignore", "README.md\n");
    let manifest =
        MANIFEST.replace("[services.web]", "[services.web]\ndockerfile = \"docker/web\"");
    shop.write("services/services.toml", &manifest);
    shop.commit("elsewhere");
    shop.write("docker/web.dockerignore", "README.md\n# b\n");
    assert_eq!(since(&shop, "HEAD"), "");
    shop.write("docker/web.dockerignore", "README.md\nb\n");
    assert_eq!(since(&shop, "HEAD"), "web  context\n");
    // Without them those in the context count, which say what they said.
    std::fs::remove_file(shop.root().join("docker/web.dockerignore")).unwrap();
    assert_eq!(since(&shop, "HEAD"), "");
}

#[test]
fn the_root_as_a_context() {
    let shop = shop();
    let manifest = MANIFEST.replace(
        "[services.db]",
        "[services.db]\ncontext = \".\"\ndockerfile = \"services/db/Dockerfile\"",
    );
    shop.write("services/services.toml", &manifest);
    shop.write(".dockerignore", "services\n");
    shop.commit("root");
    assert_eq!(since(&shop, "HEAD"), "");
    shop.write("services/web/README.md", "left out\n");
    assert_eq!(since(&shop, "HEAD"), "");
    shop.write("README.md", "sent\n");
    assert_eq!(since(&shop, "HEAD"), "db  context\n");
    shop.git(&["rm", "--quiet", "--cached", ".dockerignore"]);
    shop.git(&["commit", "--quiet", "--message", "none"]);
    assert_eq!(since(&shop, "HEAD"), "db  context\n");
}

#[cfg(unix)]
#[test]
fn contexts_and_dockerfiles_behind_symbolic_links() {
    let shop = shop();
    shop.write("elsewhere/web/Dockerfile", "FROM scratch\nCOPY . /\n");
    shop.write("elsewhere/web/c", "c\n");
    shop.git(&["rm", "-rq", "services/web"]);
    std::os::unix::fs::symlink("../elsewhere/web", shop.root().join("services/web")).unwrap();
    shop.commit("link");
    assert_eq!(since(&shop, "HEAD"), "");
    assert_eq!(since(&shop, "HEAD~1"), "web  dockerfile, context, services\n");
    shop.write("elsewhere/web/c", "other\n");
    assert_eq!(since(&shop, "HEAD"), "web  context\n");
}

#[cfg(unix)]
#[test]
fn a_submodule_at_another_commit() {
    let (shop, other) = (shop(), shop());
    let url = other.root().to_str().unwrap();
    let allow = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url];
    shop.git(&[&allow[..], &["services/web/module"]].concat());
    shop.commit("submodule");
    assert_eq!(since(&shop, "HEAD"), "");
    other.write("new", "x");
    let commit = other.commit("edit");
    let module = shop.root().join("services/web/module");
    let run = |args: &[&str]| {
        let done = std::process::Command::new("git").args(args).current_dir(&module).output();
        assert!(done.unwrap().status.success(), "{args:?}");
    };
    run(&["fetch", "--quiet", "origin"]);
    run(&["checkout", "--quiet", &commit]);
    assert_eq!(since(&shop, "HEAD"), "web  context (a submodule)\n");
}

#[test]
fn line_ends_that_git_converts() {
    let shop = shop();
    shop.git(&["config", "core.autocrlf", "true"]);
    shop.write("services/web/b", "b\r\n");
    shop.git(&["add", "--renormalize", "."]);
    assert_eq!(since(&shop, "HEAD"), "");
    // Looked at more closely, with a checkout that converts as the user's own does.
    shop.git(&["rm", "--quiet", "--cached", "-r", "."]);
    shop.git(&["reset", "--quiet", "--hard"]);
    shop.write("services/web/README.md", "left out\r\n");
    assert_eq!(since(&shop, "HEAD"), "");
}

/// Git stores the same, and checks something else out.
#[test]
fn attributes_that_convert_what_git_stores() {
    let shop = shop();
    let checked_out = |attributes: &str| {
        shop.write(".gitattributes", attributes);
        shop.git(&["add", ".gitattributes"]);
        shop.git(&["commit", "--quiet", "--message", "attributes"]);
        shop.git(&["rm", "--quiet", "--cached", "-r", "."]);
        shop.git(&["reset", "--quiet", "--hard"]);
        std::fs::read(shop.root().join("services/base/a")).unwrap()
    };
    assert_eq!(checked_out("services/base/a text eol=crlf\n"), b"a\r\n");
    assert_eq!(since(&shop, "HEAD~1"), "base  context\nweb   builds on base\n");
    assert_eq!(since(&shop, "HEAD"), "");
    assert_eq!(checked_out("# nothing\n"), b"a\n");
    assert_eq!(since(&shop, "HEAD~1"), "base  context\nweb   builds on base\n");
    assert_eq!(since(&shop, "HEAD~2"), "");
}

#[test]
fn a_commit_that_cannot_be_read_affects_everything() {
    let shop = shop();
    shop.write("services/services.toml", "broken");
    shop.commit("broken");
    shop.write("services/services.toml", MANIFEST);
    let ran = shop.xtask(&["affected", "--since", "HEAD"]).run().success();
    let all = ["base", "db", "web"].map(|service| format!("{service:<4}  cannot be compared"));
    assert!(all.iter().all(|line| ran.stdout.contains(line.as_str())), "{}", ran.stdout);
    assert!(ran.stderr.contains("services/services.toml:1"), "{}", ran.stderr);
    shop.git(&["rm", "--quiet", "--cached", "services/services.toml"]);
    shop.git(&["commit", "--quiet", "--message", "none"]);
    let ran = shop.xtask(&["affected", "--since", "HEAD"]).run().success();
    assert!(ran.stderr.contains("it has no manifest `services/services.toml`"), "{}", ran.stderr);
}

#[test]
fn a_commit_that_is_not_there() {
    let shop = shop();
    let affected = |rev: &str| shop.xtask(&["affected", &format!("--since={rev}")]).run();
    affected("nowhere").refused("git knows no commit `nowhere`: name a branch");
    affected("--help").refused("git knows no commit `--help`");
    shop.commit("second");
    let url = format!("file://{}", shop.root().display());
    let shallow = Repository { folder: support::Folder::new() };
    shallow.git(&["clone", "--quiet", "--depth", "1", &url, "."]);
    let ran = shallow.xtask(&["affected", "--since", "HEAD~1"]).run();
    ran.refused("this clone is shallow").refused("fetch-depth: 0");
}

#[test]
fn where_head_has_left_another_branch() {
    let shop = shop();
    shop.git(&["checkout", "--quiet", "-b", "topic"]);
    shop.write("services/web/b", "other\n");
    shop.commit("topic");
    shop.git(&["checkout", "--quiet", "dev"]);
    shop.write("services/db/c", "c\n");
    shop.commit("dev");
    shop.git(&["checkout", "--quiet", "topic"]);
    assert_eq!(since(&shop, "dev"), "db   context\nweb  context\n");
    assert_eq!(since(&shop, "dev..."), "web  context\n");
    shop.git(&["checkout", "--quiet", "--orphan", "other"]);
    shop.commit("orphan");
    shop.xtask(&["affected", "--since", "dev..."]).run().refused("no commit in common");
}
