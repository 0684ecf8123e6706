//! Files that several processes share: written whole or not at all, and locked while in work.
#![expect(
    clippy::disallowed_methods,
    reason = "the one place where the engine reads and writes files"
)]

use super::leftovers::unmount_below;
use super::setup::Setup;
use super::sys;
use anyhow::{Context as _, Result, anyhow, bail};
use camino::{Utf8Path, Utf8PathBuf};
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::time::Duration;

/// Held until it is dropped; the system lets go of it when the process dies, however it dies.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "closing the file is what unlocks it")] File);

impl Lock {
    /// Waits for the lock on `path`; `holder` tells what another process is doing meanwhile.
    pub fn take(setup: &Setup, path: &Utf8Path, holder: &str) -> Result<Self> {
        create_parent(path)?;
        let file = File::options().create(true).append(true).open(path);
        let file = file.map_err(|e| explain(&e, "open the lock", path))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(e)) => return Err(explain(&e, "lock", path)),
            }
            if !told {
                told = true;
                (setup.say)(&format!("waiting for another xtask that {holder}"));
            }
            setup.processes.interrupt.sleep(Duration::from_millis(50))?;
        }
    }
}

/// Writes a file so that a reader sees the old content or the new, never a part.
pub fn write(path: &Utf8Path, content: impl AsRef<[u8]>) -> Result<()> {
    create_parent(path)?;
    let temporary = temporary_beside(path);
    std::fs::write(&temporary, content)
        .and_then(|()| std::fs::rename(&temporary, path))
        .map_err(|e| explain(&e, "write", path))
}

/// A file's text; nothing if it is not there.
pub fn read(path: &Utf8Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(explain(&e, "read", path)),
    }
}

/// Writes to a switch of the kernel, which cannot be replaced by renaming.
pub fn set_switch(path: &str, value: &str) -> Result<()> {
    std::fs::write(path, value).with_context(|| format!("cannot write to `{path}`"))
}

/// Makes a folder with its parents.
pub fn create_folder(path: &Utf8Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|e| explain(&e, "create the folder", path))
}

/// Makes an empty folder beside the one that a renaming will put in its place.
pub fn fresh_folder_beside(path: &Utf8Path) -> Result<Utf8PathBuf> {
    let temporary = temporary_beside(path);
    remove_folder(&temporary)?;
    create_folder(&temporary)?;
    Ok(temporary)
}

/// Removes what processes that were killed left beside `path`; only for who holds its lock.
pub fn remove_unfinished(path: &Utf8Path) -> Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let unfinished = format!(".{name}.");
    for other in list(folder).iter().filter(|other| other.starts_with(&unfinished)) {
        let other = folder.join(other);
        unmount_below(&[&other]);
        remove_folder(&other)?;
    }
    Ok(())
}

/// Puts a finished folder into its place.
pub fn move_folder(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    remove_folder(to)?;
    std::fs::rename(from, to).map_err(|e| explain(&e, "move a folder to", to))
}

/// Puts a finished file into its place.
pub fn move_file(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    std::fs::rename(from, to).map_err(|e| explain(&e, "move a file to", to))
}

/// Removes a folder with all that is in it; one that is not there is no error.
pub fn remove_folder(path: &Utf8Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(explain(&e, "remove", path)),
        _ => Ok(()),
    }
}

/// Removes a file; one that is not there is no error.
pub fn remove_file(path: &Utf8Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(explain(&e, "remove", path)),
        _ => Ok(()),
    }
}

/// An error unless so many megabytes are free: apt waits for ever on a full disk, and a half-made thing
/// helps nobody.
pub fn need_space(folder: &Utf8Path, megabytes: u64, what: &str) -> Result<()> {
    create_folder(folder)?;
    match sys::free_megabytes(folder) {
        Some(free) if free < megabytes => bail!(
            "{what} needs {megabytes} MB under `{folder}`, and {free} MB are free\n\
             next: free some space, or set XTASK_CACHE_DIR to a folder on another disk"
        ),
        _ => Ok(()),
    }
}

/// What is in a folder, by name; nothing if it is not there.
pub fn list(path: &Utf8Path) -> Vec<String> {
    let entries = path.read_dir_utf8().into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_owned()).collect();
    names.sort();
    names
}

/// The last lines of a log.
pub fn tail(path: &Utf8Path, lines: usize) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// An error with its path, and with the next step where there is one.
pub fn explain(error: &std::io::Error, doing: &str, path: &Utf8Path) -> anyhow::Error {
    let next = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            ": free some space, or set XTASK_CACHE_DIR to a folder on another disk"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            ": set XTASK_CACHE_DIR to a folder that you may write to"
        }
        _ => "",
    };
    anyhow!("cannot {doing} `{path}`: {error}{next}")
}

fn create_parent(path: &Utf8Path) -> Result<()> {
    path.parent().map_or(Ok(()), create_folder)
}

fn temporary_beside(path: &Utf8Path) -> Utf8PathBuf {
    let name = path.file_name().unwrap_or_default();
    path.with_file_name(format!(".{name}.{}", std::process::id()))
}
