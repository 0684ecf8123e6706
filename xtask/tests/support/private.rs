//! Engines of a test's own, by the library, and what they leave on the machine.
#![allow(dead_code)]

use super::support::Folder;
use camino::{Utf8Path, Utf8PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use xtask::docker::bases::{self, Bases};
use xtask::docker::connect::connect;
use xtask::docker::engine::{self, Data, Instance, Setup};
use xtask::manifest::Bootstrap;
use xtask::process::Processes;

/// What was told to the user, by any test.
pub static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Packages are fetched once for all tests: into the folder that `cargo xtask test` says, or one that
/// stays.
pub fn cache() -> Utf8PathBuf {
    let shared = concat!(env!("CARGO_TARGET_TMPDIR"), "/engine");
    std::env::var("XTASK_CACHE_DIR").unwrap_or_else(|_| shared.into()).into()
}

pub fn setup_in(cache: &Utf8Path, instance: &str) -> Setup {
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
pub struct TestEngine {
    pub setup: Setup,
}

impl TestEngine {
    pub fn new(name: &str) -> Self {
        Self::within(&cache(), name)
    }

    pub fn within(cache: &Utf8Path, name: &str) -> Self {
        let name = format!("t-{name}-{}", std::process::id());
        Self { setup: setup_in(cache, &name) }
    }

    pub fn up(&self) -> engine::Engine {
        engine::up(&self.setup).unwrap()
    }

    pub fn instance(&self) -> Instance {
        Instance::of(&self.setup)
    }

    /// Runs a command with its environment.
    pub fn run(&self, program: &str, args: &[&str]) -> Output {
        let env = self.up().env;
        Command::new(program).args(args).envs(env).output().unwrap()
    }

    #[track_caller]
    pub fn docker(&self, args: &[&str]) -> String {
        succeeded(&self.run(self.up().program.as_str(), args))
    }

    /// A folder that is built.
    #[track_caller]
    pub fn build(&self, tag: &str, dockerfile: &str) -> String {
        let folder = Folder::new();
        std::fs::write(folder.0.join("Dockerfile"), dockerfile).unwrap();
        let context = folder.0.to_str().unwrap();
        let program = self.up().program;
        let args = ["build", "--progress=plain", "--no-cache", "--tag", tag, context];
        let output = self.run(program.as_str(), &args);
        succeeded(&output);
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    pub fn load_base(&self, name: &str, recipe: &Bootstrap) {
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
pub fn succeeded(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[track_caller]
pub fn sh(script: &str) -> String {
    succeeded(&Command::new("sh").args(["-c", script]).output().unwrap())
}

pub fn busybox() -> Bootstrap {
    Bootstrap {
        suite: "trixie".into(),
        variant: "extract".into(),
        include: vec!["busybox-static".into()],
    }
}

pub fn debian() -> Bootstrap {
    Bootstrap { suite: "trixie".into(), variant: "minbase".into(), include: Vec::new() }
}

/// The packages' own tools, which the machine may lack.
pub fn tool(name: &str, args: &[&str]) -> String {
    let setup = setup_in(&cache(), "tools");
    let root = engine::packages::ensure(&setup, engine::packages::PackageSet::Engine).unwrap();
    let env = root.env(&setup).into_iter().filter_map(|(name, value)| Some((name, value?)));
    let program = root.program(&setup, name).unwrap();
    succeeded(&Command::new(program).args(args).envs(env).output().unwrap())
}

/// Everything of the network that is not an engine's: other tests have theirs at the same time.
pub fn network() -> Vec<String> {
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
pub fn traces(instance: &Instance) -> Vec<String> {
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
pub fn create_network(engine: &TestEngine) -> String {
    let id = engine.docker(&["network", "create", "n"]);
    let bridge = format!("br-{}", &id[..12]);
    assert!(tool("ip", &["-o", "link"]).contains(&bridge));
    bridge
}

pub fn pids_of(instance: &Instance, program: &str) -> Vec<String> {
    let script = format!(
        "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -q '^[^ ]*{program} .*{}' && echo ${{p#/proc/}}; done; true",
        instance.folder
    );
    sh(&script).lines().map(str::to_owned).collect()
}
