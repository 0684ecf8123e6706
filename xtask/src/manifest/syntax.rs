//! What is no TOML at all: the parser's errors in our words and at our places. What the keys mean is not
//! known here.

use crate::diagnostic::{Diagnostic, Source, Span, quoted};
use toml::de::{DeTable, DeValue, Error};

/// After so many lines that are no `key = value`, the file is something else.
const MOST: usize = 20;

/// A file's tree, as far as it could be read.
pub(super) struct Tree<'t> {
    pub(super) root: DeTable<'t>,
    /// What is no TOML
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Where the parser guessed
    pub(super) broken: Vec<usize>,
    /// Whether nothing of the file was lost
    pub(super) complete: bool,
}

/// Parses and hands the tree on. The parser stops at a line without `=`: such lines are blanked and
/// the rest is read too, so that mistakes behind them are found.
pub(super) fn with_tree<R>(source: &Source, use_it: impl FnOnce(Tree<'_>) -> R) -> R {
    read(source, source.text(), Vec::new(), use_it)
}

fn read<R>(
    source: &Source,
    text: &str,
    mut lines: Vec<Diagnostic>,
    use_it: impl FnOnce(Tree<'_>) -> R,
) -> R {
    let (root, errors) = DeTable::parse_recoverable(text);
    let stop = errors.iter().find(|error| error.message().starts_with("key with no value"));
    if let Some(stop) = stop.filter(|_| lines.len() < MOST) {
        let line = source.line_of(span_of(stop).start);
        lines.push(no_value(source, line));
        return read(source, &blanked(text, &source.line(line)), lines, use_it);
    }
    let root = root.into_inner();
    let complete = lines.is_empty() && errors.iter().all(is_duplicate);
    let guessed = errors.iter().filter(|error| !is_duplicate(error)).map(|e| span_of(e).start);
    let mut broken: Vec<usize> = guessed.chain(lines.iter().map(|line| line.span.start)).collect();
    broken.sort_unstable();
    lines.extend(diagnose(source, &root, &errors));
    use_it(Tree { root, diagnostics: lines, broken, complete })
}

fn span_of(error: &Error) -> Span {
    error.span().unwrap_or(0..0)
}

fn is_duplicate(error: &Error) -> bool {
    error.message() == "duplicate key"
}

/// The text with one line made of blanks; nothing else moves.
fn blanked(text: &str, line: &Span) -> String {
    format!("{}{}{}", &text[..line.start], " ".repeat(line.len()), &text[line.end..])
}

fn no_value(source: &Source, line: usize) -> Diagnostic {
    let diagnostic = source.at_line(line, "this is no `key = value`");
    let text = diagnostic.text.trim();
    let help = match text.split_once(':') {
        _ if text.ends_with(']') => format!("a table begins with a bracket: `[{text}`"),
        Some((key, value)) => format!("write `{} = \"{}\"`", key.trim(), value.trim()),
        None => "write `key = value`, or `[table]` on a line of its own".to_owned(),
    };
    diagnostic.help(help)
}

/// One diagnostic a mistake: a bracket that is not closed makes the parser stumble on all that
/// follows, and of several errors in one line the first counts.
fn diagnose(source: &Source, root: &DeTable<'_>, errors: &[Error]) -> Vec<Diagnostic> {
    let mut open = Vec::new();
    brackets(source, root, &mut open);
    let within =
        |span: &Span, error: &Error| (span.start..=span.end).contains(&span_of(error).start);
    open.retain(|span| {
        errors.iter().any(|e| e.message().starts_with("unclosed") && within(span, e))
    });
    let mut found: Vec<Diagnostic> = open.iter().map(|span| unclosed(source, span)).collect();
    for error in errors {
        if is_duplicate(error) {
            found.push(super::duplicates::duplicate(source, root, &span_of(error)));
        } else if !open.iter().any(|span| within(span, error)) {
            found.push(plain(source, error));
        }
    }
    found.sort_by_key(|diagnostic| diagnostic.span.start);
    found.dedup_by_key(|diagnostic| diagnostic.line);
    found
}

/// The outermost lists and inline tables.
fn brackets(source: &Source, table: &DeTable<'_>, found: &mut Vec<Span>) {
    for value in table.iter().map(|(_, value)| value) {
        // Another table's place is its header or its name.
        let inline = source.text()[value.span().start..].starts_with('{');
        match value.get_ref() {
            DeValue::Table(inner) if !inline => brackets(source, inner, found),
            DeValue::Array(_) | DeValue::Table(_) => found.push(value.span()),
            _ => {}
        }
    }
}

fn unclosed(source: &Source, span: &Span) -> Diagnostic {
    let bracket = source.text().get(span.start..span.start + 1).unwrap_or_default();
    let (what, close) = if bracket == "{" { ("inline table", "}") } else { ("list", "]") };
    let place = span.start..span.start + 1;
    source.at(&place, format!("this {what} is not closed")).help(format!("close it with `{close}`"))
}

/// The parser's own words, and the next step for the most frequent ones.
fn plain(source: &Source, error: &Error) -> Diagnostic {
    let span = span_of(error);
    let (what, expected) = match error.message().split_once(", expected ") {
        Some((what, "nothing")) => (what, None),
        Some((what, expected)) => (what, Some(expected)),
        None => (error.message(), None),
    };
    let diagnostic = source.at(&span, what);
    let written = source.text().get(span).unwrap_or_default();
    match what {
        "string values must be quoted" if written.is_empty() => {
            let message = "this key has no value".to_owned();
            Diagnostic { message, ..diagnostic }.help("write one, or leave the key out")
        }
        "string values must be quoted" => {
            diagnostic.help(format!("write \"{}\"", &quoted(written).trim_matches('`')))
        }
        _ => match expected {
            Some(expected) => diagnostic.help(format!("expected {expected}")),
            None => diagnostic,
        },
    }
}
