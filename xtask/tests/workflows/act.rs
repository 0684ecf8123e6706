//! Runs a workflow by act, without containers: each job in a folder of its own, on this machine, with stand-ins
//! for actions. What act does not do: filters of `on:`, permissions, concurrency.

use crate::private;
use crate::reader;
use crate::support::{Engine, Folder, Repository};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use xtask::docker::engine::packages::ensure_tools;

/// A run of a workflow, not begun yet.
pub struct Act<'a> {
    engine: &'a Engine,
    repository: &'a Repository,
    workflow: &'a str,
    event: &'a str,
    payload: serde_json::Value,
    token: String,
    cache: PathBuf,
    /// What jobs need besides
    pub env: BTreeMap<String, String>,
    folder: Folder,
}

/// What came of it.
#[derive(Debug)]
pub struct Acted {
    pub code: Option<i32>,
    /// All that act and the steps said
    pub log: String,
    /// What the stand-ins were asked for, in order
    pub asked: Vec<String>,
    /// `<name>/<file>` of what was uploaded, and its text
    pub artifacts: BTreeMap<String, String>,
}

impl<'a> Act<'a> {
    pub fn new(
        engine: &'a Engine,
        repository: &'a Repository,
        workflow: &'a str,
        event: &'a str,
        payload: serde_json::Value,
    ) -> Self {
        let folder = Folder::new();
        let cache = folder.0.join("cache");
        let (token, env) = (String::new(), BTreeMap::new());
        Self { engine, repository, workflow, event, payload, token, cache, env, folder }
    }

    /// With a token for GitHub's cache, which is kept in a folder.
    pub fn with_cache(mut self, token: &str, cache: &Path) -> Self {
        self.token = token.to_owned();
        self.cache = cache.to_owned();
        self
    }

    pub fn run(self) -> Acted {
        let (log, artifacts) = (self.folder.0.join("log"), self.folder.0.join("artifacts"));
        std::fs::write(&log, "").unwrap();
        std::fs::create_dir(&artifacts).unwrap();
        let output = self.command(&log, &artifacts).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let asked = std::fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
        Acted {
            code: output.status.code(),
            log: text + &String::from_utf8_lossy(&output.stderr),
            asked,
            artifacts: files(&artifacts),
        }
    }

    fn command(&self, log: &Path, artifacts: &Path) -> Command {
        let setup = private::setup_in(&private::cache(), "act");
        let act = ensure_tools(&setup).unwrap().program("act");
        let home = self.folder.0.join("home");
        std::fs::create_dir_all(home.join("config/act")).unwrap();
        // Without this file it asks which images to use.
        std::fs::write(home.join("config/act/actrc"), "").unwrap();
        let payload = self.folder.0.join("event.json");
        std::fs::write(&payload, self.payload.to_string()).unwrap();
        let mut command = Command::new(act);
        command
            .args([self.event, "--eventpath", payload.to_str().unwrap()])
            .args(["--workflows", &format!(".github/workflows/{}.yml", self.workflow)])
            .args(["--platform", "ubuntu-24.04=-self-hosted", "--no-skip-checkout"])
            .args(["--action-offline-mode", "--pull=false", "--concurrent-jobs", "1"])
            .args(["--cache-server-addr", "127.0.0.1"])
            .args(["--cache-server-path", self.cache.to_str().unwrap()]);
        for (action, stub) in stubs() {
            command.args(["--local-repository", &format!("{action}={}", stub.display())]);
        }
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let mut env = self.env.clone();
        for name in ["DOCKER_HOST", "DOCKER_CONFIG", "XTASK_ENGINE"] {
            env.insert(name.into(), self.engine.env[name].clone());
        }
        env.insert("XTASK_CACHE_DIR".into(), private::cache().into_string());
        env.insert("STUBS_XTASK".into(), env!("CARGO_BIN_EXE_xtask").into());
        env.insert("STUBS_LOG".into(), path(log));
        env.insert("STUBS_ARTIFACTS".into(), path(artifacts));
        env.insert("STUBS_ORIGIN".into(), path(self.repository.root()));
        env.insert("STUBS_SHA".into(), self.repository.git(&["rev-parse", "HEAD"]));
        env.insert("STUBS_TOKEN".into(), self.token.clone());
        for (name, value) in env {
            command.args(["--env", &format!("{name}={value}")]);
        }
        let bin = folder_of_stubs().join("bin");
        command
            .current_dir(self.repository.root())
            .env("PATH", format!("{}:{}", bin.display(), self.engine.env["PATH"]))
            .env("HOME", &home)
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env_remove("DOCKER_HOST")
            .stdin(Stdio::null());
        command
    }
}

/// What stands in for actions and for cargo.
fn folder_of_stubs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/workflows/stubs")
}

/// `owner/name@commit` of each action, and the folder of what stands in for it.
fn stubs() -> BTreeMap<String, PathBuf> {
    let mut stubs = BTreeMap::new();
    for used in reader::actions() {
        let pin = used.split(" # ").next().unwrap();
        if let Some((action, commit)) = pin.split_once('@') {
            let mut parts = action.split('/');
            let (owner, name) = (parts.next().unwrap(), parts.next().unwrap());
            let stub = folder_of_stubs().join(name);
            assert!(stub.is_dir(), "nothing stands in for {owner}/{name}");
            stubs.insert(format!("{owner}/{name}@{commit}"), stub);
        }
    }
    stubs
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().path();
        for entry in std::fs::read_dir(&name).unwrap() {
            let file = entry.unwrap().path();
            let text = std::fs::read_to_string(&file).unwrap();
            all.insert(file.strip_prefix(folder).unwrap().to_str().unwrap().to_owned(), text);
        }
    }
    all
}

impl Acted {
    #[track_caller]
    pub fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.log);
        self
    }

    /// Whether a step of a job said something.
    pub fn says(&self, text: &str) -> bool {
        self.log.lines().any(|line| line.contains(text))
    }

    /// The report of the one job that built.
    #[track_caller]
    pub fn report(&self) -> serde_json::Value {
        let is_report = |name: &&String| name.ends_with("/report.json");
        let names: Vec<&String> = self.artifacts.keys().filter(is_report).collect();
        assert_eq!(names.len(), 1, "{}", self.log);
        serde_json::from_str(&self.artifacts[names[0]]).unwrap()
    }
}
