//! Something that a walk comes by.

use super::stat::Stat;
use camino::{Utf8Path, Utf8PathBuf};
use std::fs::{DirEntry, FileType};

/// Something in a folder that is looked into.
pub struct Found {
    pub entry: DirEntry,
    pub full: Utf8PathBuf,
    /// Whether the index tells its content
    pub trusted: bool,
}

impl Found {
    /// Asked by way of the open folder, which spares the system the long path. Links are not followed.
    pub fn stat(&self) -> Result<(FileType, Stat), String> {
        let meta = self.entry.metadata().map_err(|error| told(&self.full, &error))?;
        Ok((meta.file_type(), Stat::of(&meta)))
    }
}

/// A path below another, which may be empty.
pub fn joined(folder: &str, name: &str) -> String {
    match (folder, name) {
        ("", name) => name.to_owned(),
        (folder, "") => folder.to_owned(),
        // Not `concat`: this is called for each file, in a build without optimization.
        (folder, name) => {
            let mut path = String::with_capacity(folder.len() + 1 + name.len());
            path.push_str(folder);
            path.push('/');
            path.push_str(name);
            path
        }
    }
}

/// Why something could not be read.
pub fn told(path: &Utf8Path, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => format!("`{path}` vanished while it was read"),
        _ => format!("`{path}` cannot be read: {error}"),
    }
}
