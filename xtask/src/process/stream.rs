//! Long commands, whose output is handed over line by line and which Ctrl-C ends.

use super::failure::not_started;
use super::{Command, GRACE, Processes, TAIL, ask_to_end, exit_code};
use crate::error::Interrupted;
use crate::interrupt::Interrupt;
use anyhow::Result;
use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, PipeReader};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often a child is looked after while it says nothing.
const SLICE: Duration = Duration::from_millis(20);
/// How long its pipes are read on after it has ended: a grandchild may hold them open for ever.
const AFTER_THE_END: Duration = Duration::from_millis(300);

/// Which of a child's streams a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output
    Stdout,
    /// Standard error
    Stderr,
}

/// What comes of a command while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// A line of its output, without the end of line
    Line(Stream, &'a str),
    /// Nothing for a moment: time to look at the clock
    Nothing,
}

/// How a streamed command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; 128 and the signal's number where a signal ended it
    pub code: i32,
    /// The last lines of its stderr
    pub stderr: String,
}

impl Processes {
    /// Runs a command and hands over each line of its output as it comes. An exit code other than 0
    /// is no error here. On Ctrl-C the child gets SIGTERM, then SIGKILL, and the result is
    /// [`Interrupted`].
    pub fn stream(
        &self,
        command: &Command,
        on_line: &mut dyn FnMut(Stream, &str),
    ) -> Result<Ended> {
        self.listen(command, &mut |heard| {
            if let Heard::Line(stream, line) = heard {
                on_line(stream, line);
            }
        })
    }

    /// The same, which also says when nothing comes.
    pub fn listen(&self, command: &Command, hear: &mut dyn FnMut(Heard)) -> Result<Ended> {
        self.interrupt.check()?;
        self.say(command);
        let (sender, lines) = mpsc::channel();
        let (stdout, stdout_writer) = std::io::pipe()?;
        let (stderr, stderr_writer) = std::io::pipe()?;
        let expression = command.expression().stdout_file(stdout_writer).stderr_file(stderr_writer);
        let handle = expression.start().map_err(|e| not_started(command, &e.to_string()))?;
        // It holds our ends of the pipes: with them open no reader would see the end.
        drop(expression);
        read_lines(stdout, Stream::Stdout, sender.clone());
        read_lines(stderr, Stream::Stderr, sender);
        let mut tail = VecDeque::new();
        let mut child = Child { handle, interrupt: &self.interrupt, asked: None, gone: None };
        while child.goes_on()? {
            match lines.recv_timeout(SLICE) {
                Ok((stream, line)) => {
                    hear(Heard::Line(stream, &line));
                    keep_tail(&mut tail, stream, line);
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    hear(Heard::Nothing);
                    child.look()?;
                }
            }
        }
        let code = exit_code(child.handle.wait()?.status);
        if self.interrupt.is_raised() {
            return Err(Interrupted.into());
        }
        Ok(Ended { code, stderr: Vec::from(tail).join("\n") })
    }
}

/// A child whose lines are read.
struct Child<'a> {
    handle: duct::Handle,
    interrupt: &'a Interrupt,
    /// When it was asked to end
    asked: Option<Instant>,
    /// When it was seen to have ended
    gone: Option<Instant>,
}

impl Child<'_> {
    /// Whether there may be more lines; passes an interrupt on.
    fn goes_on(&mut self) -> Result<bool> {
        if self.interrupt.is_raised() {
            match self.asked {
                None => {
                    self.asked = Some(Instant::now());
                    ask_to_end(&self.handle);
                }
                Some(since) if since.elapsed() > GRACE => self.handle.kill()?,
                Some(_) => {}
            }
        }
        Ok(self.gone.is_none_or(|since| since.elapsed() < AFTER_THE_END))
    }

    fn look(&mut self) -> Result<()> {
        if self.gone.is_none() && self.handle.try_wait()?.is_some() {
            self.gone = Some(Instant::now());
        }
        Ok(())
    }
}

fn read_lines(pipe: PipeReader, stream: Stream, sender: mpsc::Sender<(Stream, String)>) {
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
    });
}

fn keep_tail(tail: &mut VecDeque<String>, stream: Stream, line: String) {
    if stream == Stream::Stderr {
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(line);
    }
}
