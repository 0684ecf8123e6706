//! The one place that starts processes. A command is a value first: it can be printed, compared, tested.

use crate::error::Interrupted;
use crate::interrupt::Interrupt;
use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{BufRead as _, BufReader, PipeReader};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a child may take to end after SIGTERM, before it is killed.
const GRACE: Duration = Duration::from_millis(1500);
/// How many of the last lines of stderr an error shows.
const TAIL: usize = 20;

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

    fn expression(&self) -> duct::Expression {
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
        match &self.stdin {
            Some(text) => expression.stdin_bytes(text.as_bytes()),
            None => expression.stdin_null(),
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

/// Which of a child's streams a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output
    Stdout,
    /// Standard error
    Stderr,
}

/// How a streamed command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; 128 and the signal's number where a signal ended it
    pub code: i32,
    /// The last lines of its stderr
    pub stderr: String,
}

/// Starts processes, and ends them when the user interrupts.
#[derive(Clone, Debug, Default)]
pub struct Processes {
    /// Raised by Ctrl-C
    pub interrupt: Interrupt,
    /// Print every command line to stderr as it is run (`--verbose`)
    pub echo: bool,
}

impl Processes {
    /// Runs a short command and gives its standard output without the last newline.
    pub fn read(&self, command: &Command) -> Result<String> {
        self.interrupt.check()?;
        self.say(command);
        let output = self.short(command).map_err(|reason| not_started(command, &reason))?;
        self.interrupt.check()?;
        if !output.status.success() {
            let code = exit_code(output.status);
            return Err(failed(command, code, &String::from_utf8_lossy(&output.stderr)).into());
        }
        let mut text = String::from_utf8(output.stdout)
            .with_context(|| format!("`{command}` printed something that is not UTF-8"))?;
        text.truncate(text.trim_end_matches(['\n', '\r']).len());
        Ok(text)
    }

    /// Runs a command that may be long, and fails unless it exits with 0. Its output is only shown
    /// in the error.
    pub fn run(&self, command: &Command) -> Result<()> {
        let ended = self.stream(command, &mut |_, _| {})?;
        match ended.code {
            0 => Ok(()),
            code => Err(failed(command, code, &ended.stderr).into()),
        }
    }

    /// Runs a command and hands over each line of its output as it comes. An exit code other than 0
    /// is no error here. On Ctrl-C the child gets SIGTERM, then SIGKILL, and the result is
    /// [`Interrupted`].
    pub fn stream(
        &self,
        command: &Command,
        on_line: &mut dyn FnMut(Stream, &str),
    ) -> Result<Ended> {
        self.interrupt.check()?;
        self.say(command);
        let (sender, lines) = mpsc::channel();
        let (stdout, stdout_writer) = std::io::pipe()?;
        let (stderr, stderr_writer) = std::io::pipe()?;
        let expression = command.expression().stdout_file(stdout_writer).stderr_file(stderr_writer);
        let handle = expression.start().map_err(|e| not_started(command, &e.to_string()))?;
        drop(expression);
        let readers = [
            read_lines(stdout, Stream::Stdout, sender.clone()),
            read_lines(stderr, Stream::Stderr, sender),
        ];
        let mut tail = VecDeque::new();
        let mut asked_to_end: Option<Instant> = None;
        let mut gone: Option<Instant> = None;
        loop {
            match lines.recv_timeout(Duration::from_millis(20)) {
                Ok((stream, line)) => {
                    on_line(stream, &line);
                    keep_tail(&mut tail, stream, line);
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                // A grandchild may hold the pipes open for ever: do not wait for it.
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    if handle.try_wait()?.is_some() {
                        let since = *gone.get_or_insert_with(Instant::now);
                        if since.elapsed() > Duration::from_millis(300) {
                            break;
                        }
                    }
                }
            }
            if self.interrupt.is_raised() {
                match asked_to_end {
                    None => {
                        asked_to_end = Some(Instant::now());
                        ask_to_end(&handle);
                    }
                    Some(since) if since.elapsed() > GRACE => handle.kill()?,
                    Some(_) => {}
                }
            }
        }
        let code = exit_code(handle.wait()?.status);
        drop(readers);
        if self.interrupt.is_raised() {
            return Err(Interrupted.into());
        }
        Ok(Ended { code, stderr: Vec::from(tail).join("\n") })
    }

    /// Runs a command on our own terminal and gives its exit code.
    pub fn pass_through(&self, command: &Command) -> Result<i32> {
        self.say(command);
        let mut child = duct::cmd(&command.program, &command.args).unchecked();
        if let Some(dir) = &command.dir {
            child = child.dir(dir);
        }
        for (name, value) in &command.env {
            child = match value {
                Some(value) => child.env(name, value),
                None => child.env_remove(name),
            };
        }
        let handle = child.start().map_err(|e| not_started(command, &e.to_string()))?;
        let mut passed_on = false;
        loop {
            if let Some(output) = handle.wait_timeout(Duration::from_millis(20))? {
                return Ok(exit_code(output.status));
            }
            if self.interrupt.is_raised() && !passed_on {
                passed_on = true;
                ask_to_end(&handle);
            }
        }
    }

    /// Starts a program that outlives us and our terminal, with all its output appended to `log`, and
    /// gives its process number.
    pub fn spawn_daemon(&self, command: &Command, log: &Utf8Path) -> Result<u32> {
        self.interrupt.check()?;
        self.say(command);
        let file = std::fs::File::options().create(true).append(true).open(log);
        let file = file.with_context(|| format!("cannot write to `{log}`"))?;
        // A session of its own: neither Ctrl-C nor a closed terminal reaches it.
        let mut session = command.clone();
        session.args.insert(0, std::mem::replace(&mut session.program, "setsid".into()));
        let expression = session.expression().dir("/").stderr_file(file.try_clone()?);
        let handle = expression.stdout_file(file).start();
        let handle = handle.map_err(|e| not_started(command, &e.to_string()))?;
        handle.pids().first().copied().context("no process was started")
    }

    fn short(&self, command: &Command) -> Result<std::process::Output, String> {
        let shell = xshell::Shell::new().map_err(|e| e.to_string())?;
        if let Some(dir) = &command.dir {
            shell.change_dir(dir);
        }
        let mut short = shell.cmd(&command.program).args(&command.args).quiet().ignore_status();
        for (name, value) in &command.env {
            short = match value {
                Some(value) => short.env(name, value),
                None => short.env_remove(name),
            };
        }
        let short = short.stdin(command.stdin.as_deref().unwrap_or_default());
        short.output().map_err(|e| e.to_string())
    }

    fn say(&self, command: &Command) {
        if self.echo {
            eprintln!("$ {command}");
        }
    }
}

/// It may have ended by itself in the meantime: then there is nothing to end.
#[cfg(unix)]
fn ask_to_end(handle: &duct::Handle) {
    use duct::unix::HandleExt as _;
    handle.send_signal(signal_hook::consts::SIGTERM).ok();
}

#[cfg(not(unix))]
fn ask_to_end(handle: &duct::Handle) {
    handle.kill().ok();
}

fn read_lines(
    pipe: PipeReader,
    stream: Stream,
    sender: mpsc::Sender<(Stream, String)>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
            if sender.send((stream, text)).is_err() {
                return;
            }
            line.clear();
        }
    })
}

fn keep_tail(tail: &mut VecDeque<String>, stream: Stream, line: String) {
    if stream == Stream::Stderr {
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(line);
    }
}

fn not_started(command: &Command, reason: &str) -> Failure {
    let reason = match &command.dir {
        Some(dir) if !dir.is_dir() => format!("there is no folder `{dir}`"),
        _ => reason.to_owned(),
    };
    Failure::NotStarted { command: command.to_string(), reason }
}

fn failed(command: &Command, code: i32, stderr: &str) -> Failure {
    let lines: Vec<&str> = stderr.trim_end().lines().collect();
    Failure::Failed {
        purpose: command.purpose.clone(),
        command: command.to_string(),
        code,
        stderr: lines[lines.len().saturating_sub(TAIL)..].join("\n"),
    }
}

#[cfg(unix)]
fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

#[cfg(not(unix))]
fn exit_code(status: std::process::ExitStatus) -> i32 {
    status.code().unwrap_or(1)
}
