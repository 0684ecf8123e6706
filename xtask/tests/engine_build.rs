//! `build-images` against a real engine, on small busybox services.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod support;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use support::{busybox, engine};

const REGISTRY: &str = "registry.invalid/small";

#[test]
fn one_failing_service_costs_only_itself_and_what_builds_on_it() {
    let engine = engine();
    let mut dockerfiles: Vec<(String, String)> = (0..9)
        .map(|i| {
            (format!("good{i}"), format!("FROM busybox:debian\nRUN sleep 2 && echo {i} > /i\n"))
        })
        .collect();
    dockerfiles.push(("bad".into(), "FROM busybox:debian\n\nRUN echo before && \\\n    sleep 1 && \\\n    echo oops && exit 3\n".into()));
    dockerfiles.push(("on-bad".into(), format!("FROM {REGISTRY}/bad\nRUN true\n")));
    dockerfiles.push(("on-good".into(), format!("FROM {REGISTRY}/good0\nRUN true\n")));
    let services: String =
        dockerfiles.iter().map(|(name, _)| format!("[services.{name}]\n")).collect();
    let dockerfiles: Vec<(&str, &str)> =
        dockerfiles.iter().map(|(n, d)| (n.as_str(), d.as_str())).collect();
    let repository = busybox(REGISTRY, &services, &dockerfiles);

    let ran = engine.xtask(&repository, &["build-images"]).run();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    for part in [
        "error: services/bad/Dockerfile:3: `bad` failed",
        "exit code: 3",
        "    3 | RUN echo before && \\",
        "    5 |     echo oops && exit 3",
        "  | before\n  | oops\n",
        "on-bad   not tried: bad failed",
        "10 of 12 images built",
    ] {
        assert!(ran.stderr.contains(part), "`{part}` is not in:\n{}", ran.stderr);
    }
    for good in ["good0", "good8", "on-good"] {
        let id =
            engine.docker(&["image", "inspect", "-f", "{{.Id}}", &format!("small-{good}:local")]);
        assert!(
            ran.stderr.contains(&id[..19]),
            "the digest of {good} is told: {id}\n{}",
            ran.stderr
        );
    }
}

#[test]
fn fail_fast_stops_at_the_first_failure() {
    let engine = engine();
    let good = "FROM busybox:debian\nRUN sleep 20\n";
    let bad = "FROM busybox:debian\nRUN exit 1\n";
    let repository =
        busybox(REGISTRY, "[services.slow]\n[services.bad]\n", &[("slow", good), ("bad", bad)]);
    let ran = engine.xtask(&repository, &["build-images", "--fail-fast"]).run();
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("slow  not tried"), "{}", ran.stderr);
}

#[test]
fn an_interrupt_ends_everything_and_leaves_no_process() {
    let engine = engine();
    let name = support::unique("held");
    let text = format!("FROM busybox:debian\nRUN echo {name} && sleep 60\n");
    let repository = busybox(REGISTRY, "[services.held]\n", &[("held", &text)]);
    let mut child = engine
        .xtask(&repository, &["build-images", "--verbose"])
        .command()
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = || children_of(child.id()).iter().any(|line| line.contains("buildx"));
    for _ in 0..200 {
        if running() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(1500));
    assert!(running(), "the build never began");
    let before = children_of(child.id());
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!before.is_empty());
    let left: Vec<String> = all_commands()
        .into_iter()
        .filter(|line| line.contains(repository.root().to_str().unwrap()))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_secret_is_seen_nowhere() {
    let engine = engine();
    let secret = support::unique("hunter2");
    let text = "FROM busybox:debian\nRUN --mount=type=secret,id=token [ -s /run/secrets/token ] && sleep 1 && echo used\n";
    let services = "[services.web]\nsecrets = [{ id = \"token\", env = \"TOKEN\" }]\n[services.file]\nsecrets = [{ id = \"token\", file = \"token.txt\" }]\n";
    let repository = busybox(REGISTRY, services, &[("web", text), ("file", text)]);
    repository.write("token.txt", &secret);
    let plan = engine.xtask(&repository, &["plan", "--json"]).env("TOKEN", &secret).run().success();
    assert!(!plan.stdout.contains(&secret));
    let child = engine
        .xtask(&repository, &["build-images", "--verbose", "--no-cache"])
        .env("TOKEN", &secret)
        .command()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id();
    let output = std::thread::spawn(move || child.wait_with_output().unwrap());
    let mut looked = 0;
    while !output.is_finished() {
        for line in all_commands() {
            assert!(!line.contains(&secret), "{line}");
        }
        looked += usize::from(!children_of(id).is_empty());
        std::thread::sleep(Duration::from_millis(5));
    }
    let ran = support::Ran::from(output.join().unwrap()).success();
    assert!(looked > 10, "the command lines were looked at only {looked} times");
    assert!(!ran.stdout.contains(&secret) && !ran.stderr.contains(&secret));
    for image in ["small-web:local", "small-file:local"] {
        assert!(!engine.docker(&["history", "--no-trunc", image]).contains(&secret));
        let folder = support::Folder::new();
        let archive = folder.0.join("image.tar");
        engine.docker(&["save", "-o", archive.to_str().unwrap(), image]);
        let unpacked = std::process::Command::new("tar")
            .args(["-C", folder.0.to_str().unwrap(), "-xf"])
            .arg(&archive)
            .status();
        assert!(unpacked.unwrap().success());
        let found = std::process::Command::new("grep")
            .args(["-r", &secret])
            .arg(&folder.0)
            .output()
            .unwrap();
        assert_eq!(found.status.code(), Some(1), "{}", String::from_utf8_lossy(&found.stdout));
        let layers = std::process::Command::new("sh")
            .args(["-c", "find \"$1\" -path '*sha256*' -type f -exec sh -c 'gzip -dc \"$1\" 2>/dev/null' sh {} \\;", "sh"])
            .arg(&folder.0)
            .output()
            .unwrap();
        assert!(!layers.stdout.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()));
    }
}

#[test]
fn every_golden_definition_comes_back_equal_from_bake() {
    let engine = engine();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut count = 0;
    for entry in std::fs::read_dir(golden).unwrap() {
        let Ok(text) = std::fs::read_to_string(entry.unwrap().path().join("expected")) else {
            continue;
        };
        let Ok(plan) = serde_json::from_str::<serde_json::Value>(&text) else { continue };
        let folder = support::Folder::new();
        let file = folder.0.join("definition.json");
        std::fs::write(&file, plan["definition"].to_string()).unwrap();
        let printed = engine.docker(&["buildx", "bake", "-f", file.to_str().unwrap(), "--print"]);
        let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(printed, plan["definition"]);
        count += 1;
    }
    assert!(count >= 6, "only {count} definitions");
}

fn children_of(id: u32) -> Vec<String> {
    let mut found = Vec::new();
    let mut ids = vec![id];
    while let Some(id) = ids.pop() {
        for task in std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten() {
            let children =
                std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            for child in children.split_whitespace().filter_map(|c| c.parse().ok()) {
                found.push(command_line(&format!("/proc/{child}/cmdline")));
                ids.push(child);
            }
        }
    }
    found
}

fn all_commands() -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let processes =
        entries.filter(|e| e.file_name().to_string_lossy().bytes().all(|b| b.is_ascii_digit()));
    processes.map(|e| command_line(&format!("{}/cmdline", e.path().display()))).collect()
}

fn command_line(path: &str) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

/// BuildKit itself only warns, and makes an image of one platform with another's content.
#[test]
fn a_base_of_another_platform_is_refused() {
    let services = "[services.web]\nplatforms = [\"linux/s390x\"]\n";
    let repository = busybox(REGISTRY, services, &[("web", "FROM busybox:debian\nRUN true\n")]);
    let ran = engine().xtask(&repository, &["build-images"]).run();
    ran.refused("service `web` is built for linux/s390x, but `busybox:debian` is there for");
}

/// One bake would have BuildKit ask `web` for the secret of a step of `base`.
#[test]
fn what_others_build_on_is_not_given_their_secrets() {
    let engine = engine();
    let base = format!(
        "FROM busybox:debian\nRUN --mount=type=secret,id=token echo {} && (ls /run/secrets; true) > /seen 2>&1\n",
        support::unique("seen")
    );
    let web = format!("FROM {REGISTRY}/base\nRUN true\n");
    let services =
        "[services.base]\n[services.web]\nsecrets = [{ id = \"token\", env = \"TOKEN\" }]\n";
    let repository = busybox(REGISTRY, services, &[("base", &base), ("web", &web)]);
    for again in [&[][..], &["--no-cache"]] {
        let args = [&["build-images"], again].concat();
        engine.xtask(&repository, &args).env("TOKEN", "x").run().success();
        for image in ["small-base:local", "small-web:local"] {
            let seen = engine.docker(&["run", "--rm", image, "cat", "/seen"]);
            assert!(seen.contains("No such file"), "{image} {again:?}: {seen}");
        }
    }
}
