//! `compose`: writes docker-compose.yml, or says whether it is as it should be.
#![expect(clippy::disallowed_methods, reason = "reads the fragments, writes the file")]

use super::Session;
use crate::cli::Compose;
use crate::compose::{self, Fragment, secrets};
use crate::context::{self, dockerfiles, facts};
use crate::diagnostic::{Source, report};
use crate::error::Wrong;
use crate::manifest::{Loaded, Manifest};
use crate::plan::facts::SecretPlace;
use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::process::ExitCode;

/// Does it.
pub fn run(session: &Session, options: &Compose) -> Result<ExitCode> {
    let (root, text) = wanted(session)?;
    if options.dry_run {
        crate::report::stdout(text.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = root.join("docker-compose.yml");
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    if there == text {
        return Ok(ExitCode::SUCCESS);
    }
    if options.check {
        let difference = compose::difference(&there, &text);
        let wrong = "docker-compose.yml is not what the manifest says";
        crate::report::stderr::write(format_args!("error: {wrong}: {difference}"));
        crate::report::say!("write it anew with `cargo xtask compose`");
        return Ok(ExitCode::FAILURE);
    }
    let half = root.join("docker-compose.yml.part");
    std::fs::write(&half, &text)
        .and_then(|()| std::fs::rename(&half, &path))
        .with_context(|| format!("cannot write `{path}`"))?;
    if !session.common.quiet {
        crate::report::say!("docker-compose.yml is written");
    }
    Ok(ExitCode::SUCCESS)
}

/// The repository's root, and what the file should be. No event, registry or secret: it is the same for
/// everyone.
fn wanted(session: &Session) -> Result<(Utf8PathBuf, String)> {
    let (root, _, loaded) = read(session)?;
    let (needs, _) = dockerfiles::read(&root, &loaded)?.graph(&loaded)?;
    let fragments = fragments(&root, &loaded.manifest)?;
    let text = compose::generate(&loaded.manifest, &needs, &fragments)
        .map_err(|mistakes| Wrong(report(&mistakes)))?;
    Ok((root, text))
}

/// Whether the file is what the manifest says.
pub(super) fn is_current(session: &Session) -> Result<bool> {
    let (root, text) = wanted(session)?;
    Ok(std::fs::read_to_string(root.join("docker-compose.yml")).is_ok_and(|there| there == text))
}

/// The files of optional secrets that are there, by the variable that docker-compose.yml knows them
/// by. None where there is no manifest that can be read.
pub(super) fn secret_files(session: &Session) -> BTreeMap<String, String> {
    let Ok((root, _, loaded)) = read(session) else { return BTreeMap::new() };
    let services = loaded.manifest.services.values();
    let all = services.flat_map(|service| service.secrets.iter().map(move |s| (service, s)));
    all.filter_map(|(service, secret)| {
        let variable = secrets::file_variable(&loaded.manifest, service, secret)?;
        match context::secrets::place(secret, &root, &session.env)? {
            SecretPlace::File(path) => Some((variable, path.into_string())),
            SecretPlace::Env(_) => None,
        }
    })
    .collect()
}

fn read(session: &Session) -> Result<(Utf8PathBuf, Utf8PathBuf, Loaded)> {
    facts::manifest(&session.env, &session.processes, session.common.manifest.as_deref())
}

fn fragments(root: &Utf8Path, manifest: &Manifest) -> Result<BTreeMap<String, Fragment>> {
    let mut fragments = BTreeMap::new();
    let mut mistakes = Vec::new();
    for service in manifest.services.values() {
        let path = service.context.join("compose.yml");
        let text = match std::fs::read_to_string(root.join(&path)) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => wrong!("cannot read `{path}`: {error}"),
        };
        match compose::parse(&Source::new(path.as_str(), &text)) {
            Ok(fragment) => {
                fragments.insert(service.name.clone(), fragment);
            }
            Err(found) => mistakes.extend(found),
        }
    }
    if mistakes.is_empty() { Ok(fragments) } else { Err(Wrong(report(&mistakes)).into()) }
}
