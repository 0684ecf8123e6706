//! A key or a table that is in the file twice, and where it was first.

use crate::diagnostic::{Diagnostic, Source, Span, quoted};
use toml::de::{DeTable, DeValue};

/// Says so at the second place.
pub(super) fn duplicate(source: &Source, root: &DeTable<'_>, span: &Span) -> Diagnostic {
    let line = source.line_of(span.start);
    if let Some(header) = header(source, line) {
        let diagnostic = source.at(span, format!("table {} is there twice", quoted(&header)));
        let first =
            (1..line).find(|earlier| self::header(source, *earlier).as_ref() == Some(&header));
        return match first {
            Some(first) => diagnostic.help(format!("the first is in line {first}: make them one")),
            None => diagnostic.help("what it stands for was already given above: make them one"),
        };
    }
    let written = source.text().get(span.clone()).unwrap_or_default();
    let name = written.trim_matches(['"', '\'']);
    let diagnostic = source.at(span, format!("key {} is there twice", quoted(name)));
    match first_key(source, root, span.start, name) {
        Some(first) => diagnostic
            .help(format!("the first is in line {}: leave one out", source.line_of(first))),
        None => diagnostic.help("leave one out"),
    }
}

/// The header that a line is, without blanks and quotes: `[services.web]`.
fn header(source: &Source, line: usize) -> Option<String> {
    let text = source.text()[source.line(line)].trim_start();
    let end = text.find(']').filter(|_| text.starts_with('[') && !text.starts_with("[["))?;
    Some(text[..=end].chars().filter(|c| !c.is_whitespace() && !"\"'".contains(*c)).collect())
}

/// Where the same key stands before, in the same table.
fn first_key(source: &Source, root: &DeTable<'_>, at: usize, name: &str) -> Option<usize> {
    let mut tables = Vec::new();
    collect(root, &mut tables);
    let begins = |span: &Span, with: char| source.text()[span.start..].starts_with(with);
    let inline = tables.iter().filter(|(span, _)| begins(span, '{') && span.contains(&at));
    let headed = tables.iter().filter(|(span, _)| begins(span, '[') && span.start < at);
    let table = inline
        .max_by_key(|(span, _)| span.start)
        .or_else(|| headed.max_by_key(|(span, _)| span.start))
        .map_or(root, |(_, table)| table);
    let (key, _) = table.get_key_value(name)?;
    Some(key.span().start).filter(|start| *start < at)
}

fn collect<'a>(table: &'a DeTable<'a>, found: &mut Vec<(Span, &'a DeTable<'a>)>) {
    for value in table.iter().map(|(_, value)| value) {
        let items = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        for item in items {
            if let DeValue::Table(inner) = item.get_ref() {
                found.push((item.span(), inner));
                collect(inner, found);
            }
        }
    }
}
