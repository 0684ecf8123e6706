//! What `.dockerignore` leaves out of a context.
#![expect(clippy::disallowed_methods, reason = "reads the ignore files")]

use crate::manifest::Service;
use crate::plan::dockerignore::{Ignore, file_names};
use camino::{Utf8Path, Utf8PathBuf};
use std::io::ErrorKind;

/// An ignore file's text and its rules. None is the same as an empty one.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub text: String,
    pub ignore: Ignore,
}

/// The rules for the context of a service.
pub fn of_service(root: &Utf8Path, service: &Service) -> Result<Rules, String> {
    let [beside, in_context] = file_names(service.dockerfile.as_str());
    first(root, [Utf8PathBuf::from(beside), service.context.join(in_context)])
}

/// The rules for a named context.
pub fn of_folder(root: &Utf8Path, folder: &Utf8Path) -> Result<Rules, String> {
    let [_, in_context] = file_names("");
    first(root, [folder.join(in_context)])
}

fn first<const N: usize>(root: &Utf8Path, files: [Utf8PathBuf; N]) -> Result<Rules, String> {
    for file in files {
        let path = root.join(&file);
        match path.symlink_metadata() {
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(format!("`{file}` cannot be read: {error}")),
            // BuildKit follows a link inside what it is sent, and takes others for absent.
            Ok(meta) if !meta.is_file() => {
                return Err(format!("cannot tell what `{file}` leaves out: it is no regular file"));
            }
            Ok(_) => return read(&path, &file),
        }
    }
    Ok(Rules::default())
}

fn read(path: &Utf8Path, file: &Utf8Path) -> Result<Rules, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot tell what `{file}` leaves out: {error}"))?;
    let ignore = Ignore::parse(&text).map_err(|unreadable| {
        let line = unreadable.line;
        format!("{file}:{line}: cannot tell what it leaves out: {}", unreadable.what)
    })?;
    Ok(Rules { text, ignore })
}
