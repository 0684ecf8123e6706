//! A command as a value: it can be printed, compared and tested before it is run.

use camino::Utf8PathBuf;
use std::collections::BTreeMap;
use std::fmt;

/// A command, not yet run. No shell is involved: arguments are a vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What it is for, as a fragment that fits after "failed to ": "build 3 images"
    pub purpose: String,
    /// A name that is looked up in PATH (that of `env` where it is set there), or a path
    pub program: String,
    /// Its arguments
    pub args: Vec<String>,
    /// The folder that it runs in
    pub dir: Option<Utf8PathBuf>,
    /// Variables that are set (`Some`) or removed (`None`) on top of our own environment
    pub env: BTreeMap<String, Option<String>>,
    /// What it reads from standard input; nothing if absent
    pub stdin: Option<String>,
}

impl Command {
    /// A command without arguments.
    pub fn new(purpose: impl Into<String>, program: impl Into<String>) -> Self {
        Self {
            purpose: purpose.into(),
            program: program.into(),
            args: Vec::new(),
            dir: None,
            env: BTreeMap::new(),
            stdin: None,
        }
    }

    /// Adds arguments.
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets the folder that it runs in.
    pub fn dir(mut self, dir: impl Into<Utf8PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), Some(value.into()));
        self
    }

    /// Sets or removes several variables.
    pub fn envs(mut self, env: &BTreeMap<String, Option<String>>) -> Self {
        self.env.extend(env.iter().map(|(name, value)| (name.clone(), value.clone())));
        self
    }

    /// Sets what it reads from standard input.
    pub fn stdin(mut self, text: impl Into<String>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// On our own terminal.
    pub(super) fn on_terminal(&self) -> duct::Expression {
        let mut expression = duct::cmd(&self.program, &self.args).unchecked();
        if let Some(dir) = &self.dir {
            expression = expression.dir(dir);
        }
        for (name, value) in &self.env {
            expression = match value {
                Some(value) => expression.env(name, value),
                None => expression.env_remove(name),
            };
        }
        expression
    }

    /// The same, which reads what it is given and never from our terminal.
    pub(super) fn expression(&self) -> duct::Expression {
        match &self.stdin {
            Some(text) => self.on_terminal().stdin_bytes(text.as_bytes()),
            None => self.on_terminal().stdin_null(),
        }
    }
}

impl fmt::Display for Command {
    /// As a person would type it; only for reading, never given to a shell.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program)?;
        for arg in &self.args {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@+%".contains(c);
            if !arg.is_empty() && arg.chars().all(plain) {
                write!(f, " {arg}")?;
            } else {
                write!(f, " '{}'", arg.replace('\'', r"'\''"))?;
            }
        }
        Ok(())
    }
}
