//! `up`, `down` and `logs` as far as they need no engine.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod support;

use support::{Folder, Repository, Xtask};

struct World {
    repository: Repository,
    /// Where no Docker is
    bin: Folder,
}

impl World {
    fn new() -> Self {
        let manifest = "[project]\nname = \"shop\"\nregistry = \"127.0.0.1:1/shop\"\n\
             [services.base]\n[services.web]\n[groups]\nfront = [\"web\"]\n";
        let repository = Repository::new(&[
            ("services/services.toml", manifest),
            ("services/base/Dockerfile", "FROM scratch\n"),
            ("services/web/Dockerfile", "FROM 127.0.0.1:1/shop/base\n"),
        ]);
        let world = Self { repository, bin: Folder::new() };
        let path = std::env::var("PATH").unwrap();
        let mut git = path.split(':').map(|folder| std::path::Path::new(folder).join("git"));
        let git = git.find(|file| file.is_file()).unwrap();
        std::os::unix::fs::symlink(git, world.bin.0.join("git")).unwrap();
        world
    }

    fn call(&self, args: &[&str]) -> Xtask {
        let call = self.repository.xtask(args).env("PATH", self.bin.0.to_str().unwrap());
        call.env("XTASK_ENGINE", "none-of-that-name")
    }
}

#[test]
fn a_dry_run_says_what_is_built_and_started() {
    let world = World::new();
    world.call(&["up", "--dry-run"]).run().refused("write it with `cargo xtask compose`");
    world.call(&["compose"]).run().success();
    let ran = world.call(&["up", "--dry-run", "front"]).run().success();
    let compose = "/docker-compose.yml up --detach --no-build --quiet-pull web";
    assert!(ran.stdout.contains("shop-web:local") && ran.stdout.contains(compose), "{ran:?}");
    assert!(!ran.stderr.contains("is not what the manifest says"), "{ran:?}");
    world.repository.write("services/web/compose.yml", "service:\n  init: true\n");
    let ran = world.call(&["up", "--dry-run"]).run().success();
    assert!(ran.stderr.contains("is not what the manifest says: `cargo xtask compose`"), "{ran:?}");
    world.call(&["up", "--dry-run", "wep"]).run().refused("did you mean `web`?");
    world.call(&["up", "--dry-run", "--watch"]).run().refused("cannot be used with");
}

#[test]
fn where_no_engine_runs_nothing_is_up() {
    let world = World::new();
    world.call(&["compose"]).run().success();
    let down = world.call(&["down"]).run().success();
    assert!(down.stderr.contains("nothing is up"), "{down:?}");
    world.call(&["logs", "web"]).run().refused("`cargo xtask up` starts the services");
    world.repository.write("target/xtask/report.json", "{}");
    let file = world.repository.root().join("target/xtask/report.json");
    let clean = world.call(&["clean", "--dry-run"]).run().success();
    assert!(clean.stdout.contains("would remove") && file.exists(), "{clean:?}");
    world.call(&["clean"]).run().success();
    assert!(!file.exists());
}
