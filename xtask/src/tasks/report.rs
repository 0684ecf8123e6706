//! `report`: what came of a past run, and what differs from another.

use super::Session;
use crate::cli::Report as Options;
use crate::context::git;
use crate::process::Command;
use crate::report::data::Report;
use crate::report::{compare, json, say, stdout, summary, timeline};
use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;
use std::process::ExitCode;

/// Prints it, and writes its timeline beside it.
pub fn run(session: &Session, options: &Options) -> Result<ExitCode> {
    let file = match &options.file {
        Some(file) => session.env.dir.join(file),
        None => last(session)?,
    };
    let report = json::read(&file)?;
    let text = match &options.compare {
        Some(old) => differences(&json::read(&session.env.dir.join(old))?, &report, options.json),
        None if options.json => serde_json::to_string_pretty(&report)?,
        None => summary::markdown(&report).trim_end().to_owned(),
    };
    let page = page_of(&file);
    json::whole(&page, &timeline::html(&report))?;
    stdout(&text)?;
    if options.open {
        open(session, &page)?;
    } else if !session.common.quiet {
        say!("timeline: {page}");
    }
    Ok(ExitCode::SUCCESS)
}

/// The report of the last run in this repository.
fn last(session: &Session) -> Result<Utf8PathBuf> {
    let env = &session.env;
    let root = match &session.common.manifest {
        Some(file) => {
            let file = env.dir.join(file);
            git::root(&session.processes, git::folder_of_manifest(&file)?)?
        }
        None => git::root(&session.processes, &env.dir)?,
    };
    let file = json::last(&root);
    if !file.is_file() {
        wrong!("no run has left a report in `{file}`: `cargo xtask build-images` does");
    }
    Ok(file)
}

fn differences(before: &Report, now: &Report, as_json: bool) -> String {
    let changed = compare::compare(before, now);
    if !as_json {
        return compare::text(before, now, &changed);
    }
    let figures = |report: &Report| {
        let mut figures = json!(report);
        if let Some(fields) = figures.as_object_mut() {
            let keep = ["seconds", "steps", "hit-rate", "pulled", "pushed", "network", "began"];
            fields.retain(|name, _| keep.contains(&name.as_str()));
        }
        figures
    };
    let both = json!({ "before": figures(before), "now": figures(now) });
    format!("{:#}", json!({ "schema": 1, "runs": both, "steps": changed }))
}

/// `report.json` has `timeline.html`, any other `x.json` has `x.html`.
fn page_of(report: &Utf8Path) -> Utf8PathBuf {
    match report.file_name() {
        Some("report.json") => report.with_file_name("timeline.html"),
        _ => report.with_extension("html"),
    }
}

fn open(session: &Session, page: &Utf8Path) -> Result<()> {
    let command = if cfg!(target_os = "macos") {
        Command::new("open the timeline", "open").args([page.as_str()])
    } else if cfg!(windows) {
        Command::new("open the timeline", "explorer").args([page.as_str()])
    } else {
        Command::new("open the timeline", "xdg-open").args([page.as_str()])
    };
    let opened = session.processes.run(&command);
    opened.with_context(|| format!("cannot open a browser: open `{page}` yourself"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_report_has_its_page_beside_it() {
        assert_eq!(page_of("target/xtask/report.json".into()), "target/xtask/timeline.html");
        assert_eq!(page_of("old/ci.json".into()), "old/ci.html");
        assert_eq!(page_of("old".into()), "old.html");
    }
}
