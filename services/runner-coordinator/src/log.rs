//! Lines on stderr, as much as LOG_LEVEL says.

use std::str::FromStr;

/// The log, at a level.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// What is above this level is not written.
    pub level: Level,
}

/// How much is written; each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What went wrong here.
    Error,
    /// What became of jobs.
    Info,
    /// Every request.
    Debug,
}

impl Log {
    /// Something went wrong here.
    pub fn error(self, text: &str) {
        self.write(Level::Error, text);
    }

    /// Something happened to a job or to the server.
    pub fn info(self, text: &str) {
        self.write(Level::Info, text);
    }

    /// A request was answered.
    pub fn debug(self, text: &str) {
        self.write(Level::Debug, text);
    }

    fn write(self, level: Level, text: &str) {
        if level <= self.level {
            eprintln!("coordinator: {text}");
        }
    }
}

impl FromStr for Level {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "error" => Ok(Self::Error),
            "info" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            _ => anyhow::bail!("`{text}` is not one of `error`, `info`, `debug`"),
        }
    }
}
