//! What was read of a service's files, as data: what BuildKit would be sent.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What was read for one service. What could not be read is a reason, as a fragment that stands
/// alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// The Dockerfile
    pub dockerfile: Result<Bytes, String>,
    /// The context
    pub context: Result<Arc<Tree>, String>,
    /// Named contexts that are folders
    pub named: BTreeMap<String, Result<Arc<Tree>, String>>,
}

/// The bytes of a file, by their digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// SHA-256, 64 hex digits
    pub sha256: String,
    /// How many they are
    pub length: usize,
    /// Changes whenever the file is written, also with the same bytes
    pub stamp: Stamp,
}

/// A folder as BuildKit would be sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Everything below the folder, by path
    pub entries: Vec<Entry>,
    /// What its permission bits are worth
    pub bits: Bits,
    /// Changes whenever something in it is written, also when it is put back
    pub stamp: Stamp,
    /// How the contents were told
    pub told: Told,
}

/// Something that is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the context, with slashes
    pub path: String,
    /// What it is
    pub kind: Kind,
    /// Extended attributes, by name
    pub xattrs: Vec<(String, Vec<u8>)>,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder
    Folder {
        /// Its permissions
        mode: Mode,
    },
    /// A regular file
    File {
        /// Its permissions
        mode: Mode,
        /// Its content
        blob: BlobId,
        /// The first path, in the order of paths, of those that are one file by hard links
        first: Option<Box<str>>,
    },
    /// A symbolic link
    Link {
        /// Its text
        text: Box<str>,
    },
}

/// Permission bits, with set-user-id and the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode(u16);

/// Git's name for a content: SHA-1 over `blob <length>\0` and the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobId(pub [u8; 20]);

/// Tells whether something was written between two looks. Never part of a fingerprint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp(pub [u8; 32]);

/// What a tree's permission bits are worth to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bits {
    /// Those of a umask of 022, or chosen
    Plain,
    /// Some are those of a umask of 002: taken as 022's, though the image gets them as they are
    GroupWritable,
    /// The system has none
    Absent,
}

/// How many contents were told by git's index, and how many by reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// By the index
    pub by_index: usize,
    /// By their bytes
    pub by_bytes: usize,
}

impl Mode {
    /// From the bits of a `stat`. Those of a umask of 002 are as those of 022.
    pub fn new(bits: u32) -> Self {
        Self(match (bits & 0o7777) as u16 {
            0o664 => 0o644,
            0o775 => 0o755,
            bits => bits,
        })
    }

    /// Whether bits are those of a umask of 002.
    pub fn is_group_writable(bits: u32) -> bool {
        matches!(bits & 0o7777, 0o664 | 0o775)
    }
}

impl Mode {
    /// As it is written, without the work for those that most files have.
    pub fn text(self) -> Cow<'static, str> {
        match self.0 {
            0o644 => "0644".into(),
            0o755 => "0755".into(),
            _ => self.to_string().into(),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::digest::hex(&self.0))
    }
}

impl Inputs {
    /// Whether nothing was written between two looks, not even the same again.
    ///
    /// A file that is changed while BuildKit reads it and put back afterwards gives the same
    /// fingerprint twice: a claim needs this, too.
    pub fn is_untouched_since(&self, before: &Self) -> bool {
        let stamps = self.stamps();
        stamps.is_some() && stamps == before.stamps()
    }

    /// Nothing where something could not be read.
    fn stamps(&self) -> Option<Vec<Stamp>> {
        let dockerfile = self.dockerfile.as_ref().ok()?.stamp;
        let trees = std::iter::once(&self.context).chain(self.named.values());
        let stamps = trees.map(|tree| tree.as_ref().ok().map(|tree| tree.stamp));
        std::iter::once(Some(dockerfile)).chain(stamps).collect()
    }
}
