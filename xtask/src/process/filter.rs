//! A command between a file and a reader: what it makes of the one is handed to the other as it
//! comes, in bytes.

use super::failure::{failed, not_started};
use super::{Command, Processes, exit_code};
use crate::interrupt::Interrupt;
use anyhow::Result;
use std::fs::File;
use std::io::{self, Read};

/// What the system says of a writer whose reader has gone: 128 and SIGPIPE's number.
const READER_GONE: i32 = 141;

impl Processes {
    /// Runs a command that reads a file from its standard input, and lets `take` read its standard
    /// output. Where both fail, the command's failure is told: it is the cause.
    pub fn filter<T>(
        &self,
        command: &Command,
        input: File,
        take: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<T> {
        self.interrupt.check()?;
        self.say(command);
        let (output, output_writer) = io::pipe()?;
        let (mut errors, errors_writer) = io::pipe()?;
        let expression = command.on_terminal().stdin_file(input);
        let expression = expression.stdout_file(output_writer).stderr_file(errors_writer);
        let handle = expression.start().map_err(|e| not_started(command, &e.to_string()))?;
        // It holds our ends of the pipes: with them open no reader would see the end.
        drop(expression);
        let taken = take(&mut Interruptible { reader: output, interrupt: &self.interrupt });
        let mut stderr = Vec::new();
        errors.read_to_end(&mut stderr)?;
        let code = exit_code(handle.wait()?.status);
        self.interrupt.check()?;
        match code {
            0 => taken,
            READER_GONE if taken.is_err() => taken,
            code => Err(failed(command, code, &String::from_utf8_lossy(&stderr)).into()),
        }
    }
}

/// Ends with an error when the user interrupts.
pub struct Interruptible<'a, R> {
    /// What is read
    pub reader: R,
    /// Raised by Ctrl-C
    pub interrupt: &'a Interrupt,
}

impl<R: Read> Read for Interruptible<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.interrupt.is_raised() {
            return Err(io::Error::other(crate::error::Interrupted));
        }
        self.reader.read(buffer)
    }
}
