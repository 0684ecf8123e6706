//! What a run tells: the terminal, files for later, data on standard output.

pub mod advice;
pub mod alive;
pub mod assemble;
pub mod balance;
pub mod board;
pub mod compare;
pub mod data;
pub mod github;
pub mod json;
pub mod outcome;
pub mod outputs;
pub mod stderr;
pub mod steps;
pub mod summary;
pub mod terminal;
pub mod text;
pub mod timeline;
pub mod verify;

pub(crate) use stderr::say;

use anyhow::Result;
use std::io::{ErrorKind, Write as _};

/// Prints data to standard output. A reader that has gone away is no error.
pub fn stdout(text: &str) -> Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// `1 image`, `2 images`.
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// `1,234 files`: many things, which are easier to read so.
pub fn many(number: usize, thing: &str) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{text} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A size for people, in powers of ten as Docker writes it: `812 B`, `1.2 MB`.
pub fn size(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        None => format!("{bytes} B"),
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
    }
}

/// A duration for people: `0.04 s`, `0.4 s`, `12 s`, `2 min 5 s`.
pub fn seconds(seconds: f64) -> String {
    if seconds < 0.095 {
        format!("{seconds:.2} s")
    } else if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else if seconds < 99.5 {
        format!("{seconds:.0} s")
    } else {
        let whole = seconds.round() as u64;
        format!("{} min {} s", whole / 60, whole % 60)
    }
}

/// Bytes for people, as registries count them: `812 B`, `1.2 kB`, `34 MB`.
pub fn bytes(bytes: u64) -> String {
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut amount = bytes as f64 / 1000.0;
    let mut units = ["kB", "MB", "GB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while amount >= 999.5 {
        let Some(next) = units.next() else { break };
        (amount, unit) = (amount / 1000.0, next);
    }
    if amount < 9.95 { format!("{amount:.1} {unit}") } else { format!("{amount:.0} {unit}") }
}

/// `93.4 %`; never rounded up, so that only what is whole is 100 %.
pub fn percent(rate: f64) -> String {
    // 0.29 is a little less in binary.
    format!("{:.1} %", (rate * 1000.0 + 1e-9).floor() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::{bytes, many, percent};

    #[test]
    fn bytes_have_two_digits_or_three() {
        let all = [0, 999, 1_000, 9_949, 9_951, 999_499, 999_500, 123_456_789, 4_321_000_000_000];
        let expected =
            ["0 B", "999 B", "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "123 MB", "4321 GB"];
        assert_eq!(all.map(bytes), expected);
    }

    #[test]
    fn only_what_is_whole_is_whole() {
        let all = [0.0, 0.29, 0.9, 0.9999, 1.0].map(percent);
        assert_eq!(all, ["0.0 %", "29.0 %", "90.0 %", "99.9 %", "100.0 %"]);
    }

    #[test]
    fn large_numbers_have_commas() {
        let all = [0, 1, 999, 1_000, 12_345, 1_234_567].map(|number| many(number, "file"));
        let expected =
            ["0 files", "1 file", "999 files", "1,000 files", "12,345 files", "1,234,567 files"];
        assert_eq!(all, expected);
    }
}
