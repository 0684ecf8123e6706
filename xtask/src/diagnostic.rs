//! A mistake in a file that a person wrote, and how it is shown: where, what, the line, the next step.
//! Pure; used for `services.toml` and for Dockerfiles.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Longer lines are cut around the place that is meant.
const WIDTH: usize = 160;
/// How much of a long line is shown before the place that is meant.
const BEFORE: usize = 60;
/// Longer names are cut in messages.
const LONGEST_NAME: usize = 80;

/// A report shows no more than so many.
const SHOWN: usize = 50;

/// The bytes of a file that something is said about.
pub type Span = Range<usize>;

/// A file's text, and the path that messages call it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    path: Arc<str>,
    text: Arc<str>,
    starts: Arc<[usize]>,
}

/// One mistake. Shown with `{}`, without a newline at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, as messages call it
    pub path: Arc<str>,
    /// From 1
    pub line: usize,
    /// In characters, from 1
    pub column: usize,
    /// How many characters of the line are marked; 0 is shown as one
    pub length: usize,
    /// The line itself
    pub text: String,
    /// The bytes that are meant, in the whole file
    pub span: Span,
    /// What is wrong, as a lower-case fragment
    pub message: String,
    /// The next step
    pub help: Option<String>,
}

impl Source {
    /// Finds the lines of a text.
    pub fn new(path: &str, text: &str) -> Self {
        let newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(newlines).collect();
        Self { path: path.into(), text: text.into(), starts }
    }

    /// What messages call the file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The file's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line of a byte, from 1.
    pub fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).max(1)
    }

    /// The bytes of a line (from 1) without its end; beyond the last line: the last line's.
    pub fn line(&self, number: usize) -> Span {
        let index = number.clamp(1, self.starts.len()) - 1;
        let start = self.starts[index];
        let end = self.starts.get(index + 1).map_or(self.text.len(), |next| next - 1);
        let line = self.text[start..end].strip_suffix('\r').unwrap_or(&self.text[start..end]);
        start..start + line.len()
    }

    /// Says something about a part of the text. A part that reaches over several lines is marked
    /// on its first one.
    pub fn at(&self, span: &Span, message: impl Into<String>) -> Diagnostic {
        let start = self.boundary(span.start);
        let end = self.boundary(span.end).max(start);
        let line = self.line_of(start);
        let row = self.line(line);
        let start = start.clamp(row.start, row.end);
        let count = |part: Span| self.text[part].chars().filter(|c| *c != '\u{feff}').count();
        Diagnostic {
            path: Arc::clone(&self.path),
            line,
            column: 1 + count(row.start..start),
            length: count(start..end.clamp(start, row.end)),
            text: self.text[row].trim_start_matches('\u{feff}').to_owned(),
            span: start..end,
            message: message.into(),
            help: None,
        }
    }

    /// Says something about a whole line (from 1), without the blanks around it.
    pub fn at_line(&self, number: usize, message: impl Into<String>) -> Diagnostic {
        let row = self.line(number);
        let line = &self.text[row.clone()];
        let start = row.start + line.len() - line.trim_start().len();
        self.at(&(start..start + line.trim().len()), message)
    }

    /// The nearest place at or before an offset where a character begins.
    fn boundary(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

impl Diagnostic {
    /// Adds the next step.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, column, message, .. } = self;
        let (row, padding) = self.window();
        let gutter = " ".repeat(line.to_string().len());
        let carets = "^".repeat(self.length.clamp(1, WIDTH));
        writeln!(f, "{path}:{line}:{column}: {message}")?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{line} | {row}")?;
        write!(f, "{gutter} | {padding}{carets}")?;
        let Some(help) = &self.help else { return Ok(()) };
        for (index, text) in help.lines().enumerate() {
            let mark = if index == 0 { "=" } else { " " };
            write!(f, "\n{gutter} {}", format!("{mark} {text}").trim_end())?;
        }
        Ok(())
    }
}

impl Diagnostic {
    /// The part of the line that is shown, and what stands under it before the carets.
    fn window(&self) -> (String, String) {
        let line: Vec<char> = self.text.chars().map(visible).collect();
        let at = (self.column - 1).min(line.len());
        let from = if line.len() <= WIDTH { 0 } else { at.saturating_sub(BEFORE) };
        let to = line.len().min(from + WIDTH);
        let (head, tail) =
            (if from > 0 { "…" } else { "" }, if to < line.len() { "…" } else { "" });
        let shown: String = line[from..to].iter().collect();
        let blank = |c: &char| if *c == '\t' { '\t' } else { ' ' };
        let padding: String = line[from..at].iter().map(blank).collect();
        (format!("{head}{shown}{tail}"), format!("{}{padding}", " ".repeat(head.chars().count())))
    }
}

/// All mistakes (of very many the first), and how many they are: `3 errors in services/services.toml`.
pub fn report(diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics.iter().take(SHOWN) {
        text += &format!("{diagnostic}\n\n");
    }
    let mut paths: Vec<&str> = diagnostics.iter().map(|diagnostic| &*diagnostic.path).collect();
    paths.sort_unstable();
    paths.dedup();
    let errors = if diagnostics.len() == 1 { "error" } else { "errors" };
    let place = match paths[..] {
        [path] => path.to_owned(),
        _ => format!("{} files", paths.len()),
    };
    let rest = match diagnostics.len() > SHOWN {
        true => format!(", the first {SHOWN} are shown"),
        false => String::new(),
    };
    text + &format!("{} {errors} in {place}{rest}", diagnostics.len())
}

/// A name as messages show it: in backticks, on one line, harmless to a terminal, not too long.
pub fn quoted(name: &str) -> String {
    let mut shown: String = name.chars().take(LONGEST_NAME).map(visible).collect();
    shown = shown.replace('\t', " ");
    if name.chars().nth(LONGEST_NAME).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// Control characters (but the tab) and those that turn the direction of text are not passed on.
fn visible(c: char) -> char {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if (c.is_control() && c != '\t') || turns { '\u{fffd}' } else { c }
}

#[cfg(test)]
mod tests;
