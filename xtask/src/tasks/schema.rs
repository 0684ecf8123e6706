//! `schema`: the JSON schema of the manifest.

use crate::manifest::schema;
use anyhow::Result;
use std::process::ExitCode;

/// Prints it.
pub fn run() -> Result<ExitCode> {
    crate::report::stdout(&format!("{:#}", schema()))?;
    Ok(ExitCode::SUCCESS)
}
