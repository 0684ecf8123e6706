//! How a run is told, by where standard error goes.

use crate::context::environment::Environment;
use crate::report::board::Size;
use crate::report::github;
use std::io::IsTerminal as _;

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Nothing
    Quiet,
    /// Services, and steps that take long
    Normal,
    /// Every step
    Verbose,
}

/// In which form.
pub enum Mode {
    /// A table that changes
    Live {
        /// Whether lines may have colours
        colours: bool,
        /// Asks for the size: it may change at any time
        size: Box<dyn Fn() -> Size + Send>,
    },
    /// Line after line
    Lines,
    /// The same, with groups that GitHub folds
    GitHub,
}

impl Mode {
    /// What suits standard error and the environment.
    pub fn of(env: &Environment) -> Self {
        if github::is_github(env) {
            return Self::GitHub;
        }
        if !std::io::stderr().is_terminal() || env.get("TERM") == Some("dumb") {
            return Self::Lines;
        }
        let fallback = fallback(env);
        let size = move || actual().unwrap_or(fallback);
        Self::Live { colours: env.get("NO_COLOR").is_none(), size: Box::new(size) }
    }

    /// Whether a part of the screen changes.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live { .. })
    }
}

/// As the terminal says; some say 0.
fn actual() -> Option<Size> {
    let (width, height) = terminal_size::terminal_size_of(std::io::stderr())?;
    let (width, height) = (usize::from(width.0), usize::from(height.0));
    (width > 0 && height > 0).then_some(Size { width, height })
}

/// As the variables say, else what every terminal has.
fn fallback(env: &Environment) -> Size {
    let number = |name, usual| {
        env.get(name).and_then(|n| n.parse().ok()).filter(|n| *n > 0).unwrap_or(usual)
    };
    Size { width: number("COLUMNS", 80), height: number("LINES", 24) }
}
