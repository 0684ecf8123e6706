//! The second step: are the folders and Dockerfiles that the manifest names there, and inside the
//! repository? Looks at the disk, reads no file, changes nothing.

use super::{Loaded, Service};
use crate::diagnostic::{Diagnostic, Span, quoted};
use crate::nearest::nearest;
use crate::{parallel, real_path};
use camino::{Utf8Path, Utf8PathBuf};
use std::io::ErrorKind;

/// What a path must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
}

/// One path to look at.
struct Wanted<'a> {
    what: String,
    kind: Kind,
    path: &'a Utf8Path,
    span: Span,
}

/// Every folder and Dockerfile that is absent, of the wrong kind, or outside the root.
pub fn check_files(loaded: &Loaded, root: &Utf8Path) -> Vec<Diagnostic> {
    let real_root = match root.canonicalize_utf8() {
        Ok(real_root) => real_root,
        Err(error) => {
            let message = format!("cannot read the repository's root `{root}`: {error}");
            return vec![loaded.source.at(&(0..0), message)];
        }
    };
    let services: Vec<&Service> = loaded.manifest.services.values().collect();
    let found = parallel::compute(&services, |service| check_service(loaded, &real_root, service));
    let mut mistakes: Vec<Diagnostic> = found.into_iter().flatten().collect();
    mistakes.sort_by_key(|mistake| mistake.span.start);
    mistakes
}

fn check_service(loaded: &Loaded, root: &Utf8Path, service: &Service) -> Vec<Diagnostic> {
    let mut mistakes = Vec::new();
    let (context, dockerfile, named) = wanted(loaded, service);
    let context_mistake = check(loaded, root, &context);
    // A context that is not there has no Dockerfile either: one mistake, said once.
    if context_mistake.is_none() || !service.dockerfile.starts_with(&service.context) {
        mistakes.extend(check(loaded, root, &dockerfile));
    }
    mistakes.extend(context_mistake);
    mistakes.extend(named.iter().filter_map(|wanted| check(loaded, root, wanted)));
    mistakes
}

/// The context, the Dockerfile, and the named contexts that are folders.
fn wanted<'a>(loaded: &Loaded, service: &'a Service) -> (Wanted<'a>, Wanted<'a>, Vec<Wanted<'a>>) {
    let name = service.name.as_str();
    let title = quoted(name);
    let span = |key: &str| loaded.places.value(&["services", name, key]);
    let named =
        service.contexts.iter().filter(|(_, value)| is_folder(value)).map(|(key, value)| Wanted {
            what: format!("named context {} of service {title}", quoted(key)),
            kind: Kind::Folder,
            path: Utf8Path::new(value),
            span: loaded.places.value(&["services", name, "contexts", key]),
        });
    let context = Wanted {
        what: format!("context of service {title}"),
        kind: Kind::Folder,
        path: &service.context,
        span: span("context"),
    };
    let dockerfile = Wanted {
        what: format!("Dockerfile of service {title}"),
        kind: Kind::File,
        path: &service.dockerfile,
        span: span("dockerfile"),
    };
    (context, dockerfile, named.collect())
}

/// Whether a named context is a folder, not an address.
fn is_folder(context: &str) -> bool {
    !context.contains("://") && !context.starts_with("git@")
}

/// What is wrong with one path, if anything is.
fn check(loaded: &Loaded, root: &Utf8Path, wanted: &Wanted<'_>) -> Option<Diagnostic> {
    let Wanted { what, kind, path, span } = wanted;
    let shown = quoted(path.as_str());
    let say = |problem: &str| loaded.source.at(span, format!("{what}: {shown} {problem}"));
    let real = match real_path::below(root, path) {
        Ok(real) => real,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Some(say("does not exist").help(absent(root, path, *kind)));
        }
        Err(error) => return Some(say(&format!("cannot be read: {error}"))),
    };
    if !real.starts_with(root) {
        let help = "make it a part of the repository: what is outside cannot be fingerprinted";
        return Some(say("leads out of the repository by a symbolic link").help(help));
    }
    match (kind, real.is_dir()) {
        (Kind::Folder, false) => Some(say("is not a folder").help("name the folder that it is in")),
        (Kind::File, true) => {
            let file = quoted(path.join("Dockerfile").as_str());
            Some(say("is a folder, not a file").help(format!("did you mean {file}?")))
        }
        _ => None,
    }
}

/// The nearest name that is there, or else what to do.
fn absent(root: &Utf8Path, path: &Utf8Path, kind: Kind) -> String {
    let mut there = Utf8PathBuf::new();
    for part in path.components() {
        if root.join(&there).join(part).exists() {
            there.push(part);
            continue;
        }
        let names = siblings(&root.join(&there));
        let Some(near) = nearest(part.as_str(), names.iter().map(String::as_str)) else { break };
        let rest = path.components().skip(there.components().count() + 1);
        let near = rest.fold(there.join(near), |near, part| near.join(part));
        return format!("did you mean {}?", quoted(near.as_str()));
    }
    match kind {
        Kind::Folder => "create it, or say where it is with `context = \"…\"`".to_owned(),
        Kind::File => "write it, or say where it is with `dockerfile = \"…\"`".to_owned(),
    }
}

/// What is in a folder, sorted; nothing if it cannot be read.
fn siblings(folder: &Utf8Path) -> Vec<String> {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_owned()).collect();
    names.sort_unstable();
    names
}
