//! What a service's image is made of, as the system tells without reading it: a quick look at what changed.

use super::rules::{self, Rules};
use super::stat::Stat;
use crate::manifest::Service;
use crate::plan::dockerignore::{Folder, Parent, file_names};
use crate::plan::fingerprint::is_folder;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;

/// Every path that counts for a service, relative to the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    seen: BTreeMap<Utf8PathBuf, Stat>,
    /// The size of the files that the contexts send, in bytes
    pub bytes: u64,
    /// How many these are
    pub files: usize,
    /// Whether an ignore file leaves something out of the context
    pub has_ignore_file: bool,
}

impl Glance {
    /// Looks at the Dockerfile, the contexts less what their ignore files leave out, and these files.
    pub fn of(root: &Utf8Path, service: &Service) -> Result<Self, String> {
        let mut glance = Self::default();
        let rules = rules::of_service(root, service)?;
        glance.walk(root, &service.context, &rules)?;
        for value in service.contexts.values().filter(|value| is_folder(value)) {
            glance.walk(root, value.as_ref(), &rules::of_folder(root, value.as_ref())?)?;
        }
        let [beside, in_context] = file_names(service.dockerfile.as_str());
        let ignore_files = [Utf8PathBuf::from(beside), service.context.join(in_context)];
        glance.has_ignore_file = ignore_files.iter().any(|file| root.join(file).is_file());
        let dockerfile = std::iter::once(service.dockerfile.clone());
        for file in dockerfile.chain(ignore_files) {
            if let Ok(meta) = root.join(&file).symlink_metadata() {
                glance.seen.insert(file, Stat::of(&meta));
            }
        }
        Ok(glance)
    }

    /// The first path that is other than in an earlier look, or is here or there alone.
    pub fn difference(&self, before: &Self) -> Option<Utf8PathBuf> {
        let new = self.seen.iter().find(|(path, stat)| before.seen.get(*path) != Some(stat));
        let gone = || before.seen.keys().find(|path| !self.seen.contains_key(*path));
        new.map(|(path, _)| path).or_else(gone).cloned()
    }

    fn walk(&mut self, root: &Utf8Path, folder: &Utf8Path, rules: &Rules) -> Result<(), String> {
        let mut waiting = vec![(String::new(), Parent::default())];
        while let Some((below, parent)) = waiting.pop() {
            let full = root.join(folder).join(&below);
            let trouble = |error: std::io::Error| format!("`{full}` cannot be read: {error}");
            for entry in full.read_dir_utf8().map_err(trouble)? {
                let Ok(entry) = entry else { continue };
                let name = entry.file_name();
                let path =
                    if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
                // What vanishes meanwhile is not there.
                let Ok(meta) = entry.path().symlink_metadata() else { continue };
                if meta.is_dir() {
                    let (verdict, parent) = rules.ignore.folder(&path, &parent);
                    if verdict != Folder::Skipped {
                        waiting.push((path, parent));
                    }
                } else if rules.ignore.sends_file(&path, &parent) {
                    self.bytes += meta.len();
                    self.files += 1;
                    self.seen.insert(folder.join(path), Stat::of(&meta));
                }
            }
        }
        Ok(())
    }
}
