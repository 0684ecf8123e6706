//! Commands that are measured: nothing of ours stands in the way while they run.

use super::failure::{failed, not_started};
use super::{Command, GRACE, Processes, ask_to_end, exit_code};
use crate::error::Interrupted;
use anyhow::{Context as _, Result};
use camino::Utf8Path;
use std::time::{Duration, Instant};

/// How often a child is looked at. Its end is seen at once, whatever this is.
const SLICE: Duration = Duration::from_millis(2);

/// What a command took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// From its start to its end
    pub seconds: f64,
    /// The most memory that the process itself ever had, in bytes; only where the system tells
    pub peak_memory: Option<u64>,
}

impl Processes {
    /// Runs a command with its output in the file `log`, and fails unless it exits with 0.
    pub fn measure(&self, command: &Command, log: &Utf8Path) -> Result<Measured> {
        self.interrupt.check()?;
        self.say(command);
        let file = std::fs::File::create(log).with_context(|| format!("cannot write `{log}`"))?;
        let expression = command.expression().stderr_file(file.try_clone()?).stdout_file(file);
        let began = Instant::now();
        let handle = expression.start().map_err(|e| not_started(command, &e.to_string()))?;
        let status = handle.pids().first().map(|pid| format!("/proc/{pid}/status"));
        let (mut peak_memory, mut asked) = (None, None);
        let output = loop {
            if let Some(output) = handle.wait_timeout(SLICE)? {
                break output;
            }
            let peak = status.as_deref().and_then(peak);
            peak_memory = peak_memory.max(peak);
            match asked {
                None if self.interrupt.is_raised() => {
                    asked = Some(Instant::now());
                    ask_to_end(&handle);
                }
                Some(since) if Instant::duration_since(&Instant::now(), since) > GRACE => {
                    handle.kill()?;
                }
                _ => {}
            }
        };
        let seconds = began.elapsed().as_secs_f64();
        if self.interrupt.is_raised() {
            return Err(Interrupted.into());
        }
        match exit_code(output.status) {
            0 => Ok(Measured { seconds, peak_memory }),
            code => {
                let said = std::fs::read(log).unwrap_or_default();
                Err(failed(command, code, &String::from_utf8_lossy(&said)).into())
            }
        }
    }
}

/// The high-water mark of a process that still runs (proc(5), VmHWM).
fn peak(status: &str) -> Option<u64> {
    let bytes = std::fs::read(status).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
