//! The private engine for real: beside others, after a crash, at work. Needs root on Debian.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

#[path = "support/private.rs"]
mod private;
mod support;

use camino::{Utf8Path, Utf8PathBuf};
use private::*;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::Folder;
use xtask::docker::bases::Bases;
use xtask::docker::engine::{self, Data, Instance};

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
    // Made again in a folder of its own: other tests read what is in the shared one.
    let folder = Folder::new();
    let own = Utf8PathBuf::from_path_buf(folder.0.clone()).unwrap();
    share_packages(&own);
    let (shared, own) = (setup_in(&cache(), "none"), setup_in(&own, "none"));
    let (shared, own) = (Bases::new(&shared), Bases::new(&own));
    for recipe in [busybox(), debian()] {
        let first = shared.ensure("a", &recipe).unwrap();
        assert_eq!(own.find(&recipe), None);
        let second = own.ensure("b", &recipe).unwrap();
        assert_ne!(first.layout, second.layout);
        assert_eq!((&first.digest, &first.platforms), (&second.digest, &second.platforms));
        assert_eq!(own.find(&recipe), Some(second));
    }
}

/// The packages that the other tests fetched.
fn share_packages(folder: &Utf8Path) {
    std::os::unix::fs::symlink(cache().join("packages"), folder.join("packages")).unwrap();
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
    share_packages(&deep);
    let engine = TestEngine::within(&deep, "deep");
    engine.load_base("busybox:debian", &busybox());
    engine.docker(&["run", "--rm", "busybox:debian", "true"]);
    let instance = engine.instance();
    drop(engine);
    assert_eq!(traces(&instance), Vec::<String>::new());
}
