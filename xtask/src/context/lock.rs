//! The door to the lock file `bases.lock`, which lies beside the manifest.
#![expect(clippy::disallowed_methods, reason = "reads and writes the lock file")]

use crate::docker::bases::recipe_hash;
use crate::manifest::{Bootstrap, Lock, Locked, Manifest, Origin};
use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::io::ErrorKind;

/// Where the lock file of a manifest is.
pub fn path(manifest: &Utf8Path) -> Utf8PathBuf {
    manifest.with_file_name("bases.lock")
}

/// What it says; nothing is locked where there is none. `root` is left out in messages.
pub fn read(path: &Utf8Path, root: &Utf8Path) -> Result<Lock> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Lock::default()),
        Err(error) => wrong!("cannot read the lock file `{path}`: {error}"),
    };
    // What is no UTF-8 becomes a character that nothing allows outside of a text.
    let text = String::from_utf8_lossy(&bytes);
    Lock::parse(&text, path.strip_prefix(root).unwrap_or(path).as_str())
}

/// Writes it whole or not at all.
pub fn write(path: &Utf8Path, lock: &Lock) -> Result<()> {
    let half = path.with_extension("lock.part");
    std::fs::write(&half, lock.to_string())
        .and_then(|()| std::fs::rename(&half, path))
        .with_context(|| format!("cannot write the lock file `{path}`: is its folder writable?"))
}

/// The digests of the bases that are locked, as far as the entries are still what a manifest asks for.
pub fn digests(lock: &Lock, manifest: &Manifest) -> BTreeMap<String, String> {
    let recipe = |key: &str| manifest.bases.get(key).and_then(|base| base.bootstrap.as_ref());
    let entries = lock.entries.iter().filter(|(key, locked)| fits(locked, recipe(key)));
    entries.map(|(key, locked)| (key.clone(), locked.digest.clone())).collect()
}

/// Whether an entry is still what the manifest asks for: a made base is, while its recipe is the same.
pub fn fits(locked: &Locked, recipe: Option<&Bootstrap>) -> bool {
    let Origin::Bootstrap { hash } = &locked.origin else { return true };
    let made_by = |arch: &str| recipe.is_some_and(|recipe| recipe_hash(recipe, arch) == *hash);
    locked.platforms.iter().filter_map(|platform| platform.strip_prefix("linux/")).any(made_by)
}
