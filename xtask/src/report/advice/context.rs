//! A context that sends much which no instruction copies. BuildKit sends only what instructions name, so
//! that this is what they name and then leave out (`COPY --exclude`).

use super::{Build, flags_and_words};
use crate::plan::dockerfile::Instruction;
use crate::plan::dockerignore::{Folder, Ignore, Parent};
use crate::report::bytes;
use crate::report::data::Advice;
use std::collections::BTreeMap;

/// Less is not worth a word, in bytes.
const MUCH: u64 = 1_000_000;

pub fn not_copied(build: &Build, files: &dyn Fn(&str) -> Vec<(String, u64)>) -> Vec<Advice> {
    told(build, files).into_iter().collect()
}

fn told(build: &Build, files: &dyn Fn(&str) -> Vec<(String, u64)>) -> Option<Advice> {
    let sent = build.all.iter().find(|step| step.name == "load build context")?;
    let instructions = build.dockerfile.stages.iter().flat_map(|stage| &stage.instructions);
    let reading: Vec<&Instruction> = instructions.filter(|it| it.context).collect();
    if sent.context < MUCH || !reading.iter().any(|it| it.text.contains("--exclude=")) {
        return None;
    }
    let reads: Vec<Read> = reading.iter().map(|it| Read::of(it)).collect::<Option<_>>()?;
    let mut left: BTreeMap<String, u64> = BTreeMap::new();
    for (path, size) in files(&build.service.service) {
        let named = reads.iter().any(|read| read.names(&path));
        if named && !reads.iter().any(|read| read.copies(&path)) {
            let top = path.split('/').next().unwrap_or_default().to_owned();
            *left.entry(top).or_default() += size;
        }
    }
    let wasted: u64 = left.values().sum();
    // The engine keeps what it was sent: only where it was sent now it has cost anything now.
    if wasted < MUCH || wasted > sent.context || wasted * 2 < sent.context {
        return None;
    }
    let (largest, _) = left.iter().max_by_key(|(_, size)| **size)?;
    let text = format!(
        "{} of the context are sent ({} in all), and no instruction copies them (`{largest}` for the most \
         part): name it in .dockerignore",
        bytes(wasted),
        bytes(sent.context)
    );
    Some(Advice { bytes: Some(wasted), ..build.advice("context-not-copied", sent, text) })
}

/// What an instruction reads of the context.
struct Read {
    sources: Vec<String>,
    excludes: Ignore,
}

impl Read {
    /// None where it cannot be told: patterns, mounts.
    fn of(instruction: &Instruction) -> Option<Self> {
        if !["COPY", "ADD"].contains(&instruction.keyword.as_str()) {
            return None;
        }
        let (flags, mut words) = flags_and_words(instruction);
        words.pop()?;
        let plain = |word: &str| !word.contains(['*', '?', '[', '$', '"', '\'', '\\', '<']);
        if words.is_empty() || !words.iter().all(|word| plain(word)) {
            return None;
        }
        let source = |word: &str| word.trim_start_matches("./").trim_matches('/').to_owned();
        let sources =
            words.into_iter().map(source).map(|s| if s == "." { String::new() } else { s });
        let excludes: Vec<&str> =
            flags.iter().filter_map(|flag| flag.strip_prefix("--exclude=")).collect();
        let sources: Vec<String> = sources.collect();
        // Patterns count from the folder that is copied.
        let is_plain = excludes.is_empty() || sources.iter().all(String::is_empty);
        is_plain.then_some(Self { sources, excludes: Ignore::parse(&excludes.join("\n")).ok()? })
    }

    fn names(&self, path: &str) -> bool {
        let below = |source: &String| {
            let rest = path.strip_prefix(source.as_str());
            source.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.sources.iter().any(below)
    }

    fn copies(&self, path: &str) -> bool {
        let mut parent = Parent::default();
        for (end, _) in path.match_indices('/') {
            let (folder, below) = self.excludes.folder(&path[..end], &parent);
            if folder == Folder::Skipped {
                return false;
            }
            parent = below;
        }
        self.names(path) && self.excludes.sends_file(path, &parent)
    }
}
