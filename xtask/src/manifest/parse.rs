//! From the text of `services.toml` to the manifest, or to every mistake that is in it. Pure: whether
//! the folders and Dockerfiles exist is for `files` to say.

use super::reader::{Reader, Table};
use super::syntax::Tree;
use super::{Loaded, Manifest, Places, bases, groups, keys, project, services, syntax};
use crate::diagnostic::{Diagnostic, Source};
use std::collections::BTreeMap;

/// Parses; `path` is what messages call the file.
pub fn parse(path: &str, text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    let source = Source::new(path, text);
    let (manifest, places, mut mistakes) = syntax::with_tree(&source, |tree| {
        let Tree { root, mut diagnostics, broken, complete } = tree;
        let mut reader = Reader::new(&source, broken, complete);
        let title = "the manifest".to_owned();
        let top = Table { title, span: 0..0, known: keys::TOP, entries: &root };
        let manifest = manifest(&mut reader, &top);
        diagnostics.extend(reader.into_diagnostics());
        (manifest, Places::of(&root), diagnostics)
    });
    if mistakes.is_empty() {
        return Ok(Loaded { manifest, places, source });
    }
    mistakes.sort_by_key(|mistake| mistake.span.start);
    mistakes.dedup();
    Err(mistakes)
}

fn manifest(reader: &mut Reader<'_>, top: &Table<'_>) -> Manifest {
    reader.unknown_keys(top);
    let project = project::project(reader, top);
    let section = services::section(reader, top);
    let services = match &section {
        Some(section) => services::services(reader, section, &project),
        None => BTreeMap::new(),
    };
    Manifest {
        bases: bases::bases(reader, top, &project.registry),
        groups: groups::groups(reader, top, section.as_ref()),
        builders: project::builders(reader, top),
        services,
        project,
    }
}
