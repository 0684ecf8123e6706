//! Bad arguments, manifests, Dockerfiles and environments: exit code 2, a message that helps,
//! nothing run and nothing written.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use support::{Folder, Repository, Xtask};

const MANIFEST: &str = "\
[project]
name = \"shop\"
registry = \"127.0.0.1:1/owner/shop\"
[bases.\"127.0.0.1:1/debian:slim\"]
bootstrap = { debian = \"trixie\" }
[services.web]
[services.worker]
[groups]
all = [\"web\", \"worker\"]
";
const DOCKERFILE: &str = "FROM 127.0.0.1:1/debian:slim\nRUN true\n";

/// A good repository, whose files a case then spoils.
fn good() -> Repository {
    Repository::new(&[
        ("services/services.toml", MANIFEST),
        ("services/web/Dockerfile", DOCKERFILE),
        ("services/worker/Dockerfile", DOCKERFILE),
    ])
}

/// Runs with a docker that must not be called, and an empty cache folder that must stay so.
#[track_caller]
fn refused(repository: &Repository, call: Xtask, part: &str) {
    let tools = Folder::new();
    let called = tools.0.join("called");
    let docker = tools.0.join("docker");
    std::fs::write(&docker, format!("#!/bin/sh\necho \"$@\" >> {}\n", called.display())).unwrap();
    std::fs::set_permissions(&docker, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", tools.0.display(), std::env::var("PATH").unwrap());
    let cache = tools.0.join("cache");
    let before = listing(repository.root());
    let call = if call.sets("PATH") { call } else { call.env("PATH", &path) };
    let call = if call.sets("XTASK_CACHE_DIR") {
        call
    } else {
        call.env("XTASK_CACHE_DIR", cache.to_str().unwrap())
    };
    call.run().refused(part);
    assert!(!called.exists(), "docker was called: {:?}", std::fs::read_to_string(&called));
    assert!(!cache.exists(), "the cache folder was written to");
    assert_eq!(listing(repository.root()), before);
}

fn listing(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path.clone());
            }
            found.push(format!("{} {:?}", path.display(), std::fs::read(&path).ok()));
        }
    }
    found.sort();
    found
}

#[test]
fn arguments() {
    let repository = good();
    let cases: &[(&[&str], &str)] = &[
        (&[], "Usage: cargo xtask"),
        (&["biuld-images"], "a similar subcommand exists: 'build-images'"),
        (&["build-images", "--evnet", "dev"], "a similar argument exists: '--event'"),
        (&["build-images", "--event"], "a value is required"),
        (&["build-images", "--quiet", "--verbose"], "cannot be used with"),
        (&["build-images", "--event", "push"], "unknown event `push`"),
        (&["build-images", "--event", "release"], "`release:vX.Y.Z`"),
        (&["build-images", "--event", "release:1.2.3"], "a version tag is `vX.Y.Z`"),
        (&["build-images", "--event", "release:v1.2"], "is no version"),
        (&["build-images", "--event", "release:v1.2.3+x"], "build metadata"),
        (&["build-images", "--event", "release:v01.2.3"], "is no version"),
        (&["build-images", "wbe"], "did you mean `web`?"),
        (&["build-images", "al"], "no service or group `al`"),
        (&["build-images", ""], "no service or group ``"),
        (&["build-images", "nothing-like-it"], "there are: web, worker"),
        (&["build-images", "--registry", "https://ghcr.io/x"], "--registry or XTASK_REGISTRY"),
        (&["build-images", "--registry", "owner/x"], "--registry or XTASK_REGISTRY"),
        (&["build-images", "--registry", "ghcr.io/Owner"], "--registry or XTASK_REGISTRY"),
        (&["build-images", "--registry", ""], "--registry or XTASK_REGISTRY"),
        (&["build-images", "--manifest", "absent.toml"], "there is no manifest"),
        (&["build-images", "--manifest", "no/such/folder.toml"], "there is no such file"),
        (&["build-images", "--manifest", "services"], "cannot read the manifest"),
        (
            &["build-images", "--event", "dev", "--allow-dirty", "--registry", "ghcr.io/x"],
            "for a registry on this machine",
        ),
        (&["test", "--fast", "--long"], "cannot be used with"),
        (&["engine"], "Usage: cargo xtask engine"),
        (&["engine", "exec"], "required arguments"),
        (&["engine", "down", "--bases"], "--purge"),
        (&["compose", "--chekc"], "a similar argument exists: '--check'"),
        (&["bench", "generate", "--services", "0", "--output", "x"], "0 is not in 1..=10000"),
        (&["bench", "generate", "--services", "2", "--output", "services"], "is not empty"),
    ];
    for (args, part) in cases {
        refused(&repository, repository.xtask(args), part);
    }
}

#[test]
fn manifests() {
    let cases = [
        ("", "name"),
        ("[project\n", "services/services.toml:1"),
        ("[project]\nname = \"x\"\nregistry = \"r.io/x\"\n", "service"),
        (
            "[project]\nname = \"X\"\nregistry = \"r.io/x\"\n[services.web]\n",
            "services/services.toml:2:8",
        ),
        (
            "[project]\nname = \"x\"\nregistry = \"r.io/x\"\n[services.web]\ncontxt = \"x\"\n",
            "did you mean `context`?",
        ),
        (
            "[project]\nname = \"x\"\nregistry = \"r.io/x\"\n[services.web]\ncontext = \"../x\"\n",
            "services/services.toml:5",
        ),
        (
            "[project]\nname = \"x\"\nregistry = \"r.io/x\"\n[services.web]\n[services.web]\n",
            "services/services.toml:5",
        ),
        ("[project]\nname = \"x\"\nregistry = \"r.io/x\"\n[services.bases]\n", "reserved"),
        (
            "[project]\nname = \"x\"\nregistry = \"r.io/x\"\n[services.web]\nplatforms = [\"linux/amd46\"]\n",
            "did you mean `linux/amd64`?",
        ),
        (
            "[project]\nname = \"x\"\nregistry = \"r.io/x\"\n[services.web]\n[groups]\ng = [\"wbe\"]\n",
            "did you mean `web`?",
        ),
        ("[project]\nname = \"x\"\nregistry = \"r.io/x\"\n[services.gone]\n", "services/gone"),
        ("\u{feff}[project]\nname = 1\n", "services/services.toml:2:8"),
    ];
    for (text, part) in cases {
        let repository = good();
        repository.write("services/services.toml", text);
        refused(&repository, repository.xtask(&["build-images"]), part);
    }
}

#[test]
fn dockerfiles_and_contexts() {
    let spoiled = |text: &str, part: &str| {
        let repository = good();
        repository.write("services/web/Dockerfile", text);
        refused(&repository, repository.xtask(&["build-images"]), part);
    };
    spoiled(
        "FROM 127.0.0.1:1/debian:slmi\n",
        "services/web/Dockerfile:1:1: service `web` builds on",
    );
    spoiled("FROM 127.0.0.1:1/debian:slmi\n", "did you mean `127.0.0.1:1/debian:slim`?");
    spoiled(
        "FROM 127.0.0.1:1/owner/shop/wroker\n",
        "did you mean `127.0.0.1:1/owner/shop/worker`?",
    );
    spoiled("FROM 127.0.0.1:1/owner/shop/web\n", "services build on each other: web -> web");
    spoiled("ARG X\nFROM $X\n", "services/web/Dockerfile:2");
    spoiled(
        "FROM 127.0.0.1:1/debian:slim\nCOPY --from=other:x / /\n",
        "services/web/Dockerfile:2:1",
    );
    let case = |spoil: &dyn Fn(&Repository), part: &str| {
        let repository = good();
        spoil(&repository);
        refused(&repository, repository.xtask(&["build-images"]), part);
    };
    case(
        &|repository| {
            let text = |other: &str| format!("FROM 127.0.0.1:1/owner/shop/{other}\n");
            repository.write("services/web/Dockerfile", &text("worker"));
            repository.write("services/worker/Dockerfile", &text("web"));
        },
        "services build on each other: web -> worker -> web",
    );
    let dockerfile = |repository: &Repository| repository.root().join("services/web/Dockerfile");
    case(&|r| std::fs::remove_file(dockerfile(r)).unwrap(), "services/services.toml:6");
    case(&|r| std::fs::write(dockerfile(r), b"FROM \xff\n").unwrap(), "services/web/Dockerfile");
    case(
        &|r| {
            std::fs::remove_file(dockerfile(r)).unwrap();
            std::fs::create_dir(dockerfile(r)).unwrap();
        },
        "services/web/Dockerfile",
    );
    case(
        &|r| {
            std::fs::remove_file(dockerfile(r)).unwrap();
            std::os::unix::fs::symlink("/etc/passwd", dockerfile(r)).unwrap();
        },
        "services/web/Dockerfile",
    );
    case(
        &|r| {
            std::fs::remove_dir_all(r.root().join("services/web")).unwrap();
            std::os::unix::fs::symlink("/usr", r.root().join("services/web")).unwrap();
        },
        "services/web",
    );
    case(
        &|r| {
            let text = MANIFEST.replace("[services.web]\n", "[services.web]\ntarget = \"biuld\"\n");
            r.write("services/services.toml", &text);
            r.write(
                "services/web/Dockerfile",
                "FROM 127.0.0.1:1/debian:slim AS build\nFROM build\n",
            );
        },
        "did you mean `build`?",
    );
    case(
        &|r| {
            let secrets = "[services.web]\nsecrets = [{ id = \"a\", env = \"NOT_SET\" }, { id = \"b\", file = \"gone\" }]\n";
            r.write("services/services.toml", &MANIFEST.replace("[services.web]\n", secrets));
        },
        "the variable `NOT_SET` is not set",
    );
}

#[test]
fn environments() {
    let repository = good();
    let github = |name: &str, git_ref: &str| {
        repository
            .xtask(&["build-images"])
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_NAME", name)
            .env("GITHUB_REF", git_ref)
            .env("GITHUB_SHA", &repository.git(&["rev-parse", "HEAD"]))
    };
    refused(&repository, github("push", "refs/heads/main"), "publishes nothing");
    refused(&repository, github("push", "refs/tags/nightly"), "is no version");
    refused(&repository, github("push", ""), "cannot tell what was pushed");
    refused(&repository, github("schedule", "refs/heads/main"), "say `--event dev`");
    refused(&repository, github("workflow_dispatch", "refs/heads/dev"), "say `--event dev`");
    refused(&repository, github("pull_request_target", "refs/heads/main"), "secrets");
    refused(&repository, github("issue_comment", "refs/heads/main"), "say `--event`");
    let call = github("push", "refs/heads/dev").env("GITHUB_SHA", &"1".repeat(40));
    refused(&repository, call, "is checked out");
    let call = github("pull_request", "refs/pull/1/merge");
    refused(&repository, call.env("GITHUB_EVENT_PATH", "/nowhere.json"), "GITHUB_EVENT_PATH");
    let manifest = repository.root().join("services/services.toml");
    let call = github("pull_request", "refs/pull/1/merge");
    let call = call.env("GITHUB_EVENT_PATH", manifest.to_str().unwrap());
    refused(&repository, call, "is not JSON");
    let call = repository.xtask(&["build-images", "--event", "dev"]);
    refused(
        &repository,
        call.env("GITHUB_ACTIONS", "true").env("GITHUB_EVENT_NAME", "merge_group"),
        "never publish",
    );
    refused(
        &repository,
        repository.xtask(&["build-images"]).env("XTASK_REGISTRY", "not a registry"),
        "XTASK_REGISTRY",
    );
    refused(
        &repository,
        repository.xtask(&["build-images"]).env("PATH", "/nowhere"),
        "cannot run git",
    );
    let outside = Folder::new();
    refused(
        &repository,
        repository.xtask(&["build-images"]).dir(&outside.0),
        "is in no git repository",
    );
    let call = repository.xtask(&["engine", "up"]).env("XTASK_ENGINE", "No Name");
    refused(&repository, call, "XTASK_ENGINE is `No Name`");
    repository.write("services/web/new", "x");
    refused(&repository, repository.xtask(&["build-images", "--event", "dev"]), "services/web/new");

    let empty = good();
    std::fs::remove_dir_all(empty.root().join(".git")).unwrap();
    empty.git(&["init", "--quiet"]);
    refused(&empty, empty.xtask(&["build-images", "--event", "dev"]), "there is no commit yet");
}
