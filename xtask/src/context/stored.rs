//! Notes of which image in the engine's store was built of which fingerprint: the claim of images
//! that are never published (DESIGN 4.5). They lie in `target/xtask/images.json`.
#![expect(clippy::disallowed_methods, reason = "reads and writes the notes")]

use super::facts::World;
use crate::docker::{Docker, store};
use crate::plan::facts::Facts;
use crate::process::Processes;
use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is noted of a service's image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// 64 hex digits
    pub fingerprint: String,
    /// What it was built for, which is no part of the fingerprint
    pub platforms: Vec<String>,
    /// The image's id in the store
    pub id: String,
}

/// Notes by service.
pub type Notes = BTreeMap<String, Note>;

#[derive(Deserialize, Serialize)]
struct File {
    schema: u32,
    images: Notes,
}

/// The notes that were left by earlier runs. What cannot be read is not there.
pub fn read(root: &Utf8Path) -> Notes {
    let text = std::fs::read_to_string(file(root)).unwrap_or_default();
    let file = serde_json::from_str::<File>(&text).ok().filter(|file| file.schema == 1);
    file.map(|file| file.images).unwrap_or_default()
}

/// Writes them, whole or not at all.
pub fn write(root: &Utf8Path, images: Notes) -> Result<()> {
    let file = file(root);
    let half = file.with_extension(format!("{}.part", std::process::id()));
    let text = serde_json::to_string_pretty(&File { schema: 1, images })?;
    std::fs::create_dir_all(root.join("target/xtask"))
        .and_then(|()| std::fs::write(&half, text + "\n"))
        .and_then(|()| std::fs::rename(&half, &file))
        .with_context(|| format!("cannot write `{file}`"))
}

fn file(root: &Utf8Path) -> Utf8PathBuf {
    root.join("target/xtask/images.json")
}

/// The services whose image of their fingerprint is in the store, under every one of its names.
pub fn find(
    docker: &Docker,
    processes: &Processes,
    world: &World,
    notes: &Notes,
) -> Result<BTreeSet<String>> {
    let facts = &world.facts;
    let noted: BTreeMap<&String, &Note> =
        notes.iter().filter(|(service, note)| is_of_now(facts, service, note)).collect();
    let names: Vec<String> = noted.keys().flat_map(|service| facts.local_names(service)).collect();
    let ids = store::ids(docker, processes, &names)?;
    let is_there = |service: &str, note: &Note| {
        facts.local_names(service).iter().all(|name| ids.get(name) == Some(&note.id))
    };
    let there = noted.into_iter().filter(|(service, note)| is_there(service, note));
    Ok(there.map(|(service, _)| service.clone()).collect())
}

fn is_of_now(facts: &Facts, service: &str, note: &Note) -> bool {
    let identity = facts.identities.get(service).and_then(|identity| identity.as_ref().ok());
    identity.is_some_and(|fingerprint| fingerprint.whole == note.fingerprint)
        && facts.service(service).is_some_and(|service| service.platforms == note.platforms)
}
