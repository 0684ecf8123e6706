//! `up --watch`, `logs` and `down` with the real compose: an edit restarts what it touches, and nothing
//! else.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/compose.rs"]
mod compose;
mod support;

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use support::{Repository, Xtask, busybox, engine, unique};

const ON_BASE: &str = "\
FROM registry.invalid/small/base
COPY a /a
CMD [\"sh\", \"-c\", \"cat /a; exec sleep 1000\"]
";

/// Services `web` and `queue` on `base`, and a compose project of its own name.
struct Project {
    repository: Repository,
    name: String,
}

impl Project {
    fn new() -> Self {
        let repository = busybox(
            "registry.invalid/small",
            "[services.base]\n[services.queue]\n[services.web]\n",
            &[
                ("base", "FROM busybox:debian\nCOPY a /of-base\n"),
                ("queue", ON_BASE),
                ("web", ON_BASE),
            ],
        );
        for service in ["base", "queue", "web"] {
            repository.write(&format!("services/{service}/a"), "first\n");
            repository.write(&format!("services/{service}/.dockerignore"), "*.md\ncompose.yml\n");
            if service != "base" {
                let fragment = "service:\n  init: true\n";
                repository.write(&format!("services/{service}/compose.yml"), fragment);
            }
        }
        let project = Self { repository, name: unique("up") };
        project.call(&["compose"]).run().success();
        project.repository.commit("second");
        project
    }

    fn call(&self, args: &[&str]) -> Xtask {
        let call = engine().xtask(&self.repository, args);
        call.env("COMPOSE_PROJECT_NAME", &self.name)
    }

    /// The container of a service.
    fn container(&self, service: &str) -> String {
        compose::container(&self.name, service)
    }

    fn containers(&self) -> [String; 2] {
        ["queue", "web"].map(|service| self.container(service))
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        self.call(&["down", "--volumes"]).run();
    }
}

/// A watch that is running.
struct Watching<'a> {
    project: &'a Project,
    child: Child,
    log: std::path::PathBuf,
}

impl<'a> Watching<'a> {
    fn start(project: &'a Project) -> Self {
        let log = project.repository.root().join("target/watch.log");
        std::fs::create_dir_all(log.parent().unwrap()).unwrap();
        let file = std::fs::File::create(&log).unwrap();
        let mut command = project.call(&["up", "--watch"]).command();
        let child = command.stdout(Stdio::null()).stderr(file).spawn().unwrap();
        Self { project, child, log }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until a text was said so often; gives up when the watch ends, or after minutes.
    #[track_caller]
    fn wait_for(&mut self, text: &str, times: usize) {
        let began = Instant::now();
        while self.said().matches(text).count() < times {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && began.elapsed() < Duration::from_secs(240),
                "{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn edit(&self, path: &str, text: &str) {
        self.project.repository.write(path, text);
    }

    fn interrupt(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        std::process::Command::new("kill").args(["-INT", &id]).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn an_edit_restarts_what_it_touches_and_nothing_else() {
    let project = Project::new();
    let mut watching = Watching::start(&project);
    watching.wait_for("watching; Ctrl-C ends it", 1);
    let [queue, web] = project.containers();
    assert!(!queue.is_empty() && !web.is_empty(), "{}", watching.said());
    // Nothing that goes into an image: the next edit, which does, is the first that is acted upon.
    watching.edit("services/web/README.md", "# Words\n");
    watching.edit("README.md", "# Words\n");
    std::thread::sleep(Duration::from_secs(2));
    watching.edit("services/web/a", "second\n");
    watching.wait_for("up: web\n", 1);
    let [queue_now, web_now] = project.containers();
    assert_eq!(queue_now, queue, "{}", watching.said());
    assert_ne!(web_now, web);
    assert_eq!(watching.said().matches("building web\n").count(), 1, "{}", watching.said());
    assert!(watching.said().contains("web: `services/web/a` changed"), "{}", watching.said());
    assert_eq!(engine().docker(&["exec", &web_now, "cat", "/a"]), "second");
    // What both build on.
    watching.edit("services/base/a", "second\n");
    watching.wait_for("up: base, queue, web\n", 2);
    let [queue_then, web_then] = project.containers();
    assert!(queue_then != queue && web_then != web_now, "{}", watching.said());
    assert_eq!(engine().docker(&["exec", &queue_then, "cat", "/of-base"]), "second");
    // A build that fails is shown, touches nothing, and the next edit is acted upon.
    watching.edit("services/web/Dockerfile", &format!("{ON_BASE}RUN echo because >&2; exit 3\n"));
    watching.wait_for("because", 1);
    watching.wait_for("0 of ", 1);
    assert_eq!(project.containers(), [queue_then.clone(), web_then.clone()]);
    watching.edit("services/web/Dockerfile", "FROM nowhere.invalid/no:image\n");
    watching.wait_for("waiting for the next edit", 1);
    watching.edit("services/web/Dockerfile", &format!("{ON_BASE}ENV X=1\n"));
    watching.wait_for("up: web\n", 2);
    assert_eq!(project.container("queue"), queue_then);
    assert_eq!(watching.interrupt(), Some(130));
    assert!(watching.said().contains("the services go on"));
    assert_eq!(project.container("queue"), queue_then);
    let logs = project.call(&["logs", "--tail", "1", "web"]).run().success().stdout;
    assert!(logs.contains("second") && !logs.contains("queue"), "{logs}");
    project.call(&["down"]).run().success();
    assert_eq!(project.containers(), ["", ""]);
}
