//! All folders of a run, each with its rules: walked once, whatever many services it is for.

use super::index::Index;
use super::rules::Rules;
use super::sizes::Sizes;
use super::stat::Stat;
use super::walk::{Walk, Walked};
use super::{Answer, attributes, blob, pool};
use crate::interrupt::Interrupt;
use crate::plan::fingerprint::{BlobId, Kind};
use crate::process::Processes;
use crate::real_path;
use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is to be read.
pub struct Folders<'a> {
    /// The repository's real root
    pub root: &'a Utf8Path,
    /// By real path and the text of the rules
    numbers: BTreeMap<(String, String), usize>,
    todo: Vec<(Utf8PathBuf, Rules)>,
}

/// One that was added.
#[derive(Clone, Copy, Debug)]
pub struct Folder(usize);

/// What was read.
pub struct Trees(Vec<Answer>);

impl Trees {
    pub fn get(&self, folder: Folder) -> Answer {
        self.0[folder.0].clone()
    }
}

impl<'a> Folders<'a> {
    pub fn new(root: &'a Utf8Path) -> Self {
        Self { root, numbers: BTreeMap::new(), todo: Vec::new() }
    }

    /// Adds a folder, given relative to the root. Links that lead to it are followed, as buildx does.
    pub fn add(&mut self, folder: &Utf8Path, rules: Rules) -> Result<Folder, String> {
        let real = real_path::below(self.root, folder);
        let real = real.map_err(|error| format!("`{folder}` cannot be read: {error}"))?;
        let key = (real.to_string(), rules.text.clone());
        let number = *self.numbers.entry(key).or_insert(self.todo.len());
        if number == self.todo.len() {
            self.todo.push((real, rules));
        }
        Ok(Folder(number))
    }

    /// Walks all, then reads what the index does not know.
    /// `cache` is the folder that all state is kept in.
    pub fn read(
        self,
        processes: &Processes,
        cache: Option<&Utf8Path>,
        index: Option<&Index>,
    ) -> Result<Trees> {
        let interrupt = &processes.interrupt;
        let (walked, sizes) = std::thread::scope(|scope| {
            let sizes = scope.spawn(|| self.sizes(processes, cache, index?));
            (self.walk(interrupt, index), sizes.join())
        });
        let sizes = sizes.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let mut walked = walked?;
        if let Some(sizes) = sizes {
            walked.iter_mut().flatten().for_each(|walked| walked.check(&sizes));
        }
        let contents = contents(interrupt, &walked)?;
        let fill = |walked: &mut Result<Walked, String>| fill(walked.as_mut(), &contents);
        let troubles: Vec<Result<(), String>> = walked.iter_mut().map(fill).collect();
        let root = format!("{}/", self.root);
        let trees = walked.into_iter().zip(troubles).map(|(walked, trouble)| {
            let walked = trouble.and(walked).map_err(|reason| reason.replace(&root, ""))?;
            Ok(Arc::new(walked.into_tree()))
        });
        Ok(Trees(trees.collect()))
    }

    fn walk(
        &self,
        interrupt: &Interrupt,
        index: Option<&Index>,
    ) -> Result<Vec<Result<Walked, String>>> {
        pool::for_each(interrupt, &self.todo, |(folder, rules)| {
            let below = folder.strip_prefix(self.root).ok();
            let trusted = |below: &Utf8Path| !attributes::convert_above(self.root, below);
            let index = index.zip(below.filter(|below| trusted(below)));
            Walk::new(folder, &rules.ignore, index).walk(interrupt)
        })
    }

    fn sizes(
        &self,
        processes: &Processes,
        cache: Option<&Utf8Path>,
        index: &Index,
    ) -> Option<Sizes> {
        let folders =
            self.todo.iter().filter_map(|(folder, _)| folder.strip_prefix(self.root).ok());
        let folders = folders.map(Utf8Path::to_owned).collect();
        Some(Sizes::of(processes, cache, self.root, index, &folders))
    }
}

type Contents = BTreeMap<Utf8PathBuf, (Stat, Result<BlobId, String>)>;

/// Reads files, each once.
fn contents(interrupt: &Interrupt, walked: &[Result<Walked, String>]) -> Result<Contents> {
    let unknown: BTreeMap<Utf8PathBuf, Stat> = walked
        .iter()
        .flatten()
        .flat_map(|walked| walked.unknown.iter().map(|u| (walked.path_of(u), u.stat)))
        .collect();
    let unknown: Vec<(Utf8PathBuf, Stat)> = unknown.into_iter().collect();
    let blobs = pool::for_each(interrupt, &unknown, |(path, stat)| blob::of_file(path, stat))?;
    Ok(unknown.into_iter().zip(blobs).map(|((path, stat), blob)| (path, (stat, blob))).collect())
}

/// Puts what was read where it was unknown.
fn fill(walked: Result<&mut Walked, &mut String>, contents: &Contents) -> Result<(), String> {
    let Ok(walked) = walked else { return Ok(()) };
    for unknown in std::mem::take(&mut walked.unknown) {
        let path = walked.path_of(&unknown);
        let changed = || format!("`{path}` was written while it was read");
        let (stat, blob) = contents.get(&path).ok_or_else(changed)?;
        let found = blob.clone()?;
        if *stat != unknown.stat {
            return Err(changed());
        }
        if let Kind::File { blob, .. } = &mut walked.entries[unknown.entry].kind {
            *blob = found;
        }
    }
    Ok(())
}
