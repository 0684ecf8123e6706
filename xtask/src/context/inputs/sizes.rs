//! The sizes of the contents that git's index names.
//!
//! A file that git converted when it stored it (line ends, a filter) stays clean in the index when
//! the attributes or settings that made it do so are gone, and nothing else tells: its content in git
//! has another size.

use super::index::Index;
use super::kept_sizes::KeptSizes;
use crate::plan::fingerprint::hex;
use crate::process::{Command, Processes};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;

/// Git would map whole packs into memory for the little that is read of them.
const WINDOWS: [&str; 4] = ["-c", "core.packedGitWindowSize=1m", "-c", "core.packedGitLimit=16m"];

/// Sizes by the number of the entry.
pub struct Sizes(Vec<Option<u64>>);

impl Sizes {
    /// Asks git for those of all files in folders, given relative to the root, unless it was asked
    /// for just these before. What git cannot tell is not known.
    pub fn of(
        processes: &Processes,
        cache: Option<&Utf8Path>,
        root: &Utf8Path,
        index: &Index,
        folders: &BTreeSet<Utf8PathBuf>,
    ) -> Self {
        let mut sizes = vec![None; index.len()];
        let mut numbers: Vec<usize> = folders.iter().flat_map(|f| index.numbers_in(f)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.is_empty() {
            return Self(sizes);
        }
        let ids: Vec<[u8; 20]> = numbers.iter().map(|number| index.id(*number).0).collect();
        let kept = cache.map(|cache| KeptSizes::of(cache, root, folders, &ids));
        if let Some(known) = kept.as_ref().and_then(KeptSizes::read) {
            numbers.into_iter().zip(known).for_each(|(at, size)| sizes[at] = Some(size));
            return Self(sizes);
        }
        let told = ask(processes, root, &ids);
        if let (Some(kept), Some(all)) = (kept, told.iter().copied().collect::<Option<Vec<u64>>>())
        {
            kept.write(&all);
        }
        numbers.into_iter().zip(told).for_each(|(at, size)| sizes[at] = size);
        Self(sizes)
    }

    /// Whether an entry's content has this size.
    pub fn is(&self, number: usize, size: u64) -> bool {
        self.0.get(number).is_some_and(|known| *known == Some(size))
    }
}

/// What git tells, in the order of the ids.
fn ask(processes: &Processes, root: &Utf8Path, ids: &[[u8; 20]]) -> Vec<Option<u64>> {
    let mut asked = String::with_capacity(ids.len() * 41);
    for id in ids {
        asked.push_str(&hex(id));
        asked.push('\n');
    }
    let args = ["cat-file", "--batch-check=%(objectsize)", "--buffer"];
    let command = Command::new("ask git for sizes", "git").args(WINDOWS).args(args);
    let command = command.dir(root).stdin(asked);
    // What is not here is not fetched, and what stands in for something else is not asked.
    let command = command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_NO_REPLACE_OBJECTS", "1");
    let told = processes.read(&command).unwrap_or_default();
    let told: Vec<Option<u64>> = told.lines().map(|line| line.parse().ok()).collect();
    if told.len() == ids.len() { told } else { vec![None; ids.len()] }
}
