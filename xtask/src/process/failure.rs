//! Why a command gave no result.

use super::{Command, TAIL};
use std::fmt;

/// Why a command gave no result. "Could not start" and "ran and failed" are two things.
#[derive(Debug)]
pub enum Failure {
    /// The program is not there, or the folder, or it may not be executed
    NotStarted {
        /// The command
        command: String,
        /// What the system said
        reason: String,
    },
    /// It ran and ended with a code other than 0
    Failed {
        /// What it was for
        purpose: String,
        /// The command
        command: String,
        /// Its exit code; 128 and the signal's number where a signal ended it
        code: i32,
        /// The last lines of its stderr
        stderr: String,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted { command, reason } => write!(f, "cannot start `{command}`: {reason}"),
            Self::Failed { purpose, command, code, stderr } => {
                write!(f, "failed to {purpose}: `{command}` exited with code {code}")?;
                if stderr.is_empty() { Ok(()) } else { write!(f, "\n{stderr}") }
            }
        }
    }
}

impl std::error::Error for Failure {}

pub(super) fn not_started(command: &Command, reason: &str) -> Failure {
    let reason = match &command.dir {
        Some(dir) if !dir.is_dir() => format!("there is no folder `{dir}`"),
        _ => reason.to_owned(),
    };
    Failure::NotStarted { command: command.to_string(), reason }
}

pub(super) fn failed(command: &Command, code: i32, stderr: &str) -> Failure {
    let lines: Vec<&str> = stderr.trim_end().lines().collect();
    Failure::Failed {
        purpose: command.purpose.clone(),
        command: command.to_string(),
        code,
        stderr: lines[lines.len().saturating_sub(TAIL)..].join("\n"),
    }
}
