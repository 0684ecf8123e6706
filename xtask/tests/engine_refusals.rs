//! What the private engine says where it cannot be: no rights, no mirror, no space, another Docker.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

#[path = "support/private.rs"]
mod private;
mod support;

use camino::{Utf8Path, Utf8PathBuf};
use private::*;
use std::process::Command;
use support::Folder;
use xtask::docker::connect::connect;
use xtask::docker::engine::{self, Data, Setup};

/// A folder with stand-ins for programs.
fn stand_ins(programs: &[(&str, &str)]) -> Folder {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    for (name, script) in programs {
        let path = folder.0.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

fn with_path(mut setup: Setup, first: &Folder) -> Setup {
    let path = format!("{}:{}", first.0.display(), setup.vars["PATH"]);
    setup.vars.insert("PATH".into(), path);
    setup
}

#[test]
fn a_docker_that_is_none_does_not_count() {
    let engine = TestEngine::new("none");
    let home = Folder::new();
    for (script, reason) in [
        ("exit 1", "has no engine that answers"),
        ("exit 1", "has the context `elsewhere`, whose engine does not answer"),
        (
            "[ $1 = version ] && exit 0; echo 'unknown command: docker buildx' >&2; exit 1",
            "has no buildx",
        ),
    ] {
        if Utf8Path::new("/var/run/docker.sock").exists() && reason.contains("no engine") {
            continue;
        }
        engine::down(&engine.setup, Data::Keep).unwrap();
        let docker = stand_ins(&[("docker", script)]);
        let mut setup = with_path(engine.setup.clone(), &docker);
        setup.vars.insert("HOME".into(), home.0.to_str().unwrap().into());
        if !reason.contains("no engine") {
            setup.vars.insert("DOCKER_CONTEXT".into(), "elsewhere".into());
        }
        TOLD.lock().unwrap().clear();
        let found = connect(&setup).unwrap();
        assert!(found.private.is_some());
        let told = TOLD.lock().unwrap().join("\n");
        if !plugins_everywhere() {
            assert!(told.contains(reason), "expected `{reason}` in:\n{told}");
        }
        assert!(told.contains("cargo xtask engine down"), "{told}");
    }
}

/// Whether this machine has buildx for all users, so that any docker command has it.
fn plugins_everywhere() -> bool {
    let places = "/usr/*/docker/cli-plugins /usr/local/*/docker/cli-plugins";
    !sh(&format!("find {places} -name docker-buildx 2>/dev/null; true")).is_empty()
}

#[test]
fn a_dead_docker_host_is_an_error_and_never_replaced() {
    let engine = TestEngine::new("host");
    let mut setup = engine.setup.clone();
    for host in ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"] {
        setup.vars.insert("DOCKER_HOST".into(), host.into());
        let docker = stand_ins(&[("docker", "exit 1")]);
        let error = connect(&with_path(setup.clone(), &docker)).unwrap_err();
        assert_eq!(xtask::error::exit_code(&error), 2);
        let text = format!("{error:#}");
        assert!(text.contains(host) && text.contains("unset DOCKER_HOST"), "{text}");
    }
    // One of ours, by its own name.
    setup.vars.insert("DOCKER_HOST".into(), engine.up().env["DOCKER_HOST"].clone());
    assert!(connect(&setup).unwrap().private.is_some());
    engine::down(&engine.setup, Data::Keep).unwrap();
    let text = format!("{:#}", connect(&setup).unwrap_err());
    assert!(text.contains("cargo xtask engine up"), "{text}");
}

#[test]
fn what_cannot_be_fetched_says_what_to_do() {
    for (script, next) in [
        (
            "echo 'E: Failed to fetch http://m/x  Could not resolve m' >&2; exit 100",
            "apt-get update",
        ),
        ("echo 'E: You don'\\''t have enough free space in /x/.' >&2; exit 100", "free some space"),
        ("echo 'W: GPG error: NO_PUBKEY 1234' >&2; exit 100", "debian-archive-keyring"),
        ("exit 0", "docker.io"),
    ] {
        let folder = Folder::new();
        let cache = Utf8PathBuf::from_path_buf(folder.0.clone()).unwrap();
        let apt = stand_ins(&[("apt-get", script), ("apt-cache", "exit 0")]);
        let setup = with_path(setup_in(&cache, "x"), &apt);
        let error = format!("{:#}", engine::up(&setup).unwrap_err());
        assert!(error.contains(next) && error.contains("next: "), "expected `{next}` in:\n{error}");
        let names: Vec<_> = cache.join("packages").read_dir_utf8().unwrap().flatten().collect();
        assert_eq!(names.len(), 1, "only the lock stays: {names:?}");
    }
}

#[test]
fn a_full_disk_says_what_to_do() {
    let folder = Folder::new();
    let path = folder.0.to_str().unwrap();
    sh(&format!("mount -t tmpfs -o size=6m tmpfs {path}"));
    let setup = setup_in(Utf8Path::new(path), "x");
    let error = engine::up(&setup).map(drop);
    sh(&format!("umount {path}"));
    let error = format!("{:#}", error.unwrap_err());
    assert!(error.contains("free some space") && error.contains("XTASK_CACHE_DIR"), "{error}");
}

#[test]
fn without_root_says_what_to_do() {
    let folder = Folder::new();
    let exe = folder.0.join("xtask");
    std::fs::copy(env!("CARGO_BIN_EXE_xtask"), &exe).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&exe)
        .args(["engine", "up"])
        .env("XTASK_CACHE_DIR", folder.0.join("cache"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("needs root") && text.contains("docker context use"), "{text}");
    assert!(!folder.0.join("cache").exists(), "nothing was written");
}

#[test]
fn the_command_line_hands_on_environment_and_exit_codes() {
    let engine = TestEngine::new("cli");
    let xtask = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_xtask"))
            .arg("engine")
            .args(args)
            .env("XTASK_CACHE_DIR", &engine.setup.cache)
            .env("XTASK_ENGINE", &engine.setup.instance)
            .output()
            .unwrap()
    };
    let absent = succeeded(&xtask(&["status", "--json"]));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&absent).unwrap()["state"], "absent");
    let lines = succeeded(&xtask(&["env"]));
    let seen = sh(&format!(
        "{lines}\ndocker version --format '{{{{.Server.Os}}}}'; docker buildx version >/dev/null && docker compose version >/dev/null && echo $XTASK_ENGINE_REGISTRY"
    ));
    assert_eq!(seen, format!("linux\n{}\n", engine.up().registry));
    assert_eq!(xtask(&["exec", "--", "sh", "-c", "exit 7"]).status.code(), Some(7));
    let status = succeeded(&xtask(&["status"]));
    assert!(status.contains("is up"), "{status}");
    succeeded(&xtask(&["down"]));
    assert!(succeeded(&xtask(&["status"])).contains("is down"));
}
