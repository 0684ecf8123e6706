//! What differs in what goes into an image, between two trees: by the records of its fingerprint. Pure.

mod thing;

use super::facts::Facts;
use super::fingerprint::{Fingerprint, Identity, Part, Record, records};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use thing::{Key, Thing, things};

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// What it is part of
    pub part: Part,
    /// `file` (also folders and links), `arg`, `label`, `image`, …
    pub what: &'static str,
    /// Its name: of files the path relative to the repository's root
    pub name: String,
    /// What happened to it
    pub change: Kind,
    /// What of it: `content`, `mode 0644 -> 0755`, the values before and after
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// What happened to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It is new
    Added,
    /// It is gone
    Removed,
    /// It is another now
    Changed,
}

/// What differs for one service, without what is different in services that it builds on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// In the order of parts and names
    pub changes: Vec<Change>,
    /// Why it had no fingerprint then
    pub none_then: Vec<String>,
    /// Why it has none now
    pub none_now: Vec<String>,
}

/// Compares a service that both have. `identities` are of [`stand_ins`].
pub fn own(then: &Facts, now: &Facts, name: &str, identities: &BTreeMap<String, Identity>) -> Own {
    let (before, after) = (records(then, name, identities), records(now, name, identities));
    let (Some(service_then), Some(service_now)) = (then.service(name), now.service(name)) else {
        return Own::default();
    };
    let mut changes = Vec::new();
    for (part, after) in &after.parts {
        let before = before.parts.get(part).map(Vec::as_slice).unwrap_or_default();
        if sorted(before) == sorted(after) {
            continue;
        }
        let (old, new) = (things(before, service_then), things(after, service_now));
        let mut found = changes_in(*part, &old, &new);
        if found.is_empty() {
            // The same thing twice instead of once.
            let (what, name) = (part.name(), String::new());
            found.push(Change {
                part: *part,
                what,
                name,
                change: Kind::Changed,
                detail: String::new(),
            });
        }
        changes.extend(found);
    }
    Own { changes, none_then: before.reasons, none_now: after.reasons }
}

/// A fingerprint knows no order.
fn sorted<'a, 'b>(records: &'a [Record<'b>]) -> Vec<&'a Record<'b>> {
    let mut sorted: Vec<&Record> = records.iter().collect();
    sorted.sort_unstable();
    sorted
}

/// Services by their names, so that only which they are makes a difference.
pub fn stand_ins(then: &Facts, now: &Facts) -> BTreeMap<String, Identity> {
    let names = then.manifest.services.keys().chain(now.manifest.services.keys());
    let stand_in = |name: &String| {
        Ok(Fingerprint { whole: name.clone(), parts: BTreeMap::new(), no_claim: Vec::new() })
    };
    names.map(|name| (name.clone(), stand_in(name))).collect()
}

fn changes_in(
    part: Part,
    before: &BTreeMap<Key, Thing>,
    after: &BTreeMap<Key, Thing>,
) -> Vec<Change> {
    let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
    let change = |key: &Key| {
        let (thing, change, detail) = match (before.get(key), after.get(key)) {
            (Some(old), Some(new)) if new.is(old) => return None,
            (Some(old), Some(new)) => (new, Kind::Changed, new.since(old)),
            (None, Some(new)) if !key.comes_with(after, before) => (new, Kind::Added, new.value()),
            (Some(old), None) if !key.comes_with(before, after) => {
                (old, Kind::Removed, String::new())
            }
            _ => return None,
        };
        Some(Change { part, what: key.what, name: thing.shown.clone(), change, detail })
    };
    keys.into_iter().filter_map(change).collect()
}

impl fmt::Display for Change {
    /// `services/web/src/main.rs changed (content)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match (self.what, self.name.as_str()) {
            // What else has a name is told by its part.
            ("file" | "image" | "service", name) => name.to_owned(),
            (what, "") => what.to_owned(),
            (what, name) => format!("{what} {name}"),
        };
        let change = match self.change {
            Kind::Added => "added",
            Kind::Removed => "removed",
            Kind::Changed => "changed",
        };
        // A file name may have a line end in it.
        if name.contains(char::is_control) {
            write!(f, "{name:?} {change}")?;
        } else {
            write!(f, "{name} {change}")?;
        }
        if self.detail.is_empty() { Ok(()) } else { write!(f, " ({})", self.detail) }
    }
}
