//! The private engine for real: beside others, after a crash, without rights, without a mirror.
//! Needs root on Debian. Every engine of a test has a name of its own and goes with its value.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod support;

use camino::{Utf8Path, Utf8PathBuf};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use support::Folder;
use xtask::docker::bases::{self, Bases};
use xtask::docker::connect::connect;
use xtask::docker::engine::{self, Data, Instance, Setup};
use xtask::manifest::Bootstrap;
use xtask::process::Processes;

/// What was told to the user, by any test.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Packages are fetched once for all tests: into the folder that `cargo xtask test` says, or one that
/// stays.
fn cache() -> Utf8PathBuf {
    let shared = concat!(env!("CARGO_TARGET_TMPDIR"), "/engine");
    std::env::var("XTASK_CACHE_DIR").unwrap_or_else(|_| shared.into()).into()
}

fn setup_in(cache: &Utf8Path, instance: &str) -> Setup {
    let foreign = |name: &str| name.starts_with("DOCKER_") || name.starts_with("BUILDX_");
    Setup {
        processes: Processes::default(),
        cache: cache.to_owned(),
        vars: std::env::vars().filter(|(name, _)| !foreign(name)).collect(),
        instance: instance.to_owned(),
        say: |line| TOLD.lock().unwrap().push(line.to_owned()),
    }
}

/// An engine that goes away with everything of it.
struct TestEngine {
    setup: Setup,
}

impl TestEngine {
    fn new(name: &str) -> Self {
        Self::within(&cache(), name)
    }

    fn within(cache: &Utf8Path, name: &str) -> Self {
        let name = format!("t-{name}-{}", std::process::id());
        Self { setup: setup_in(cache, &name) }
    }

    fn up(&self) -> engine::Engine {
        engine::up(&self.setup).unwrap()
    }

    fn instance(&self) -> Instance {
        Instance::of(&self.setup)
    }

    /// Runs a command with its environment.
    fn run(&self, program: &str, args: &[&str]) -> Output {
        let env = self.up().env;
        Command::new(program).args(args).envs(env).output().unwrap()
    }

    #[track_caller]
    fn docker(&self, args: &[&str]) -> String {
        succeeded(&self.run(self.up().program.as_str(), args))
    }

    /// A folder that is built.
    #[track_caller]
    fn build(&self, tag: &str, dockerfile: &str) -> String {
        let folder = Folder::new();
        std::fs::write(folder.0.join("Dockerfile"), dockerfile).unwrap();
        let context = folder.0.to_str().unwrap();
        let program = self.up().program;
        let args = ["build", "--progress=plain", "--no-cache", "--tag", tag, context];
        let output = self.run(program.as_str(), &args);
        succeeded(&output);
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn load_base(&self, name: &str, recipe: &Bootstrap) {
        self.up();
        let base = Bases::new(&self.setup).ensure(name, recipe).unwrap();
        let docker = connect(&self.setup).unwrap();
        assert!(docker.private.is_some(), "the user's own Docker is not this test's business");
        bases::load(&self.setup, &docker, name, &base).unwrap();
    }
}

impl Drop for TestEngine {
    fn drop(&mut self) {
        engine::down(&self.setup, Data::Purge).unwrap();
    }
}

#[track_caller]
fn succeeded(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[track_caller]
fn sh(script: &str) -> String {
    succeeded(&Command::new("sh").args(["-c", script]).output().unwrap())
}

fn busybox() -> Bootstrap {
    Bootstrap {
        suite: "trixie".into(),
        variant: "extract".into(),
        include: vec!["busybox-static".into()],
    }
}

fn debian() -> Bootstrap {
    Bootstrap { suite: "trixie".into(), variant: "minbase".into(), include: Vec::new() }
}

/// The packages' own tools, which the machine may lack.
fn tool(name: &str, args: &[&str]) -> String {
    let setup = setup_in(&cache(), "tools");
    let root = engine::packages::ensure(&setup, engine::packages::PackageSet::Engine).unwrap();
    let env = root.env(&setup).into_iter().filter_map(|(name, value)| Some((name, value?)));
    let program = root.program(&setup, name).unwrap();
    succeeded(&Command::new(program).args(args).envs(env).output().unwrap())
}

/// Everything of the network that is not an engine's: other tests have theirs at the same time.
fn network() -> Vec<String> {
    let rules = tool("iptables", &["-S"]) + &tool("iptables", &["-t", "nat", "-S"]);
    let links = tool("ip", &["-o", "link"]);
    let names = links.lines().filter_map(|line| line.split_whitespace().nth(1));
    let tables = tool("nft", &["list", "tables"]);
    let engines = ["xt-", "xt_", "br-", "veth"];
    let all = rules.lines().chain(names).chain(tables.lines());
    let others = all.filter(|line| !engines.iter().any(|part| line.contains(part)));
    others.map(str::to_owned).collect()
}

/// What is left of an engine anywhere on the machine.
fn traces(instance: &Instance) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let bytes = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&bytes).replace('\0', " ");
        if words.contains(instance.folder.as_str()) || words.contains(&instance.bridge) {
            found.push(format!("process {words}"));
        }
    }
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    let inside = |line: &&str| line.contains(instance.folder.as_str());
    found.extend(mounts.lines().filter(inside).map(|line| format!("mount {line}")));
    for text in [tool("ip", &["-o", "link"]), tool("nft", &["list", "tables"])] {
        let ours = |line: &&str| {
            line.contains(&instance.bridge) || line.contains(&instance.bridge.replace('-', "_"))
        };
        found.extend(text.lines().filter(ours).map(|line| format!("network {line}")));
    }
    let groups = sh(&format!("find /sys/fs/cgroup -maxdepth 2 -name '{}'", instance.bridge));
    found.extend(groups.lines().map(|line| format!("control group {line}")));
    if instance.run.exists() {
        found.push(format!("folder {}", instance.run));
    }
    found
}

/// A network as compose makes them; gives its bridge's name.
fn create_network(engine: &TestEngine) -> String {
    let id = engine.docker(&["network", "create", "n"]);
    let bridge = format!("br-{}", &id[..12]);
    assert!(tool("ip", &["-o", "link"]).contains(&bridge));
    bridge
}

fn pids_of(instance: &Instance, program: &str) -> Vec<String> {
    let script = format!(
        "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -q '^[^ ]*{program} .*{}' && echo ${{p#/proc/}}; done; true",
        instance.folder
    );
    sh(&script).lines().map(str::to_owned).collect()
}

#[test]
fn engines_live_side_by_side_and_leave_no_trace() {
    let before = network();
    let (one, two) = (TestEngine::new("one"), TestEngine::new("two"));
    one.load_base("busybox:debian", &busybox());
    two.up();
    assert_eq!(two.docker(&["images", "-q"]), "");
    one.build("x", "FROM busybox:debian\nRUN echo hello >/hello\nCMD [\"cat\", \"/hello\"]\n");
    assert_eq!(one.docker(&["run", "--rm", "x"]), "hello\n");
    let registry = one.up().registry;
    assert_ne!(registry, two.up().registry);
    let image = format!("{registry}/x:1");
    one.docker(&["tag", "x", &image]);
    one.docker(&["push", &image]);
    let bridge = create_network(&one);
    let (first, second) = (one.instance(), two.instance());
    drop(one);
    assert_eq!(traces(&first), Vec::<String>::new());
    assert!(engine::find(&two.setup).is_some(), "the other engine went along");
    assert!(!tool("ip", &["-o", "link"]).contains(&bridge));
    drop(two);
    assert_eq!(traces(&second), Vec::<String>::new());
    assert_eq!(network(), before);
}

#[test]
fn a_killed_engine_is_mended_and_leaves_no_trace() {
    let engine = TestEngine::new("kill");
    engine.load_base("busybox:debian", &busybox());
    let instance = engine.instance();
    let bridge = create_network(&engine);
    let addresses = engine::status(&engine.setup).unwrap().addresses;
    let run = ["run", "--detach", "--network", "n", "busybox:debian", "sleep", "1000"];
    engine.docker(&run);
    let kill = || {
        for program in ["dockerd", "docker-registry"] {
            let pids = pids_of(&instance, program);
            assert_eq!(pids.len(), 1, "{program}: {pids:?}");
            sh(&format!("kill -KILL {}", pids[0]));
        }
        let began = Instant::now();
        while engine::find(&engine.setup).is_some() && began.elapsed() < Duration::from_secs(5) {}
    };
    kill();
    assert_eq!(engine::status(&engine.setup).unwrap().state, "broken");
    assert!(!pids_of(&instance, "containerd-shim-runc-v2").is_empty(), "the kill left a container");
    // What a reboot leaves: a number that now belongs to someone else.
    std::fs::write(instance.run.join("docker.pid"), std::process::id().to_string()).unwrap();
    let began = Instant::now();
    engine.up();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(engine.docker(&["ps", "-q"]), "", "its container is known to have ended");
    assert_eq!(engine::status(&engine.setup).unwrap().addresses, addresses);
    engine.docker(&["run", "--rm", "busybox:debian", "true"]);
    engine.docker(&run);
    kill();
    engine::down(&engine.setup, Data::Keep).unwrap();
    assert_eq!(traces(&instance), Vec::<String>::new());
    assert!(!tool("ip", &["-o", "link"]).contains(&bridge));
    assert_eq!(engine::status(&engine.setup).unwrap().state, "down");
    assert!(engine.docker(&["images"]).contains("busybox"), "its data is still there");
}

#[test]
fn apt_works_in_run_and_compose_publishes_ports() {
    let engine = TestEngine::new("net");
    engine.load_base("debian:trixie-slim", &debian());
    engine.load_base("busybox:debian", &busybox());
    engine.build(
        "apt",
        "FROM debian:trixie-slim\nRUN apt-get update -q && apt-get install -qy --no-install-recommends tini\n",
    );
    let folder = Folder::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let file = folder.0.join("docker-compose.yml");
    // A network of compose's own reaches the outside, too: through the resolver to the mirror.
    let compose = format!(
        "services:\n  web:\n    image: busybox:debian\n    init: true\n    ports: [\"127.0.0.1:{port}:80\"]\n    command: sh -c 'echo served >/index.html; exec httpd -f -h /'\n  out:\n    image: apt\n    init: true\n    command: apt-get update -q -o APT::Update::Error-Mode=any\n"
    );
    std::fs::write(&file, compose).unwrap();
    let file = file.to_str().unwrap();
    engine.docker(&["compose", "-f", file, "up", "--detach", "web"]);
    let page = get(port);
    assert!(page.contains("served"), "{page}");
    engine.docker(&["compose", "-f", file, "run", "--rm", "out"]);
    engine.docker(&["compose", "-f", file, "down", "--timeout", "2"]);
}

fn get(port: u16) -> String {
    use std::io::{Read as _, Write as _};
    for _ in 0..50 {
        let mut text = String::new();
        if let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port))
            && stream.write_all(b"GET / HTTP/1.0\r\n\r\n").is_ok()
            && stream.read_to_string(&mut text).is_ok()
            && !text.is_empty()
        {
            return text;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    String::new()
}

#[test]
fn a_base_made_twice_is_the_same_to_the_bit() {
    let setup = setup_in(&cache(), "none");
    let bases = Bases::new(&setup);
    for recipe in [busybox(), debian()] {
        let first = bases.ensure("a", &recipe).unwrap();
        std::fs::remove_dir_all(&first.layout).unwrap();
        assert_eq!(bases.find(&recipe), None);
        let second = bases.ensure("b", &recipe).unwrap();
        assert_eq!(first, second);
        assert_eq!(bases.find(&recipe), Some(second));
    }
}

/// A dockerd of someone else, with Docker's own firewall that lets nothing through, in a network
/// namespace where it disturbs nobody.
struct Foreign {
    folder: Folder,
    held: std::process::Child,
}

impl Foreign {
    fn start() -> Self {
        let mut held = Command::new("unshare");
        held.args(["--net", "sleep", "600"]).stdin(Stdio::null()).stdout(Stdio::null());
        let held = held.stderr(Stdio::null()).spawn().unwrap();
        let foreign = Self { folder: Folder::new(), held };
        let own = std::fs::read_link("/proc/self/ns/net").unwrap();
        let theirs = format!("/proc/{}/ns/net", foreign.held.id());
        while std::fs::read_link(&theirs).is_ok_and(|link| link == own) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let path = foreign.folder.0.display();
        // Docker lets nothing through only where it was the one that turned forwarding on.
        foreign.within(&format!(
            "echo 0 >/proc/sys/net/ipv4/ip_forward; ip link set lo up; ip link add fg0 type bridge; \
             ip addr add 172.31.0.1/24 dev fg0; ip link set fg0 up; \
             setsid dockerd --data-root {path}/d --exec-root {path}/e --pidfile {path}/p \
             -H unix://{path}/s --bridge fg0 >{path}/log 2>&1 </dev/null & \
             for i in $(seq 100); do docker -H unix://{path}/s version >/dev/null 2>&1 && exit 0; \
             sleep 0.1; done; cat {path}/log; exit 1"
        ));
        foreign
    }

    #[track_caller]
    fn within(&self, script: &str) -> String {
        let setup = setup_in(&cache(), "tools");
        let root = engine::packages::ensure(&setup, engine::packages::PackageSet::Engine).unwrap();
        let env = root.env(&setup).into_iter().filter_map(|(name, value)| Some((name, value?)));
        let namespace = format!("--net=/proc/{}/ns/net", self.held.id());
        let args = [namespace.as_str(), "sh", "-c", script];
        succeeded(&Command::new("nsenter").args(args).envs(env).output().unwrap())
    }

    fn look(&self) -> String {
        let docker = format!("docker -H unix://{}/s", self.folder.0.display());
        self.within(&format!(
            "iptables -S; iptables -t nat -S; ip -o link | cut -d: -f2; nft list tables; \
             {docker} images -q; {docker} network ls -q; cat /proc/sys/net/ipv4/ip_forward"
        ))
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let path = self.folder.0.display();
        self.within(&format!(
            "kill $(cat {path}/p); for i in $(seq 50); do [ -e {path}/p ] || break; sleep 0.1; done; \
             umount -l {path}/d 2>/dev/null; true"
        ));
        self.held.kill().unwrap();
        self.held.wait().unwrap();
    }
}

#[test]
fn a_foreign_dockerd_is_left_alone() {
    let foreign = Foreign::start();
    let before = foreign.look();
    assert!(before.contains("-P FORWARD DROP"), "{before}");
    let name = format!("t-fg-{}", std::process::id());
    let cache = cache();
    let xtask = |task: &str| {
        let exe = env!("CARGO_BIN_EXE_xtask");
        let path = std::env::var("PATH").unwrap();
        foreign.within(&format!(
            "PATH='{path}' XTASK_CACHE_DIR='{cache}' XTASK_ENGINE={name} {exe} engine {task}"
        ))
    };
    xtask("up");
    let beside = foreign.look();
    let bridge = Instance::named(&cache, &name).bridge;
    let ours = |text: &str| text.lines().filter(|line| line.contains(&bridge)).count();
    let again = (xtask("up"), foreign.look()).1;
    xtask("down --purge");
    assert_eq!(ours(&beside), 3, "two rules and the bridge:\n{beside}");
    assert_eq!(again, beside, "a second `up` adds nothing");
    assert_eq!(foreign.look(), before);
}

#[test]
fn a_taken_port_is_replaced() {
    let engine = TestEngine::new("port");
    let before = engine.up().registry;
    engine::down(&engine.setup, Data::Keep).unwrap();
    let _taken = TcpListener::bind(&before).unwrap();
    let after = engine.up().registry;
    assert_ne!(before, after);
    let told = TOLD.lock().unwrap().join("\n");
    assert!(told.contains("was taken by another program"), "{told}");
}

#[test]
fn a_deep_cache_folder_still_has_short_sockets() {
    let folder = Folder::new();
    let deep = Utf8PathBuf::from_path_buf(folder.0.join("d".repeat(90))).unwrap();
    std::fs::create_dir_all(&deep).unwrap();
    // The packages of the other tests.
    std::os::unix::fs::symlink(cache().join("packages"), deep.join("packages")).unwrap();
    let engine = TestEngine::within(&deep, "deep");
    engine.load_base("busybox:debian", &busybox());
    engine.docker(&["run", "--rm", "busybox:debian", "true"]);
    let instance = engine.instance();
    drop(engine);
    assert_eq!(traces(&instance), Vec::<String>::new());
}

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
