//! Parser directives: `# syntax=`, `# escape=`, `# check=` at the very top.

use super::fields::is_space;

/// Reads directives line by line, until the first line that is none.
#[derive(Debug, Default)]
pub struct Directives {
    seen: Vec<&'static str>,
    done: bool,
}

/// What a line is to the directives' reader.
#[derive(Debug, PartialEq, Eq)]
pub enum Directive<'a> {
    /// No directive (nor is any line after it)
    None,
    /// A directive: its name in lower case and its value
    Found(&'static str, &'a str),
    /// A directive that stood there before: BuildKit refuses that
    Repeated(&'static str),
}

const NAMES: [&str; 3] = ["syntax", "escape", "check"];

impl Directives {
    /// Reads the next line, which starts with `mark` (`#` in a Dockerfile) if it is a directive.
    pub fn line<'a>(&mut self, line: &'a str, mark: &str) -> Directive<'a> {
        if self.done {
            return Directive::None;
        }
        let Some((name, value)) = line.strip_prefix(mark).and_then(split) else {
            self.done = true;
            return Directive::None;
        };
        if self.seen.contains(&name) {
            return Directive::Repeated(name);
        }
        self.seen.push(name);
        Directive::Found(name, value)
    }
}

/// The frontend that BuildKit chooses for this text, with its line: before it looks for
/// `# syntax=`, it skips a first line `#!…`; `// syntax=` counts too.
pub fn syntax(text: &str) -> Option<(String, usize)> {
    let mut text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut first = 1;
    if text.starts_with("#!") {
        text = text.split_once('\n').map_or("", |(_, rest)| rest);
        first = 2;
    }
    ["#", "//"].iter().find_map(|mark| {
        let mut directives = Directives::default();
        for (i, line) in text.lines().enumerate() {
            match directives.line(line, mark) {
                Directive::Found("syntax", value) => {
                    let image = value.split(' ').next().unwrap_or_default();
                    return Some((image.to_owned(), first + i));
                }
                Directive::Found(..) => {}
                Directive::None | Directive::Repeated(_) => return None,
            }
        }
        None
    })
}

/// `name = value`, for one of the known names.
fn split(text: &str) -> Option<(&'static str, &str)> {
    let (name, value) = text.trim_start_matches(is_space).split_once('=')?;
    let name = name.trim_end_matches(ascii_space);
    let name = NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name))?;
    let value = value.trim_matches(ascii_space);
    (!value.is_empty()).then_some((name, value))
}

/// `\s` of Go's regular expressions.
fn ascii_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ')
}
