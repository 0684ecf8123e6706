//! What is told of releases, and a release that is taken back. Real engine, real registry.
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

use registry::relay_to;
use relay::{Canned, Then, When};
use serde_json::Value;
use std::collections::BTreeMap;
use support::{Ran, Repository, busybox, engine, unique};

const SERVICES: [&str; 2] = ["queue", "web"];

struct Story {
    repository: Repository,
    place: String,
}

impl Story {
    /// v0.1.0 and v0.1.1 are released; only `web` changed in between.
    fn new(relay: &relay::Relay) -> Self {
        let place = format!("{}/{}", relay.address(), unique("back"));
        let text = |name: &str| format!("FROM busybox:debian\nCOPY file /{name}\n");
        let (queue, web) = (text("queue"), text("web"));
        let dockerfiles = [("queue", queue.as_str()), ("web", web.as_str())];
        let repository = busybox(&place, "[services.queue]\n[services.web]\n", &dockerfiles);
        for service in SERVICES {
            repository.write(&format!("services/{service}/file"), "1");
        }
        let story = Self { repository, place };
        story.release("v0.1.0");
        story.repository.write("services/web/file", "2");
        story.release("v0.1.1");
        story
    }

    fn release(&self, version: &str) {
        self.repository.commit(&format!("web: what {version} brings"));
        self.repository.git(&["tag", "-a", "-m", version, version]);
        self.run(&["build-images", "--event", "dev"]).success();
        self.run(&["release", "publish", version]).success();
    }

    fn run(&self, args: &[&str]) -> Ran {
        engine().xtask(&self.repository, args).run()
    }

    fn status(&self, version: &[&str]) -> Value {
        let args = [&["release", "status", "--json"], version].concat();
        self.run(&args).success().json()
    }

    fn state(&self, version: &str) -> String {
        let status = self.status(&[]);
        let versions = status["versions"].as_array().unwrap();
        let found = versions.iter().find(|v| v["version"] == version[1..]).unwrap();
        found["state"].as_str().unwrap().to_owned()
    }

    /// Everything in the registry, and all refs of git.
    fn all(&self) -> (BTreeMap<String, BTreeMap<String, String>>, String) {
        let repositories = ["queue", "web", "releases", "bases"];
        let tags =
            repositories.map(|r| (r.to_owned(), registry::tags(&format!("{}/{r}", self.place))));
        (tags.into(), self.repository.git(&["show-ref"]))
    }

    fn tags(&self, service: &str) -> BTreeMap<String, String> {
        registry::tags(&format!("{}/{service}", self.place))
    }
}

#[test]
fn a_release_that_is_taken_back() {
    let relay = relay_to(engine());
    let story = Story::new(&relay);
    assert_eq!(story.state("v0.1.1"), "released");
    let before = story.all();
    let told = story.run(&["release", "rollback", "v0.1.1", "--dry-run"]).success();
    assert!(told.stdout.contains("web:latest -> v0.1.0"), "{}", told.stdout);
    story.run(&["release", "rollback", "v0.1.1"]).refused("`--yes`");
    story.run(&["release", "rollback", "v9.9.9", "--yes"]).refused("there is no record");
    assert_eq!(story.all(), before);

    story.run(&["release", "rollback", "v0.1.1", "--yes"]).success();
    for service in SERVICES {
        let tags = story.tags(service);
        for tag in ["latest", "0", "0.1"] {
            assert_eq!(tags[tag], tags["v0.1.0"], "{service}:{tag}");
        }
        assert_eq!(tags["v0.1.1"], before.0[service]["v0.1.1"]);
    }
    assert_eq!(story.state("v0.1.1"), "withdrawn");
    let again = story.run(&["release", "publish", "v0.1.1"]);
    assert_eq!(again.code, Some(1));
    assert!(
        again.stderr.contains("taken back") && again.stderr.contains("--again"),
        "{}",
        again.stderr
    );
    // A hotfix.
    story.repository.write("services/web/file", "3");
    story.release("v0.1.2");
    let web = story.tags("web");
    assert_eq!(web["latest"], web["v0.1.2"]);
}

#[test]
fn what_is_told_changes_nothing() {
    let relay = relay_to(engine());
    let story = Story::new(&relay);
    story.repository.write("services/web/file", "3");
    story.repository.commit("web: three");
    story.repository.git(&["tag", "v0.2.0"]);
    let before = story.all();
    let dry = story.run(&["release", "publish", "v0.2.0", "--dry-run"]).success();
    for part in ["queue  promote: ", "web  build: ", "latest", "-> what is built"] {
        assert!(dry.stdout.contains(part), "{part}: {}", dry.stdout);
    }
    // Tags and what becomes of them are columns, also where a tag is a whole commit.
    let rows = dry.stdout.lines().filter_map(|line| line.strip_prefix("  "));
    let rows: Vec<(&str, &str)> = rows.map(|row| row.split_at(42)).collect();
    assert!(
        rows.iter().all(|(tag, told)| tag.ends_with("  ") && !told.starts_with(' ')),
        "{rows:?}"
    );
    let is_first = |(tag, told): &(&str, &str)| {
        tag.trim_end() == "v0.2.0" && told.starts_with("absent -> sha256:")
    };
    assert!(rows.len() == 10 && rows.iter().any(is_first), "{rows:?}");
    let dry = story.run(&["release", "publish", "v0.1.2", "--dry-run", "--json"]).success().json();
    assert_eq!(dry["tags"].as_array().unwrap().len(), 10);
    let status = story.run(&["release", "status"]).success();
    assert!(status.stdout.contains("v0.2.0  not published"), "{}", status.stdout);
    assert!(status.stdout.contains("next: `git checkout v0.2.0`"), "{}", status.stdout);
    let whole = story.status(&["v0.1.1"]);
    let tags = whole["tags"].as_array().unwrap();
    assert_eq!(tags.len(), 10);
    assert!(tags.iter().all(|tag| tag["stands"] == tag["shall"]), "{whole}");
    let notes = story.run(&["release", "notes", "v0.1.1"]).success().stdout;
    for part in ["## v0.1.1", "| queue | ", "| unchanged |", "### web", "web: what v0.1.1 brings"] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    assert!(!notes.contains("### queue"), "{notes}");
    let first = story.run(&["release", "notes", "v0.1.0"]).success().stdout;
    assert!(first.contains("## v0.1.0"), "{first}");
    story.run(&["release", "status", "v7.0.0"]).refused("there is no v7.0.0");
    story.run(&["release", "publish"]).refused("which version?");
    assert_eq!(story.all(), before);
}

#[test]
fn an_unfinished_release_is_named_with_what_stands_elsewhere() {
    let relay = relay_to(engine());
    let story = Story::new(&relay);
    story.repository.write("services/web/file", "3");
    story.repository.commit("three");
    story.run(&["build-images", "--event", "dev"]).success();
    relay.rule(When::on("PUT", "/manifests/latest"), Then::Answer(Canned::error(403, "DENIED")));
    let ran = story.run(&["release", "publish", "v0.2.0"]);
    assert_eq!(ran.code, Some(1));
    relay.clear_rules();
    assert_eq!(story.state("v0.2.0"), "unfinished");
    let status = story.status(&["v0.2.0"]);
    let elsewhere = |tag: &Value| tag["stands"] != tag["shall"];
    let names: Vec<&str> = status["tags"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|tag| elsewhere(tag) && tag["service"] == "web")
        .map(|tag| tag["tag"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["0", "latest"], "{status}");
    story.run(&["release", "publish", "v0.2.0"]).success();
    assert_eq!(story.state("v0.2.0"), "released");
}
