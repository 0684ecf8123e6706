//! What git says of the working tree against a commit.

use super::facts::World;
use super::git::{self, git, listing};
use super::inputs::attributes;
use crate::error::Wrong;
use crate::manifest::Service;
use crate::plan::dockerignore::file_names;
use crate::plan::fingerprint::{Inputs, Tree, is_folder};
use crate::process::Processes;
use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The mode that git gives to a submodule.
const SUBMODULE: &str = "160000";

/// The commit that the user named, where git knows it. `REV...` is where HEAD left REV (as in `git
/// diff REV...`).
pub fn commit(processes: &Processes, root: &Utf8Path, named: &str) -> Result<String> {
    if let Some(other) = named.strip_suffix("...") {
        let other = commit(processes, root, other)?;
        let args = ["merge-base", &other, "HEAD"];
        let base = processes.read(&git(root, "find where HEAD has left it", &args));
        return base.map_err(|_| {
            let text = format!(
                "HEAD and `{named}` have no commit in common here: {}",
                next_step(processes, root)
            );
            Wrong(text).into()
        });
    }
    if let Some(commit) = git::commit_of(processes, root, named)? {
        return Ok(commit);
    }
    let next = next_step(processes, root);
    Err(Wrong(format!("git knows no commit `{named}`: {next}")).into())
}

fn next_step(processes: &Processes, root: &Utf8Path) -> &'static str {
    let shallow = git(root, "look for history", &["rev-parse", "--is-shallow-repository"]);
    if processes.read(&shallow).is_ok_and(|told| told == "true") {
        "this clone is shallow: fetch all history with `git fetch --unshallow`, \
         in a workflow with `fetch-depth: 0` of actions/checkout"
    } else {
        "name a branch, a tag or a commit that `git rev-parse` knows, \
         or fetch it with `git fetch origin`"
    }
}

/// Paths of the working tree that are not what they were in a commit.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    /// Whether a submodule is, or was, at the path
    paths: BTreeMap<String, bool>,
}

impl Changed {
    /// Asks git: tracked files, and untracked ones that it does not ignore.
    pub fn since(processes: &Processes, root: &Utf8Path, commit: &str) -> Result<Self> {
        let args = ["diff", "--raw", "-z", "--no-renames", "--no-ext-diff", "--no-relative"];
        let args = [&args[..], &["--abbrev=40", commit, "--"]].concat();
        let diff = listing(processes, &git(root, "compare the tree with a commit", &args))?;
        let of_pair = |pair: &[String]| {
            let [modes, path] = pair else { return None };
            let modes: Vec<&str> = modes.trim_start_matches(':').split(' ').take(2).collect();
            Some((path.clone(), modes.contains(&SUBMODULE)))
        };
        let mut paths: BTreeMap<String, bool> = diff.chunks(2).filter_map(of_pair).collect();
        let args = ["ls-files", "-z", "--others", "--exclude-standard"];
        let untracked = listing(processes, &git(root, "list untracked files", &args))?;
        // A folder is another repository.
        let one = |path: String| (path.trim_end_matches('/').to_owned(), path.ends_with('/'));
        paths.extend(untracked.into_iter().map(one));
        Ok(Self { paths })
    }

    /// Whether anything that may go into a service has changed, whatever ignore rules say; or how git
    /// converts it, which no list of changed paths shows.
    pub fn touches(&self, service: &Service) -> bool {
        let (files, folders) = (files(service), folders(service));
        let is_converted = |path: &Utf8PathBuf| {
            let mut above = path.ancestors().skip(1);
            above.any(|folder| self.paths.contains_key(folder.join(attributes::FILE).as_str()))
        };
        files.iter().any(|file| self.paths.contains_key(file.as_str()))
            || folders.iter().any(|folder| self.below(folder).next().is_some())
            || files.iter().chain(&folders).any(is_converted)
    }

    /// Whether that is a submodule.
    pub fn touches_submodule(&self, service: &Service) -> bool {
        folders(service).iter().any(|folder| self.below(folder).any(|is_submodule| *is_submodule))
    }

    fn below(&self, folder: &Utf8Path) -> impl Iterator<Item = &bool> {
        let inside = if folder == "." { String::new() } else { format!("{folder}/") };
        let after = self.paths.range(inside.clone()..);
        after.take_while(move |(path, _)| path.starts_with(&inside)).map(|(_, is)| is)
    }
}

/// The context, and named ones that are folders.
pub fn folders(service: &Service) -> Vec<Utf8PathBuf> {
    let named = service.contexts.values().filter(|value| is_folder(value)).map(Utf8PathBuf::from);
    named.chain([service.context.clone()]).collect()
}

/// The Dockerfile, and files beside it that may say what is left out.
pub fn files(service: &Service) -> [Utf8PathBuf; 3] {
    let [beside, in_context] = file_names(service.dockerfile.as_str());
    let in_context = match service.context.as_str() {
        "." => in_context.into(),
        _ => service.context.join(in_context),
    };
    [service.dockerfile.clone(), beside.into(), in_context]
}

/// Whether a path is in one of some folders; `.` is the root.
pub fn is_below(path: &str, folders: &BTreeSet<Utf8PathBuf>) -> bool {
    let mut above = Utf8Path::new(path).ancestors().skip(1);
    folders.contains(Utf8Path::new(".")) || above.any(|folder| folders.contains(folder))
}

/// The files that git stores, or would store.
pub struct Stored {
    root: Utf8PathBuf,
    paths: BTreeSet<String>,
}

impl Stored {
    /// Asks git.
    pub fn of(processes: &Processes, root: &Utf8Path) -> Result<Self> {
        let args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let paths = listing(processes, &git(root, "list files", &args))?;
        let paths = paths.iter().map(|path| path.trim_end_matches('/').to_owned()).collect();
        Ok(Self { root: root.canonicalize_utf8()?, paths })
    }

    /// What was read of a service, without what git can never tell of another commit: ignored files,
    /// empty folders, what is in submodules.
    pub fn only(&self, inputs: &Inputs, service: &Service, world: &World) -> Inputs {
        let filter = |tree: &Result<Arc<Tree>, String>, folder: &Utf8Path| {
            tree.as_ref()
                .map(|tree| self.of_tree(tree, &world.root.join(folder)))
                .map_err(Clone::clone)
        };
        let named = inputs.named.iter().map(|(name, tree)| {
            let folder = service.contexts.get(name).map(String::as_str).unwrap_or_default();
            (name.clone(), filter(tree, folder.into()))
        });
        Inputs {
            dockerfile: inputs.dockerfile.clone(),
            context: filter(&inputs.context, &service.context),
            named: named.collect(),
        }
    }

    fn of_tree(&self, tree: &Arc<Tree>, folder: &Utf8Path) -> Arc<Tree> {
        let real = folder.canonicalize_utf8();
        let Some(below) = real.as_ref().ok().and_then(|real| real.strip_prefix(&self.root).ok())
        else {
            return Arc::clone(tree);
        };
        let mut entries = tree.entries.clone();
        entries.retain(|entry| self.has(below.join(&entry.path).as_str()));
        Arc::new(Tree { entries, ..Tree::clone(tree) })
    }

    /// A file, or a folder with one in it.
    fn has(&self, path: &str) -> bool {
        let inside = format!("{path}/");
        let mut after = self.paths.range(inside.clone()..);
        self.paths.contains(path) || after.next().is_some_and(|next| next.starts_with(&inside))
    }
}
