//! A developer's clone of a small project, and what one looks at from there.

use super::{compose, registry};
use crate::support::{Folder, Ran, Repository, Xtask, busybox, engine, unique};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

pub const SERVICES: [&str; 3] = ["base", "queue", "web"];
/// Those that run: `base` does nothing by itself.
pub const RUNNING: [&str; 2] = ["queue", "web"];

/// Tags and digests, by repository.
pub type Listing = BTreeMap<&'static str, BTreeMap<String, String>>;

/// The clone, the bare remote that it is of, and the project's registry.
pub struct Desk {
    pub repository: Repository,
    pub remote: Repository,
    pub place: String,
    compose: String,
}

impl Desk {
    /// Somebody has pushed the project to a bare remote; this is a clean clone of it.
    pub fn new() -> Self {
        let place = format!("{}/{}", engine().registry(), unique("story"));
        let remote = Repository { folder: Folder::new() };
        remote.git(&["init", "--quiet", "--bare", "--initial-branch", "dev"]);
        let repository = Repository { folder: Folder::new() };
        let url = remote.root().to_str().unwrap();
        project(&place).git(&["push", "--quiet", url, "dev"]);
        repository.git(&["clone", "--quiet", url, "."]);
        for (key, value) in [("user.name", "A"), ("user.email", "a@example.invalid")] {
            repository.git(&["config", key, value]);
        }
        Self { repository, remote, place, compose: unique("story") }
    }

    /// `cargo xtask` with these words.
    pub fn xtask(&self, words: &str) -> Xtask {
        let args: Vec<&str> = words.split(' ').collect();
        engine().xtask(&self.repository, &args).env("COMPOSE_PROJECT_NAME", &self.compose)
    }

    /// The same, which has to succeed.
    #[track_caller]
    pub fn does(&self, words: &str) -> Ran {
        self.xtask(words).run().success()
    }

    /// The same, which prints JSON.
    #[track_caller]
    pub fn json(&self, words: &str) -> Value {
        self.does(words).json()
    }

    /// An edit, committed on a day and not pushed yet.
    pub fn edit(&self, path: &str, text: &str, date: &str) -> String {
        // The ages of images are told in whole seconds.
        std::thread::sleep(Duration::from_millis(1100));
        self.repository.write(path, text);
        let committed = Command::new("git")
            .args(["commit", "--quiet", "--all", "--message", path])
            .envs([("GIT_AUTHOR_DATE", date), ("GIT_COMMITTER_DATE", date)])
            .current_dir(self.repository.root())
            .status();
        assert!(committed.unwrap().success());
        self.head()
    }

    pub fn head(&self) -> String {
        self.repository.git(&["rev-parse", "HEAD"])
    }

    /// What stands in the registry.
    pub fn listing(&self) -> Listing {
        let all = ["base", "queue", "web", "releases", "bases"];
        all.map(|name| (name, registry::tags(&format!("{}/{name}", self.place)))).into()
    }

    /// The container of each service that runs.
    pub fn containers(&self) -> [String; 2] {
        RUNNING.map(|service| compose::container(&self.compose, service))
    }

    /// This project's images in the engine.
    pub fn local_images(&self) -> BTreeSet<String> {
        let format = "{{.Repository}}:{{.Tag}}@{{.Digest}}";
        let listed = engine().docker(&["image", "ls", "--digests", "--format", format]);
        let of_registry = format!("{}/", self.place);
        let is_ours = |name: &&str| {
            let of = |service: &str| name.starts_with(&format!("small-{service}:"));
            let bases = format!("{of_registry}bases");
            SERVICES.iter().any(|service| of(service))
                || name.starts_with(&of_registry) && !name.starts_with(&bases)
        };
        listed.lines().filter(is_ours).map(str::to_owned).collect()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.xtask("down --volumes").run();
        self.xtask("clean").run();
    }
}

/// `web` on `base`, and `queue`. No other run has their layers.
fn project(place: &str) -> Repository {
    let running = "COPY page /page\nCMD [\"sh\", \"-c\", \"cat /page; exec sleep 1000\"]\n";
    let repository = busybox(
        place,
        "[services.base]\n[services.queue]\n[services.web]\n",
        &[
            ("base", &format!("FROM busybox:debian\nRUN echo {place} > /of-base\n")),
            ("queue", &format!("FROM busybox:debian\nRUN echo {place} > /of-queue\n{running}")),
            ("web", &format!("FROM {place}/base\nRUN echo web > /of-web\n{running}")),
        ],
    );
    for service in RUNNING {
        repository.write(&format!("services/{service}/page"), "first\n");
        repository.write(&format!("services/{service}/.dockerignore"), "compose.yml\n");
        repository.write(&format!("services/{service}/compose.yml"), "service:\n  init: true\n");
    }
    repository.xtask(&["compose"]).run().success();
    repository.commit("the project");
    repository
}
