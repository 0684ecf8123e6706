//! The steps of a run, from what buildx told of its bakes. Pure.

use super::data::{Step, rounded};
use crate::docker::bake::service_name;
use crate::docker::progress::{Progress, StepName, Vertex};
use crate::plan::Plan;
use std::collections::{BTreeMap, BTreeSet};

/// The first line of a step in the Dockerfile of a service.
pub type LineOf<'a> = dyn Fn(&str, &str) -> Option<usize> + 'a;

/// All steps that ran or were cached, in the order in which they began. Times count from `began`, in
/// seconds since 1970.
pub fn steps(plan: &Plan, bakes: &[Progress], began: f64, line_of: &LineOf) -> Vec<Step> {
    let mut found: Vec<(usize, &Vertex, Step)> = Vec::new();
    for (number, bake) in bakes.iter().enumerate() {
        let users = users(plan, bake);
        for vertex in bake.vertexes() {
            let services = users.get(vertex.digest.as_str()).cloned().unwrap_or_default();
            if let Some(step) = step(vertex, services, began, line_of) {
                found.push((number, vertex, step));
            }
        }
    }
    let mut layers = pulled_layers(bakes);
    found.sort_by(|a, b| a.2.start.total_cmp(&b.2.start).then(a.2.end.total_cmp(&b.2.end)));
    let place = |(id, (bake, vertex, _)): (usize, &(usize, &Vertex, Step))| {
        ((*bake, vertex.digest.clone()), id)
    };
    let places: BTreeMap<(usize, String), usize> = found.iter().enumerate().map(place).collect();
    let numbered = found.iter().enumerate().map(|(id, (bake, vertex, step))| {
        let inputs = vertex.inputs.iter();
        let needs = inputs.filter_map(|input| places.get(&(*bake, input.clone()))).copied();
        // Two steps that wait for the same layer both tell of it.
        let pulled = vertex.statuses.iter().filter_map(|status| layers.remove(status.id.as_str()));
        Step { id, needs: needs.collect(), pulled: pulled.sum(), ..step.clone() }
    });
    numbered.collect()
}

/// Layers that steps said they pulled, with their sizes: each at the first step that names it.
pub fn pulled_layers(bakes: &[Progress]) -> BTreeMap<&str, u64> {
    let vertexes = bakes.iter().flat_map(Progress::vertexes);
    let statuses = vertexes.flat_map(|vertex| &vertex.statuses);
    let layers = statuses.filter(|status| status.id.starts_with("sha256:"));
    layers.map(|status| (status.id.as_str(), status.current.max(status.total))).collect()
}

/// The services that each vertex was done for: first those under which it was shown, in the plan's
/// order, so that what services share is the one's that others build on.
fn users(plan: &Plan, bake: &Progress) -> BTreeMap<String, Vec<String>> {
    let services: Vec<(String, Vec<&Vertex>)> = bake
        .targets()
        .into_iter()
        .map(|target| (service_name(target), bake.vertexes_of(target)))
        .collect();
    let place = |service: &str| plan.services.iter().position(|plan| plan.service == service);
    let mut users: BTreeMap<String, Vec<(bool, usize, &str)>> = BTreeMap::new();
    for (service, vertexes) in &services {
        let Some(place) = place(service) else { continue };
        for vertex in vertexes {
            let is_shown = vertex.is_of(&crate::docker::bake::target_name(service));
            users.entry(vertex.digest.clone()).or_default().push((!is_shown, place, service));
        }
    }
    let named = users.into_iter().map(|(digest, mut of)| {
        of.sort_unstable();
        (digest, of.into_iter().map(|(_, _, service)| service.to_owned()).collect())
    });
    named.collect()
}

fn step(vertex: &Vertex, services: Vec<String>, began: f64, line_of: &LineOf) -> Option<Step> {
    let runs = vertex.runs.iter().filter_map(|run| Some((run.started, run.completed?)));
    let (start, end) = runs.max_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0)))?;
    let target = services.first().map(|service| crate::docker::bake::target_name(service));
    let names = || vertex.names.iter().map(|name| StepName::parse(name));
    let name = names().find(|name| name.target == target.as_deref()).or_else(|| names().next())?;
    let sent = vertex.statuses.iter().filter(|status| status.id.starts_with("transferring "));
    let is_counted = name.number.is_some();
    let line = services.first().filter(|_| is_counted);
    Some(Step {
        line: line.and_then(|service| line_of(service, &name.without_target())),
        stage: name.stage.map(str::to_owned),
        number: name.number,
        name: name.text.split_whitespace().collect::<Vec<_>>().join(" "),
        start: rounded(start - began),
        end: rounded((end - began).max(start - began)),
        result: result(vertex).into(),
        context: sent.map(|status| status.current).sum(),
        services,
        ..Step::default()
    })
}

fn result(vertex: &Vertex) -> &'static str {
    match &vertex.error {
        Some(_) if vertex.is_canceled() => "canceled",
        Some(_) => "failed",
        None if vertex.cached => "cached",
        None => "ran",
    }
}

/// Marks what the run's end waited for: back from the last step that ended, each time to the one that
/// ended last of those that it needs; where it needs none, to what ended last before it began (a build
/// on what was pushed before).
pub fn mark_critical(steps: &mut [Step]) {
    let last = (0..steps.len()).max_by(|a, b| steps[*a].end.total_cmp(&steps[*b].end));
    let mut at = last;
    let mut seen = BTreeSet::new();
    while let Some(id) = at.filter(|id| seen.insert(*id)) {
        steps[id].critical = true;
        let by_end = |a: &usize, b: &usize| steps[*a].end.total_cmp(&steps[*b].end);
        let needs = steps[id].needs.iter().copied().filter(|need| steps[*need].end > 0.0);
        let before = || {
            let earlier = 0..steps.len();
            let earlier =
                earlier.filter(|other| *other != id && steps[*other].end <= steps[id].start);
            earlier.max_by(by_end)
        };
        at = needs.max_by(by_end).or_else(before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(times: &[(f64, f64, &[usize])]) -> Vec<Step> {
        let step = |(id, (start, end, needs)): (usize, &(f64, f64, &[usize]))| Step {
            id,
            start: *start,
            end: *end,
            needs: needs.to_vec(),
            ..Step::default()
        };
        times.iter().enumerate().map(step).collect()
    }

    #[track_caller]
    fn case(times: &[(f64, f64, &[usize])], expected: &[usize]) {
        let mut steps = chain(times);
        mark_critical(&mut steps);
        let marked: Vec<usize> = steps.iter().filter(|s| s.critical).map(|s| s.id).collect();
        assert_eq!(marked, expected);
    }

    #[test]
    fn the_critical_path_is_what_the_end_waited_for() {
        case(&[], &[]);
        // 3 needs 1 and 2; 2 ended last. 4 is quicker and beside it.
        case(
            &[
                (0.0, 1.0, &[]),
                (1.0, 2.0, &[0]),
                (1.0, 5.0, &[0]),
                (5.0, 6.0, &[1, 2]),
                (0.0, 3.0, &[]),
            ],
            &[0, 2, 3],
        );
        // The second bake needs nothing of the first, but waited for it.
        case(&[(0.0, 2.0, &[]), (2.5, 3.0, &[])], &[0, 1]);
        // What needs itself ends.
        case(&[(0.0, 1.0, &[1]), (0.0, 1.0, &[0])], &[0, 1]);
    }
}
