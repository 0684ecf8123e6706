//! What a target's steps come to.

use super::{Progress, StepName, Vertex};
use std::collections::{BTreeMap, BTreeSet};

/// Counts of one target's steps (RUN, COPY, ADD, WORKDIR).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// All that could be cached
    pub total: usize,
    /// Those that were
    pub cached: usize,
}

impl Steps {
    fn of(all: &[&Vertex], target: &str) -> Self {
        let cached = all.iter().filter(|vertex| vertex.is_cached_for(target)).count();
        Self { total: all.len(), cached }
    }
}

impl Progress {
    /// Every vertex, by digest.
    pub fn vertexes(&self) -> impl Iterator<Item = &Vertex> {
        self.vertexes.values()
    }

    /// The vertexes of a target: those that were shown under it, and all that these take results of,
    /// which may have been shown under another target. In the order in which they began, but what a
    /// vertex takes always before it: BuildKit may look up a cached step before those that it follows.
    pub fn vertexes_of(&self, target: &str) -> Vec<&Vertex> {
        let own = self.vertexes.values().filter(|vertex| vertex.is_of(target));
        let mut next: Vec<&Vertex> = own.collect();
        let mut all: BTreeMap<&str, &Vertex> = BTreeMap::new();
        while let Some(vertex) = next.pop() {
            if all.insert(&vertex.digest, vertex).is_none() {
                next.extend(vertex.inputs.iter().filter_map(|input| self.vertexes.get(input)));
            }
        }
        let mut all: Vec<&Vertex> = all.into_values().collect();
        let began = |vertex: &Vertex| vertex.runs.first().map_or(f64::INFINITY, |run| run.started);
        all.sort_by(|a, b| began(a).total_cmp(&began(b)));
        self.inputs_first(&all)
    }

    fn inputs_first<'a>(&'a self, vertexes: &[&'a Vertex]) -> Vec<&'a Vertex> {
        let (mut placed, mut seen) = (Vec::new(), BTreeSet::new());
        let mut open: Vec<(&Vertex, bool)> = vertexes.iter().rev().map(|v| (*v, false)).collect();
        while let Some((vertex, are_inputs_placed)) = open.pop() {
            if are_inputs_placed {
                placed.push(vertex);
            } else if seen.insert(vertex.digest.as_str()) {
                open.push((vertex, true));
                let inputs = vertex.inputs.iter().rev().filter_map(|d| self.vertexes.get(d));
                open.extend(inputs.map(|input| (input, false)));
            }
        }
        placed
    }

    /// All vertexes of a target and those that were cached, BuildKit's own among them: what `docker
    /// buildx history inspect` says.
    pub fn counts(&self, target: &str) -> Steps {
        Steps::of(&self.vertexes_of(target), target)
    }

    /// Counts a target's steps that ended well. Where it is linked to another target
    /// (`target:base`), those of the other are among them: BuildKit builds them in one.
    pub fn steps(&self, target: &str) -> Steps {
        let steps = self.steps_of(target).into_iter();
        Steps::of(&steps.filter(|vertex| vertex.is_done()).collect::<Vec<_>>(), target)
    }

    /// The steps of a target (RUN, COPY, ADD, WORKDIR) in the order of `vertexes_of`, each once.
    ///
    /// Where BuildKit finds that two targets do the same, though their sources have other digests, it
    /// does it for one, and shows the other both its own vertex and the first one's.
    pub fn steps_of(&self, target: &str) -> Vec<&Vertex> {
        let mut steps = self.vertexes_of(target);
        let consumers = self.consumers();
        steps.retain(|vertex| vertex.is_step());
        loop {
            let own: BTreeSet<&str> = steps.iter().map(|vertex| vertex.digest.as_str()).collect();
            let is_foreign = |vertex: &Vertex| {
                let takers = consumers.get(vertex.digest.as_str());
                takers.is_some_and(|takers| takers.iter().all(|taker| !own.contains(taker)))
                    && steps.iter().any(|other| is_twin(vertex, other))
            };
            let foreign = steps.iter().position(|vertex| is_foreign(vertex));
            match foreign {
                Some(place) => drop(steps.remove(place)),
                None => return steps,
            }
        }
    }

    /// Which vertexes take the result of each.
    fn consumers(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut consumers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for vertex in self.vertexes.values() {
            for input in &vertex.inputs {
                consumers.entry(input).or_default().push(&vertex.digest);
            }
        }
        consumers
    }

    /// From the beginning of a target's first step to the end of its last, in seconds.
    pub fn seconds(&self, target: &str) -> f64 {
        let of_target = self.vertexes.values().filter(|vertex| vertex.is_of(target));
        let times = of_target.flat_map(|vertex| &vertex.runs);
        let times = times.filter_map(|run| Some((run.started, run.completed?)));
        let span = times.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        span.map_or(0.0, |(start, end)| (end - start).max(0.0))
    }

    /// The targets under which anything was shown.
    pub fn targets(&self) -> BTreeSet<&str> {
        let names = self.vertexes.values().flat_map(|vertex| &vertex.names);
        names.filter_map(|name| StepName::parse(name).target).collect()
    }
}

/// Whether two vertexes are the same instruction at the same place.
fn is_twin(a: &Vertex, b: &Vertex) -> bool {
    let place = |vertex: &Vertex| -> BTreeSet<(usize, String)> {
        let names = vertex.names.iter().map(|name| StepName::parse(name));
        names.filter_map(|name| Some((name.number?.0, name.text.to_owned()))).collect()
    };
    a.digest != b.digest && !place(a).is_disjoint(&place(b))
}
