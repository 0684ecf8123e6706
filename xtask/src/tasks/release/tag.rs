//! `release tag`: checks that a version may be given to HEAD, and pushes an annotated tag.

mod checks;
mod push;

use super::super::Session;
use super::Tag;
use crate::context::{facts, git};
use crate::plan::next_version::Wanted;
use anyhow::Result;
use camino::Utf8PathBuf;
use checks::Desk;
use semver::Version;
use std::fmt::Write as _;
use std::process::ExitCode;

/// How many subjects a tag's message lists.
const SUBJECTS: usize = 100;

/// A tag that may be made.
pub struct Checked {
    pub root: Utf8PathBuf,
    pub remote: String,
    pub branch: String,
    pub version: Version,
    pub commit: String,
    /// The version before, and its commit
    pub before: Option<(Version, String)>,
}

pub fn run(session: &Session, options: &Tag) -> Result<ExitCode> {
    let wanted = Wanted::parse(&options.version)?;
    let (root, _, loaded) =
        facts::manifest(&session.env, &session.processes, session.common.manifest.as_deref())?;
    let dev_branch = loaded.manifest.project.dev_branch;
    let desk = Desk::read(session, root, &options.remote, dev_branch)?;
    let checked = desk.check(&wanted)?;
    let message = message(session, &checked)?;
    if options.dry_run {
        crate::report::stdout(&told(&checked, &message))?;
        return Ok(ExitCode::SUCCESS);
    }
    push::push(session, &checked, &message)?;
    let Checked { version, remote, .. } = &checked;
    crate::report::stdout(&format!("v{version}"))?;
    if !session.common.quiet {
        crate::report::say!(
            "v{version} is at `{remote}`; `cargo xtask release status v{version}` tells when it is released"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// `vX.Y.Z` and what was committed since the version before, the newest first.
fn message(session: &Session, checked: &Checked) -> Result<String> {
    let Checked { root, version, commit, before, .. } = checked;
    let mut text = format!("v{version}\n\n");
    // Writing to a string cannot fail.
    let Some((before, since)) = before else {
        writeln!(text, "The first version").ok();
        return Ok(text);
    };
    let subjects = git::subjects(&session.processes, root, since, commit, &[])?;
    writeln!(text, "Since v{before}:").ok();
    for subject in subjects.iter().take(SUBJECTS) {
        writeln!(text, "- {subject}").ok();
    }
    if subjects.len() > SUBJECTS {
        writeln!(text, "- and {} more", subjects.len() - SUBJECTS).ok();
    }
    Ok(text)
}

fn told(checked: &Checked, message: &str) -> String {
    let Checked { version, commit, branch, .. } = checked;
    format!(
        "v{version} would be tagged\ncommit: {commit} (`{branch}`)\npush: {}\nmessage:\n\n{}",
        push::command(checked, None),
        message.trim_end()
    )
}
