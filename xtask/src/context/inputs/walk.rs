//! A walk through one folder: what BuildKit would be sent of it.

use super::attributes;
use super::files::finished;
use super::found::{Found, joined, told};
use super::index::Index;
use super::sizes::Sizes;
use super::stat::Stat;
use super::xattrs;
use crate::interrupt::Interrupt;
use crate::plan::dockerignore::{self, Ignore, Parent};
use crate::plan::fingerprint::{Bits, BlobId, Entry, Kind, Mode, Stamp, Told, Tree};
use camino::{Utf8Path, Utf8PathBuf};
use ring::digest::{Context, SHA256};
use std::collections::BTreeMap;
use std::fs::DirEntry;

/// The walk itself.
pub struct Walk<'a> {
    folder: &'a Utf8Path,
    ignore: &'a Ignore,
    /// The index, and where the folder is in the repository
    index: Option<(&'a Index, &'a Utf8Path)>,
    /// The entry of the index that is likely to be the next file's
    next: usize,
    waiting: Vec<Waiting>,
    /// Folders that are sent only if something below them is
    hidden: BTreeMap<String, Stat>,
    /// The paths of files that have more than one
    linked: BTreeMap<(u64, u64), Vec<usize>>,
    bits: Bits,
    told: Told,
    stamp: Context,
    entries: Vec<Entry>,
    unknown: Vec<Unknown>,
    known: Vec<(usize, Unknown)>,
}

/// A folder that is still to be looked into.
struct Waiting {
    path: String,
    parent: Parent,
    /// Whether the index tells the contents of what is below
    trusted: bool,
}

/// What a walk found.
pub struct Walked {
    folder: Utf8PathBuf,
    pub entries: Vec<Entry>,
    /// Files whose content is still to be read
    pub unknown: Vec<Unknown>,
    /// Files whose content the index tells, with the number of the entry
    known: Vec<(usize, Unknown)>,
    bits: Bits,
    told: Told,
    stamp: Stamp,
}

/// A file whose content is still to be read.
pub struct Unknown {
    pub entry: usize,
    pub stat: Stat,
}

impl Walked {
    pub fn path_of(&self, unknown: &Unknown) -> Utf8PathBuf {
        self.folder.join(&self.entries[unknown.entry].path)
    }

    /// Takes back what the index told of files where its content has another size.
    pub fn check(&mut self, sizes: &Sizes) {
        for (number, file) in std::mem::take(&mut self.known) {
            if !sizes.is(number, file.stat.size) {
                self.told.by_index -= 1;
                self.told.by_bytes += 1;
                self.unknown.push(file);
            }
        }
    }

    pub fn into_tree(self) -> Tree {
        let Self { entries, bits, told, stamp, .. } = self;
        Tree { entries, bits, told, stamp }
    }
}

impl<'a> Walk<'a> {
    pub fn new(
        folder: &'a Utf8Path,
        ignore: &'a Ignore,
        index: Option<(&'a Index, &'a Utf8Path)>,
    ) -> Self {
        Self {
            folder,
            ignore,
            index,
            next: 0,
            waiting: Vec::new(),
            hidden: BTreeMap::new(),
            linked: BTreeMap::new(),
            bits: if cfg!(unix) { Bits::Plain } else { Bits::Absent },
            told: Told::default(),
            stamp: Context::new(&SHA256),
            entries: Vec::new(),
            unknown: Vec::new(),
            known: Vec::new(),
        }
    }

    /// `Err` tells what could not be read.
    pub fn walk(mut self, interrupt: &Interrupt) -> Result<Walked, String> {
        let root = self.folder.symlink_metadata().map_err(|error| told(self.folder, &error))?;
        self.note("", &Stat::of(&root));
        let trusted = self.index.is_some();
        self.waiting.push(Waiting { path: String::new(), parent: Parent::default(), trusted });
        while let Some(folder) = self.waiting.pop() {
            if interrupt.is_raised() {
                return Err("interrupted".to_owned());
            }
            self.look_into(&folder)?;
        }
        self.join_links();
        Ok(Walked {
            folder: self.folder.to_owned(),
            entries: self.entries,
            unknown: self.unknown,
            known: self.known,
            bits: self.bits,
            told: self.told,
            stamp: finished(self.stamp),
        })
    }

    fn look_into(&mut self, folder: &Waiting) -> Result<(), String> {
        let full = joined(self.folder.as_str(), &folder.path);
        let full = Utf8Path::new(&full);
        let trouble = |error: std::io::Error| format!("`{full}` cannot be read: {error}");
        let listing: Result<Vec<DirEntry>, _> =
            std::fs::read_dir(full).and_then(Iterator::collect).map_err(trouble);
        let mut named = Vec::new();
        let mut attributed = false;
        for entry in listing? {
            let name = entry.file_name().into_string().map_err(|name| {
                format!("`{}` in `{full}` is no name in UTF-8", name.to_string_lossy())
            })?;
            attributed |= attributes::may_be_file(&name);
            named.push((name, entry));
        }
        named.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let trusted = folder.trusted && !(attributed && attributes::convert_in(full));
        for (name, entry) in named {
            let path = joined(&folder.path, &name);
            let found = Found { entry, full: joined(full.as_str(), &name).into(), trusted };
            if found.entry.file_type().map_err(trouble)?.is_dir() {
                self.folder(path, &found, &folder.parent)?;
            } else if self.ignore.sends_file(&path, &folder.parent) {
                self.file(path, &found)?;
            }
        }
        Ok(())
    }

    fn folder(&mut self, path: String, found: &Found, parent: &Parent) -> Result<(), String> {
        let (verdict, below) = self.ignore.folder(&path, parent);
        if verdict == dockerignore::Folder::Skipped {
            return Ok(());
        }
        let (_, stat) = found.stat()?;
        let trusted = found.trusted;
        self.waiting.push(Waiting { path: path.clone(), parent: below, trusted });
        if verdict == dockerignore::Folder::Hidden {
            self.hidden.insert(path, stat);
            return Ok(());
        }
        self.note(&path, &stat);
        self.send_above(&path)?;
        let mode = self.mode(&stat);
        self.push(path, &found.full, Kind::Folder { mode })
    }

    /// What is sent is sent with all folders above it.
    fn send_above(&mut self, path: &str) -> Result<(), String> {
        if self.hidden.is_empty() {
            return Ok(());
        }
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        for above in above {
            if let Some(stat) = self.hidden.remove(above) {
                let mode = self.mode(&stat);
                let full = self.folder.join(above);
                self.push(above.to_owned(), &full, Kind::Folder { mode })?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: String, found: &Found) -> Result<(), String> {
        let full = found.full.as_path();
        let (kind, stat) = found.stat()?;
        self.note(&path, &stat);
        self.send_above(&path)?;
        if kind.is_symlink() {
            let text = std::fs::read_link(full).map_err(|error| told(full, &error))?;
            let text = text.into_os_string().into_string();
            let text =
                text.map_err(|_| format!("the link `{full}` has a text that is not UTF-8"))?;
            return self.push(path, full, Kind::Link { text: text.into() });
        }
        if !kind.is_file() {
            return Err(format!("`{full}` is neither a file nor a folder nor a link"));
        }
        let blob = self.tell(&path, found, &stat);
        if stat.links > 1 {
            self.linked.entry((stat.dev, stat.ino)).or_default().push(self.entries.len());
        }
        let mode = self.mode(&stat);
        self.push(path, full, Kind::File { mode, blob, first: None })
    }

    /// The content as the index has it; something else where it is still to be read.
    fn tell(&mut self, path: &str, found: &Found, stat: &Stat) -> BlobId {
        let file = Unknown { entry: self.entries.len(), stat: *stat };
        let index = self.index.filter(|_| found.trusted);
        let number = index.and_then(|(index, folder)| {
            let name = match self.folder.as_str().len().checked_sub(folder.as_str().len()) {
                Some(root) if folder != "" => found.full.as_str().get(root..)?,
                _ => path,
            };
            Some((index, index.find(name, stat, self.next)?))
        });
        match number {
            Some((index, number)) => {
                self.next = number + 1;
                self.told.by_index += 1;
                self.known.push((number, file));
                index.id(number)
            }
            None => {
                self.told.by_bytes += 1;
                self.unknown.push(file);
                BlobId([0; 20])
            }
        }
    }

    fn push(&mut self, path: String, full: &Utf8Path, kind: Kind) -> Result<(), String> {
        let xattrs = xattrs::of(full)
            .map_err(|what| format!("the attributes of `{full}` cannot be read: {what}"))?;
        self.entries.push(Entry { path, kind, xattrs });
        Ok(())
    }

    /// Hard links are sent as such, and stay so in the image.
    fn join_links(&mut self) {
        for entries in std::mem::take(&mut self.linked).into_values().filter(|e| e.len() > 1) {
            let first = entries.iter().map(|entry| self.entries[*entry].path.as_str()).min();
            let name: Box<str> = first.unwrap_or_default().into();
            for entry in entries {
                if let Kind::File { first, .. } = &mut self.entries[entry].kind {
                    *first = Some(name.clone());
                }
            }
        }
    }

    fn mode(&mut self, stat: &Stat) -> Mode {
        if Mode::is_group_writable(stat.mode) && self.bits == Bits::Plain {
            self.bits = Bits::GroupWritable;
        }
        Mode::new(stat.mode)
    }

    fn note(&mut self, path: &str, stat: &Stat) {
        self.stamp.update(path.as_bytes());
        self.stamp.update(&[0]);
        stat.stamp(&mut self.stamp);
    }
}
