//! A set-up that is good, until something of it is broken.

use super::registry::client;
use super::support::{Folder, Repository, Xtask};
use relay::{Access, Canned, Memory, Profile, Received, Reply, Scripted, TokenServer};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};
use xtask::docker::registry::oci::{digest_of, media};
use xtask::docker::registry::{Reference, Source};
use xtask::time::rfc3339;

/// A stand-in that says what a Docker with the containerd image store says.
pub const DOCKER: &str = r#"#!/bin/sh
case "$*" in
  version*) echo 28.5.2 ;;
  "buildx version") echo "github.com/docker/buildx v0.29.1 abc" ;;
  "buildx inspect"*) printf 'Name: default\nDriver: docker\n' ;;
  *DriverStatus*) echo '[["driver-type","io.containerd.snapshotter.v1"]]' ;;
  *DockerRootDir*) echo / ;;
  *) exit 1 ;;
esac
"#;
pub const MANIFEST: &str =
    "[project]\nname = \"shop\"\nregistry = \"ghcr.io/someone/shop\"\n[services.web]\n";
const DAY: u64 = 86_400;

/// One set-up: good, until something is broken.
pub struct SetUp {
    pub memory: Memory,
    pub server: Scripted,
    pub repository: Repository,
    /// The only folder of PATH
    pub bin: Folder,
    pub place: String,
}

pub fn http_date(ahead: u64) -> String {
    let now = SystemTime::now() + Duration::from_secs(ahead);
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let date = ["-u", "-d", &format!("@{seconds}"), "+%a, %d %b %Y %H:%M:%S GMT"];
    let output = Command::new("date").args(date).env("LC_ALL", "C").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub fn program(bin: &Path, name: &str, script: &str) {
    let file = bin.join(name);
    std::fs::write(&file, script).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn found(name: &str) -> std::path::PathBuf {
    let path = std::env::var("PATH").unwrap();
    path.split(':').map(|folder| Path::new(folder).join(name)).find(|it| it.is_file()).unwrap()
}

impl SetUp {
    pub fn new() -> Self {
        Self::with(|answer| answer.header("Date", http_date(0)))
    }

    /// A registry whose answers are changed on their way.
    pub fn with(change: impl Fn(Canned) -> Canned + Send + Sync + 'static) -> Self {
        let memory = Memory::new(Profile::Distribution, digest_of);
        let store = memory.clone();
        let server = Scripted::start(move |request| change(store.answer(request)).into()).unwrap();
        let bin = Folder::new();
        for name in ["git", "sh", "timeout"] {
            std::os::unix::fs::symlink(found(name), bin.0.join(name)).unwrap();
        }
        program(&bin.0, "docker", DOCKER);
        let repository = Repository::new(&[
            ("services/services.toml", MANIFEST),
            ("services/web/Dockerfile", "FROM scratch\nCOPY a /a\n"),
            ("services/web/.dockerignore", "*.md\n"),
            ("services/web/a", "a"),
        ]);
        let place = format!("{}/shop", server.address());
        let set_up = Self { memory, server, repository, bin, place };
        set_up.publish(1);
        set_up
    }

    /// A cache, and an image of so many days that claims to have written it.
    pub fn publish(&self, days: u64) -> String {
        let image: Reference = format!("{}/web", self.place).parse().unwrap();
        let (layer, config) = (format!("layer {days}").into_bytes(), b"{}".to_vec());
        for bytes in [&layer, &config] {
            client().put_blob(&image, &digest_of(bytes), Source::Bytes(bytes), None).unwrap();
        }
        let entry = |bytes: &[u8]| serde_json::json!({ "mediaType": "x", "digest": digest_of(bytes), "size": bytes.len() });
        let cache = serde_json::json!({ "schemaVersion": 2, "mediaType": media::MANIFEST,
            "config": entry(&config), "layers": [entry(&layer)] });
        let cache = cache.to_string().into_bytes();
        let put = |tag: &str, media_type: &str, bytes: &[u8]| {
            client().put_manifest(&image.with_tag(tag).unwrap(), media_type, bytes).unwrap()
        };
        put("cache", media::MANIFEST, &cache);
        let created = rfc3339(SystemTime::now() - Duration::from_secs(days * DAY));
        let dev = serde_json::json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": [],
            "annotations": { "io.github.tzervas.autogit.fingerprint": "f".repeat(64),
                "io.github.tzervas.autogit.cache": digest_of(&cache),
                "org.opencontainers.image.created": created } });
        put("dev", media::INDEX, dev.to_string().as_bytes());
        digest_of(&layer)
    }

    pub fn call(&self, args: &[&str]) -> Xtask {
        self.tells(&[&["--json"], args].concat())
    }

    pub fn tells(&self, args: &[&str]) -> Xtask {
        let call = self.repository.xtask(&[&["doctor"], args].concat());
        let config = self.bin.0.join("config");
        std::fs::create_dir_all(&config).unwrap();
        call.env("PATH", self.bin.0.to_str().unwrap())
            .env("XTASK_REGISTRY", &self.place)
            .env("XTASK_ENGINE", "none-of-that-name")
            // Not the machine's own engine, whatever it is: the stand-in is asked.
            .env("DOCKER_CONTEXT", "stand-in")
            .env("DOCKER_CONFIG", config.to_str().unwrap())
    }

    /// The registry, which wants a token first.
    pub fn guarded(&self, users: &[(&str, Access)]) -> (TokenServer, Scripted) {
        let tokens = TokenServer::start(users, 300).unwrap();
        let store = self.memory.clone();
        let script =
            tokens.guard(move |request: &Received| -> Reply { store.answer(request).into() });
        let open = move |request: &Received| match request.route() {
            "/v2/" => Canned::json(401, "{}").into(),
            _ => script(request),
        };
        (tokens, Scripted::start(open).unwrap())
    }

    /// `user:password` for a host, as `docker login` leaves it.
    pub fn log_in(&self, host: &str) {
        let config = serde_json::json!({ "auths": { host: { "auth": "dXNlcjpwYXNz" } } });
        std::fs::create_dir_all(self.bin.0.join("config")).unwrap();
        std::fs::write(self.bin.0.join("config/config.json"), config.to_string()).unwrap();
    }
}

/// Exactly these checks are not good, each as `check verdict`; the evidence and the mend hold texts.
#[track_caller]
pub fn finds(call: &Xtask, expected: &[&str], texts: &[&str]) {
    let ran = call.run();
    let told = ran.json();
    let findings = told["findings"].as_array().unwrap();
    let bad: Vec<&Value> = findings.iter().filter(|it| it["verdict"] != "good").collect();
    let name = |it: &&Value| {
        format!("{} {}", it["check"].as_str().unwrap(), it["verdict"].as_str().unwrap())
    };
    let mut names: Vec<String> = bad.iter().map(name).collect();
    names.sort();
    let all = serde_json::to_string(&bad).unwrap();
    assert_eq!(names, expected, "{all}\n{}", ran.stderr);
    for text in texts {
        assert!(all.contains(text), "`{text}` is not in {all}");
    }
    assert!(bad.iter().all(|it| !it["mend"].as_str().unwrap_or_default().is_empty()), "{all}");
    let is_broken = names.iter().any(|name| name.ends_with("broken"));
    assert_eq!(ran.code, Some(i32::from(is_broken)), "{}", ran.stderr);
}
