//! When an edit is over, and which services it touches. Pure.

use super::graph::Graph;
use std::collections::{BTreeMap, BTreeSet};

/// Looks at something that is edited, of which one was acted upon.
#[derive(Clone, Debug)]
pub struct Watched<T> {
    acted_upon: BTreeMap<String, T>,
    last: BTreeMap<String, T>,
}

impl<T: Clone + PartialEq> Watched<T> {
    /// From a first look, which was acted upon.
    pub fn new(first: BTreeMap<String, T>) -> Self {
        Self { last: first.clone(), acted_upon: first }
    }

    /// Whether an edit was seen that may go on.
    pub fn is_pending(&self) -> bool {
        self.last != self.acted_upon
    }

    /// Takes the next look. An edit is over when two looks in a row see the same: then it gives what is
    /// other than when it was last acted upon (its name, as it was before, and as it is), and takes it
    /// for acted upon.
    pub fn see(&mut self, now: BTreeMap<String, T>) -> Vec<(String, Option<T>, Option<T>)> {
        if now != self.last {
            self.last = now;
            return Vec::new();
        }
        let names: BTreeSet<&String> = self.acted_upon.keys().chain(now.keys()).collect();
        let changed = names.into_iter().filter(|name| self.acted_upon.get(*name) != now.get(*name));
        let changed: Vec<_> = changed
            .map(|name| (name.clone(), self.acted_upon.get(name).cloned(), now.get(name).cloned()))
            .collect();
        self.acted_upon = now;
        changed
    }
}

/// The services, of those that run, whose images an edit of some services changes: these themselves, and
/// all that build on them.
pub fn affected(
    graph: &Graph,
    changed: &BTreeSet<String>,
    running: &BTreeSet<String>,
) -> BTreeSet<String> {
    let is_touched = |name: &&String| {
        graph.with_dependencies([name.as_str()]).iter().any(|on| changed.contains(on))
    };
    running.iter().filter(is_touched).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str) -> BTreeMap<String, char> {
        text.split(' ')
            .filter_map(|it| Some((it.get(..1)?.to_owned(), it.chars().nth(1)?)))
            .collect()
    }

    fn names(seen: &[(String, Option<char>, Option<char>)]) -> String {
        seen.iter().map(|(name, ..)| name.as_str()).collect()
    }

    #[test]
    fn an_edit_is_acted_upon_once_it_is_over() {
        let mut watched = Watched::new(look("a1 b1"));
        assert_eq!(names(&watched.see(look("a1 b1"))), "");
        assert!(!watched.is_pending());
        assert_eq!(names(&watched.see(look("a2 b1"))), "", "it may go on");
        assert!(watched.is_pending());
        assert_eq!(names(&watched.see(look("a3 b2"))), "", "it does go on");
        assert_eq!(names(&watched.see(look("a3 b2"))), "ab");
        assert_eq!(names(&watched.see(look("a3 b2"))), "", "once");
        // Taken back before it was over.
        watched.see(look("a4 b2"));
        watched.see(look("a3 b2"));
        assert_eq!(names(&watched.see(look("a3 b2"))), "");
        watched.see(look("a3"));
        assert_eq!(watched.see(look("a3")), [("b".to_owned(), Some('2'), None)]);
    }

    #[test]
    fn an_edit_touches_what_builds_on_it() {
        let on =
            [("base", &[][..]), ("web", &["base"][..]), ("top", &["web"][..]), ("other", &[][..])];
        let on =
            on.map(|(name, on)| (name.to_owned(), on.iter().map(|it| (*it).to_owned()).collect()));
        let graph = Graph::new(on.into()).unwrap();
        let set = |names: &str| names.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
        let all = set("base web top other");
        assert_eq!(affected(&graph, &set("base"), &all), set("base web top"));
        assert_eq!(affected(&graph, &set("web"), &all), set("web top"));
        assert_eq!(affected(&graph, &set("other"), &all), set("other"));
        assert_eq!(affected(&graph, &set("base"), &set("top other")), set("top"));
    }
}
