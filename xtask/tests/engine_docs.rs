//! What README.md and the guides say to type, typed in page order in a fresh clone, against the private engine.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "docs/pages.rs"]
mod pages;
mod support;

use pages::Block;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use support::{Engine, Folder, Ran, Repository, engine};

/// What compose publishes, which may be in use on the machine of the test.
const PORTS: [&str; 2] = ["127.0.0.1:8080", "127.0.0.1:8081"];

/// What a newcomer writes: README.md, "Adding a service".
const WEB: [(&str, &str); 4] = [
    (
        "services/web/Dockerfile",
        "FROM ghcr.io/tzervas/autogit/base\nUSER 0\n\
         RUN apt-get update && apt-get install --yes busybox && rm -rf /var/lib/apt/lists/*\n\
         COPY index.html /srv/web/\nUSER 10001:10001\n\
         CMD [\"busybox\", \"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/srv/web\"]\n",
    ),
    ("services/web/.dockerignore", "*\n!index.html\n"),
    ("services/web/index.html", "<p>a page\n"),
    ("services/web/compose.yml", "service:\n  ports:\n    - \"127.0.0.1:8080:8080\"\n"),
];

/// A clone of this repository as it is, whose origin has it as the head of `dev`.
struct Clone {
    repository: Repository,
    origin: Repository,
    registry: String,
    ports: [String; 2],
}

impl Clone {
    fn new() -> Self {
        let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = held.each_ref().map(|port| port.local_addr().unwrap().to_string());
        let origin = Repository { folder: Folder::new() };
        copy(origin.root(), &ports);
        origin.git(&["init", "--quiet", "--initial-branch", "dev"]);
        origin.commit("first");
        origin.git(&["config", "receive.denyCurrentBranch", "ignore"]);
        let repository = Repository { folder: Folder::new() };
        repository.git(&["clone", "--quiet", origin.root().to_str().unwrap(), "."]);
        let registry = format!("{}/{}", engine().registry(), support::unique("docs"));
        Self { repository, origin, registry, ports }
    }

    /// `cargo` for the blocks: `cargo xtask` is the binary that is tested.
    fn path(&self) -> String {
        let tools = self.origin.root().join(".git/tools");
        std::fs::create_dir_all(&tools).unwrap();
        let script = format!(
            "#!/bin/sh\ntest \"$1\" = xtask && shift && exec '{}' \"$@\"\n",
            env!("CARGO_BIN_EXE_xtask")
        );
        let cargo = tools.join("cargo");
        std::fs::write(&cargo, script).unwrap();
        Ran::from(Command::new("chmod").arg("755").arg(cargo).output().unwrap()).success();
        format!("{}:{}", tools.display(), engine().env["PATH"])
    }

    fn bash(&self, text: &str) -> Ran {
        let mut command = Command::new("bash");
        let text = replaced(text, &self.ports);
        command.args(["-eu", "-o", "pipefail", "-c", &text]).current_dir(self.repository.root());
        for (name, value) in engine().xtask(&self.repository, &[]).command().get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.env("PATH", self.path()).env("XTASK_REGISTRY", &self.registry);
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "A")
                .env(format!("GIT_{who}_EMAIL"), "a@a.invalid");
        }
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").stdin(Stdio::null());
        Ran::from(command.output().unwrap())
    }
}

impl Clone {
    /// Runs lines, whose output has a text in it.
    #[track_caller]
    fn says(&self, text: &str, part: &str) -> String {
        let ran = self.bash(text);
        assert_eq!(ran.code, Some(0), "{text}\n{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains(part), "{text}: no `{part}`\n{}{}", ran.stdout, ran.stderr);
        ran.stdout
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        self.bash("cargo xtask down --volumes");
    }
}

/// What git knows of this repository, as it lies here.
fn copy(to: &Path, ports: &[String; 2]) {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(pages::root()).output();
    for path in Ran::from(listed.unwrap()).success().stdout.split_terminator('\0') {
        let (from, to) = (pages::root().join(path), to.join(path));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&from, &to).unwrap();
        if path.ends_with("compose.yml") {
            let text = std::fs::read_to_string(from).unwrap();
            std::fs::write(to, replaced(&text, ports)).unwrap();
        }
    }
}

fn replaced(text: &str, ports: &[String; 2]) -> String {
    PORTS.iter().zip(ports).fold(text.to_owned(), |text, (old, new)| text.replace(old, new))
}

#[test]
fn what_the_pages_say_to_type_works() {
    let _one = one();
    let clone = Clone::new();
    let mut failed = Vec::new();
    for block in pages::blocks().iter().filter(|block| runs(block)) {
        // A block may have stopped it.
        Engine::start();
        let began = Instant::now();
        let ran = clone.bash(&block.text);
        println!("{block}: {:.1} s", began.elapsed().as_secs_f64());
        if ran.code != Some(0) {
            failed.push(format!("{block}\n{}\n{}{}", block.text, ran.stdout, ran.stderr));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_newcomer_adds_a_service() {
    let _one = one();
    let clone = Clone::new();
    for (path, text) in WEB {
        clone.repository.write(path, &replaced(text, &clone.ports));
    }
    let manifest = clone.repository.root().join("services/services.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(manifest, text + "\n[services.web]\ndescription = \"A page\"\n").unwrap();
    clone.says("cargo xtask compose", "");
    let touched = clone.says("git status --porcelain", "");
    assert_eq!(touched, " M docker-compose.yml\n M services/services.toml\n?? services/web/\n");

    clone.says("cargo xtask build-images web --json", r#""outcome": "built""#);
    clone.says("cargo xtask build-images web --json", r#""outcome": "skipped""#);
    clone.says("cargo xtask engine exec -- docker compose config --images", "autogit-web:local");
    clone.says("cargo xtask up web", "");
    clone.says("curl --silent --retry 5 --retry-connrefused 127.0.0.1:8080", "<p>a page");
    clone.says("cargo xtask matrix", "web");

    clone
        .says("git add --all && git commit --quiet -m 'web: a page' && git push -q origin dev", "");
    clone.says("cargo xtask build-images --event dev", "");
    clone.says("cargo xtask warm-cache --check", "web");
    clone.says("cargo xtask release tag v0.1.0 && cargo xtask release publish v0.1.0", "");
    clone.says("cargo xtask release status v0.1.0", "web");
    clone.says("cargo xtask pull --tag v0.1.0 --dry-run", "/web");
}

#[test]
fn the_second_run_says_what_the_readme_shows() {
    let _one = one();
    let clone = Clone::new();
    clone.says("cargo xtask build-images", "");
    let again = clone.bash("cargo xtask build-images");
    let shown = pages::blocks().into_iter().find(|it| it.text.contains("skipped in")).unwrap();
    // Which base stands there depends on whether a hub answers, and seconds on the machine.
    for line in shown.text.lines().filter(|line| line.contains("skipped")) {
        let line = line.split(" in ").next().unwrap();
        let said = again.stdout.contains(line) || again.stderr.contains(line);
        assert!(said, "{shown}: `{line}`\n{}{}", again.stdout, again.stderr);
    }
}

/// Blocks stop the engine that all tests use.
fn one() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    Engine::start();
    one
}

fn runs(block: &Block) -> bool {
    let tests =
        pages::calls(&block.text).iter().any(|call| call.first().is_some_and(|it| it == "test"));
    block.is_bash() && block.needs.is_none() && !tests && (support::long() || !block.is_long())
}
