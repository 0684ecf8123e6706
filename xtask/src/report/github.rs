//! What GitHub reads of a workflow's run: commands among the lines of a step (groups, annotations,
//! masks), and the files of its outputs and of its summary. All escaping is here.

use crate::context::environment::Environment;
use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use std::fmt::Write as _;
use std::io::Write as _;

/// GitHub takes no summary of a step that is longer (1 MiB), and shows an error in its place.
const SUMMARY_BYTES: usize = 1024 * 1024;
/// Stands at the end of a summary that was cut.
const CUT: &str = "\n\n*The rest is left out: a summary holds 1 MiB.*\n";

/// How grave an annotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `error`
    Error,
    /// `warning`
    Warning,
    /// `notice`
    Notice,
}

/// The lines of a file that an annotation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At<'a> {
    /// Relative to the repository
    pub file: &'a str,
    /// First and last, from 1
    pub lines: (usize, usize),
}

/// An annotation: GitHub shows it beside the lines of the file, and above the log.
pub fn annotation(kind: Kind, at: Option<At>, title: &str, message: &str) -> String {
    let name = match kind {
        Kind::Error => "error",
        Kind::Warning => "warning",
        Kind::Notice => "notice",
    };
    let mut properties = String::new();
    if let Some(At { file, lines: (first, last) }) = at {
        // Writing to a string cannot fail.
        write!(properties, "file={},line={first},endLine={last},", property(file)).ok();
    }
    format!("::{name} {properties}title={}::{}", property(title), message_text(message))
}

/// Begins a group of lines that GitHub folds; groups do not nest.
pub fn group(title: &str) -> String {
    format!("::group::{}", message_text(title))
}

/// Ends the group.
pub fn end_group() -> &'static str {
    "::endgroup::"
}

/// Has GitHub put `***` wherever the value is printed from now on; a line of it at a time. None for
/// what is empty.
pub fn mask(value: &str) -> Vec<String> {
    let lines = value.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| format!("::add-mask::{}", message_text(line))).collect()
}

/// A line that cannot be taken for a command: what a step of a build prints is no word of ours.
pub fn plain(line: &str) -> String {
    // GitHub looks for a command behind leading blanks, and for the older `##[` anywhere.
    let is_command = line.trim_start().starts_with("::") || line.contains("##[");
    if !is_command {
        return line.to_owned();
    }
    line.replacen("::", ":\u{200b}:", 1).replace("##[", "##\u{200b}[")
}

fn message_text(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message_text(text).replace(':', "%3A").replace(',', "%2C")
}

/// The files that GitHub gives a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    outputs: Option<Utf8PathBuf>,
    summary: Option<Utf8PathBuf>,
}

impl Files {
    /// Those of this run; none outside of GitHub's workflows.
    pub fn of(env: &Environment) -> Self {
        let on_github = is_github(env);
        let file = |name| env.get(name).filter(|_| on_github).map(|path| env.dir.join(path));
        Self { outputs: file("GITHUB_OUTPUT"), summary: file("GITHUB_STEP_SUMMARY") }
    }

    /// Sets an output of the step.
    pub fn output(&self, name: &str, value: &str) -> Result<()> {
        let Some(file) = &self.outputs else { return Ok(()) };
        append(file, &output(name, value))
            .with_context(|| format!("cannot set the output `{name}`"))
    }

    /// Adds to the summary of the step; what is too long for GitHub is cut, which it says.
    pub fn summary(&self, text: &str) -> Result<()> {
        let Some(file) = &self.summary else { return Ok(()) };
        let there = std::fs::metadata(file).map_or(0, |there| there.len());
        let room = SUMMARY_BYTES.saturating_sub(usize::try_from(there).unwrap_or(usize::MAX));
        append(file, &summary(text, room)).context("cannot write the summary")
    }
}

/// Whether this runs in a workflow of GitHub.
pub fn is_github(env: &Environment) -> bool {
    env.get("GITHUB_ACTIONS") == Some("true")
}

/// An output as its file holds it: between marks, of which the value holds none.
fn output(name: &str, value: &str) -> String {
    let mut mark = String::from("END");
    while value.lines().any(|line| line == mark) {
        mark.push('_');
    }
    format!("{name}<<{mark}\n{value}\n{mark}\n")
}

/// The text, or as many of its lines as there is room for.
fn summary(text: &str, room: usize) -> String {
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    if text.len() + newline.len() <= room {
        return format!("{text}{newline}");
    }
    let Some(room) = room.checked_sub(CUT.len()) else { return String::new() };
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        if end + line.len() > room {
            break;
        }
        end += line.len();
    }
    format!("{}{CUT}", text[..end].trim_end())
}

fn append(file: &Utf8Path, text: &str) -> Result<()> {
    let opened = std::fs::File::options().create(true).append(true).open(file);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("cannot append to `{file}`"))
}

#[cfg(test)]
mod tests;
