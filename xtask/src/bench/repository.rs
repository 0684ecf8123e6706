//! The generated repository on disk, and its commits.
#![expect(clippy::disallowed_methods, reason = "writes the generated files")]

use super::generate::{self, Wanted};
use super::scenario::Change;
use crate::interrupt::Interrupt;
use crate::process::{Command, Processes};
use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

/// Variables that would lead git to another repository.
const NOT_INHERITED: [&str; 3] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"];
/// Fixed, so that the same numbers give the same commits.
const VARIABLES: [(&str, &str); 8] = [
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_AUTHOR_NAME", "bench"),
    ("GIT_AUTHOR_EMAIL", "bench@example.invalid"),
    ("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"),
    ("GIT_COMMITTER_NAME", "bench"),
    ("GIT_COMMITTER_EMAIL", "bench@example.invalid"),
    ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z"),
];

/// Writes all files of a generated monorepo.
pub fn write(wanted: Wanted, folder: &Utf8Path, interrupt: &Interrupt) -> Result<()> {
    for (path, bytes) in generate::files(wanted) {
        interrupt.check()?;
        write_file(&folder.join(path), &bytes)?;
    }
    Ok(())
}

fn write_file(path: &Utf8Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, bytes))
        .with_context(|| format!("cannot write `{path}`"))
}

/// A generated repository with commits. It goes away with its value.
pub struct Repository {
    /// Where it is
    pub root: Utf8PathBuf,
    /// The commit that is checked out
    pub revision: String,
    /// How many commits there are
    pub commits: u64,
    wanted: Wanted,
    processes: Processes,
}

impl Repository {
    /// Generates one in a folder that is not there yet, and commits it to the branch `dev`.
    pub fn generate(wanted: Wanted, root: Utf8PathBuf, processes: &Processes) -> Result<Self> {
        let processes = processes.clone();
        let mut repository = Self { root, revision: String::new(), wanted, commits: 0, processes };
        write(wanted, &repository.root, &repository.processes.interrupt)?;
        repository.git("make a repository", &["init", "--quiet", "--initial-branch", "dev"])?;
        // A commit would start one that runs beside what is measured.
        repository.git("put off the garbage collection", &["config", "gc.auto", "0"])?;
        repository.commit()?;
        // As in a clone: thousands of loose objects would be slow to look up.
        repository.git("pack the objects", &["repack", "-a", "-d", "--quiet", "--window=0"])?;
        Ok(repository)
    }

    /// Changes it and commits that: each time something else.
    pub fn change(&mut self, change: Change) -> Result<()> {
        let (path, bytes) = match change {
            Change::Nothing => return Ok(()),
            Change::Elsewhere => {
                ("README.md".into(), format!("Commit {}\n", self.commits).into_bytes())
            }
            Change::Leaf => generate::edited(self.wanted, self.commits),
        };
        write_file(&self.root.join(path), &bytes)?;
        self.commit()
    }

    fn commit(&mut self) -> Result<()> {
        self.commits += 1;
        self.git("take the files into git", &["add", "--all"])?;
        self.git(
            "commit",
            &["commit", "--quiet", "--message", &format!("Commit {}", self.commits)],
        )?;
        self.revision =
            self.processes.read(&git(&self.root, "read the commit", &["rev-parse", "HEAD"]))?;
        Ok(())
    }

    fn git(&self, purpose: &str, args: &[&str]) -> Result<()> {
        self.processes.run(&git(&self.root, purpose, args))
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        // Best effort: what stays is below target/.
        std::fs::remove_dir_all(&self.root).ok();
    }
}

fn git(root: &Utf8Path, purpose: &str, args: &[&str]) -> Command {
    let mut command = Command::new(purpose, "git").args(args.to_vec()).dir(root);
    for (name, value) in VARIABLES {
        command = command.env(name, value);
    }
    command.env.extend(NOT_INHERITED.map(|name| (name.to_owned(), None)));
    command
}
