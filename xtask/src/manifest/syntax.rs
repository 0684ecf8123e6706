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

/// Parses and hands the tree on. The parser stops at a line without `=`, and loses its way after a
/// broken header: such lines are taken out and the rest is read too, so that what is wrong behind
/// them is found.
pub(super) fn with_tree<R>(source: &Source, use_it: impl FnOnce(Tree<'_>) -> R) -> R {
    read(source, source.text(), Vec::new(), use_it)
}

fn read<R>(
    source: &Source,
    text: &str,
    mut taken_out: Vec<Diagnostic>,
    use_it: impl FnOnce(Tree<'_>) -> R,
) -> R {
    let (root, errors) = DeTable::parse_recoverable(text);
    let stop = errors.iter().find_map(|error| stop(source, error));
    if let Some(stop) = stop.filter(|_| taken_out.len() < MOST) {
        let again = taken_out.iter().any(|line| line.line == stop.line);
        let text = without(text, &source.line(stop.line), again);
        taken_out.push(stop);
        return read(source, &text, taken_out, use_it);
    }
    let root = root.into_inner();
    let complete = taken_out.is_empty() && errors.iter().all(is_duplicate);
    let guessed = errors.iter().filter(|error| !is_duplicate(error)).map(|e| span_of(e).start);
    let out = taken_out.iter().map(|line| line.span.start);
    let mut broken: Vec<usize> = guessed.chain(out).collect();
    broken.sort_unstable();
    let mut diagnostics = taken_out;
    diagnostics.extend(diagnose(source, &root, &errors));
    // Of several errors in one line the first counts.
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    diagnostics.dedup_by_key(|diagnostic| diagnostic.line);
    use_it(Tree { root, diagnostics, broken, complete })
}

/// What is said about a line that must be taken out, if this error is about one.
fn stop(source: &Source, error: &Error) -> Option<Diagnostic> {
    let line = source.line_of(span_of(error).start);
    match error.message().split_once(',').map_or(error.message(), |(what, _)| what) {
        "key with no value" => Some(no_value(source, line)),
        "unclosed table" | "unclosed array table" => {
            let diagnostic = source.at_line(line, "the bracket of this table is not closed");
            Some(diagnostic.help("write it like `[services.web]`, on a line of its own"))
        }
        _ => None,
    }
}

/// The text with one line made of blanks, or of a header that nothing knows where a header was
/// meant: what stands below it does not belong to the table above. Nothing else moves.
fn without(text: &str, line: &Span, again: bool) -> String {
    let old = text[line.clone()].trim();
    let header = (old.starts_with('[') || old.ends_with(']')) && line.len() > 2 && !again;
    let new = match header {
        true => format!("[{}]", "-".repeat(line.len() - 2)),
        false => " ".repeat(line.len()),
    };
    format!("{}{new}{}", &text[..line.start], &text[line.end..])
}

fn span_of(error: &Error) -> Span {
    error.span().unwrap_or(0..0)
}

fn is_duplicate(error: &Error) -> bool {
    error.message() == "duplicate key"
}

fn no_value(source: &Source, line: usize) -> Diagnostic {
    let diagnostic = source.at_line(line, "this is no `key = value`");
    let text = diagnostic.text.trim();
    let help = match text.split_once(':') {
        _ if text.ends_with(']') => format!("a table begins with a bracket: `[{text}`"),
        Some((key, "")) => format!("a table begins with its name in brackets: `[{}]`", key.trim()),
        Some((key, value)) => format!("write `{} = \"{}\"`", key.trim(), value.trim()),
        None => "write `key = value`, or `[table]` on a line of its own".to_owned(),
    };
    diagnostic.help(help)
}

/// One diagnostic a mistake: a bracket that is not closed makes the parser stumble on all that
/// follows.
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

/// The parser's error in our words where we have better ones, and the next step.
fn plain(source: &Source, error: &Error) -> Diagnostic {
    let span = span_of(error);
    let (what, expected) =
        error.message().split_once(", expected ").unwrap_or((error.message(), ""));
    let written = source.text().get(span.clone()).unwrap_or_default().trim();
    let (message, help) = match (what, expected) {
        ("string values must be quoted", _) if written.is_empty() => {
            ("this key has no value", "write one, or leave the key out".to_owned())
        }
        ("string values must be quoted", _) => (
            "this text is not in quotes",
            format!("write \"{}\"", quoted(written).trim_matches('`')),
        ),
        (_, "`\"`" | "`'`" | "'`'") if what.starts_with("invalid ") => {
            ("this string is not closed", format!("close it with {expected} on the same line"))
        }
        ("unexpected key or value", _) => {
            ("this should be on a line of its own", "begin a new line before it".to_owned())
        }
        ("missing escaped value", _) => (
            "unknown escape",
            "write `\\\\` for a backslash, or 'single quotes' around the text".to_owned(),
        ),
        _ if what.starts_with("cannot extend value") => {
            ("this was already given as a value above", "write all of it in one place".to_owned())
        }
        (_, "" | "nothing") => return source.at(&span, what),
        _ => (what, format!("expected {expected}")),
    };
    source.at(&span, message).help(help)
}
