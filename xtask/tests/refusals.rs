//! Bad arguments, manifests, Dockerfiles and environments: exit code 2, a message that helps,
//! nothing run and nothing written.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "refusals/dockerfiles.rs"]
mod dockerfiles;
#[path = "refusals/environments.rs"]
mod environments;
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
    let (cache, home) = (tools.0.join("cache"), tools.0.join("home"));
    let before = listing(repository.root());
    let mut call = call;
    for (name, value) in [
        ("PATH", path.as_str()),
        ("XTASK_CACHE_DIR", cache.to_str().unwrap()),
        ("HOME", home.to_str().unwrap()),
        // What is not refused must not bring a private engine up.
        ("DOCKER_HOST", "unix:///nowhere/docker.sock"),
    ] {
        if !call.sets(name) {
            call = call.env(name, value);
        }
    }
    let ran = call.run().refused(part);
    assert!(!ran.stderr.contains("DOCKER_HOST"), "an engine was wanted: {}", ran.stderr);
    assert!(!called.exists(), "docker was called: {:?}", std::fs::read_to_string(&called));
    assert!(!cache.exists() && !home.exists(), "the cache folder was written to");
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
        (&["bases"], "Usage: cargo xtask bases"),
        (&["bases", "updaet"], "a similar subcommand exists: 'update'"),
        (
            &["bases", "update", "127.0.0.1:1/debain:slim"],
            "did you mean `127.0.0.1:1/debian:slim`?",
        ),
        (&["bases", "update", "alpine"], "there are: 127.0.0.1:1/debian:slim"),
        (&["bases", "update", "--from", "nowhere"], "[possible values: hub, bootstrap]"),
        (&["bases", "update", "--registry", "owner/x"], "--registry or XTASK_REGISTRY"),
        (&["bases", "check", "--registry", "https://ghcr.io/x"], "--registry or XTASK_REGISTRY"),
        (&["bases", "list", "--fail"], "unexpected argument '--fail'"),
        (&["bases", "check", "--manifest", "absent.toml"], "there is no manifest"),
        (&["compose", "--chekc"], "a similar argument exists: '--check'"),
        (&["bench", "generate", "--services", "0", "--output", "x"], "0 is not in 1..=10000"),
        (&["bench", "generate", "--services", "2", "--output", "services"], "is not empty"),
        (
            &["bench", "generate", "--services", "2", "--output", "services/services.toml/x"],
            "is no folder",
        ),
        (&["bench", "generate"], "--services <N>"),
        (&["bench", "generate", "--services", "2", "--files", "0"], "0 is not in 1..=10000"),
        (&["bench", "generate", "--services", "2", "--seed", "-1"], "unexpected argument"),
        (&["bench", "generate", "--services", "2", "--base", "alpine"], "[possible values: "),
        (&["compose", "--check", "--dry-run"], "cannot be used with"),
        (&["engine", "sttaus"], "a similar subcommand exists: 'status'"),
        (&["plan", "--event", "DEV"], "unknown event `DEV`"),
        (&["plan", "--event", ""], "unknown event ``"),
        (&["plan", "web", "wrker"], "did you mean `worker`?"),
        (&["plan", "--manifest", ""], "--manifest"),
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
        for task in ["build-images", "compose"] {
            refused(&repository, repository.xtask(&[task]), part);
        }
    }
}

const LOCK: &str = "\
schema = 1
[bases.\"127.0.0.1:1/debian:slim\"]
from = \"hub\"
image = \"127.0.0.1:1/debian:slim\"
digest = \"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"
platforms = [\"linux/amd64\"]
locked = \"2026-01-01T00:00:00Z\"
";

#[test]
fn lock_files() {
    let cases = [
        ("schema = 1", "schema = 9", "services/bases.lock:1:1: schema 9 is not known here"),
        ("from = ", "frm = ", "did you mean `from`?"),
        ("sha256:0", "sha256:", "services/bases.lock:5:10"),
        ("from = \"hub\"", "<<<<<<< HEAD", "services/bases.lock:3:1"),
        ("from = \"hub\"", "from = \"hub", "services/bases.lock:3:"),
        ("[bases", "[base", "did you mean `bases`?"),
        ("\"hub\"", "\"\u{0}\"", "services/bases.lock:3:"),
    ];
    let tasks: [&[&str]; 6] = [
        &["build-images"],
        &["plan", "--event", "dev"],
        &["fingerprint"],
        &["bases", "update"],
        &["bases", "check"],
        &["bases", "list"],
    ];
    for (old, new, part) in cases {
        let repository = good();
        repository.write("services/bases.lock", &LOCK.replacen(old, new, 1));
        for args in tasks {
            refused(&repository, repository.xtask(args), part);
        }
    }
    let repository = good();
    std::fs::create_dir(repository.root().join("services/bases.lock")).unwrap();
    refused(&repository, repository.xtask(&["bases", "list"]), "cannot read the lock file");
}

#[test]
fn fragments() {
    let cases = [
        ("servce:\n", "did you mean `service`?"),
        ("service:\n\tinit: true\n", "services/web/compose.yml:2:2: a tab"),
        ("service:\n  build: .\n", "`build` is generated"),
        ("service:\n    init: true\n", "indented by 4"),
        ("{}\n", "no key"),
    ];
    for (text, part) in cases {
        let repository = good();
        repository.write("services/web/compose.yml", text);
        refused(&repository, repository.xtask(&["compose"]), part);
        refused(&repository, repository.xtask(&["compose", "--check"]), part);
    }
    let repository = good();
    std::fs::create_dir(repository.root().join("services/web/compose.yml")).unwrap();
    refused(&repository, repository.xtask(&["compose"]), "cannot read `services/web/compose.yml`");
}
