//! Reports as files: `target/xtask/report.json` and `timeline.html` of the last run, `built.json` of the
//! last one that built anything, and `built-before.json` of the one before that.
#![expect(clippy::disallowed_methods, reason = "reads and writes reports")]

use super::data::{Report, SCHEMA};
use super::timeline;
use crate::error::Wrong;
use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

const FOLDER: &str = "target/xtask";

/// Where the report of the last run is.
pub fn last(root: &Utf8Path) -> Utf8PathBuf {
    root.join(FOLDER).join("report.json")
}

/// Where the timeline of the last run is.
pub fn timeline(root: &Utf8Path) -> Utf8PathBuf {
    root.join(FOLDER).join("timeline.html")
}

/// Where the report of the last run is that built anything.
pub fn built(root: &Utf8Path) -> Utf8PathBuf {
    root.join(FOLDER).join("built.json")
}

/// Where the report of the run before that is.
pub fn built_before(root: &Utf8Path) -> Utf8PathBuf {
    root.join(FOLDER).join("built-before.json")
}

/// Writes report and timeline, each whole or not at all.
pub fn write(root: &Utf8Path, report: &Report) -> Result<()> {
    let folder = root.join(FOLDER);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder `{folder}`"))?;
    let text = format!("{}\n", serde_json::to_string_pretty(report)?);
    whole(&last(root), &text)?;
    whole(&timeline(root), &timeline::html(report))?;
    if !report.timeline.is_empty() {
        // Best effort: without it a later run has nothing to be compared with.
        std::fs::rename(built(root), built_before(root)).ok();
        whole(&built(root), &text)?;
    }
    Ok(())
}

/// Reads a report. One of a later shape is refused; of an earlier one, what it lacks is absent.
pub fn read(file: &Utf8Path) -> Result<Report> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Wrong(format!("cannot read the report `{file}`: {error}")))?;
    let report: Report = serde_json::from_str(&text)
        .map_err(|error| Wrong(format!("`{file}` is no report of this program: {error}")))?;
    match report.schema {
        1..=SCHEMA => Ok(report),
        0 => wrong!("`{file}` is no report of this program: it names no schema"),
        other => wrong!("`{file}` is of a later version of this program (schema {other})"),
    }
}

/// The last two runs that built anything, the last one last; what cannot be read is passed over.
pub fn built_reports(root: &Utf8Path) -> Vec<Report> {
    [built_before(root), built(root)].iter().filter_map(|file| read(file).ok()).collect()
}

/// Writes a file whole or not at all.
pub fn whole(file: &Utf8Path, text: &str) -> Result<()> {
    let half = Utf8PathBuf::from(format!("{file}.part"));
    let written = std::fs::write(&half, text).and_then(|()| std::fs::rename(&half, file));
    written.with_context(|| format!("cannot write `{file}`"))
}
