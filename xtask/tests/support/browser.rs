//! Chromium without a window, from Debian's packages.
#![allow(dead_code)]

use super::private::{cache, setup_in, succeeded};
use super::support::Folder;
use std::path::{Path, PathBuf};
use std::process::Command;
use xtask::docker::engine::packages::{self, PackageSet};

/// A call of the browser with a page of a file.
pub struct Browser {
    args: Vec<String>,
    page: PathBuf,
}

impl Browser {
    pub fn of(page: &Path) -> Self {
        Self { args: Vec::new(), page: page.to_owned() }
    }

    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// `0` is dark, `1` light.
    pub fn dark(self, is_dark: bool) -> Self {
        self.arg(format!("--blink-settings=preferredColorScheme={}", u8::from(!is_dark)))
    }

    /// The document after its script has run.
    #[track_caller]
    pub fn dom(self) -> String {
        self.arg("--dump-dom").run()
    }

    #[track_caller]
    pub fn screenshot(self, to: &Path, (width, height): (u32, u32)) {
        self.arg(format!("--screenshot={}", to.display()))
            .arg(format!("--window-size={width},{height}"))
            .arg("--hide-scrollbars")
            .run();
    }

    #[track_caller]
    pub fn pdf(self, to: &Path) {
        self.arg(format!("--print-to-pdf={}", to.display())).arg("--no-pdf-header-footer").run();
    }

    #[track_caller]
    fn run(self) -> String {
        let setup = setup_in(&cache(), "tools");
        let root = packages::ensure(&setup, PackageSet::Browser).unwrap();
        let own = root.dir.join("usr/lib/chromium/chromium");
        let program = if own.is_file() { own } else { root.program(&setup, "chromium").unwrap() };
        let env = root.env(&setup).into_iter().filter_map(|(name, value)| Some((name, value?)));
        let profile = Folder::new();
        let output = Command::new(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .arg(format!("--user-data-dir={}", profile.0.display()))
            .args(&self.args)
            .arg(format!("file://{}", self.page.display()))
            .envs(env)
            .env("HOME", &profile.0)
            .output();
        succeeded(&output.unwrap())
    }
}
