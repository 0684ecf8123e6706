//! Holds a measurement to an earlier one and to budgets, and prints it.

use crate::bench::budget::Budgets;
use crate::bench::report::{Report, SCHEMA};
use crate::bench::verdict::{Verdict, Weight};
use crate::bench::{against, markdown, table};
use crate::cli::Shown;
use crate::report::{say, stdout};
use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use std::process::ExitCode;

/// What a measurement is held to.
pub struct Judge {
    old: Option<(Utf8PathBuf, Report)>,
    budgets: Option<Budgets>,
}

impl Judge {
    /// Reads the files that were named: before anything is measured, which takes minutes.
    pub fn read(dir: &Utf8Path, shown: &Shown) -> Result<Self> {
        let old = match &shown.against {
            Some(file) => Some((file.clone(), report(&dir.join(file))?)),
            None => None,
        };
        let budgets = match &shown.budget {
            Some(file) => {
                let text = text(&dir.join(file))?;
                let budgets = Budgets::parse(&text);
                Some(budgets.or_else(|error| wrong!("the budget file `{file}`: {error}"))?)
            }
            None => None,
        };
        Ok(Self { old, budgets })
    }

    /// Prints a measurement in the form that was asked for; standard error says how it compares.
    /// A regression is exit code 1.
    pub fn print(&self, report: &Report, shown: &Shown) -> Result<ExitCode> {
        stdout(&if shown.json {
            serde_json::to_string_pretty(report)?
        } else if shown.markdown {
            markdown(report).trim_end().to_owned()
        } else {
            table(report).trim_end().to_owned()
        })?;
        let mut verdicts: Vec<Verdict> = Vec::new();
        if let Some((file, old)) = &self.old {
            match against::against(report, old) {
                Ok(all) => verdicts.extend(all),
                Err(reason) => wrong!("`{file}` cannot be compared with: {reason}"),
            }
        }
        verdicts.extend(self.budgets.iter().flat_map(|budgets| budgets.hold(report)));
        for verdict in &verdicts {
            say!("{verdict}");
        }
        let worse = verdicts.iter().any(|verdict| verdict.weight == Weight::Worse);
        Ok(if worse { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// A measurement that was saved.
pub fn report(file: &Utf8Path) -> Result<Report> {
    let report: Result<Report, _> = serde_json::from_str(&text(file)?);
    match report {
        Ok(report) if report.schema == SCHEMA => Ok(report),
        Ok(report) => wrong!(
            "`{file}` has version {} of the format, this program reads {SCHEMA}: measure again",
            report.schema
        ),
        Err(error) => wrong!("`{file}` is no saved measurement: {error}"),
    }
}

fn text(file: &Utf8Path) -> Result<String> {
    match crate::docker::engine::files::read(file)
        .with_context(|| format!("cannot read `{file}`"))?
    {
        Some(text) => Ok(text),
        None => wrong!("there is no `{file}`"),
    }
}
