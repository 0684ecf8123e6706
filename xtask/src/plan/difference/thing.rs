//! A record as a thing that has a name and values, so that it can be found in another tree.

use crate::manifest::Service;
use crate::plan::fingerprint::Record;
use camino::Utf8Path;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What tells a thing from others of the same part: what it is, the named context that it is in, and
/// its name there. (A context may be another folder now, and have the same in it.)
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// `file`, `arg`, …
    pub what: &'static str,
    context: String,
    name: String,
}

/// What is known of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// Its name for people
    pub shown: String,
    /// Each with what it is called
    values: Vec<(&'static str, String)>,
}

/// The records of a part as things.
pub fn things(records: &[Record], service: &Service) -> BTreeMap<Key, Thing> {
    records.iter().map(|record| thing(record, service)).collect()
}

fn thing(record: &Record, service: &Service) -> (Key, Thing) {
    let fields: Vec<&str> = record.fields.iter().map(AsRef::as_ref).collect();
    match (record.kind, &fields[..]) {
        ("bytes", [content, ..]) => {
            let values = vec![("content", (*content).to_owned())];
            let key = Key { what: "file", context: String::new(), name: String::new() };
            (key, Thing { shown: service.dockerfile.to_string(), values })
        }
        ("named", [name]) => plain("named-context", name, &[]),
        ("named", [name, kind, rest @ ..]) => {
            let folder = service.contexts.get(*name).map(String::as_str).unwrap_or_default();
            in_folder(name, folder.into(), kind, rest)
        }
        ("folder" | "file" | "link" | "hard-link" | "xattr", _) => {
            in_folder("", &service.context, record.kind, &fields)
        }
        (kind @ ("epoch" | "network" | "shm-size" | "target"), values) => plain(kind, "", values),
        (kind, [name, values @ ..]) => plain(kind, name, values),
        (kind, []) => plain(kind, "", &[]),
    }
}

fn plain(what: &'static str, name: &str, values: &[&str]) -> (Key, Thing) {
    let values = values.iter().map(|value| ("", (*value).to_owned())).collect();
    let key = Key { what, context: String::new(), name: name.to_owned() };
    (key, Thing { shown: name.to_owned(), values })
}

/// Something in a context.
fn in_folder(context: &str, folder: &Utf8Path, kind: &str, fields: &[&str]) -> (Key, Thing) {
    let field = |at: usize| fields.get(at).copied().unwrap_or_default().to_owned();
    let kind_of = |kind: &str| ("", kind.to_owned());
    let (what, name, values) = match kind {
        "folder" => ("file", field(0), vec![kind_of("folder"), ("mode", field(1))]),
        "file" => {
            ("file", field(0), vec![kind_of("file"), ("mode", field(1)), ("content", field(2))])
        }
        "link" => ("file", field(0), vec![kind_of("link"), ("text", field(1))]),
        "hard-link" => ("hard-link", field(0), vec![("to", field(1))]),
        _ => ("xattr", format!("{} {}", field(0), field(1)), vec![("value", field(2))]),
    };
    let shown = if folder == "." { name.clone() } else { format!("{folder}/{name}") };
    (Key { what, context: context.to_owned(), name }, Thing { shown, values })
}

impl Key {
    /// Whether something that is in this folder is only in one of two trees: then a folder that is
    /// only in the same one is no news.
    pub fn comes_with(&self, here: &BTreeMap<Self, Thing>, there: &BTreeMap<Self, Thing>) -> bool {
        let first = Self { name: format!("{}/", self.name), ..self.clone() };
        let inside = here.range(&first..).take_while(|(key, _)| {
            key.what == first.what
                && key.context == first.context
                && key.name.starts_with(&first.name)
        });
        self.what == "file" && inside.into_iter().any(|(key, _)| !there.contains_key(key))
    }
}

impl Thing {
    /// Whether it is the same, wherever it is.
    pub fn is(&self, other: &Self) -> bool {
        self.values == other.values
    }

    /// What has become another since `before`.
    pub fn since(&self, before: &Self) -> String {
        let mut details = Vec::new();
        for (name, new) in &self.values {
            let mut old = before.values.iter().filter(|(other, _)| other == name);
            let Some((_, old)) = old.next().filter(|(_, old)| old != new) else { continue };
            let kinds = self.values.len() > 1 && name.is_empty();
            details.push(match *name {
                // Digests of bytes tell nobody anything.
                "content" | "value" => (*name).to_owned(),
                "" => format!("{} -> {}", short(old), short(new)),
                name => format!("{name} {} -> {}", short(old), short(new)),
            });
            // What a link has instead of a content is no change of it.
            if kinds {
                break;
            }
        }
        details.join(", ")
    }

    /// The one value of something that is new. What a file has is not told.
    pub fn value(&self) -> String {
        match &self.values[..] {
            [("", value)] => short(value).into_owned(),
            _ => String::new(),
        }
    }
}

/// A digest as people compare it.
fn short(value: &str) -> Cow<'_, str> {
    match value.strip_prefix("sha256:") {
        Some(hex) if hex.len() == 64 && hex.is_ascii() => format!("sha256:{}", &hex[..12]).into(),
        _ if value.contains(char::is_control) || value.is_empty() => format!("{value:?}").into(),
        _ => value.into(),
    }
}
