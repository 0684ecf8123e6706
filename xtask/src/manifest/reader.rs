//! Walks a parsed TOML table by hand and collects every mistake with its place. Knows TOML's types and
//! what a table's keys are called; what values mean is for `values` and the sections to say.

use super::keys::{self, Key};
use super::values::Fault;
use crate::diagnostic::{Diagnostic, Source, Span, quoted};
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value of the file, with its place.
pub(super) type Value<'a> = Spanned<DeValue<'a>>;

/// A text of the file, with its place.
#[derive(Clone)]
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    pub(super) span: Span,
}

/// A table of the file: what messages call it, where its name stands, what keys it knows.
pub(super) struct Table<'a> {
    pub(super) title: String,
    pub(super) span: Span,
    pub(super) known: &'static [Key],
    pub(super) entries: &'a DeTable<'a>,
}

/// Whether an empty text is a mistake.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Empty {
    Fine,
    Wrong,
}

/// Collects mistakes.
pub(super) struct Reader<'s> {
    source: &'s Source,
    broken: Vec<usize>,
    broken_lines: BTreeSet<usize>,
    complete: bool,
    found: Vec<Diagnostic>,
}

impl<'a> Table<'a> {
    /// A key's value.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value<'a>> {
        self.entries.get(key)
    }

    /// Where a key stands; the table's name if it is not there.
    pub(super) fn place(&self, key: &str) -> Span {
        self.entries.get_key_value(key).map_or_else(|| self.span.clone(), |(key, _)| key.span())
    }

    /// All entries.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Text<'a>, &'a Value<'a>)> + use<'a> {
        self.entries
            .iter()
            .map(|(key, value)| (Text { text: key.get_ref(), span: key.span() }, value))
    }
}

impl<'s> Reader<'s> {
    /// `broken`: where the file is not TOML; values around these places were guessed, so nothing is
    /// said about them. Unless the file is `complete`, nothing is said to be missing.
    pub(super) fn new(source: &'s Source, broken: Vec<usize>, complete: bool) -> Self {
        let broken_lines = broken.iter().map(|offset| source.line_of(*offset)).collect();
        Self { source, broken, broken_lines, complete, found: Vec::new() }
    }

    /// Everything that was found.
    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.found
    }

    /// Something is wrong here.
    pub(super) fn wrong(&mut self, span: &Span, fault: Fault) {
        if self.broken_lines.contains(&self.source.line_of(span.start)) {
            return;
        }
        let mut diagnostic = self.source.at(span, fault.message);
        diagnostic.help = fault.help;
        self.found.push(diagnostic);
    }

    /// Something is missing.
    pub(super) fn absent(&mut self, span: &Span, fault: Fault) {
        if self.complete {
            self.wrong(span, fault);
        }
    }

    /// What a check gave, its fault noted.
    pub(super) fn check<T>(&mut self, span: &Span, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.wrong(span, fault)).ok()
    }

    /// Notes every key that the table does not know.
    pub(super) fn unknown_keys(&mut self, table: &Table<'_>) {
        for (key, _) in table.iter() {
            if !table.known.iter().any(|(name, ..)| *name == key.text) {
                let name = quoted(key.text);
                let fault = Fault::new(format!("unknown key {name} in {}", table.title));
                self.wrong(&key.span, fault.help(keys::help(key.text, table.known)));
            }
        }
    }

    /// A key's text, which must not be empty.
    pub(super) fn string<'a>(&mut self, table: &Table<'a>, key: &str) -> Option<Text<'a>> {
        let text = self.text(table, key, table.get(key)?)?;
        self.filled(&format!("`{key}` in {}", table.title), text, keys::example(key, table.known))
    }

    /// A key's list of texts, none empty, none twice.
    pub(super) fn strings<'a>(&mut self, table: &Table<'a>, key: &str) -> Option<Vec<Text<'a>>> {
        let items = self.list(table, key)?;
        let mut seen = BTreeSet::new();
        let mut texts = Vec::new();
        for item in items {
            let Some(text) = self.text(table, key, item) else { continue };
            let what = format!("an entry of `{key}` in {}", table.title);
            let Some(text) = self.filled(&what, text, None) else { continue };
            if seen.insert(text.text) {
                texts.push(text);
            } else {
                let twice = format!("{} is twice in `{key}` of {}", quoted(text.text), table.title);
                self.wrong(&text.span, Fault::new(twice).help("leave one out"));
            }
        }
        Some(texts)
    }

    /// A key's table of texts: `{ NAME = "text" }`.
    pub(super) fn map<'a>(
        &mut self,
        table: &Table<'a>,
        key: &str,
        empty: Empty,
    ) -> Vec<(Text<'a>, Text<'a>)> {
        match self.table(table, key, &[]) {
            Some(inner) => self.texts(&inner, empty),
            None => Vec::new(),
        }
    }

    /// All entries of a table of texts.
    pub(super) fn texts<'a>(
        &mut self,
        table: &Table<'a>,
        empty: Empty,
    ) -> Vec<(Text<'a>, Text<'a>)> {
        let mut entries = Vec::new();
        for (name, value) in table.iter() {
            let what = format!("{} in {}", quoted(name.text), table.title);
            let mut text = self.text(table, name.text, value);
            if empty == Empty::Wrong {
                text = text.and_then(|text| self.filled(&what, text, None));
            }
            let name = self.filled(&format!("a name in {}", table.title), name, None);
            entries.extend(name.zip(text));
        }
        entries
    }

    /// A table at the top level: `[key]`.
    pub(super) fn section<'a>(
        &mut self,
        top: &Table<'a>,
        key: &str,
        known: &'static [Key],
    ) -> Option<Table<'a>> {
        let section = self.table(top, key, known)?;
        Some(Table { title: format!("`[{key}]`"), ..section })
    }

    /// A key's table, with what its keys may be.
    pub(super) fn table<'a>(
        &mut self,
        table: &Table<'a>,
        key: &str,
        known: &'static [Key],
    ) -> Option<Table<'a>> {
        let value = table.get(key)?;
        let title = format!("`{key}` of {}", table.title);
        match value.get_ref() {
            _ if self.is_broken(&value.span()) => None,
            DeValue::Table(entries) => {
                Some(Table { title, span: table.place(key), known, entries })
            }
            _ => self.wrong_type(table, key, value, "a table"),
        }
    }

    /// A key's list.
    pub(super) fn list<'a>(&mut self, table: &Table<'a>, key: &str) -> Option<Vec<&'a Value<'a>>> {
        let value = table.get(key)?;
        match value.get_ref() {
            _ if self.is_broken(&value.span()) => None,
            DeValue::Array(items) => Some(items.iter().collect()),
            _ => self.wrong_type(table, key, value, "a list"),
        }
    }

    /// A key's whole number, not below 0.
    pub(super) fn number(&mut self, table: &Table<'_>, key: &str) -> Option<u64> {
        let value = table.get(key)?;
        match value.get_ref() {
            _ if self.is_broken(&value.span()) => None,
            DeValue::Integer(integer) => {
                let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
                let message = format!("`{key}` in {} must be a number from 0 up", table.title);
                self.check(
                    &value.span(),
                    number.ok_or(Fault::new(message).help("write `1`, then `2`, …")),
                )
            }
            _ => self.wrong_type(table, key, value, "a whole number"),
        }
    }

    /// A key that is `true` or `false`.
    pub(super) fn boolean(&mut self, table: &Table<'_>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        match value.get_ref() {
            _ if self.is_broken(&value.span()) => None,
            DeValue::Boolean(boolean) => Some(*boolean),
            _ => self.wrong_type(table, key, value, "`true` or `false`"),
        }
    }

    /// A text, wherever it stands below a key.
    pub(super) fn text<'a>(
        &mut self,
        table: &Table<'a>,
        key: &str,
        value: &'a Value<'a>,
    ) -> Option<Text<'a>> {
        match value.get_ref() {
            _ if self.is_broken(&value.span()) => None,
            DeValue::String(text) => Some(Text { text, span: value.span() }),
            _ => self.wrong_type(table, key, value, "a string"),
        }
    }

    /// A text that is not empty.
    fn filled<'a>(
        &mut self,
        what: &str,
        text: Text<'a>,
        example: Option<String>,
    ) -> Option<Text<'a>> {
        if !text.text.trim().is_empty() {
            return Some(text);
        }
        let help = match example {
            Some(example) => format!("write it like `{example}`"),
            None => "write something, or leave it out".to_owned(),
        };
        self.wrong(&text.span, Fault::new(format!("{what} is empty")).help(help));
        None
    }

    /// Notes that a value is not of the right type.
    pub(super) fn wrong_type<T>(
        &mut self,
        table: &Table<'_>,
        key: &str,
        value: &Value<'_>,
        wanted: &str,
    ) -> Option<T> {
        let found = type_name(value.get_ref());
        let name = quoted(key);
        let message = match table.get(key).map(Spanned::span) {
            Some(span) if span != value.span() => {
                format!("an entry of {name} in {} must be {wanted}, not {found}", table.title)
            }
            _ => format!("{name} in {} must be {wanted}, not {found}", table.title),
        };
        let scalar = !matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_));
        let written = self.source.text().get(value.span()).unwrap_or_default();
        let help = match (keys::example(key, table.known), wanted) {
            (_, "a string") if scalar => Some(format!("quote it: \"{written}\"")),
            (Some(example), _) => Some(format!("write it like `{example}`")),
            (None, "a list") if scalar => Some(format!("write it like `{key} = [{written}]`")),
            (None, "a table") => Some(format!("write it like `\"{key}\" = {{ … }}`")),
            _ => None,
        };
        self.wrong(&value.span(), Fault { message, help });
        None
    }

    /// Whether the parser had to guess what stands here.
    pub(super) fn is_broken(&self, span: &Span) -> bool {
        let next = self.broken.partition_point(|offset| *offset < span.start);
        self.broken.get(next).is_some_and(|offset| *offset <= span.end)
    }
}

/// What messages call a type.
fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
