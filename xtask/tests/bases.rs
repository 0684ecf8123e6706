//! The lock file of bases, against a registry in memory that stands in for a hub. No engine.
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

use relay::{Memory, Profile, Relay, Scripted, Then, When};
use support::{Folder, Ran, Repository, Xtask};
use xtask::docker::registry::oci::{digest_of, media};

/// A registry in memory, with a relay before it.
struct Hub {
    relay: Relay,
    _server: Scripted,
}

impl Hub {
    fn new() -> Self {
        let memory = Memory::new(Profile::Distribution, digest_of);
        let server = Scripted::start(move |request| memory.answer(request).into()).unwrap();
        Self { relay: Relay::start(server.address()).unwrap(), _server: server }
    }

    fn name(&self, image: &str) -> String {
        format!("{}/{image}", self.relay.address())
    }

    /// Puts an index of two platforms under a tag, and gives its digest.
    fn publish(&self, image: &str, content: &str) -> String {
        let entry = |architecture: &str| {
            let digest = digest_of(format!("{content} {architecture}").as_bytes());
            serde_json::json!({
                "mediaType": media::MANIFEST, "digest": digest, "size": 1,
                "platform": { "os": "linux", "architecture": architecture },
            })
        };
        let index = serde_json::json!({
            "schemaVersion": 2, "mediaType": media::INDEX,
            "manifests": [entry("arm64"), entry("amd64")],
        });
        let name = self.name(image).parse().unwrap();
        registry::client().put_manifest(&name, media::INDEX, index.to_string().as_bytes()).unwrap()
    }
}

/// Two services, each on a base of its own.
struct World {
    hub: Hub,
    repository: Repository,
    cache: Folder,
}

impl World {
    fn new() -> Self {
        let hub = Hub::new();
        let (one, two) = (hub.name("tool:1"), hub.name("tool:2"));
        let manifest = format!(
            "[project]\nname = \"shop\"\nregistry = \"127.0.0.1:1/shop\"\n\
             [bases.\"{one}\"]\n[bases.\"{two}\"]\n[services.web]\n[services.api]\n"
        );
        let repository = Repository::new(&[
            ("services/services.toml", &manifest),
            ("services/web/Dockerfile", &format!("FROM {one}\n")),
            ("services/api/Dockerfile", &format!("FROM {two}\n")),
        ]);
        Self { hub, repository, cache: Folder::new() }
    }

    fn call(&self, args: &[&str]) -> Xtask {
        self.repository.xtask(args).env("XTASK_CACHE_DIR", self.cache.0.to_str().unwrap())
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.call(args).run()
    }

    fn lock(&self) -> String {
        std::fs::read_to_string(self.repository.root().join("services/bases.lock")).unwrap()
    }

    fn edit(&self, file: &str, old: &str, new: &str) {
        let path = format!("services/{file}");
        let text = std::fs::read_to_string(self.repository.root().join(&path)).unwrap();
        assert!(text.contains(old), "no `{old}` in:\n{text}");
        self.repository.write(&path, &text.replace(old, new));
    }

    fn fingerprint(&self, service: &str) -> String {
        self.run(&["fingerprint", service]).success().stdout
    }
}

/// A digest as it is printed.
fn short(digest: &str) -> &str {
    &digest[..19]
}

#[test]
fn a_tag_that_moves_is_newer_and_changes_nothing_until_it_is_updated() {
    let world = World::new();
    let (one, first) = (world.hub.name("tool:1"), world.hub.publish("tool:1", "first"));
    world.hub.publish("tool:2", "other");
    let live = world.run(&["fingerprint", "web"]).success();
    assert!(live.stderr.contains(&format!("not locked: `{one}`")), "{}", live.stderr);
    assert!(live.stderr.contains("cargo xtask bases update"), "{}", live.stderr);
    assert_eq!(world.run(&["bases", "check", "--fail"]).code, Some(1), "not locked is no order");
    let updated = world.run(&["bases", "update"]).success();
    assert!(updated.stdout.contains(&format!("not locked → {}", short(&first))), "{updated:?}");
    let lock = world.lock();
    assert!(lock.contains(&first) && lock.contains(&format!("image = \"{one}\"")), "{lock}");
    assert!(lock.contains("platforms = [\"linux/amd64\", \"linux/arm64\"]"), "{lock}");
    let fingerprint = world.fingerprint("web");
    assert_eq!(fingerprint, live.stdout);
    world.run(&["bases", "check", "--fail"]).success();

    let (web, api) = (world.fingerprint("web"), world.fingerprint("api"));
    let second = world.hub.publish("tool:1", "second");
    let check = world.run(&["bases", "check"]).success();
    let moved = format!("newer: {} → {}", short(&first), short(&second));
    assert!(check.stdout.contains(&moved), "{}", check.stdout);
    let failed = world.run(&["bases", "check", "--fail", "--json"]);
    assert_eq!(failed.code, Some(1));
    let bases = failed.json()["bases"].as_array().unwrap().clone();
    let states: Vec<_> = bases.iter().map(|base| base["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["newer", "same"]);
    assert_eq!(
        (&bases[0]["digest"], &bases[0]["newest"]),
        (&first.clone().into(), &second.clone().into())
    );
    assert_eq!(world.fingerprint("web"), web);

    let dry = world.run(&["bases", "update", "--dry-run"]).success();
    assert!(dry.stdout.contains(short(&second)), "{}", dry.stdout);
    assert_eq!((world.lock(), world.fingerprint("web")), (lock, web.clone()));
    let dry = world.run(&["bases", "update", "--dry-run", "--json"]).success().json();
    let base = &dry["bases"][0];
    assert_eq!((&base["state"], &base["before"]), (&"moved".into(), &first.as_str().into()));
    assert_eq!(
        (&base["digest"], &dry["bases"][1]["state"]),
        (&second.clone().into(), &"same".into())
    );
    let updated = world.run(&["bases", "update"]).success();
    assert!(updated.stdout.contains(&format!(" → {}", short(&second))), "{}", updated.stdout);
    assert!(updated.stdout.contains("unchanged"), "{}", updated.stdout);
    assert_ne!(world.fingerprint("web"), web);
    assert_eq!(world.fingerprint("api"), api);
    world.run(&["bases", "check", "--fail"]).success();
    let lock = world.lock();
    world.run(&["bases", "update"]).success();
    assert_eq!(world.lock(), lock, "what has not moved keeps its time");
}

#[test]
fn what_is_locked_is_not_asked_for() {
    let world = World::new();
    let digest = world.hub.publish("tool:1", "first");
    world.hub.publish("tool:2", "other");
    world.run(&["bases", "update"]).success();
    world.hub.relay.reset();
    world.hub.relay.rule(When::any(), Then::Cut);
    let plan = world.run(&["plan", "--event", "pr", "--json"]).success().json();
    let contexts = &plan["definition"]["target"]["web"]["contexts"];
    let context = format!("docker-image://{}@{digest}", world.hub.name("tool"));
    assert_eq!(contexts[world.hub.name("tool:1")], context);
    world.fingerprint("web");
    world.run(&["bases", "list"]).success();
    assert_eq!(world.hub.relay.log().len(), 0);
}

#[test]
fn an_update_is_of_all_that_was_named_or_of_nothing() {
    let world = World::new();
    let (one, two) = (world.hub.name("tool:1"), world.hub.name("tool:2"));
    let first = world.hub.publish("tool:1", "first");
    world.run(&["bases", "update", &one]).success();
    assert!(world.lock().contains(&first) && !world.lock().contains(&two));
    let before = world.lock();
    world.hub.publish("tool:1", "second");
    // Nobody has published `tool:2`.
    let failed = world.run(&["bases", "update"]);
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.contains(&two) && failed.stderr.contains("bootstrap"), "{failed:?}");
    assert_eq!(world.lock(), before);
    world.run(&["bases", "update", &one.replace("tool", "tol")]).refused("did you mean");
    world.run(&["bases", "update", "x"]).refused("there are: ");
    let made = world.run(&["bases", "update", &one, "--from", "bootstrap"]);
    made.refused("has no recipe");
    world.run(&["bases", "update", &one, "--from", "hbu"]).refused("possible values: hub");
    assert_eq!(world.lock(), before);
}

#[test]
fn a_base_that_left_the_manifest_is_told_and_removed() {
    let world = World::new();
    let two = world.hub.name("tool:2");
    world.hub.publish("tool:1", "first");
    world.hub.publish("tool:2", "other");
    world.run(&["bases", "update"]).success();
    world.edit("services.toml", &format!("[bases.\"{two}\"]\n"), "");
    world.edit("services.toml", "[services.api]\n", "");
    let gone = format!("{two}  no longer in services.toml");
    assert!(world.run(&["bases", "check"]).success().stdout.contains(&gone));
    assert_eq!(world.run(&["bases", "check", "--fail"]).code, Some(1));
    let list = world.run(&["bases", "list"]).success().stdout;
    assert!(list.contains("(no longer in services.toml)"), "{list}");
    let update = world.run(&["bases", "update", &world.hub.name("tool:1")]).success();
    assert!(update.stdout.contains("removed"), "{}", update.stdout);
    assert!(!world.lock().contains(&two));
}

#[test]
fn a_hub_that_does_not_answer_is_no_answer() {
    let world = World::new();
    world.hub.publish("tool:1", "first");
    world.hub.publish("tool:2", "other");
    world.run(&["bases", "update"]).success();
    let before = world.lock();
    world.hub.relay.rule(When::any(), Then::Answer(relay::Canned::status(503)));
    let check = world.run(&["bases", "check"]).success();
    assert_eq!(check.stdout.matches("unknown: ").count(), 2, "{}", check.stdout);
    assert_eq!(world.run(&["bases", "check", "--fail"]).code, Some(1));
    assert_eq!(world.run(&["bases", "update"]).code, Some(1));
    assert_eq!(world.lock(), before);
    world.hub.relay.clear_rules();
    world.run(&["bases", "check", "--fail"]).success();
}

const RECIPE: &str = "bootstrap = { debian = \"trixie\" }\n";

/// As `World`, with a recipe for one base, locked as made by it.
fn made() -> (World, String) {
    let world = World::new();
    let one = world.hub.name("tool:1");
    world.hub.publish("tool:2", "other");
    world.run(&["bases", "update", &world.hub.name("tool:2")]).success();
    let header = format!("[bases.\"{one}\"]\n");
    world.edit("services.toml", &header, &format!("{header}{RECIPE}"));
    let recipe = xtask::manifest::Bootstrap {
        suite: "trixie".into(),
        variant: "minbase".into(),
        include: Vec::new(),
    };
    let hash = xtask::docker::bases::recipe_hash(&recipe, "amd64");
    let digest = digest_of(b"made");
    let entry = format!(
        "\n{header}from = \"bootstrap\"\nimage = \"<registry>/bases:{hash}\"\ndigest = \"{digest}\"\n\
         platforms = [\"linux/amd64\"]\nlocked = \"2026-01-01T00:00:00Z\"\n"
    );
    world.repository.write("services/bases.lock", &(world.lock() + &entry));
    (world, hash)
}

#[test]
fn a_made_base_is_that_of_the_runs_registry() {
    let (world, hash) = made();
    let digest = digest_of(b"made");
    let context = |args: &[&str]| {
        let args = [&["plan", "--json", "--event", "pr"], args].concat();
        let plan = world.run(&args).success().json();
        plan["definition"]["target"]["web"]["contexts"][world.hub.name("tool:1")].clone()
    };
    assert_eq!(context(&[]), format!("docker-image://127.0.0.1:1/shop/bases@{digest}"));
    // With `--registry` there are two places; neither has it.
    let own = world.hub.name("mine");
    assert_eq!(context(&["--registry", &own]), format!("docker-image://{own}/bases@{digest}"));
    let check = world.run(&["bases", "check", "--registry", &own]).success().stdout;
    assert!(check.contains(&format!("there is no <registry>/bases:{hash}")), "{check}");
    let newest = world.hub.publish(&format!("mine/bases:{hash}"), "other");
    let check = world.run(&["bases", "check", "--registry", &own, "--fail"]);
    assert!(check.stdout.contains(short(&newest)), "{}", check.stdout);
    assert_eq!(check.code, Some(1));
}

#[test]
fn another_recipe_counts_as_not_locked_at_a_desk_and_is_refused_elsewhere() {
    let (world, _) = made();
    let one = world.hub.name("tool:1");
    let digest = world.hub.publish("tool:1", "live");
    world.edit("services.toml", "\"trixie\"", "\"bookworm\"");
    let next = format!("cargo xtask bases update {one}");
    let local = world.run(&["fingerprint", "web", "--explain"]).success();
    assert!(local.stdout.contains(&digest), "{}", local.stdout);
    assert!(local.stderr.contains("made by another recipe"), "{}", local.stderr);
    assert!(local.stderr.contains(&next), "{}", local.stderr);
    world.run(&["plan", "--event", "pr"]).refused(&next);
    world.repository.commit("another recipe");
    world.run(&["plan", "--event", "dev"]).refused(&next);
    let check = world.run(&["bases", "check"]).success().stdout;
    assert!(check.contains("made by another recipe"), "{check}");
    // A base without a recipe cannot have been made.
    world.edit("services.toml", "bootstrap = { debian = \"bookworm\" }\n", "");
    world.run(&["plan", "--event", "pr"]).refused(&next);
    world.run(&["bases", "update"]).success();
    assert!(world.lock().contains(&digest) && !world.lock().contains("<registry>"));
    world.run(&["plan", "--event", "pr"]).success();
}

#[test]
fn nothing_is_made_for_a_registry_that_cannot_be_pushed_to() {
    let (world, _) = made();
    let before = world.lock();
    let one = world.hub.name("tool:1");
    let failed = world.run(&["bases", "update", &one]);
    assert_eq!(failed.code, Some(1));
    for part in ["127.0.0.1:1/shop/bases", "docker login", "--registry"] {
        assert!(failed.stderr.contains(part), "no `{part}` in {}", failed.stderr);
    }
    assert_eq!(world.lock(), before);
    assert!(world.cache.0.read_dir().unwrap().next().is_none(), "something was fetched or made");
    let dry = world.run(&["bases", "update", &one, "--dry-run"]).success();
    assert!(dry.stdout.contains("made anew, and pushed as 127.0.0.1:1/shop/bases:"), "{dry:?}");
}

#[test]
fn a_lock_that_is_not_committed_is_not_published() {
    let world = World::new();
    world.hub.publish("tool:1", "first");
    world.hub.publish("tool:2", "other");
    world.run(&["bases", "update"]).success();
    // No engine is brought up by what is not refused.
    let dev = world.call(&["build-images", "--event", "dev"]);
    let dev = dev.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let dev = dev.env("XTASK_REGISTRY_PATIENCE", "0.1");
    dev.run().refused("services/bases.lock");
    world.repository.commit("lock");
    let committed = dev.run();
    assert!(!committed.stderr.contains("services/bases.lock"), "{}", committed.stderr);
}

#[test]
fn the_lock_lies_beside_its_manifest() {
    let world = World::new();
    let (one, digest) = (world.hub.name("tool:1"), world.hub.publish("tool:1", "first"));
    let manifest = format!(
        "[project]\nname = \"shop\"\nregistry = \"127.0.0.1:1/shop\"\n[bases.\"{one}\"]\n\
         [services.web]\n"
    );
    world.repository.write("other/images.toml", &manifest);
    let args = ["--manifest", "other/images.toml"];
    world.run(&[&["bases", "update"], &args[..]].concat()).success();
    let lock = std::fs::read_to_string(world.repository.root().join("other/bases.lock")).unwrap();
    assert!(lock.contains(&digest), "{lock}");
    assert!(!world.repository.root().join("services/bases.lock").exists());
    let list = world.run(&[&["bases", "list"], &args[..]].concat()).success().stdout;
    assert!(list.contains(&digest), "{list}");
}

#[test]
fn made_bases_stay_when_an_engine_is_purged() {
    let world = World::new();
    let made = world.cache.0.join("bases/0123/index.json");
    std::fs::create_dir_all(made.parent().unwrap()).unwrap();
    std::fs::write(&made, "{}").unwrap();
    let down = |args: &[&str]| {
        let call = world.call(&[&["engine", "down"], args].concat());
        call.env("XTASK_ENGINE", "nobodys").run().success()
    };
    down(&[]);
    down(&["--purge"]);
    assert!(made.exists());
    down(&["--purge", "--bases"]);
    assert!(!made.parent().unwrap().exists());
}
