//! `--dry-run` of every command that has one: the registry, git's refs and the files are the same before
//! and after. Against a registry in memory.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/project.rs"]
mod project;
#[path = "support/scratch.rs"]
mod scratch;
mod support;

use project::World;
use relay::Profile;
use support::{Repository, unique};

const COMMANDS: [&str; 13] = [
    "build-images",
    "build-images --event pr",
    "build-images --event dev",
    "build-images --event release:v0.3.0",
    "release publish v0.3.0",
    "release rollback v0.2.0",
    "release rollback v0.2.0 --yes",
    "warm-cache",
    "warm-cache --tag v0.2.0",
    "pull",
    "pull --tag v0.1.0",
    "pull --tag latest",
    "bases update",
];

/// All that a dry run could change.
fn all(world: &World, repository: &Repository) -> (Vec<(String, String)>, [String; 4]) {
    let tags = world.memory.tags().into_iter().collect();
    let git = |args: &[&str]| repository.git(args);
    let of_git = [
        git(&["show-ref", "--head"]),
        git(&["tag", "--list"]),
        git(&["status", "--porcelain", "--ignored"]),
        git(&["config", "--list", "--local"]),
    ];
    (tags, of_git)
}

#[test]
fn nothing_is_changed() {
    let world = World::new(Profile::Capable);
    let place = format!("{}/{}", world.relay.address(), unique("dry"));
    let repository = scratch::repository(["base", "web"]);
    for version in ["v0.1.0", "v0.2.0"] {
        repository.write("services/web/file", version);
        let commit = repository.commit(version);
        let fingerprints = scratch::fingerprints(&repository);
        scratch::publish(&place, &fingerprints, &["dev", &commit]);
        repository.git(&["tag", "--annotate", "--message", version, version]);
        repository.xtask(&["release", "publish", version, "--registry", &place]).run().success();
    }
    repository.write("services/web/file", "v0.3.0");
    repository.commit("v0.3.0");
    std::fs::remove_dir_all(repository.root().join("target")).unwrap();
    for command in COMMANDS {
        changes_nothing(&world, &repository, &place, command);
    }
    repository.git(&["switch", "--quiet", "--detach", "v0.2.0"]);
    changes_nothing(&world, &repository, &place, "release publish v0.2.0");
}

#[track_caller]
fn changes_nothing(world: &World, repository: &Repository, place: &str, command: &str) {
    let before = all(world, repository);
    let mut args: Vec<&str> = command.split(' ').collect();
    args.push("--dry-run");
    if args[0] != "bases" {
        args.extend(["--registry", place]);
    }
    world.relay.reset();
    let ran = repository.xtask(&args).run();
    assert!(matches!(ran.code, Some(0 | 1)), "{command}: {}", ran.stderr);
    assert!(!ran.stdout.is_empty() || ran.code == Some(1), "{command}");
    let log = world.relay.log();
    let writes = log.iter().find(|it| !matches!(it.method.as_str(), "GET" | "HEAD"));
    assert!(writes.is_none(), "{command}: {writes:?}");
    assert_eq!(all(world, repository), before, "{command}");
}
