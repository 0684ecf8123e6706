//! Standard error: lines for people, and below them a live area that changes.
//!
//! One that is closed, or whose reader has gone away, is no reason to stop: what a run does counts
//! more than what it says. (`eprintln!` panics there.)

use crate::parallel::lock;
use std::fmt::{Arguments, Write as _};
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// How many lines of a live area stand from the cursor on.
static LIVE: Mutex<usize> = Mutex::new(0);

/// Whether signs of life are left out (`--quiet`).
static HUSHED: AtomicBool = AtomicBool::new(false);

/// From now on only what is asked for or goes wrong is said.
pub fn hush() {
    HUSHED.store(true, Relaxed);
}

/// Whether the run is to be quiet.
pub fn is_hushed() -> bool {
    HUSHED.load(Relaxed)
}

/// Says a line on standard error: `say!("note: {note}")`.
macro_rules! say {
    ($($text:tt)*) => { $crate::report::stderr::line(format_args!($($text)*)) };
}
pub(crate) use say;

/// Says a line, above the live area.
pub fn line(text: Arguments) {
    write(format_args!("{text}\n"));
}

/// Says a text as it stands, above the live area.
pub fn write(text: Arguments) {
    let mut live = lock(&LIVE);
    let erased = erased(std::mem::take(&mut *live));
    put(&format!("{erased}{text}"));
}

/// Puts lines where the live area is. The cursor stays at their beginning: there it is carried along
/// when the terminal changes its size, and nothing that is shown gets into the scroll-back.
pub fn draw(lines: &[String]) {
    let mut live = lock(&LIVE);
    put(&frame(lines));
    *live = lines.len();
}

/// Takes the live area away.
pub fn clear() {
    write(format_args!(""));
}

fn frame(lines: &[String]) -> String {
    let mut frame = String::from("\r");
    frame.push_str(&lines.join("\x1b[K\r\n"));
    frame.push_str("\x1b[J\r");
    if lines.len() > 1 {
        // Writing to a string cannot fail.
        write!(frame, "\x1b[{}A", lines.len() - 1).ok();
    }
    frame
}

/// Some terminals (tmux) put what is erased from the first line of the screen on into the
/// scroll-back: that line is erased alone.
fn erased(lines: usize) -> &'static str {
    match lines {
        0 => "",
        1 => "\r\x1b[K",
        _ => "\r\x1b[K\x1b[B\x1b[J\x1b[A",
    }
}

/// At once, so that two writers do not mix within a line.
fn put(text: &str) {
    let mut stderr = std::io::stderr().lock();
    stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).ok();
}

#[cfg(test)]
mod tests {
    use super::{erased, frame};

    #[test]
    fn nothing_is_erased_from_the_first_line_on() {
        assert_eq!(erased(0), "");
        for lines in 1..30 {
            let text = erased(lines);
            assert!(text.starts_with("\r\x1b[K") && !text.starts_with("\r\x1b[J"));
            let (down, up) = (text.matches("\x1b[B").count(), text.matches("\x1b[A").count());
            assert!(down == up && down == usize::from(lines > 1));
        }
    }

    #[test]
    fn the_cursor_stays_at_the_beginning() {
        assert_eq!(frame(&[]), "\r\x1b[J\r");
        assert_eq!(frame(&["a".into()]), "\ra\x1b[J\r");
        assert_eq!(
            frame(&["a".into(), "b".into(), "c".into()]),
            "\ra\x1b[K\r\nb\x1b[K\r\nc\x1b[J\r\x1b[2A"
        );
    }
}
