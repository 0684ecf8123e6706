//! The door: reads `services.toml` from the disk. All that is wrong is one error with exit code 2.

use super::{Loaded, check_files, parse};
use crate::diagnostic::{Diagnostic, Source, report};
use crate::error::Wrong;
use anyhow::Result;
use camino::Utf8Path;
use std::io::ErrorKind;

/// What a person who has no manifest can begin with.
const MINIMAL: &str = "\
[project]
name = \"shop\"
registry = \"ghcr.io/owner/shop\"

[services.web]   # built from services/web/Dockerfile";

/// Reads and checks the manifest at `path` of the repository at `root`.
pub fn load(path: &Utf8Path, root: &Utf8Path) -> Result<Loaded> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => wrong!(
            "there is no manifest `{path}`\nname another with `--manifest FILE`, or begin with this one:\n\n{MINIMAL}"
        ),
        Err(error) => wrong!("cannot read the manifest `{path}`: {error}"),
    };
    let shown = path.strip_prefix(root).unwrap_or(path).as_str();
    from_bytes(shown, &bytes, root).map_err(|mistakes| Wrong(report(&mistakes)).into())
}

fn from_bytes(path: &str, bytes: &[u8], root: &Utf8Path) -> Result<Loaded, Vec<Diagnostic>> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let text = String::from_utf8_lossy(bytes);
        // Up to here nothing was replaced, so the offset is the same in both.
        let at = error.valid_up_to();
        let mistake = Source::new(path, &text).at(&(at..at + 1), "this is not UTF-8");
        vec![mistake.help("save the file as UTF-8")]
    })?;
    let loaded = parse(path, text)?;
    match check_files(&loaded, root) {
        mistakes if mistakes.is_empty() => Ok(loaded),
        mistakes => Err(mistakes),
    }
}
