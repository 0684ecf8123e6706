//! `pull`: published images, all of one release, by digest.
#![expect(clippy::disallowed_methods, reason = "writes the override for compose")]

mod resolve;

use super::Session;
use super::build_images::reading::setup;
use crate::cli::Pull;
use crate::compose::{PINNED, pinned};
use crate::docker::{connect, store};
use crate::parallel;
use crate::report::{count, stdout};
use anyhow::{Context as _, Result};
use camino::Utf8Path;
use resolve::{Found, Project};
use serde_json::json;
use std::process::ExitCode;

/// How many images are pulled at once: each is fetched in several connections.
const AT_ONCE: usize = 3;

/// Does it.
pub fn run(session: &Session, options: &Pull) -> Result<ExitCode> {
    let project = Project::read(session, options)?;
    let file = options.compose.as_ref().map(|file| session.env.dir.join(file));
    if let Some(file) = &file {
        is_ours(file)?;
    }
    let found = project.find()?;
    for note in &found.notes {
        crate::report::say!("note: {note}");
    }
    if !found.missing.is_empty() {
        anyhow::bail!("{}", found.told_missing());
    }
    let images = found.images.iter().map(|image| (image.service.clone(), image.by_digest()));
    let text = pinned(&found.what(), &images.collect(), &project.needs);
    if !options.dry_run {
        if !options.no_pull {
            pull(session, &found)?;
        }
        if let Some(file) = &file {
            write(file, &text)?;
        }
    }
    let shown = if options.json { format!("{:#}", json(&found)) } else { told(&found) };
    stdout(&shown)?;
    if let (Some(file), true, false) = (&options.compose, options.dry_run, options.json) {
        stdout(&format!("\n{file} would be written:\n{}", text.trim_end()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn pull(session: &Session, found: &Found) -> Result<()> {
    let docker = connect::connect(&setup(session)?)?;
    let pulled = parallel::map(AT_ONCE, &found.images, |image| {
        let name = format!("{}:{}", image.image, found.tag);
        store::pull(&docker, &session.processes, &image.by_digest(), &[name])
    });
    session.processes.interrupt.check()?;
    let failed: Vec<String> =
        pulled.into_iter().filter_map(|one| one.err().map(|error| format!("{error:#}"))).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let (of, all) = (failed.len(), count(found.images.len(), "image"));
    anyhow::bail!("{of} of {all} could not be pulled:\n{}", failed.join("\n"))
}

/// What a person wrote is not written over.
fn is_ours(file: &Utf8Path) -> Result<()> {
    match std::fs::read_to_string(file) {
        Ok(text) if !text.is_empty() && !text.starts_with(PINNED) => wrong!(
            "`--compose {file}` would be written over, and `pull` did not write it: name another file"
        ),
        _ => Ok(()),
    }
}

fn write(file: &Utf8Path, text: &str) -> Result<()> {
    let half = file.with_file_name(format!("{}.part", file.file_name().unwrap_or_default()));
    std::fs::write(&half, text)
        .and_then(|()| std::fs::rename(&half, file))
        .with_context(|| format!("cannot write `{file}`"))
}

fn told(found: &Found) -> String {
    let width = found.images.iter().map(|image| image.service.len()).max().unwrap_or_default();
    let line = |image: &resolve::Image| format!("{:<width$}  {}", image.service, image.by_digest());
    let lines: Vec<String> = found.images.iter().map(line).collect();
    format!("{}\n{}", found.what(), lines.join("\n"))
}

fn json(found: &Found) -> serde_json::Value {
    let image = |image: &resolve::Image| json!({ "service": image.service, "image": image.image, "digest": image.digest });
    json!({
        "schema": 1,
        "tag": found.tag,
        "version": found.version.as_ref().map(ToString::to_string),
        "revision": found.revision,
        "images": found.images.iter().map(image).collect::<Vec<_>>(),
        "notes": found.notes,
    })
}
