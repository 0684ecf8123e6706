//! What a publish makes of what stands there already: versions, services that come and go, tags without
//! records. Against a registry in memory; no image is built.
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

use project::{World, client};
use relay::{Memory, Profile, Relay, Scripted};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use support::{Ran, Repository, unique};
use xtask::docker::registry::oci::{digest_of, media};

struct Story {
    world: World,
    place: String,
    repository: Repository,
}

impl Story {
    fn of(world: World, services: &[&str]) -> Self {
        let place = format!("{}/{}", world.relay.address(), unique("rules"));
        let repository = scratch::repository(services.iter().copied());
        Self { world, place, repository }
    }

    fn new(services: &[&str]) -> Self {
        Self::of(World::new(Profile::Distribution), services)
    }

    /// Every service changes, and `dev` publishes that. Gives the digests.
    fn dev(&self, content: &str) -> BTreeMap<String, String> {
        let manifest = self.repository.root().join("services/services.toml");
        for line in std::fs::read_to_string(manifest).unwrap().lines() {
            if let Some(service) = line.strip_prefix("[services.") {
                let service = service.trim_end_matches(']');
                self.repository.write(&format!("services/{service}/file"), content);
            }
        }
        let commit = self.repository.commit(content);
        let fingerprints = scratch::fingerprints(&self.repository);
        scratch::publish(&self.place, &fingerprints, &["dev", &commit])
    }

    fn run(&self, args: &str) -> Ran {
        let mut args: Vec<&str> = args.split(' ').collect();
        args.extend(["--registry", &self.place]);
        self.repository.xtask(&args).run()
    }

    /// Changes everything and releases it.
    fn release(&self, version: &str) -> BTreeMap<String, String> {
        let digests = self.dev(version);
        self.run(&format!("release publish {version}")).success();
        digests
    }

    fn tags(&self) -> BTreeMap<String, String> {
        let path = self.place.split_once('/').unwrap().1;
        let tags = self.world.memory.tags();
        let own = |(name, digest): (&String, &String)| {
            Some((name.strip_prefix(path)?.trim_start_matches('/').to_owned(), digest.clone()))
        };
        tags.iter().filter_map(own).collect()
    }

    /// The index of a service with an attestation added: the same images, another digest.
    fn with_attestation(&self, name: &str) -> String {
        let index = client().get_manifest(&self.named(name)).found().unwrap();
        let mut index: Value = serde_json::from_slice(&index.bytes).unwrap();
        index["manifests"].as_array_mut().unwrap().push(serde_json::json!({
            "mediaType": media::MANIFEST,
            "digest": digest_of(b"attestation"),
            "size": 1,
            "annotations": { "vnd.docker.reference.type": "attestation-manifest" },
        }));
        index.to_string()
    }

    fn named(&self, name: &str) -> xtask::docker::registry::Reference {
        format!("{}/{name}", self.place).parse().unwrap()
    }

    fn put(&self, name: &str, bytes: &str) -> String {
        client().put_manifest(&self.named(name), media::INDEX, bytes.as_bytes()).unwrap()
    }
}

#[test]
fn a_version_that_is_there_goes_on_if_it_is_the_same() {
    let story = Story::new(&["base", "web"]);
    let digests = story.dev("1");
    let same = client().get_manifest(&story.named("web:dev")).found().unwrap();
    story.put("web:v0.1.0", std::str::from_utf8(&same.bytes).unwrap());
    story.run("release publish v0.1.0").success();
    assert_eq!(story.tags()["web:v0.1.0"], digests["web"]);

    // The same images with other attestations: what stands there stays, and is what is released.
    story.dev("2");
    let there = story.put("web:v0.1.1", &story.with_attestation("web:dev"));
    story.run("release publish v0.1.1").success();
    let tags = story.tags();
    for tag in ["v0.1.1", "0.1", "0", "latest"] {
        assert_eq!(tags[&format!("web:{tag}")], there, "{tag}");
        assert_eq!(tags[&format!("base:{tag}")], tags["base:dev"], "{tag}");
    }

    let digests = story.dev("3");
    let other = client().get_manifest(&story.named("web:v0.1.0")).found().unwrap();
    story.put("web:v0.1.2", std::str::from_utf8(&other.bytes).unwrap());
    let before = story.tags();
    let ran = story.run("release publish v0.1.2");
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    for part in ["`web`: v0.1.2", &other.digest, &digests["web"], "nothing was moved"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    assert_eq!(story.tags(), before);
}

/// At a desk, where anything may be checked out: not even a version that nobody has published yet, or
/// that was taken back, gets the content of another commit.
#[test]
fn a_version_is_released_from_the_commit_of_its_tag_only() {
    let story = Story::new(&["base", "web"]);
    let digests = story.dev("1");
    story.repository.git(&["tag", "--annotate", "v0.1.0", "--message", "v0.1.0"]);
    let tagged = story.repository.git(&["rev-parse", "HEAD"]);
    story.dev("2");
    let head = story.repository.git(&["rev-parse", "HEAD"]);
    let before = story.tags();
    for task in [
        "release publish",
        "release publish --dry-run",
        "build-images --event",
        "release publish --again",
    ] {
        let version = if task.contains("event") { "release:v0.1.0" } else { "v0.1.0" };
        let ran = story.run(&format!("{task} {version}"));
        assert_eq!(ran.code, Some(2), "{task}: {}", ran.stderr);
        for part in [&tagged, &head, "`git switch --detach v0.1.0`"] {
            assert!(ran.stderr.contains(part), "{task}: {part}: {}", ran.stderr);
        }
        assert_eq!(story.tags(), before, "{task}");
    }
    story.repository.git(&["switch", "--quiet", "--detach", "v0.1.0"]);
    story.run("release publish v0.1.0").success();
    assert_eq!(story.tags()["web:latest"], digests["web"]);
}

/// Written by somebody else between our reading and our writing, or after: the read-back tells.
#[test]
fn tags_that_somebody_else_moves_are_noticed() {
    let story = Story::new(&["web"]);
    story.release("v0.1.0");
    let digests = story.dev("2");
    let other = client().get_manifest(&story.named("web:v0.1.0")).found().unwrap();
    // By hand: `0` and `latest` stand elsewhere than the records say.
    let by_hand = story.put("web:latest", &story.with_attestation("web:v0.1.0"));
    let path = story.place.split_once('/').unwrap().1.to_owned();
    let address = story.world.server.address();
    let moved = move |tag: &'static str| {
        let (name, other) = (format!("{address}/{path}/web:{tag}"), other.clone());
        relay::Then::after(move |_| {
            let name = name.parse().unwrap();
            client().put_manifest(&name, &other.media_type, &other.bytes).unwrap();
        })
    };
    let on = |tag: &str| relay::When::on("PUT", &format!("/web/manifests/{tag}")).once();
    story.world.relay.rule(on("v0.1.1"), moved("v0.1.1"));
    let ran = story.run("release publish v0.1.1");
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("web:v0.1.1` is sha256:"), "{}", ran.stderr);
    assert_eq!(story.tags()["web:latest"], by_hand, "put back to where it stood");
    assert_eq!(story.tags()["web:0"], story.tags()["web:v0.1.0"]);

    story.world.relay.clear_rules();
    story.world.relay.rule(on("latest"), moved("latest"));
    story.run("release publish v0.1.2").success();
    assert_eq!(story.tags()["web:latest"], digests["web"], "moved once more");
}

#[test]
fn a_service_that_is_added_or_removed_between_versions() {
    let story = Story::new(&["base", "web"]);
    story.release("v0.1.0");
    let manifest = |services: &[&str]| {
        let services: String = services.iter().map(|s| format!("[services.{s}]\n")).collect();
        let head = "[project]\nname = \"p\"\nregistry = \"registry.invalid/p\"\n";
        story.repository.write("services/services.toml", &format!("{head}{services}"));
    };
    story.repository.write("services/new/Dockerfile", "FROM scratch\nCOPY file /\n");
    manifest(&["base", "new"]);
    let first = story.tags();
    let second = story.release("v0.2.0");
    let tags = story.tags();
    for tag in ["v0.2.0", "0.2", "0", "latest"] {
        assert_eq!(tags[&format!("new:{tag}")], second["new"], "{tag}");
    }
    for (name, digest) in first.iter().filter(|(name, _)| name.starts_with("web:")) {
        assert_eq!(tags[name], *digest, "{name}");
    }
    let notes = story.run("release notes v0.2.0").success().stdout;
    assert!(notes.contains("| web | gone | |") && notes.contains("| new |"), "{notes}");
    // Taken back: what was not in the release before has nowhere to go.
    let told = story.run("release rollback v0.2.0 --yes").success().stdout;
    assert!(told.contains("new:latest stays: no other release has it"), "{told}");
    let tags = story.tags();
    assert_eq!(tags["base:latest"], tags["base:v0.1.0"]);
    assert_eq!(tags["new:latest"], second["new"]);
    // A hotfix, then higher again.
    let hotfix = story.release("v0.1.1");
    assert_eq!(story.tags()["base:latest"], hotfix["base"]);
    assert_eq!(story.tags()["new:0"], hotfix["new"]);
    assert_eq!(story.tags()["base:v0.2.0"], second["base"]);
}

/// A project that was tagged by hand for years: hundreds of tags, a few to a page, and no record.
#[test]
fn tags_without_records_count_over_many_pages() {
    let memory = Memory::new(Profile::Distribution, digest_of).with_page(7);
    let store = memory.clone();
    let server = Scripted::start(move |request| store.answer(request).into()).unwrap();
    let relay = Relay::start(server.address()).unwrap();
    let story = Story::of(World { memory, relay, server }, &["base", "web"]);
    let old = story.dev("old");
    let index = client().get_manifest(&story.named("web:dev")).found().unwrap();
    let index = String::from_utf8(index.bytes).unwrap();
    for patch in (0..300).filter(|patch| *patch != 150) {
        story.put(&format!("web:v1.2.{patch}"), &index);
    }
    for tag in ["1.2", "1", "latest", "v3.0.0", "not-a-version", "v1.2.999-rc.1"] {
        story.put(&format!("web:{tag}"), &index);
    }
    let new = story.release("v1.2.150");
    let tags = story.tags();
    for tag in ["1.2", "1", "latest"] {
        assert_eq!(tags[&format!("web:{tag}")], old["web"], "{tag} stays on the higher one");
        assert!(!tags.contains_key(&format!("base:{tag}")));
    }
    assert_eq!((&tags["web:v1.2.150"], &tags["base:v1.2.150"]), (&new["web"], &new["base"]));
}

/// On a terminal it asks, and only `y` goes on.
#[test]
fn a_roll_back_asks_first() {
    let story = Story::new(&["web"]);
    story.release("v0.1.0");
    story.release("v0.1.1");
    let before = story.tags();
    let answer = |text: &str| {
        let program = env!("CARGO_BIN_EXE_xtask");
        let call = format!("'{program}' release rollback v0.1.1 --registry {}", story.place);
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &call, "/dev/null"]);
        command.current_dir(story.repository.root()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = command.spawn().unwrap();
        running.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        Ran::from(running.wait_with_output().unwrap())
    };
    for no in ["n\n", "\n", "yes?\n"] {
        let ran = answer(no);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stdout.contains("go on? [y/N]"), "{ran:?}");
        assert!(ran.stdout.contains("nothing was moved"), "{ran:?}");
        assert_eq!(story.tags(), before);
    }
    let ran = answer("y\n");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let tags = story.tags();
    assert_eq!(tags["web:latest"], tags["web:v0.1.0"]);
    assert!(tags.contains_key("releases:withdrawn-v0.1.1"));
}
