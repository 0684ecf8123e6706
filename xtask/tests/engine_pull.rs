//! `pull` on a real engine: a release that was moved on from, by digest, and the override as the real
//! compose reads it.
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

use serde_json::Value;
use std::process::{Command, Stdio};
use support::{Ran, Repository, busybox, engine, unique};

const SERVICES: &str = "[services.base]\n[services.web]\n";

fn compose(repository: &Repository, name: &str, args: &[&str]) -> String {
    let mut command = Command::new("docker");
    let files = ["--file", "docker-compose.yml", "--file", "pinned.yml"];
    command.args(["compose", "--project-name", name]).args(files).args(args);
    command.current_dir(repository.root()).envs(&engine().env).stdin(Stdio::null());
    Ran::from(command.output().unwrap()).success().stdout
}

#[test]
fn a_release_is_pulled_and_run_by_digest() {
    let place = format!("{}/{}", engine().registry(), unique("pull"));
    let web = format!("FROM {place}/base\nCOPY file /\n");
    let dockerfiles = [("base", "FROM busybox:debian\nRUN echo > /of-base\n"), ("web", &web)];
    let repository = busybox(&place, SERVICES, &dockerfiles);
    let publish = |event: &str| {
        engine().xtask(&repository, &["build-images", "--event", event]).run().success();
    };
    repository.write("services/web/file", "released\n");
    repository.write(".gitignore", "/target/\n/pinned.yml\n");
    repository.xtask(&["compose"]).run().success();
    repository.commit("one");
    publish("release:v0.1.0");
    let released = registry::tags(&format!("{place}/web"))["v0.1.0"].clone();
    repository.write("services/web/file", "newer\n");
    repository.commit("two");
    publish("dev");
    // Somebody's slip, which no release knows of.
    let newer = registry::manifest(&format!("{place}/web:dev"));
    let latest = format!("{place}/web:latest").parse().unwrap();
    registry::client().put_manifest(&latest, &newer.media_type, &newer.bytes).unwrap();

    let args = ["pull", "--compose", "pinned.yml", "--json"];
    let told = engine().xtask(&repository, &args).run().success().json();
    assert_eq!(told["version"], "0.1.0");
    assert_eq!(told["images"][1]["digest"], released.as_str());
    let image = format!("{place}/web@{released}");
    let cat = ["run", "--rm", "--pull", "never", &format!("{place}/web:latest"), "busybox"];
    let cat = [&cat[..], &["cat", "/file"]].concat();
    assert_eq!(engine().docker(&cat), "released");

    let config: Value =
        serde_json::from_str(&compose(&repository, "pull", &["config", "--format", "json"]))
            .unwrap();
    for service in ["base", "web"] {
        assert!(config["services"][service].get("build").is_none_or(Value::is_null), "{config}");
    }
    assert_eq!(config["services"]["web"]["image"], image.as_str());
    let name = unique("pull");
    let ran = compose(&repository, &name, &["run", "--rm", "web", "busybox", "cat", "/file"]);
    assert_eq!(ran.trim(), "released");
    compose(&repository, &name, &["down", "--volumes", "--timeout", "0"]);

    // What is not pinned is built on what is.
    let args = ["pull", "--compose", "pinned.yml", "--no-pull", "base"];
    engine().xtask(&repository, &args).run().success();
    compose(&repository, &name, &["build", "web"]);
    let cat = ["run", "--rm", "--pull", "never", "small-web:local", "busybox", "cat", "/file"];
    assert_eq!(engine().docker(&cat), "newer");

    let args = ["pull", "--tag", "dev", "web"];
    let ran = engine().xtask(&repository, &args).run().success();
    assert!(ran.stdout.contains(&newer.digest), "{}", ran.stdout);
    let cat = ["run", "--rm", "--pull", "never", &format!("{place}/web:dev"), "busybox"];
    assert_eq!(engine().docker(&[&cat[..], &["cat", "/file"]].concat()), "newer");
}
