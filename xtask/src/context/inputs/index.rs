//! Git's index: which content a file has whose `stat` is still what git saw when it read the file.
//!
//! The format: <https://git-scm.com/docs/index-format>. What is not versions 2 or 3 as they were
//! first, or says that git itself does not look at files, is refused: then the bytes are read.

use super::stat::{Stat, Time};
use crate::plan::fingerprint::BlobId;
use camino::Utf8Path;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::ffi::CStr;
use std::fs::File;
use std::io::Read as _;
use std::ops::Range;

/// The fields of a `stat`, each of 32 bits, that begin an entry.
const STATS: usize = 40;
const HASH: usize = 20;
/// An entry up to its name, without extended flags.
const FIXED: usize = STATS + HASH + 2;

const ASSUME_UNCHANGED: u16 = 0x8000;
const EXTENDED: u16 = 0x4000;
const STAGE: u16 = 0x3000;
const SKIP_WORKTREE: u16 = 0x4000;
const INTENT_TO_ADD: u16 = 0x2000;
const REGULAR: u32 = 0o100_000;

/// A file that was written shortly before the index may have been written again since, at what the
/// clock of its file system takes for the same time. (Linux's has a step of up to 10 ms.)
const SLACK: i128 = 20_000_000;
/// The same where times have no fractions.
const COARSE_SLACK: i128 = 2_000_000_000;

/// An index that can be trusted.
pub struct Index {
    data: Vec<u8>,
    /// Where entries begin, in the order of their names
    entries: Vec<Place>,
    written: Time,
}

/// Where an entry is.
#[derive(Clone, Copy)]
struct Place {
    start: u32,
    name: u32,
    length: u32,
}

impl Index {
    /// Reads the file. Nothing where there is none, it is being written, or it has more to it than
    /// is known here.
    pub fn load(path: &Utf8Path) -> Option<Self> {
        if Utf8Path::new(&format!("{path}.lock")).symlink_metadata().is_ok() {
            return None;
        }
        let mut file = File::open(path).ok()?;
        let before = Stat::of(&file.metadata().ok()?);
        let mut data = Vec::new();
        file.read_to_end(&mut data).ok()?;
        let after = Stat::of(&file.metadata().ok()?);
        (before == after).then(|| Self::parse(data, after.mtime))?
    }

    /// From the file's bytes, and when it was written.
    fn parse(data: Vec<u8>, written: Time) -> Option<Self> {
        let body = data.len().checked_sub(HASH)?;
        let version = u32_at(&data, 4)?;
        if !data.starts_with(b"DIRC") || !matches!(version, 2 | 3) {
            return None;
        }
        if digest(&SHA1_FOR_LEGACY_USE_ONLY, &data[..body]).as_ref() != &data[body..] {
            return None;
        }
        let count = u32_at(&data, 8)? as usize;
        let mut entries = Vec::with_capacity(count.min(body / FIXED));
        let mut at = 12;
        for _ in 0..count {
            let (place, next) = entry(&data[..body], at)?;
            entries.push(place);
            at = next;
        }
        has_known_extensions(&data[..body], at).then_some(())?;
        let index = Self { data, entries, written };
        // Several stages of one name are next to each other.
        let sorted = index.entries.is_sorted_by(|a, b| index.name(a) <= index.name(b));
        sorted.then_some(index)
    }

    /// The number of the entry of a regular file, where its `stat` says that it is what git has read.
    /// At `guess` is looked first: whoever walks in the order of names spares the search.
    pub fn find(&self, path: &str, stat: &Stat, guess: usize) -> Option<usize> {
        let number = match self.entries.get(guess) {
            Some(place) if self.name(place) == path.as_bytes() => guess,
            _ => self.search(path).ok()?,
        };
        let place = &self.entries[number];
        let seen = is_plain(&self.data, place) && self.is_as_seen(place.start as usize, stat);
        seen.then_some(number)
    }

    fn search(&self, path: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|place| self.name(place).cmp(path.as_bytes()))
    }

    /// The content that an entry names.
    pub fn id(&self, number: usize) -> BlobId {
        let start = self.entries[number].start as usize + STATS;
        let mut id = [0; HASH];
        id.copy_from_slice(&self.data[start..start + HASH]);
        BlobId(id)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The numbers of all entries in a folder, given relative to the root.
    pub fn numbers_in(&self, folder: &Utf8Path) -> Range<usize> {
        if folder == "" {
            return 0..self.len();
        }
        let (first, after) = (format!("{folder}/"), format!("{folder}0"));
        let at = |name: &str| self.entries.partition_point(|e| self.name(e) < name.as_bytes());
        at(&first)..at(&after)
    }

    /// The paths of all files of a name, in whatever folder.
    pub fn paths_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let paths = self.entries.iter().filter(move |place| {
            let path = self.name(place);
            let folder = path.strip_suffix(name.as_bytes());
            folder.is_some_and(|folder| folder.is_empty() || folder.ends_with(b"/"))
        });
        // A path that is not UTF-8 cannot be looked at: it is as if it were not there.
        paths.map(|place| std::str::from_utf8(self.name(place)).unwrap_or_default())
    }

    fn name(&self, place: &Place) -> &[u8] {
        let start = place.name as usize;
        &self.data[start..start + place.length as usize]
    }

    /// Compared as bytes: git keeps the lower 32 bits of each number.
    fn is_as_seen(&self, start: usize, stat: &Stat) -> bool {
        let is = |number: usize, values: &[u64]| {
            let mut bytes = [0; 16];
            for (at, value) in values.iter().enumerate() {
                bytes[4 * at..4 * at + 4].copy_from_slice(&(*value as u32).to_be_bytes());
            }
            let start = start + 4 * number;
            self.data[start..start + 4 * values.len()] == bytes[..4 * values.len()]
        };
        let [ctime, mtime] = [stat.ctime, stat.mtime];
        let regular = u32_at(&self.data, start + 4 * 6).map(|mode| mode & 0o170_000);
        regular == Some(REGULAR)
            && stat.size <= u64::from(u32::MAX)
            && is(0, &[ctime.0 as u64, ctime.1 as u64, mtime.0 as u64, mtime.1 as u64])
            && is(5, &[stat.ino])
            && is(7, &[u64::from(stat.uid), u64::from(stat.gid), stat.size])
            && !self.is_racy(stat)
    }

    /// Whether the file may have been written after git read it, without its times telling it.
    fn is_racy(&self, stat: &Stat) -> bool {
        let coarse = self.written.1 == 0 || stat.mtime.1 == 0 || stat.ctime.1 == 0;
        let slack = if coarse { COARSE_SLACK } else { SLACK };
        let latest = nanos(stat.mtime).max(nanos(stat.ctime));
        latest + slack >= nanos(self.written)
    }
}

fn nanos((seconds, nanos): Time) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(nanos)
}

/// An entry, and where the next one begins.
fn entry(data: &[u8], start: usize) -> Option<(Place, usize)> {
    let flags = u16_at(data, start + STATS + HASH)?;
    let name = start + FIXED + if flags & EXTENDED == 0 { 0 } else { 2 };
    let length = CStr::from_bytes_until_nul(data.get(name..)?).ok()?.count_bytes();
    let said = usize::from(flags & 0xfff);
    if said < 0xfff && said != length {
        return None;
    }
    // One to eight zero bytes, so that entries begin at multiples of eight.
    let next = start + (name + length - start) / 8 * 8 + 8;
    let place = Place {
        start: u32::try_from(start).ok()?,
        name: u32::try_from(name).ok()?,
        length: u32::try_from(length).ok()?,
    };
    (next <= data.len()).then_some((place, next))
}

/// Whether an entry is one that git looks at the file for.
fn is_plain(data: &[u8], place: &Place) -> bool {
    let at = place.start as usize + STATS + HASH;
    let Some(flags) = u16_at(data, at) else { return false };
    let more = if flags & EXTENDED == 0 { Some(0) } else { u16_at(data, at + 2) };
    flags & (ASSUME_UNCHANGED | STAGE) == 0
        && more.is_some_and(|more| more & (SKIP_WORKTREE | INTENT_TO_ADD) == 0)
}

/// Whether nothing follows that changes what the entries mean: a split or sparse index, or a file
/// system monitor.
fn has_known_extensions(data: &[u8], mut at: usize) -> bool {
    while at < data.len() {
        let (Some(name), Some(length)) = (data.get(at..at + 4), u32_at(data, at + 4)) else {
            return false;
        };
        if !matches!(name, b"TREE" | b"REUC" | b"UNTR" | b"EOIE" | b"IEOT") {
            return false;
        }
        at += 8 + length as usize;
    }
    at == data.len()
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?))
}
