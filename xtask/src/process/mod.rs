//! The one place that starts processes.

mod command;
mod failure;
mod filter;
mod measured;
mod stream;

pub use command::Command;
pub use failure::Failure;
pub use filter::Interruptible;
pub use measured::Measured;
pub use stream::{Ended, Heard, Stream};

use crate::interrupt::Interrupt;
use crate::report::alive::Alive;
use anyhow::{Context as _, Result};
use camino::Utf8Path;
use failure::{failed, not_started};
use std::time::Duration;

/// How long a child may take to end after SIGTERM, before it is killed.
const GRACE: Duration = Duration::from_millis(1500);
/// How many of the last lines of stderr an error shows.
const TAIL: usize = 20;

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
    /// in the error; where it takes long, that is said.
    pub fn run(&self, command: &Command) -> Result<()> {
        let mut alive = Alive::begin();
        let ended = self.listen(command, &mut |_| alive.look(|| command.purpose.clone()))?;
        match ended.code {
            0 => Ok(()),
            code => Err(failed(command, code, &ended.stderr).into()),
        }
    }

    /// Runs a command on our own terminal and gives its exit code.
    pub fn pass_through(&self, command: &Command) -> Result<i32> {
        self.say(command);
        let handle = command.on_terminal().start();
        let handle = handle.map_err(|e| not_started(command, &e.to_string()))?;
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
            crate::report::say!("$ {command}");
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

#[cfg(unix)]
fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

#[cfg(not(unix))]
fn exit_code(status: std::process::ExitStatus) -> i32 {
    status.code().unwrap_or(1)
}
