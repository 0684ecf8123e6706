//! The files of a commit, in a folder of their own: neither the user's tree nor the repository is
//! written to, and no hook runs.

use super::environment::Environment;
use super::git::listing;
use crate::process::{Command, Processes};
use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, UNIX_EPOCH};

/// A folder that is older than this was left behind by a run that was killed.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// What git would do otherwise because of the user's settings for the tree of their own.
const SETTINGS: [&str; 8] = [
    "-c",
    "core.splitIndex=false",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "index.sparse=false",
    "-c",
    "core.sparseCheckout=false",
];

/// Permission bits of files that are taken; git itself knows only whether a file is executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bits {
    /// What our umask makes of them: as in the user's own tree
    OfUmask,
    /// Those of a umask of 022: as where images are published
    Of022,
}

/// What git has at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Executable,
    Link,
    Submodule,
}

/// The files of a commit: those that were taken stand in a folder. It goes away with its value, also
/// after an error or Ctrl-C.
pub struct Checkout {
    /// The folder, as if it were the repository's root
    pub root: Utf8PathBuf,
    folder: Utf8PathBuf,
    processes: Processes,
    git_dir: String,
    bits: Bits,
    entries: BTreeMap<String, Kind>,
    taken: BTreeSet<String>,
}

impl Checkout {
    /// Without any file yet. `commit` is one that git knows.
    pub fn of(
        processes: &Processes,
        env: &Environment,
        root: &Utf8Path,
        commit: &str,
        bits: Bits,
    ) -> Result<Self> {
        let args = ["rev-parse", "--absolute-git-dir"];
        let git_dir =
            processes.read(&Command::new("find the repository", "git").args(args).dir(root))?;
        let all = env.cache_dir()?.join("trees");
        remove_stale(&all, env);
        // Containers that share a cache folder may share process numbers, too.
        let began = env.now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let folder = all.join(format!("{}-{began}-{commit}", std::process::id()));
        let mut checkout = Self {
            root: folder.join("tree"),
            folder,
            processes: processes.clone(),
            git_dir,
            bits,
            entries: BTreeMap::new(),
            taken: BTreeSet::new(),
        };
        let made = std::fs::create_dir_all(&checkout.root)
            .and_then(|()| checkout.root.canonicalize_utf8())
            .with_context(|| format!("cannot make the folder `{}`", checkout.root));
        checkout.root = made?;
        let read = ["read-tree", "--no-sparse-checkout", commit];
        checkout.processes.read(&checkout.git("read a commit's tree", &read))?;
        let list = checkout.git("list a commit's files", &["ls-files", "--stage", "-z"]);
        checkout.entries =
            listing(processes, &list)?.iter().filter_map(|line| entry(line)).collect();
        Ok(checkout)
    }

    /// Whether the commit has this file.
    pub fn has(&self, path: &str) -> bool {
        self.entries.contains_key(path)
    }

    /// Puts the files into the folder whose paths are wanted; all of them where one is reached by
    /// symbolic links of the commit, which may lead anywhere.
    pub fn take(&mut self, wanted: &dyn Fn(&str) -> bool) -> Result<()> {
        let new = |path: &&String| wanted(path) && !self.taken.contains(*path);
        let paths: Vec<String> = self.entries.keys().filter(new).cloned().collect();
        if paths.is_empty() {
            return Ok(());
        }
        let args = ["checkout-index", "--quiet", "--force", "--stdin", "-z"];
        let command = self.git("read a commit's files", &args);
        self.processes.run(&command.stdin(format!("{}\0", paths.join("\0"))))?;
        if self.bits == Bits::Of022 {
            self.set_bits(&paths)?;
        }
        self.taken.extend(paths);
        Ok(())
    }

    /// Whether a symbolic link is on the way to a path, or is what stands there.
    pub fn is_behind_a_link(&self, path: &Utf8Path) -> bool {
        path.ancestors().any(|part| self.entries.get(part.as_str()) == Some(&Kind::Link))
    }

    /// Makes a folder if the commit has something in it.
    pub fn make_folder(&self, folder: &Utf8Path) -> Result<()> {
        let first = format!("{folder}/");
        let mut after = self.entries.range(first.clone()..).map(|(path, _)| path);
        if after.next().is_some_and(|path| path.starts_with(&first)) {
            let path = self.root.join(folder);
            std::fs::create_dir_all(&path)
                .with_context(|| format!("cannot make the folder `{path}`"))?;
        }
        Ok(())
    }

    fn git(&self, purpose: &str, args: &[&str]) -> Command {
        Command::new(purpose, "git")
            .args(SETTINGS)
            .args(args.to_vec())
            .dir(&self.root)
            .env("GIT_DIR", &self.git_dir)
            .env("GIT_WORK_TREE", self.root.as_str())
            .env("GIT_INDEX_FILE", self.folder.join("index").as_str())
    }

    #[cfg(unix)]
    fn set_bits(&self, paths: &[String]) -> Result<()> {
        use std::fs::{Permissions, set_permissions};
        use std::os::unix::fs::PermissionsExt as _;
        let mut todo = BTreeMap::new();
        for path in paths {
            match self.entries.get(path) {
                Some(Kind::Executable | Kind::Submodule) => todo.insert(Utf8Path::new(path), 0o755),
                Some(Kind::File) => todo.insert(Utf8Path::new(path), 0o644),
                Some(Kind::Link) | None => None,
            };
            todo.extend(Utf8Path::new(path).ancestors().skip(1).map(|folder| (folder, 0o755)));
        }
        for (path, bits) in todo {
            let path = self.root.join(path);
            set_permissions(&path, Permissions::from_mode(bits))
                .with_context(|| format!("cannot set the permissions of `{path}`"))?;
        }
        Ok(())
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "there are none")]
    fn set_bits(&self, _paths: &[String]) -> Result<()> {
        Ok(())
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        // Best effort: the next run that is a day later tries again.
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// `100644 <id> 0<tab>path`
fn entry(line: &str) -> Option<(String, Kind)> {
    let (fields, path) = line.split_once('\t')?;
    let kind = match fields.split(' ').next()? {
        "100755" => Kind::Executable,
        "120000" => Kind::Link,
        "160000" => Kind::Submodule,
        _ => Kind::File,
    };
    Some((path.to_owned(), kind))
}

fn remove_stale(all: &Utf8Path, env: &Environment) {
    let entries = all.read_dir_utf8().into_iter().flatten().flatten();
    for entry in entries {
        let written = entry.metadata().and_then(|meta| meta.modified()).ok();
        let age = written.and_then(|written| env.now.duration_since(written).ok());
        if age.is_some_and(|age| age > STALE) {
            std::fs::remove_dir_all(entry.path()).ok();
        }
    }
}
