//! What builds on what, read from the Dockerfiles: dependencies, levels, cycles. Pure.

use super::dockerfile::{Reference, ReferenceKind, context_key};
use crate::manifest::Manifest;
use crate::nearest::nearest;
use std::collections::{BTreeMap, BTreeSet};

/// What one service reads from outside its own context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Services that it builds on: the name that the Dockerfile uses, and the service
    pub services: BTreeMap<String, String>,
    /// External images, by the name that the Dockerfile uses, and their key in `[bases]`
    pub bases: BTreeMap<String, String>,
    /// What the Dockerfile reader could not tell, as `path:line: cannot tell …`: the lists above may
    /// then be too short
    pub unclear: Vec<String>,
    /// What is read but cannot be held to one content, as reasons against a fingerprint
    pub unpinned: Vec<String>,
}

/// A reference that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The Dockerfile's line
    pub line: usize,
    /// The reference's text, to be underlined
    pub name: String,
    /// What is wrong
    pub message: String,
    /// The next step
    pub help: String,
}

/// Sorts what a Dockerfile names into services, bases and the service's own named contexts.
pub fn needs(
    manifest: &Manifest,
    service: &str,
    references: &[Reference],
) -> Result<Needs, Vec<Problem>> {
    let mut needs = Needs::default();
    let mut problems = Vec::new();
    let contexts = manifest.services.get(service).into_iter().flat_map(|s| s.contexts.keys());
    let contexts: BTreeSet<String> = contexts.map(|name| key(name)).collect();
    let bases: BTreeMap<String, &String> = manifest.bases.keys().map(|b| (key(b), b)).collect();
    for reference in references {
        let name = key(&reference.name);
        // A frontend is fetched by BuildKit itself, and no named context can stand in for it.
        if reference.kind == ReferenceKind::Syntax {
            needs.unpinned.extend(by_tag(&reference.name));
            continue;
        }
        if contexts.contains(&name) {
            continue;
        }
        let ours = name.strip_prefix(&manifest.project.registry).and_then(|n| n.strip_prefix('/'));
        match (ours, bases.get(&name)) {
            (_, Some(base)) => {
                needs.bases.insert(name, (*base).clone());
            }
            (Some(rest), None) if !rest.contains('@') => {
                let other = rest.split(':').next().unwrap_or(rest);
                if manifest.services.contains_key(other) {
                    let other = other.to_owned();
                    needs.services.insert(name, other);
                } else {
                    problems.push(no_such_service(manifest, reference, other));
                }
            }
            _ => problems.push(no_such_base(manifest, reference, &name)),
        }
    }
    if problems.is_empty() { Ok(needs) } else { Err(problems) }
}

/// Why a frontend may be another one tomorrow.
fn by_tag(frontend: &str) -> Option<String> {
    let why = "is not named by its digest, and none can be imposed on it";
    (!frontend.contains("@sha256:")).then(|| format!("the frontend `{frontend}` {why}"))
}

/// The key that a named context must have to stand in for a name.
fn key(name: &str) -> String {
    context_key(name).unwrap_or_else(|| name.to_owned())
}

fn no_such_service(manifest: &Manifest, reference: &Reference, other: &str) -> Problem {
    let known = manifest.services.keys().map(String::as_str);
    let help = match nearest(other, known) {
        Some(near) => format!("did you mean `{}/{near}`?", manifest.project.registry),
        None => format!("add `[services.{other}]` to the manifest"),
    };
    Problem {
        line: reference.line,
        name: reference.name.clone(),
        message: format!("there is no service `{other}` in the manifest"),
        help,
    }
}

fn no_such_base(manifest: &Manifest, reference: &Reference, name: &str) -> Problem {
    let verb = match reference.kind {
        ReferenceKind::From | ReferenceKind::Stage => "builds on",
        _ => "reads from",
    };
    let known = manifest.bases.keys().map(String::as_str);
    let near = nearest(name, known).map(|near| format!("did you mean `{near}`? Else "));
    Problem {
        line: reference.line,
        name: reference.name.clone(),
        message: format!("{verb} the image `{}`, which the manifest does not know", reference.name),
        help: format!("{}add `[bases.\"{name}\"]` to the manifest", near.unwrap_or_default()),
    }
}

/// All services with what they build on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    on: BTreeMap<String, BTreeSet<String>>,
}

/// Services that build on each other in a ring: `a`, `b`, `a`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle(pub Vec<String>);

impl Graph {
    /// From each service and what it builds on.
    pub fn new(on: BTreeMap<String, BTreeSet<String>>) -> Result<Self, Cycle> {
        let graph = Self { on };
        let mut done = BTreeSet::new();
        for service in graph.on.keys() {
            graph.look_for_cycle(service, &mut done)?;
        }
        Ok(graph)
    }

    /// Depth first without recursion: a chain of 1,000 services is no reason to overflow a stack.
    fn look_for_cycle(&self, start: &str, done: &mut BTreeSet<String>) -> Result<(), Cycle> {
        let mut path: Vec<String> = Vec::new();
        let mut todo = vec![(0, start.to_owned())];
        while let Some((depth, service)) = todo.pop() {
            done.extend(path.drain(depth..));
            if let Some(first) = path.iter().position(|on_path| *on_path == service) {
                let mut ring = path.split_off(first);
                ring.push(service);
                return Err(Cycle(ring));
            }
            if done.contains(&service) {
                continue;
            }
            todo.extend(self.direct(&service).map(|next| (depth + 1, next.to_owned())));
            path.push(service);
        }
        done.extend(path);
        Ok(())
    }

    /// What a service builds on directly.
    pub fn direct(&self, service: &str) -> impl Iterator<Item = &str> {
        self.on.get(service).into_iter().flatten().map(String::as_str)
    }

    /// The services and all that they build on, directly or not.
    pub fn with_dependencies<'a>(
        &self,
        services: impl IntoIterator<Item = &'a str>,
    ) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut todo: Vec<String> = services.into_iter().map(str::to_owned).collect();
        while let Some(service) = todo.pop() {
            if !all.contains(&service) {
                todo.extend(self.direct(&service).map(str::to_owned));
                all.insert(service);
            }
        }
        all
    }

    /// Whether `service` builds on `other`, directly or not.
    pub fn builds_on(&self, service: &str, other: &str) -> bool {
        service != other && self.with_dependencies([service]).contains(other)
    }

    /// The given services in levels: each builds only on services of earlier levels.
    pub fn levels(&self, services: &BTreeSet<String>) -> Vec<Vec<String>> {
        let mut levels: Vec<Vec<String>> = Vec::new();
        let mut placed: BTreeSet<&str> = BTreeSet::new();
        while placed.len() < services.len() {
            let ready = services.iter().map(String::as_str).filter(|service| {
                let waits = |on: &str| services.contains(on) && !placed.contains(on);
                !placed.contains(service) && !self.direct(service).any(waits)
            });
            let level: Vec<&str> = ready.collect();
            if level.is_empty() {
                break;
            }
            placed.extend(&level);
            levels.push(level.into_iter().map(str::to_owned).collect());
        }
        levels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &[&str])]) -> Result<Graph, Cycle> {
        let set = |on: &[&str]| on.iter().map(|s| (*s).to_owned()).collect();
        Graph::new(edges.iter().map(|(s, on)| ((*s).to_owned(), set(on))).collect())
    }

    #[test]
    fn levels_put_each_service_after_what_it_builds_on() {
        let edges: [(&str, &[&str]); 4] =
            [("app", &["lib", "base"]), ("base", &[]), ("lib", &["base"]), ("web", &[])];
        let graph = graph(&edges).unwrap();
        let all = graph.with_dependencies(["app", "web"]);
        assert_eq!(graph.levels(&all), [vec!["base", "web"], vec!["lib"], vec!["app"]]);
        assert!(graph.builds_on("app", "base") && !graph.builds_on("base", "app"));
        assert!(!graph.builds_on("base", "base"));
    }

    #[test]
    fn a_cycle_is_shown_whole_and_without_what_leads_to_it() {
        let edges: [(&str, &[&str]); 4] =
            [("a", &["b"]), ("b", &["c", "d"]), ("c", &["b"]), ("d", &[])];
        assert_eq!(graph(&edges), Err(Cycle(vec!["b".into(), "c".into(), "b".into()])));
        assert_eq!(graph(&[("a", &["a"])]), Err(Cycle(vec!["a".into(), "a".into()])));
    }

    #[test]
    fn two_ways_to_one_service_are_no_cycle() {
        let edges: [(&str, &[&str]); 4] =
            [("a", &["b", "c"]), ("b", &["d"]), ("c", &["d"]), ("d", &[])];
        assert!(graph(&edges).is_ok());
    }

    #[test]
    fn a_long_chain_is_no_trouble() {
        let name = |i: usize| format!("s{i:04}");
        let on = (0..3000).map(|i| (name(i), (i > 0).then(|| name(i - 1)).into_iter().collect()));
        let graph = Graph::new(on.collect()).unwrap();
        assert_eq!(graph.with_dependencies([name(2999).as_str()]).len(), 3000);
    }
}
