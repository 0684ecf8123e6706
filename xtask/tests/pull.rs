//! `pull` as far as it needs no engine: which digests a tag stands for, and the override for compose.
//! Against a registry in memory.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod support;

use relay::{Canned, Memory, Profile, Relay, Scripted, Then, When};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;
use support::{Repository, Xtask};
use xtask::docker::registry::oci::{digest_of, media};
use xtask::docker::registry::{Fetched, Options, Patience, Registry};
use xtask::docker::release::{Image, Release, Shelf};

const ONE: &str = "1111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222";

/// A registry, and a repository of the services base, queue and web.
struct World {
    relay: Relay,
    repository: Repository,
    _server: Scripted,
}

fn manifest(services: &str) -> String {
    let services: String = services.split(' ').map(|s| format!("[services.{s}]\n")).collect();
    let groups = "[groups]\nfront = [\"web\"]\n";
    format!("[project]\nname = \"shop\"\nregistry = \"registry.invalid/shop\"\n{services}{groups}")
}

fn client() -> Registry {
    Registry::new(Options {
        vars: BTreeMap::new(),
        processes: xtask::process::Processes::default(),
        patience: Patience::LOCAL,
        plain_hosts: Vec::new(),
        clock: Arc::new(SystemTime::now),
    })
}

/// An image that says of which commit it is, and when it was made.
fn index(content: &str, revision: &str) -> Fetched {
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{{"mediaType":"{}","digest":"{}","size":1}}],
        "annotations":{{"org.opencontainers.image.revision":"{revision}",
        "org.opencontainers.image.created":"2026-01-0{}T00:00:00Z"}}}}"#,
        media::INDEX,
        media::MANIFEST,
        digest_of(content.as_bytes()),
        &revision[..1],
    );
    Fetched::from_bytes(text.into_bytes(), media::INDEX).unwrap()
}

impl World {
    fn new() -> Self {
        let memory = Memory::new(Profile::Distribution, digest_of);
        let server = Scripted::start(move |request| memory.answer(request).into()).unwrap();
        let relay = Relay::start(server.address()).unwrap();
        let dockerfile = "FROM scratch\n";
        let repository = Repository::new(&[
            ("services/services.toml", &manifest("base queue web")),
            ("services/base/Dockerfile", dockerfile),
            ("services/queue/Dockerfile", dockerfile),
            ("services/web/Dockerfile", dockerfile),
        ]);
        Self { relay, repository, _server: server }
    }

    fn place(&self) -> String {
        format!("{}/shop", self.relay.address())
    }

    /// A whole release of these services. Its commit is HEAD.
    fn release(&self, version: &str, services: &[&str]) {
        let revision = self.repository.git(&["rev-parse", "HEAD"]);
        let image = |service: &&str| Image {
            service: (*service).into(),
            repository: format!("{}/{service}", self.place()).parse().unwrap(),
            index: index(&format!("{service} {version}"), ONE),
            fingerprint: None,
            tags: vec![format!("v{version}"), "0".into(), "latest".into(), revision.clone()],
        };
        let release = Release {
            registry: &client(),
            shelf: Shelf::new(&self.place()).unwrap(),
            version: version.parse().unwrap(),
            revision: revision.clone(),
            created: "2026-11-24T00:00:00Z".into(),
            images: services.iter().map(image).collect(),
            stands: BTreeMap::new(),
            again: false,
        };
        release.publish().unwrap();
    }

    /// Moves a tag of a service, as if somebody had.
    fn put(&self, service: &str, tag: &str, index: &Fetched) {
        let reference = format!("{}/{service}:{tag}", self.place()).parse().unwrap();
        client().put_manifest(&reference, &index.media_type, &index.bytes).unwrap();
    }

    fn pull(&self, args: &[&str]) -> Xtask {
        let args = [&["pull"], args].concat();
        self.repository.xtask(&args).env("XTASK_REGISTRY", &self.place())
    }

    #[track_caller]
    fn found(&self, args: &[&str]) -> Value {
        self.pull(&[args, &["--dry-run", "--json"]].concat()).run().success().json()
    }

    #[track_caller]
    fn fails(&self, args: &[&str], parts: &[&str]) {
        let ran = self.pull(args).run();
        assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
        for part in parts {
            assert!(ran.stderr.contains(part), "expected `{part}` in:\n{}", ran.stderr);
        }
    }
}

fn digests(found: &Value) -> BTreeMap<&str, &str> {
    let images = found["images"].as_array().unwrap().iter();
    images.map(|i| (i["service"].as_str().unwrap(), i["digest"].as_str().unwrap())).collect()
}

/// The digests of services in a version, as [`World::release`] makes them.
fn of(version: &str, services: &[&'static str]) -> BTreeMap<&'static str, String> {
    let digest = |service: &str| index(&format!("{service} {version}"), ONE).digest;
    services.iter().map(|service| (*service, digest(service))).collect()
}

#[track_caller]
fn are(found: &Value, expected: &BTreeMap<&str, String>) {
    let expected = expected.iter().map(|(service, digest)| (*service, digest.as_str()));
    assert_eq!(digests(found), expected.collect());
}

const ALL: [&str; 3] = ["base", "queue", "web"];

#[test]
fn a_release_is_of_one_piece_wherever_its_tags_stand() {
    let world = World::new();
    world.release("0.1.0", &ALL);
    world.release("0.2.0", &ALL);
    // Half of another release, which never came about.
    let half = index("half", TWO);
    for tag in ["latest", "0", "v0.1.0"] {
        world.put("web", tag, &half);
    }
    for (tag, version) in
        [("latest", "0.2.0"), ("0", "0.2.0"), ("0.1", "0.1.0"), ("v0.1.0", "0.1.0")]
    {
        let found = world.found(&["--tag", tag]);
        are(&found, &of(version, &ALL));
        assert_eq!((&found["version"], &found["tag"]), (&version.into(), &tag.into()));
        assert_eq!(found["notes"], Value::Array(Vec::new()));
    }
    are(&world.found(&[]), &of("0.2.0", &ALL));
    are(&world.found(&["front", "base"]), &of("0.2.0", &["base", "web"]));
    world.fails(&["--tag", "v0.3.0"], &["v0.3.0 is not released: the latest is v0.2.0"]);
    world.pull(&["wob"]).run().refused("did you mean `web`?");
    world.pull(&["--tag", "a b"]).run().refused("no image can have such a tag");
}

#[test]
fn what_was_taken_back_is_not_latest() {
    let world = World::new();
    world.release("0.1.0", &ALL);
    world.release("0.2.0", &ALL);
    let yes = ["release", "rollback", "v0.2.0", "--yes"];
    world.repository.xtask(&yes).env("XTASK_REGISTRY", &world.place()).run().success();
    are(&world.found(&[]), &of("0.1.0", &ALL));
    world.fails(&["--tag", "0.2"], &["it was taken back", "--tag v0.2.0"]);
    let found = world.found(&["--tag", "v0.2.0"]);
    are(&found, &of("0.2.0", &ALL));
    assert!(found["notes"][0].as_str().unwrap().contains("v0.2.0 was taken back"));
}

#[test]
fn a_service_is_newer_than_a_release_or_missing_in_it() {
    let world = World::new();
    world.repository.write("services/services.toml", &manifest("base web"));
    world.repository.commit("without queue");
    world.release("0.1.0", &["base", "web"]);
    world.repository.write("services/services.toml", &manifest("base queue web"));
    world.repository.commit("queue");
    let found = world.found(&[]);
    are(&found, &of("0.1.0", &["base", "web"]));
    assert_eq!(found["notes"][0], "`queue` is not in v0.1.0: it is newer");
    world.fails(&["queue"], &["nothing is pulled: there is no v0.1.0 of queue"]);
    // At this commit it was there already.
    world.release("0.2.0", &["base", "web"]);
    let next = "`cargo xtask pull --tag latest base web`";
    world.fails(&[], &["there is no v0.2.0 of queue", next]);
    are(&world.found(&["base", "web"]), &of("0.2.0", &["base", "web"]));
}

#[test]
fn without_any_record_tags_count_and_that_is_said() {
    let world = World::new();
    for service in ALL {
        world.put(service, "latest", &index(&format!("{service} 0.1.0"), ONE));
        world.put(service, "v0.1.0", &index(&format!("{service} 0.1.0"), ONE));
    }
    for tag in ["latest", "v0.1.0"] {
        let found = world.found(&["--tag", tag]);
        are(&found, &of("0.1.0", &ALL));
        assert_eq!((&found["version"], &found["revision"]), (&Value::Null, &ONE.into()));
        assert!(found["notes"][0].as_str().unwrap().contains("no record of any release"));
    }
    world.fails(&["--tag", "1"], &["there is no 1 of base, queue, web", "is it published there?"]);
}

#[test]
fn images_of_different_commits_are_told_unless_one_run_published_them() {
    let world = World::new();
    for (service, revision) in [("base", ONE), ("queue", ONE), ("web", TWO)] {
        world.put(service, "dev", &index(service, revision));
    }
    let found = world.found(&["--tag", "dev"]);
    let note = found["notes"][0].as_str().unwrap();
    assert!(note.contains("different commits: base of 111111111111, queue of"), "{note}");
    assert!(note.contains("web of 222222222222"), "{note}");
    // The run of TWO built web alone and promoted the others.
    for (service, revision) in [("base", ONE), ("queue", ONE), ("web", TWO)] {
        world.put(service, TWO, &index(service, revision));
    }
    let found = world.found(&["--tag", "dev"]);
    assert_eq!((&found["revision"], &found["notes"]), (&TWO.into(), &Value::Array(Vec::new())));
    world.put("queue", "dev", &index("older", ONE));
    assert!(world.found(&["--tag", "dev"])["notes"][0].as_str().unwrap().contains("different"));
    let found = world.found(&["--tag", TWO, "queue"]);
    assert_eq!(digests(&found)["queue"], index("queue", ONE).digest);
}

#[test]
fn a_registry_that_does_not_answer_is_no_registry_without_releases() {
    let world = World::new();
    for service in ALL {
        world.put(service, "latest", &index(service, ONE));
    }
    let list = || When::on("GET", "/shop/releases/tags/list");
    world.relay.rule(list(), Then::Answer(Canned::status(500)));
    let call = |args: &[&str]| world.pull(args).env("XTASK_REGISTRY_PATIENCE", "1").run();
    let ran = call(&["--dry-run"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot tell which versions are released"), "{}", ran.stderr);
    // Nothing of it is needed for a tag that is no release's.
    for service in ALL {
        world.put(service, "dev", &index(service, ONE));
    }
    call(&["--dry-run", "--tag", "dev"]).success();
    world.relay.clear_rules();
    let head = When::on("GET", "/shop/web/manifests/dev");
    world.relay.rule(head, Then::Answer(Canned::status(500)));
    let ran = call(&["--dry-run", "--tag", "dev"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("web:dev` stands"), "{}", ran.stderr);
}

#[test]
fn the_override_is_written_without_an_engine_and_over_nothing_else() {
    let world = World::new();
    world.release("0.1.0", &ALL);
    let file = world.repository.root().join("pinned.yml");
    let told = world.pull(&["--compose", "pinned.yml", "--dry-run"]).run().success().stdout;
    assert!(!file.exists() && told.contains("pinned.yml would be written"), "{told}");
    let call = world.pull(&["--compose", "pinned.yml", "--no-pull"]);
    let call = call.env("PATH", &git_alone(&world));
    call.run().success();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(told.ends_with(&text), "{told}");
    for (service, digest) in of("0.1.0", &ALL) {
        let image = format!("{}/{service}@{digest}", world.place());
        let entry = format!("  {service}:\n    image: {image}\n    build: !reset null\n");
        assert!(text.contains(&entry), "{text}");
    }
    call.run().success();
    world.repository.write("pinned.yml", "services: {}\n");
    call.run().refused("`pull` did not write it");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "services: {}\n");
}

/// A PATH on which there is no Docker.
fn git_alone(world: &World) -> String {
    let folder = world.repository.root().join("target/path");
    std::fs::create_dir_all(&folder).unwrap();
    let path = std::env::var("PATH").unwrap();
    let git = std::env::split_paths(&path).map(|dir| dir.join("git")).find(|git| git.exists());
    #[cfg(unix)]
    std::os::unix::fs::symlink(git.unwrap(), folder.join("git")).unwrap();
    folder.to_str().unwrap().to_owned()
}
