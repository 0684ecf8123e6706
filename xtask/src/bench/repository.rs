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
    edits: Edits,
    processes: Processes,
}

/// A repository whose own services are measured.
#[derive(Clone, Debug)]
pub struct Own {
    /// Its root
    pub root: Utf8PathBuf,
    /// A file of a service that nothing builds on, relative to the root
    pub leaf: Utf8PathBuf,
    /// A file of a service that others build on, or of any
    pub base: Utf8PathBuf,
}

/// How files are edited.
enum Edits {
    /// Those of a generated repository are made anew
    Generated(Wanted),
    /// Others get one more empty line
    Own(Own),
}

impl Repository {
    /// A clone of the commit that is checked out, on the branch `dev`.
    pub fn clone_of(
        own: &Own,
        root: Utf8PathBuf,
        dev_branch: &str,
        processes: &Processes,
    ) -> Result<Self> {
        let (processes, edits) = (processes.clone(), Edits::Own(own.clone()));
        let mut repository = Self { root, revision: String::new(), commits: 0, edits, processes };
        let clone = ["clone", "--quiet", own.root.as_str(), repository.root.as_str()];
        let clone = git(&own.root, "clone the repository", &clone);
        repository.processes.run(&clone)?;
        repository.git("make a branch", &["checkout", "--quiet", "-B", dev_branch])?;
        repository.git("put off the garbage collection", &["config", "gc.auto", "0"])?;
        repository.revision = repository.head()?;
        Ok(repository)
    }

    /// Generates one in a folder that is not there yet, and commits it to the branch `dev`.
    pub fn generate(wanted: Wanted, root: Utf8PathBuf, processes: &Processes) -> Result<Self> {
        let processes = processes.clone();
        let edits = Edits::Generated(wanted);
        let mut repository = Self { root, revision: String::new(), commits: 0, edits, processes };
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
        let (path, bytes) = match (change, &self.edits) {
            (Change::Nothing, _) => return Ok(()),
            (Change::Elsewhere, _) => {
                ("README.md".into(), format!("Commit {}\n", self.commits).into_bytes())
            }
            (Change::Leaf, Edits::Generated(wanted)) => generate::edited(*wanted, self.commits),
            (Change::Base, Edits::Generated(wanted)) => {
                generate::edited_base(*wanted, self.commits)
            }
            (Change::Leaf, Edits::Own(own)) => self.longer(&own.leaf)?,
            (Change::Base, Edits::Own(own)) => self.longer(&own.base)?,
        };
        write_file(&self.root.join(path), &bytes)?;
        self.commit()
    }

    /// A file with one more empty line at its end.
    fn longer(&self, path: &Utf8Path) -> Result<(String, Vec<u8>)> {
        let file = self.root.join(path);
        let mut bytes = std::fs::read(&file).with_context(|| format!("cannot read `{file}`"))?;
        bytes.push(b'\n');
        Ok((path.to_string(), bytes))
    }

    fn commit(&mut self) -> Result<()> {
        self.commits += 1;
        self.git("take the files into git", &["add", "--all"])?;
        self.git(
            "commit",
            &["commit", "--quiet", "--message", &format!("Commit {}", self.commits)],
        )?;
        self.revision = self.head()?;
        Ok(())
    }

    fn head(&self) -> Result<String> {
        self.processes.read(&git(&self.root, "read the commit", &["rev-parse", "HEAD"]))
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
