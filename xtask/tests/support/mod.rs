//! What the tests share: repositories made for them, and the built binary.
#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A small base made of Debian's static busybox, about 2 MB.
pub const BUSYBOX: &str = r#"
[bases."busybox:debian"]
bootstrap = { debian = "trixie", variant = "extract", include = ["busybox-static"] }
"#;

/// A folder that goes away with its value.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("xtask-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Best effort: what stays is in the system's folder for temporary files.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A git repository with a manifest and services.
pub struct Repository {
    pub folder: Folder,
}

impl Repository {
    /// With these files, in one commit of a fixed time and author.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let repository = Self { folder: Folder::new() };
        repository.git(&["init", "--quiet", "--initial-branch", "dev"]);
        repository.git(&["config", "core.autocrlf", "false"]);
        for (path, text) in files {
            repository.write(path, text);
        }
        repository.write(".gitignore", "/target/\n");
        repository.commit("first");
        repository
    }

    /// Of files that are there, in a folder below one that goes away by itself.
    pub fn in_folder(folder: &Path) -> Self {
        let repository = Self { folder: Folder(folder.to_owned()) };
        repository.git(&["init", "--quiet", "--initial-branch", "dev"]);
        repository.commit("first");
        repository
    }

    pub fn root(&self) -> &Path {
        &self.folder.0
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(args)
            .current_dir(self.root())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "A")
            .env("GIT_AUTHOR_EMAIL", "a@example.invalid")
            .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
            .env("GIT_COMMITTER_NAME", "A")
            .env("GIT_COMMITTER_EMAIL", "a@example.invalid")
            .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The binary, to be run in this repository without anything of GitHub's or Docker's in the
    /// environment.
    pub fn xtask(&self, args: &[&str]) -> Xtask {
        Xtask {
            dir: self.root().to_owned(),
            args: args.iter().map(|a| (*a).into()).collect(),
            env: BTreeMap::new(),
            unset: Vec::new(),
        }
    }
}

/// A call of the binary.
pub struct Xtask {
    dir: PathBuf,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    unset: Vec<String>,
}

/// What came of a call.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Xtask {
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    pub fn unset(mut self, name: &str) -> Self {
        self.unset.push(name.into());
        self
    }

    /// Whether the call says something of a variable.
    pub fn sets(&self, name: &str) -> bool {
        self.env.contains_key(name) || self.unset.iter().any(|unset| unset == name)
    }

    pub fn dir(mut self, dir: &Path) -> Self {
        self.dir = dir.to_owned();
        self
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(&self.args).current_dir(&self.dir).stdin(Stdio::null());
        let foreign = |name: &str| {
            ["GITHUB_", "ACTIONS_", "DOCKER_", "BUILDX_", "BUILDKIT_"]
                .iter()
                .any(|p| name.starts_with(p))
                || name == "XTASK_REGISTRY"
        };
        for (name, _) in std::env::vars().filter(|(name, _)| foreign(name)) {
            command.env_remove(name);
        }
        for name in &self.unset {
            command.env_remove(name);
        }
        command.envs(&self.env);
        command
    }

    pub fn run(&self) -> Ran {
        Ran::from(self.command().output().unwrap())
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    #[track_caller]
    pub fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Exit code 2 with a message that holds a text.
    #[track_caller]
    pub fn refused(self, part: &str) -> Self {
        assert_eq!(self.code, Some(2), "{}\n{}", self.stdout, self.stderr);
        assert!(self.stderr.contains(part), "expected `{part}` in:\n{}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }
}

/// The private engine of this test run. `cargo xtask test` names it by `XTASK_ENGINE` and takes it
/// down; run alone, a test file leaves one called `test` behind.
pub struct Engine {
    /// What `engine env` says
    pub env: BTreeMap<String, String>,
}

/// The engine, started once in a test file.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(Engine::start)
}

/// Whether all is to be run that otherwise runs as a sample (`cargo xtask test --long`).
pub fn long() -> bool {
    std::env::var("XTASK_TEST_LONG").is_ok_and(|value| !value.is_empty())
}

impl Engine {
    pub fn start() -> Self {
        Self::named(&std::env::var("XTASK_ENGINE").unwrap_or_else(|_| "test".into()))
    }

    fn named(name: &str) -> Self {
        by_hand(name, &["up"]);
        let lines = by_hand(name, &["env"]).stdout;
        let env = lines.lines().filter_map(|line| {
            let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
            Some((name.to_owned(), value.trim_matches(['\'', '"']).to_owned()))
        });
        let mut env: BTreeMap<String, String> = env.collect();
        env.insert("XTASK_ENGINE".into(), name.to_owned());
        Self { env }
    }

    /// `127.0.0.1:<port>` of its registry.
    pub fn registry(&self) -> &str {
        &self.env["XTASK_ENGINE_REGISTRY"]
    }

    /// A call of the binary with this engine as the user's Docker.
    pub fn xtask(&self, repository: &Repository, args: &[&str]) -> Xtask {
        let mut call = repository.xtask(args);
        call.env.extend(self.env.clone());
        call
    }

    /// A docker command, which has to succeed. Gives its standard output.
    #[track_caller]
    pub fn docker(&self, args: &[&str]) -> String {
        let output =
            Command::new("docker").args(args).envs(&self.env).stdin(Stdio::null()).output();
        Ran::from(output.unwrap()).success().stdout.trim().to_owned()
    }
}

fn by_hand(engine: &str, args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("engine").args(args).env("XTASK_ENGINE", engine).stdin(Stdio::null());
    Ran::from(command.output().unwrap()).success()
}

/// An engine that nothing was built on yet, and that goes away with its value.
pub struct EmptyEngine(pub Engine);

impl EmptyEngine {
    pub fn start() -> Self {
        Self(Engine::named(&unique("empty")))
    }
}

impl Drop for EmptyEngine {
    fn drop(&mut self) {
        by_hand(&self.0.env["XTASK_ENGINE"], &["down", "--purge"]);
    }
}

/// A name that no other test uses, to keep repositories of one registry apart.
pub fn unique(prefix: &str) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("{prefix}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A repository of busybox services: the manifest's `[services…]`, and each Dockerfile after
/// `FROM busybox:debian`.
pub fn busybox(registry: &str, services: &str, dockerfiles: &[(&str, &str)]) -> Repository {
    let manifest =
        format!("[project]\nname = \"small\"\nregistry = \"{registry}\"\n{BUSYBOX}\n{services}");
    let mut files = vec![("services/services.toml".to_owned(), manifest)];
    for (service, text) in dockerfiles {
        files.push((format!("services/{service}/Dockerfile"), (*text).to_owned()));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    Repository::new(&files)
}
