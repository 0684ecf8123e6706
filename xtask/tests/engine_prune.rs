//! `cache prune` against the real registry (distribution 2.8), and its own garbage collection after it.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/history.rs"]
mod history;
#[path = "support/private.rs"]
mod private;
#[path = "support/registry.rs"]
mod registry;
mod support;

use history::{History, client};
use private::{cache, setup_in, succeeded};
use std::process::{Child, Command, Stdio};
use support::Folder;
use xtask::docker::engine::packages::{PackageSet, ensure};
use xtask::docker::registry::Answer;

/// A registry of its own, whose garbage can be collected.
struct Server {
    folder: Folder,
    port: u16,
    child: Option<Child>,
}

impl Server {
    fn new() -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let folder = Folder::new();
        let config = serde_json::json!({
            "version": "0.1",
            "log": { "level": "warn" },
            "storage": {
                "filesystem": { "rootdirectory": folder.0.join("data") },
                "delete": { "enabled": true },
            },
            "http": { "addr": format!("127.0.0.1:{port}") },
        });
        std::fs::write(folder.0.join("config.yml"), config.to_string()).unwrap();
        let mut server = Self { folder, port, child: None };
        server.start();
        server
    }

    fn command(&self, task: &str) -> Command {
        let setup = setup_in(&cache(), "tools");
        let root = ensure(&setup, PackageSet::Engine).unwrap();
        let mut command = Command::new(root.program(&setup, "docker-registry").unwrap());
        command.arg(task).arg(self.folder.0.join("config.yml"));
        let env = root.env(&setup).into_iter().filter_map(|(name, value)| Some((name, value?)));
        command.envs(env);
        command
    }

    fn start(&mut self) {
        let log = std::fs::File::create(self.folder.0.join("log")).unwrap();
        let mut serve = self.command("serve");
        serve.stdout(Stdio::null()).stderr(log);
        self.child = Some(serve.spawn().unwrap());
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert_eq!(self.child.as_mut().unwrap().try_wait().unwrap(), None, "it has ended");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn collect_garbage(&mut self) {
        self.stop();
        succeeded(&self.command("garbage-collect").output().unwrap());
        self.start();
    }

    fn bytes(&self) -> u64 {
        let all = Command::new("du").args(["-sb"]).arg(self.folder.0.join("data")).output();
        let text = String::from_utf8(all.unwrap().stdout).unwrap();
        text.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn after_garbage_collection_every_tag_that_stays_pulls_whole() {
    let mut server = Server::new();
    let history = History::publish(&format!("127.0.0.1:{}/shop", server.port));
    let prune = |args: &[&str]| {
        let args = [&["cache", "prune"], args].concat();
        history.repository.xtask(&args).env("XTASK_REGISTRY", &history.place).run().success()
    };
    let first = format!("{}/web:{}", history.place, history.commits[0]).parse().unwrap();
    let gone = client().get_manifest(&first).found().unwrap();
    let (before, full) = (history.tags("web"), server.bytes());
    let told = prune(&["--dry-run"]).stdout;
    assert_eq!(history.tags("web"), before);
    assert!(told.contains("it cannot go alone") && told.contains("would go"), "{told}");
    let told = prune(&["--json"]).json();
    let frees: u64 =
        told["services"].as_array().unwrap().iter().map(|it| it["frees"].as_u64().unwrap()).sum();
    assert_eq!(history.tags("web").len(), before.len() - 3 * 13);
    server.collect_garbage();
    history.is_whole();
    let part = gone.index().unwrap().manifests[0].clone();
    let by_digest = first.with_digest(&part.digest).unwrap();
    assert_eq!(client().get_manifest(&by_digest), Answer::Absent, "its parts are gone too");
    let freed = full - server.bytes();
    // Thirteen images of web: a layer of 50 kB each, and their caches of 70 kB more.
    assert!(freed >= frees && frees > 13 * 120_000, "{freed} of {frees}");
    assert!(prune(&[]).stdout.contains("0 tags and 0 manifests gone"));
}
