//! `doctor` on set-ups that are broken in one way each, and on one that is not. Docker is a stand-in on
//! PATH (old versions and odd builders cannot be had otherwise); registries and token servers are real
//! ones on loopback.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/registry.rs"]
mod registry;
#[path = "doctor/set_up.rs"]
mod set_up;
mod support;

use registry::client;
use relay::{Access, Canned, Received, Reply, Scripted};
use set_up::{DOCKER, MANIFEST, SetUp, finds, http_date, program};
use std::path::Path;
use std::process::Command;
use support::Folder;
use xtask::docker::registry::Reference;
use xtask::docker::registry::oci::media;

#[test]
fn a_good_set_up_is_all_good() {
    let set_up = SetUp::new();
    finds(&set_up.call(&[]), &[], &[]);
    finds(&set_up.call(&["--push"]), &[], &[]);
    let posts = set_up.server.received().iter().filter(|it| it.method == "POST").count();
    let uploads = set_up.server.received().iter().filter(|it| it.method == "PUT").count();
    assert_eq!(
        (posts > 2, uploads),
        (true, 4),
        "sessions are opened, and only the set-up has written"
    );
}

#[test]
fn docker_is_absent_or_has_no_engine() {
    let set_up = SetUp::new();
    std::fs::remove_file(set_up.bin.0.join("docker")).unwrap();
    let told = set_up.call(&[]).run().json();
    let docker = &told["findings"][0];
    // A private engine takes its place on a Debian machine where we are root, and nowhere else.
    assert_eq!(docker["check"], "docker");
    assert!(docker["evidence"].as_str().unwrap().contains("no `docker` command"));
    assert_ne!(docker["verdict"], "good");
    program(&set_up.bin.0, "docker", "#!/bin/sh\nexit 1\n");
    let told = set_up.call(&[]).run().json();
    assert!(
        told["findings"][0]["evidence"].as_str().unwrap().contains("whose engine does not answer")
    );
    let host = set_up.call(&[]).env("DOCKER_HOST", "unix:///nobody/listens.sock");
    finds(&host, &["docker broken"], &["nothing answers there", "unset DOCKER_HOST"]);
}

#[test]
fn a_client_without_buildx_and_one_with_an_old_one() {
    let set_up = SetUp::new();
    let machine = ["/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec"];
    let is_there = |dir: &str| Path::new(dir).join("docker/cli-plugins/docker-buildx").exists();
    if !machine.iter().any(|dir| is_there(dir)) {
        program(&set_up.bin.0, "docker", &DOCKER.replace("\"buildx version\")", "never)"));
        let told = set_up.call(&[]).run().json();
        assert!(told["findings"][0]["evidence"].as_str().unwrap().contains("has no buildx"));
    }
    // A stand-in that prints what Debian stable's prints.
    let plugins = set_up.bin.0.join("config/cli-plugins");
    std::fs::create_dir_all(&plugins).unwrap();
    program(&set_up.bin.0, "docker", DOCKER);
    let old = DOCKER.replace("buildx version", "version").replace("version*)", "never)");
    program(
        &plugins,
        "docker-buildx",
        &old.replace("v0.29.1", "v0.13.1").replace("buildx inspect", "inspect"),
    );
    finds(&set_up.call(&[]), &["buildx broken"], &["0.13.1", "install a newer"]);
}

#[test]
fn the_wrong_driver_hinders_only_those_who_push() {
    let set_up = SetUp::new();
    program(&set_up.bin.0, "docker", &DOCKER.replace("io.containerd.snapshotter.v1", "overlay2"));
    let create = "docker buildx create --name xtask --driver docker-container";
    finds(&set_up.call(&[]), &["builder warning"], &["driver docker", create]);
    finds(&set_up.call(&["--push"]), &["builder broken"], &[create]);
    let gone = DOCKER.replace(
        "printf 'Name: default",
        "echo no builder found >&2; exit 1; printf 'Name: default",
    );
    program(&set_up.bin.0, "docker", &gone);
    finds(&set_up.call(&["--builder", "x"]), &["builder broken"], &["docker buildx ls"]);
}

#[test]
fn the_registry_is_down_or_ill() {
    let set_up = SetUp::new();
    let dead = set_up.call(&[]).env("XTASK_REGISTRY", "127.0.0.1:1/shop");
    finds(&dead, &["registry broken"], &["no connection", "127.0.0.1:1` is up"]);
    let ill = Scripted::start(|_: &Received| Canned::status(503).into()).unwrap();
    let ill = set_up.call(&[]).env("XTASK_REGISTRY", &format!("{}/shop", ill.address()));
    finds(&ill, &["registry broken"], &["503"]);
}

#[test]
fn a_login_that_is_missing_or_wrong_or_may_only_read() {
    let set_up = SetUp::new();
    let basic = "Basic dXNlcjpwYXNz";
    let at = |server: &Scripted, args: &[&str]| {
        set_up.call(args).env("XTASK_REGISTRY", &format!("{}/shop", server.address()))
    };
    let (_tokens, server) = set_up.guarded(&[("", Access::None), (basic, Access::Read)]);
    let login = format!("docker login {}", server.address());
    finds(&at(&server, &[]), &["login broken", "push warning"], &["403", &login]);
    set_up.log_in(&server.address().to_string());
    finds(&at(&server, &[]), &["push warning"], &["403", "may write packages"]);
    finds(&at(&server, &["--push"]), &["push broken"], &[&login]);
    let (_tokens, server) = set_up.guarded(&[("", Access::None), (basic, Access::Write)]);
    set_up.log_in(&server.address().to_string());
    finds(&at(&server, &["--push"]), &[], &[]);
    let (_tokens, server) = set_up.guarded(&[("Basic other", Access::Write)]);
    set_up.log_in(&server.address().to_string());
    finds(&at(&server, &[]), &["login broken", "push warning"], &["401", "log in: `docker login"]);
}

#[test]
fn a_cache_that_is_absent_or_old_or_has_lost_a_layer() {
    let set_up = SetUp::new();
    let empty =
        set_up.call(&[]).env("XTASK_REGISTRY", &format!("{}/empty", set_up.server.address()));
    finds(&empty, &["cache warning"], &["there is no", "cargo xtask warm-cache web"]);
    let layer = set_up.publish(40);
    finds(&set_up.call(&[]), &["cache warning"], &["40 days ago", "cargo xtask warm-cache web"]);
    set_up.memory.lose_blob("shop/web", &layer);
    finds(&set_up.call(&[]), &["cache broken"], &[&layer, "cargo xtask warm-cache web"]);
}

#[test]
fn a_clock_that_is_off() {
    let set_up = SetUp::with(|answer| answer.header("Date", http_date(3_600)));
    finds(&set_up.call(&[]), &["clock broken"], &["s apart", "set the clock"]);
}

/// A file system that is full.
struct Full(Folder);

impl Full {
    fn mount() -> Option<Self> {
        let full = Self(Folder::new());
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&full.0.0);
        mount.output().ok()?.status.success().then_some(full)
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0.0).output().ok();
    }
}

#[test]
fn a_disk_that_is_full() {
    let set_up = SetUp::new();
    // Only root mounts.
    let Some(full) = Full::mount() else { return };
    let folder = full.0.0.to_str().unwrap();
    let call = set_up.call(&[]).env("XTASK_CACHE_DIR", folder);
    finds(&call, &["disk broken"], &[folder, "XTASK_CACHE_DIR"]);
}

#[test]
fn a_hub_that_is_out_of_reach() {
    let set_up = SetUp::new();
    let base = "[bases.\"127.0.0.1:1/debian:x\"]\n";
    set_up.repository.write("services/services.toml", &format!("{MANIFEST}{base}"));
    finds(&set_up.call(&[]), &["hub broken"], &["127.0.0.1:1/debian:x` comes from there"]);
    let made = format!("{MANIFEST}{base}bootstrap = {{ debian = \"trixie\" }}\n");
    set_up.repository.write("services/services.toml", &made);
    finds(&set_up.call(&[]), &["hub warning"], &["is made from Debian's packages"]);
}

#[test]
fn a_base_that_has_moved() {
    let set_up = SetUp::new();
    let (host, place) =
        (set_up.server.address(), format!("{}/hub/debian", set_up.server.address()));
    let image: Reference = place.parse().unwrap();
    let put = |text: &str| {
        let index = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[],"annotations":{{"is":"{text}"}}}}"#,
            media::INDEX
        );
        client()
            .put_manifest(&image.with_tag("x").unwrap(), media::INDEX, index.as_bytes())
            .unwrap()
    };
    let digest = put("first");
    set_up
        .repository
        .write("services/services.toml", &format!("{MANIFEST}[bases.\"{place}:x\"]\n"));
    let lock = format!(
        "schema = 1\n[bases.\"{place}:x\"]\nfrom = \"hub\"\nimage = \"{place}:x\"\ndigest = \"{digest}\"\nplatforms = [\"linux/amd64\"]\nlocked = \"2026-11-01T00:00:00Z\"\n"
    );
    set_up.repository.write("services/bases.lock", &lock);
    let ran = set_up.call(&[]).run();
    assert_eq!(ran.code, Some(0), "{host}: {}{}", ran.stdout, ran.stderr);
    put("second");
    finds(&set_up.call(&[]), &["bases warning"], &["newer", "cargo xtask bases update"]);
}

#[test]
fn contexts_that_are_large_or_have_no_ignore_file() {
    let set_up = SetUp::new();
    std::fs::remove_file(set_up.repository.root().join("services/web/.dockerignore")).unwrap();
    finds(&set_up.call(&[]), &["dockerignore warning"], &["services/web/.dockerignore"]);
    set_up.repository.write("services/web/.dockerignore", "*.md\n");
    let large =
        std::fs::File::create(set_up.repository.root().join("services/web/dump.bin")).unwrap();
    large.set_len(300_000_000).unwrap();
    finds(&set_up.call(&[]), &["context warning"], &["300 MB"]);
    set_up.repository.write("services/web/.dockerignore", "*.bin\n");
    finds(&set_up.call(&[]), &[], &[]);
}

#[test]
fn a_cache_mount_and_a_secret_that_is_missing() {
    let set_up = SetUp::new();
    let run = "FROM scratch\nCOPY a /a\nRUN --mount=type=cache,target=/c make\n";
    set_up.repository.write("services/web/Dockerfile", run);
    finds(&set_up.call(&[]), &["cache-mounts warning"], &["services/web/Dockerfile:3"]);
    set_up.repository.write("services/web/Dockerfile", "FROM scratch\n");
    let secret = "secrets = [{ id = \"token\", file = \"nowhere\" }]\n";
    set_up.repository.write("services/services.toml", &format!("{MANIFEST}{secret}"));
    finds(&set_up.call(&[]), &["secrets broken"], &["the secret `token`", "optional = true"]);
}

#[test]
fn a_workflow_without_the_permission_and_a_runner_without_its_cache() {
    let set_up = SetUp::new();
    let workflow = "on:\n  push:\n    branches: [dev]\njobs:\n  a:\n    steps:\n      - run: cargo xtask build-images\n";
    set_up.repository.write(".github/workflows/dev.yml", workflow);
    finds(&set_up.call(&[]), &["workflow broken"], &["dev.yml", "packages: write"]);
    set_up.repository.write(
        ".github/workflows/dev.yml",
        &format!("permissions:\n  packages: write\n{workflow}"),
    );
    finds(&set_up.call(&[]), &[], &[]);
    let on_github = set_up.call(&[]).env("GITHUB_ACTIONS", "true");
    finds(&on_github, &["gha warning"], &["ACTIONS_RUNTIME_TOKEN", "ghaction-github-runtime"]);
    let given = on_github.env("ACTIONS_RUNTIME_TOKEN", "t").env("ACTIONS_RESULTS_URL", "https://x");
    finds(&given, &[], &[]);
    let event = given.env("GITHUB_EVENT_NAME", "push").env("GITHUB_REF", "refs/heads/dev");
    let shallow = Folder::new();
    let url = format!("file://{}", set_up.repository.root().display());
    set_up.repository.commit("second");
    let clone = ["clone", "--quiet", "--depth", "1", &url, shallow.0.to_str().unwrap()];
    set_up.repository.git(&clone);
    finds(&event.dir(&shallow.0), &["history warning"], &["fetch-depth: 0"]);
}

#[test]
fn packages_that_only_we_can_read() {
    let set_up = SetUp::new();
    let releases: Reference = format!("{}/releases:v1.0.0", set_up.place).parse().unwrap();
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[]}}"#, media::INDEX);
    client().put_manifest(&releases, media::INDEX, index.as_bytes()).unwrap();
    finds(&set_up.call(&[]), &[], &[]);
    // The images are for all, the records for those who log in.
    let store = set_up.memory.clone();
    let script = move |request: &Received| -> Reply {
        let anonymous = request.header("authorization").is_none();
        match anonymous && request.path.contains("/releases/") {
            true => Canned::error(401, "UNAUTHORIZED")
                .header("WWW-Authenticate", "Basic realm=\"x\"")
                .into(),
            false => store.answer(request).into(),
        }
    };
    let server = Scripted::start(script).unwrap();
    set_up.log_in(&server.address().to_string());
    let call = set_up.call(&[]).env("XTASK_REGISTRY", &format!("{}/shop", server.address()));
    finds(&call, &["visibility warning"], &["releases` is private", "Change visibility"]);
}

#[test]
fn people_read_only_what_is_wrong() {
    let set_up = SetUp::new();
    let call = |args: &[&str]| set_up.tells(args);
    let shown = call(&[]).run().success().stdout;
    assert!(shown.starts_with("all good: ") && shown.lines().count() == 1, "{shown}");
    let all = call(&["--verbose"]).run().success().stdout;
    assert!(all.lines().count() > 8 && all.contains("good     buildx: buildx 0.29.1"), "{all}");
    std::fs::remove_file(set_up.repository.root().join("services/web/.dockerignore")).unwrap();
    let shown = call(&[]).run().success().stdout;
    assert!(shown.contains("warning  dockerignore web: ") && shown.contains("0 broken, 1 warning"));
}
