//! What went by at the registry, counted the same way for everyone. Pure.

use super::statistics::median_count;
use relay::Entry;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Requests and bytes of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Traffic {
    /// All requests but those for tokens
    pub requests: u64,
    /// The same by method
    pub methods: BTreeMap<String, u64>,
    /// Requests for tokens
    pub token_requests: u64,
    /// Tags that were written, each once
    #[serde(default)]
    pub tags: u64,
    /// Bytes of bodies that went to the registry
    pub bytes_pushed: u64,
    /// Bytes of bodies that came from it
    pub bytes_pulled: u64,
}

impl Traffic {
    /// Counts what came by.
    pub fn of(entries: &[Entry]) -> Self {
        let mut traffic = Self { tags: tags(entries), ..Self::default() };
        for entry in entries {
            traffic.bytes_pushed += entry.up;
            traffic.bytes_pulled += entry.down;
            // The distribution API is below /v2/; a registry's tokens are somewhere else.
            if entry.path.starts_with("/v2/") {
                traffic.requests += 1;
                *traffic.methods.entry(entry.method.clone()).or_default() += 1;
            } else {
                traffic.token_requests += 1;
            }
        }
        traffic
    }

    /// The median of each count over several runs.
    pub fn median(runs: &[&Self]) -> Self {
        let each = |count: &dyn Fn(&Self) -> u64| median_count(runs.iter().map(|run| count(run)));
        let methods = runs.iter().flat_map(|run| run.methods.keys().cloned());
        let of = |method: String| {
            let count = each(&|run| run.methods.get(&method).copied().unwrap_or_default());
            (method, count)
        };
        Self {
            requests: each(&|run| run.requests),
            methods: methods.map(of).collect(),
            tags: each(&|run| run.tags),
            token_requests: each(&|run| run.token_requests),
            bytes_pushed: each(&|run| run.bytes_pushed),
            bytes_pulled: each(&|run| run.bytes_pulled),
        }
    }
}

/// How many tags were written: those of caches and artifacts too, not what was pushed by digest.
fn tags(entries: &[Entry]) -> u64 {
    let written = entries.iter().filter(|entry| entry.method == "PUT");
    let tags = written.filter(|entry| {
        let tag = entry.path.split_once("/manifests/").map(|(_, tag)| tag);
        tag.is_some_and(|tag| !tag.contains(':'))
    });
    tags.map(|entry| entry.path.as_str()).collect::<BTreeSet<_>>().len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(method: &str, path: &str, up: u64, down: u64) -> Entry {
        Entry { method: method.into(), path: path.into(), up, down, ..Entry::default() }
    }

    #[test]
    fn tokens_are_counted_apart() {
        let entries = [
            entry("GET", "/v2/", 0, 2),
            entry("GET", "/token?scope=x", 0, 100),
            entry("PUT", "/v2/web/manifests/dev", 700, 0),
            entry("PUT", "/v2/web/manifests/dev", 0, 0),
            entry("PUT", "/v2/web/manifests/sha256:0", 0, 0),
            entry("HEAD", "/v2/web/manifests/latest", 0, 0),
        ];
        let traffic = Traffic::of(&entries);
        assert_eq!((traffic.requests, traffic.token_requests, traffic.tags), (5, 1, 1));
        assert_eq!((traffic.bytes_pushed, traffic.bytes_pulled), (700, 102));
        assert_eq!(
            traffic.methods,
            [("GET".to_owned(), 1), ("HEAD".to_owned(), 1), ("PUT".to_owned(), 3)].into()
        );
    }

    #[test]
    fn each_count_has_its_own_median() {
        let runs = [(1, 30), (2, 10), (9, 20)].map(|(gets, bytes_pulled)| Traffic {
            requests: gets,
            methods: [("GET".to_owned(), gets)].into(),
            bytes_pulled,
            ..Traffic::default()
        });
        let median = Traffic::median(&runs.iter().collect::<Vec<_>>());
        assert_eq!((median.requests, median.methods["GET"], median.bytes_pulled), (2, 2, 20));
    }
}
