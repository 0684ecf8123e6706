//! The three real services of this repository, built once and at work together.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use support::{Folder, Ran, engine};

const TOKEN: &str = "push-token-of-the-test";
/// How long a runner holds a job, in seconds.
const LEASE: u64 = 3;
const COORDINATOR_TOKEN: &str = "coordinator-token-of-the-test";

#[test]
fn images_are_built_and_the_services_work_together() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    builds(root);
    let compose = Compose::new(root);
    compose.run(&["build", "--no-cache", "base", "git-server"]);
    compose.run(&["up", "--detach", "--wait"]);
    assert_eq!(http(compose.git(), "GET", "/healthz", None).0, 200);

    let work = Clone::new(&compose);
    let first = work.push("team/app", TOKEN).unwrap();
    work.is_what_a_clone_gives("team/app");
    refusals(&compose, &work);
    assert_eq!(compose.wait_for_jobs("team/app", 1), [first.clone()].into());

    compose.run(&["stop", "runner-coordinator"]);
    let away = [work.commit_and_push("two"), work.commit_and_push("three")];
    compose.run(&["start", "runner-coordinator"]);
    let all: BTreeSet<String> = away.into_iter().chain([first]).collect();
    assert_eq!(compose.wait_for_jobs("team/app", 3), all);

    claims(&compose, 3);
    let before = compose.jobs("team/app");
    assert_eq!(before.as_ref().map(BTreeSet::len), Some(3));
    compose.run(&["restart"]);
    compose.run(&["up", "--detach", "--wait"]);
    assert_eq!(compose.jobs("team/app"), before);
    work.is_what_a_clone_gives("team/app");
    compose.run(&["logs", "git-server"]);
}

/// `cargo xtask build-images` and plain `docker build` afterwards.
fn builds(root: &Path) {
    let xtask = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(args).current_dir(root).envs(&engine().env).stdin(Stdio::null());
        command.env_remove("GITHUB_ACTIONS");
        Ran::from(command.output().unwrap()).success()
    };
    xtask(&["build-images"]);
    for name in ["base", "git-server", "runner-coordinator"] {
        engine().docker(&["image", "inspect", &format!("autogit-{name}:local")]);
    }
    let again = xtask(&["build-images", "--json"]).json();
    for service in again["services"].as_array().unwrap() {
        assert_eq!(service["steps"]["total"], service["steps"]["cached"], "{service}");
    }
    let context = root.join("services/git-server");
    engine().docker(&["build", "--tag", "autogit-plain", context.to_str().unwrap()]);
}

fn refusals(compose: &Compose, work: &Clone) {
    assert!(work.push("team/app", "wrong").is_err());
    assert!(work.push("team/app", "").is_err());
    for path in ["..", "a/../../b", ".hidden", "a/.git", "%2e%2e/x", "A", "a//b", "a/b/c", "-x"] {
        let target = format!("/{path}/info/refs?service=git-receive-pack");
        let status = http(compose.git(), "GET", &target, Some(&basic(TOKEN))).0;
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    let target = "/team/app/info/refs?service=git-receive-pack";
    assert_eq!(http(compose.git(), "GET", target, Some(&basic("wrong"))).0, 401);
    let (status, head) = http(compose.git(), "GET", target, None);
    assert_eq!(status, 401);
    assert!(head.to_ascii_lowercase().contains("www-authenticate"), "{head}");
}

/// Ten runners claim at once: each job goes to exactly one of them.
fn claims(compose: &Compose, jobs: usize) {
    let address = compose.coordinator().to_owned();
    let runners: Vec<_> = (0..10)
        .map(|i| {
            let address = address.clone();
            std::thread::spawn(move || {
                let body = json!({ "runner": format!("runner-{i}") });
                post(&address, "/jobs/claim", &body)
            })
        })
        .collect();
    let answers: Vec<(u16, Value)> = runners.into_iter().map(|r| r.join().unwrap()).collect();
    let claimed: Vec<&Value> =
        answers.iter().filter(|(status, _)| *status == 200).map(|(_, body)| body).collect();
    let ids: BTreeSet<String> = claimed.iter().map(|body| body["job"]["id"].to_string()).collect();
    assert_eq!((claimed.len(), ids.len()), (jobs, jobs), "{answers:?}");
    assert_eq!(answers.iter().filter(|(status, _)| *status == 204).count(), 10 - jobs);
    let body = json!({ "lease": claimed[0]["lease"], "outcome": "success" });
    let finish = format!("/jobs/{}/finish", claimed[0]["job"]["id"]);
    assert_eq!(post(&address, &finish, &body).0, 200);
    let wrong = json!({ "lease": "0", "outcome": "success" });
    assert_eq!(post(&address, &format!("/jobs/{}/finish", claimed[1]["job"]["id"]), &wrong).0, 409);

    // The other runners say nothing more: their leases end, and their jobs are claimed again.
    std::thread::sleep(Duration::from_secs(LEASE + 1));
    let again: Vec<(u16, Value)> =
        (0..jobs).map(|_| post(&address, "/jobs/claim", &json!({ "runner": "late" }))).collect();
    let statuses: Vec<u16> = again.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [vec![200; jobs - 1], vec![204]].concat(), "{again:?}");
    let old = json!({ "lease": claimed[1]["lease"], "outcome": "success" });
    assert_eq!(post(&address, &format!("/jobs/{}/finish", claimed[1]["job"]["id"]), &old).0, 409);
}

/// This repository's compose project, on free ports and with a name of its own.
struct Compose {
    folder: Folder,
    file: String,
    name: String,
    git: String,
    coordinator: String,
}

impl Compose {
    fn new(root: &Path) -> Self {
        let folder = Folder::new();
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (git, coordinator) = (free().to_string(), free().to_string());
        let ports = format!(
            "services:\n  git-server:\n    ports: !override [\"{git}:8080\"]\n  \
             runner-coordinator:\n    ports: !override [\"{coordinator}:8080\"]\n    \
             environment: {{ LEASE_SECONDS: \"{LEASE}\" }}\n"
        );
        std::fs::write(folder.0.join("ports.yml"), ports).unwrap();
        let file = root.join("docker-compose.yml").to_str().unwrap().to_owned();
        Self { folder, file, name: support::unique("services"), git, coordinator }
    }

    fn git(&self) -> &str {
        &self.git
    }

    fn coordinator(&self) -> &str {
        &self.coordinator
    }

    fn call(&self, args: &[&str]) -> Ran {
        let ports = self.folder.0.join("ports.yml");
        let mut command = Command::new("docker");
        command
            .args(["compose", "--project-name", &self.name, "-f", &self.file, "-f"])
            .arg(ports)
            .args(args)
            .envs(&engine().env)
            .env("GIT_PUSH_TOKEN", TOKEN)
            .env("COORDINATOR_TOKEN", COORDINATOR_TOKEN)
            .stdin(Stdio::null());
        Ran::from(command.output().unwrap())
    }

    #[track_caller]
    fn run(&self, args: &[&str]) {
        self.call(args).success();
    }

    /// The commits that there is a job for; `None` while the coordinator does not answer.
    fn jobs(&self, repository: &str) -> Option<BTreeSet<String>> {
        let path = format!("/jobs?repo={repository}");
        let (status, answer) = http(&self.coordinator, "GET", &path, None);
        let body = answer.split_once("\r\n\r\n").filter(|_| status == 200)?.1;
        let body: Value = serde_json::from_str(body).unwrap();
        Some(body["jobs"].as_array().unwrap().iter().map(commit_of).collect())
    }

    /// Events arrive with a back-off of up to 15 s.
    fn wait_for_jobs(&self, repository: &str, count: usize) -> BTreeSet<String> {
        for _ in 0..200 {
            match self.jobs(repository) {
                Some(jobs) if jobs.len() >= count => return jobs,
                _ => std::thread::sleep(Duration::from_millis(200)),
            }
        }
        panic!("{:?}\n{}", self.jobs(repository), self.call(&["logs"]).stdout);
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        self.call(&["down", "--volumes"]);
    }
}

fn commit_of(job: &Value) -> String {
    ["commit", "after", "sha"]
        .iter()
        .find_map(|key| job[key].as_str())
        .unwrap_or_default()
        .to_owned()
}

/// A working tree with a few odd files, and pushes of it.
struct Clone<'a> {
    repository: support::Repository,
    compose: &'a Compose,
}

impl<'a> Clone<'a> {
    fn new(compose: &'a Compose) -> Self {
        let files = [("a", "1\n"), ("folder/b c", "\u{e4}\n"), ("empty", "")];
        let repository = support::Repository::new(&files);
        std::fs::write(repository.root().join("binary"), (0..=255).collect::<Vec<u8>>()).unwrap();
        repository.commit("a binary file");
        Self { repository, compose }
    }

    /// Pushes HEAD to `main`, and gives the commit.
    fn push(&self, name: &str, token: &str) -> Result<String, String> {
        let user = if token.is_empty() { String::new() } else { format!("me:{token}@") };
        let url = format!("http://{user}{}/{name}", self.compose.git());
        let output = Command::new("git")
            .args(["push", "--quiet", &url, "HEAD:refs/heads/main"])
            .current_dir(self.repository.root())
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        if output.status.success() {
            Ok(self.repository.git(&["rev-parse", "HEAD"]))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    fn commit_and_push(&self, text: &str) -> String {
        self.repository.write("a", text);
        self.repository.commit(text);
        self.push("team/app", TOKEN).unwrap()
    }

    fn is_what_a_clone_gives(&self, name: &str) {
        let folder = Folder::new();
        let url = format!("http://{}/{name}", self.compose.git());
        let copy = folder.0.join("copy");
        let cloned = Command::new("git")
            .args(["clone", "--quiet", &url, copy.to_str().unwrap()])
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output();
        Ran::from(cloned.unwrap()).success();
        for file in ["a", "folder/b c", "empty", "binary"] {
            let here = std::fs::read(self.repository.root().join(file)).unwrap();
            assert_eq!(std::fs::read(copy.join(file)).unwrap(), here, "{file}");
        }
    }
}

fn post(address: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let head = format!(
        "Authorization: Bearer {COORDINATOR_TOKEN}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n",
        body.len()
    );
    let (status, answer) = exchange(address, "POST", path, &head, &body);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

fn http(address: &str, method: &str, path: &str, authorization: Option<&str>) -> (u16, String) {
    let head = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    exchange(address, method, path, &head, "")
}

/// One request on a connection of its own, and all of the answer.
fn exchange(address: &str, method: &str, path: &str, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{head}\r\n{body}"
    )
    .unwrap();
    let mut answer = Vec::new();
    // A server that closes early has said what it had to say.
    stream.read_to_end(&mut answer).ok();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    (status, answer)
}

fn basic(token: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("me:{token}")))
}
