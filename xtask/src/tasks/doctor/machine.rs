//! This machine: space on its disks.

use super::Patient;
use crate::docker::engine::sys;
use crate::plan::doctor::{Finding, space};
use camino::Utf8Path;
use std::collections::BTreeMap;

pub fn check(patient: &Patient) -> Vec<Finding> {
    let env = &patient.session.env;
    let temporary = env.get("TMPDIR").unwrap_or("/tmp").into();
    let mut folders =
        BTreeMap::from([(patient.root.clone(), "the repository"), (temporary, "temporary files")]);
    if let Ok(cache) = env.cache_dir() {
        folders.insert(cache, "the private engine's folder, XTASK_CACHE_DIR");
    }
    let told = folders
        .iter()
        .filter_map(|(folder, what)| Some(space(folder.as_str(), what, free(folder)?)));
    told.collect()
}

/// How many megabytes are free where a folder is, or will be.
pub fn free(folder: &Utf8Path) -> Option<u64> {
    let there = folder.ancestors().find(|folder| folder.is_dir())?;
    sys::free_megabytes(there)
}
