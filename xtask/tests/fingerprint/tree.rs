//! A small repository, and changes to it.

use super::support::{Ran, Repository, Xtask};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

pub const MANIFEST: &str = "\
[project]
name = \"shop\"
registry = \"127.0.0.1:1/owner/shop\"
[services.web]
[services.app]
";

/// So long after a file was written git's index can be trusted with it.
pub const SETTLED: Duration = Duration::from_millis(40);

/// Git itself may compare seconds only, and reads what is as new as its index again.
pub const GIT_SETTLED: Duration = Duration::from_millis(1100);

/// `app` builds on `web`, which builds on nothing.
pub struct Tree {
    pub repository: Repository,
}

impl Ran {
    /// The fingerprint of the one service that was asked for.
    #[track_caller]
    pub fn json_print(&self) -> String {
        let json = self.json();
        let print = json["services"][0]["fingerprint"].as_str();
        print.unwrap_or_else(|| panic!("{json:#}")).to_owned()
    }
}

impl Tree {
    pub fn new() -> Self {
        let repository = Repository::new(&[
            ("services/services.toml", MANIFEST),
            ("services/web/Dockerfile", "FROM scratch\nCOPY . /\n"),
            ("services/web/a", "a\n"),
            ("services/web/src/b", "b\n"),
            ("services/app/Dockerfile", "FROM 127.0.0.1:1/owner/shop/web\nCOPY x /\n"),
            ("services/app/x", "x\n"),
        ]);
        Self { repository }
    }

    /// One whose index can be trusted.
    pub fn settled() -> Self {
        let tree = Self::new();
        tree.settle();
        tree
    }

    /// Lets git write its index some time after the files.
    pub fn settle(&self) {
        std::thread::sleep(SETTLED);
        self.git_or_not(&["update-index", "--force-write-index", "--refresh", "-q"]);
    }

    /// What git refuses has no effect. (It refuses to refresh what was deleted.)
    pub fn git_or_not(&self, args: &[&str]) {
        let identity = ["-c", "user.name=A", "-c", "user.email=a@example.invalid"];
        let mut command = Command::new("git");
        command.args(identity).args(args).current_dir(self.repository.root());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command.output().expect("starting git");
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.repository.root().join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        self.repository.write(path, text);
    }

    pub fn folder(&self, path: &str) {
        std::fs::create_dir_all(self.path(path)).unwrap();
    }

    pub fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).unwrap();
    }

    #[cfg(unix)]
    pub fn chmod(&self, path: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(self.path(path), PermissionsExt::from_mode(mode)).unwrap();
    }

    #[cfg(unix)]
    pub fn link(&self, text: &str, path: &str) {
        // There may be none yet.
        std::fs::remove_file(self.path(path)).ok();
        std::os::unix::fs::symlink(text, self.path(path)).unwrap();
    }

    pub fn set_mtime(&self, path: &str, time: SystemTime) {
        let file = std::fs::File::options().append(true).open(self.path(path)).unwrap();
        file.set_modified(time).unwrap();
    }

    pub fn call(&self, service: &str) -> Xtask {
        self.repository.xtask(&["fingerprint", service, "--json", "--verbose"])
    }

    pub fn json(&self, service: &str) -> serde_json::Value {
        self.call(service).run().success().json()["services"][0].clone()
    }

    #[track_caller]
    pub fn print(&self, service: &str) -> String {
        self.call(service).run().success().json_print()
    }

    /// The same, with all bytes read.
    #[track_caller]
    pub fn print_by_bytes(&self, service: &str) -> String {
        let ran = self.call(service).env("GIT_INDEX_FILE", "/nonexistent/index").run().success();
        assert!(ran.stderr.contains("0 files told by git's index"), "{}", ran.stderr);
        ran.json_print()
    }

    /// How many files of a service, and of what it builds on, were told by the index.
    pub fn told_by_index(&self, service: &str) -> usize {
        let ran = self.call(service).run().success();
        let line = ran.stderr.lines().find(|line| line.contains(" told by git's index")).unwrap();
        line.split(' ').next().unwrap().parse().unwrap()
    }

    #[track_caller]
    pub fn differs(&self, change: impl Fn(&Self)) {
        self.differs_of("web", change);
    }

    #[track_caller]
    pub fn differs_of(&self, service: &str, change: impl Fn(&Self)) {
        let before = self.print(service);
        change(self);
        assert_ne!(self.print(service), before);
    }

    #[track_caller]
    pub fn same(&self, change: impl Fn(&Self)) {
        self.same_of("web", change);
    }

    #[track_caller]
    pub fn same_of(&self, service: &str, change: impl Fn(&Self)) {
        let before = self.print(service);
        change(self);
        assert_eq!(self.print(service), before);
    }

    #[track_caller]
    pub fn none(&self, service: &str, reason: &str) {
        let json = self.json(service);
        assert!(json["fingerprint"].is_null(), "{json:#}");
        assert!(json["no-fingerprint"].to_string().contains(reason), "{json:#}");
    }
}
