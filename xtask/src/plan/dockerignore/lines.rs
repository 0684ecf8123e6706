//! From the file's text to one pattern a line.

use super::Unreadable;
use super::clean::clean;

/// A pattern before it is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its line, from 1
    pub number: usize,
    /// Whether it takes back what earlier patterns left out
    pub exception: bool,
    /// The cleaned pattern, without the `!`
    pub pattern: String,
}

/// BuildKit refuses lines longer than this.
const LONGEST_LINE: usize = 65_535;

/// Reads the lines. BuildKit cleans each pattern twice, and looks for the `!` in between again:
/// so `/!x` becomes an exception.
pub fn lines(text: &str) -> Result<Vec<Line>, Unreadable> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Vec::new();
    for (i, line) in text.split('\n').enumerate() {
        let number = i + 1;
        if line.len() > LONGEST_LINE {
            let what = "a line of more than 65,535 bytes".to_owned();
            return Err(Unreadable { line: number, what });
        }
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let pattern = once(line.trim());
        if pattern.trim().is_empty() {
            continue;
        }
        let pattern = clean(pattern.trim());
        let (exception, pattern) = match pattern.strip_prefix('!') {
            Some("") => {
                let what = "a `!` without a pattern, which BuildKit refuses".to_owned();
                return Err(Unreadable { line: number, what });
            }
            Some(pattern) => (true, pattern),
            None => (false, pattern.as_str()),
        };
        found.push(Line { number, exception, pattern: pattern.to_owned() });
    }
    Ok(found)
}

/// The first cleaning: behind the `!`, and a leading slash goes.
fn once(line: &str) -> String {
    let (mark, pattern) = match line.strip_prefix('!') {
        Some(pattern) => ("!", pattern.trim()),
        None => ("", line),
    };
    if pattern.is_empty() {
        return mark.to_owned();
    }
    let cleaned = clean(pattern);
    let relative = cleaned.strip_prefix('/').filter(|rest| !rest.is_empty());
    format!("{mark}{}", relative.unwrap_or(&cleaned))
}
