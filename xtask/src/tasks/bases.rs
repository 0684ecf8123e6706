//! `bases`: the lock file, and what the registries say of what stands in it.

pub(super) mod check;
mod update;

use super::Session;
use crate::cli::BasesTask;
use crate::context::{facts, lock};
use crate::manifest::{Lock, Locked, Manifest};
use crate::report::stdout;
use anyhow::Result;
use camino::Utf8PathBuf;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::ExitCode;

/// Does it.
pub fn run(session: &Session, task: &BasesTask) -> Result<ExitCode> {
    match task {
        BasesTask::Update(options) => update::run(session, options),
        BasesTask::Check(options) => check::run(session, options),
        BasesTask::List { json } => list(&Known::read(session, None)?, *json),
    }
}

/// Manifest and lock file.
struct Known {
    /// The manifest's file name, for messages
    file: String,
    manifest: Manifest,
    path: Utf8PathBuf,
    lock: Lock,
    /// Where made bases are
    registry: String,
}

impl Known {
    /// `registry` is `--registry`. No Dockerfile is read: one that is broken hinders nobody here.
    fn read(session: &Session, registry: Option<&str>) -> Result<Self> {
        let Session { env, processes, common, .. } = session;
        let (root, path, loaded) = facts::manifest(env, processes, common.manifest.as_deref())?;
        let registry = facts::registry(env, registry, &loaded.manifest.project.registry)?;
        let (file, path) = (path.file_name().unwrap_or_default().to_owned(), lock::path(&path));
        let lock = lock::read(&path, &root)?;
        Ok(Self { file, manifest: loaded.manifest, path, lock, registry })
    }

    /// All names of the manifest and the lock file.
    fn names(&self) -> BTreeSet<&String> {
        self.manifest.bases.keys().chain(self.lock.entries.keys()).collect()
    }
}

fn list(known: &Known, json: bool) -> Result<ExitCode> {
    let names = known.names();
    let entries = names.iter().map(|name| (name.as_str(), known.lock.entries.get(*name)));
    if json {
        let bases: Vec<Value> = entries.map(|(name, locked)| fields(name, locked)).collect();
        stdout(&format!("{:#}", json!({ "schema": 1, "bases": bases })))?;
        return Ok(ExitCode::SUCCESS);
    }
    let lines = entries.map(|(name, locked)| {
        let said = locked.map_or_else(|| "not locked".to_owned(), Locked::to_string);
        let gone = match known.manifest.bases.contains_key(name) {
            true => String::new(),
            false => format!("  (no longer in {})", known.file),
        };
        (name.to_owned(), said + &gone)
    });
    table(lines.collect())
}

/// Two columns.
fn table(lines: Vec<(String, String)>) -> Result<ExitCode> {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines = lines.iter().map(|(name, said)| format!("{name:<width$}  {said}\n"));
    stdout(lines.collect::<String>().trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// A base in JSON.
fn fields(name: &str, locked: Option<&Locked>) -> Value {
    let mut fields = json!({ "base": name, "digest": null });
    if let Some(Locked { origin, digest, platforms, at }) = locked {
        fields = json!({
            "base": name, "digest": digest, "from": origin.name(), "image": origin.image(),
            "platforms": platforms, "locked": at,
        });
    }
    fields
}

/// A digest as people compare it.
fn short(digest: &str) -> &str {
    digest.get(..19).unwrap_or(digest)
}
