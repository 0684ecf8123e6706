//! An image as far as it is compared: every file, and the configuration. Times are left out.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A path without a slash at its beginning or end, as bytes: names of files need not be UTF-8. The
/// root folder is the empty path.
pub type Path = Vec<u8>;

/// What there is, by path.
pub type Files = BTreeMap<Path, File>;

/// An image for one platform, with all its layers laid on each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Its files
    pub files: Files,
    /// Its configuration, by key: `Cmd`, `Env.PATH`, `Labels.maintainer`
    pub config: BTreeMap<String, String>,
}

/// One file, folder, or whatever else stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// What it is
    pub kind: Kind,
    /// Permission bits, with set-user-ID and the like
    pub mode: u32,
    /// The owner's number
    pub user: u64,
    /// The group's number
    pub group: u64,
    /// Extended attributes
    pub xattrs: BTreeMap<String, Vec<u8>>,
    /// The content of files that have to be understood
    pub text: Option<Arc<[u8]>>,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder
    Folder,
    /// A file; a hard link is the file that it links to
    Regular {
        /// How many bytes it has
        size: u64,
        /// Their SHA-256
        sha256: [u8; 32],
    },
    /// A symbolic link, and its text
    Symlink(Vec<u8>),
    /// A character device
    CharDevice(u64, u64),
    /// A block device
    BlockDevice(u64, u64),
    /// A named pipe
    Fifo,
}

impl Kind {
    /// As it is told.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Regular { .. } => "file",
            Self::Symlink(_) => "symbolic link",
            Self::CharDevice(..) => "character device",
            Self::BlockDevice(..) => "block device",
            Self::Fifo => "named pipe",
        }
    }
}

/// A path as it is told: `/usr/bin/git`.
pub fn shown(path: &[u8]) -> String {
    format!("/{}", String::from_utf8_lossy(path))
}
