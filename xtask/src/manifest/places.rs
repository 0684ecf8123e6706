//! Where in `services.toml` everything stands, kept beside the [`Manifest`](super::Manifest) so that
//! checks in other modules can point there too. Knows nothing of what the keys mean.

use crate::diagnostic::Span;
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// Every key of the file and where it and its value stand. Asked for something that the file does
/// not say (a default), it answers with the nearest thing around it that the file does say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(BTreeMap<String, Node>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    key: Span,
    value: Span,
    inner: BTreeMap<String, Node>,
}

impl Places {
    /// The name in `[services.NAME]`.
    pub fn service(&self, name: &str) -> Span {
        self.key(&["services", name])
    }

    /// The name in `[bases."NAME"]`.
    pub fn base(&self, name: &str) -> Span {
        self.key(&["bases", name])
    }

    /// The name of a group.
    pub fn group(&self, name: &str) -> Span {
        self.key(&["groups", name])
    }

    /// The key at a path: `["services", "web", "args", "LEVEL"]`. Items of lists go by their index.
    pub fn key(&self, path: &[&str]) -> Span {
        self.find(path).map_or(0..0, |(node, _)| node.key.clone())
    }

    /// The value at a path; the key around it where the file does not say it.
    pub fn value(&self, path: &[&str]) -> Span {
        self.find(path).map_or(0..0, |(node, depth)| {
            if depth == path.len() { node.value.clone() } else { node.key.clone() }
        })
    }

    /// The deepest node on a path, and how deep it is.
    fn find(&self, path: &[&str]) -> Option<(&Node, usize)> {
        let mut nodes = &self.0;
        let mut found = None;
        for (depth, name) in path.iter().enumerate() {
            let Some(node) = nodes.get(*name) else { break };
            found = Some((node, depth + 1));
            nodes = &node.inner;
        }
        found
    }

    /// Notes the places of a parsed file.
    pub(super) fn of(root: &DeTable<'_>) -> Self {
        Self(nodes(root))
    }
}

fn nodes(table: &DeTable<'_>) -> BTreeMap<String, Node> {
    let node = |key: Span, value: &toml::Spanned<DeValue<'_>>| Node {
        key,
        value: value.span(),
        inner: match value.get_ref() {
            DeValue::Table(table) => nodes(table),
            DeValue::Array(list) => {
                let item = |(index, item): (usize, &toml::Spanned<DeValue<'_>>)| {
                    (index.to_string(), leaf_or_table(item))
                };
                list.iter().enumerate().map(item).collect()
            }
            _ => BTreeMap::new(),
        },
    };
    table.iter().map(|(key, value)| (key.get_ref().to_string(), node(key.span(), value))).collect()
}

/// Lists hold texts or tables of texts; what is deeper is an error anyway.
fn leaf_or_table(item: &toml::Spanned<DeValue<'_>>) -> Node {
    let inner = match item.get_ref() {
        DeValue::Table(table) => nodes(table),
        _ => BTreeMap::new(),
    };
    Node { key: item.span(), value: item.span(), inner }
}
