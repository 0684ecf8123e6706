//! Spreads services over the jobs of a workflow, for GitHub's `strategy.matrix`. Pure.
//!
//! What builds on each other is in one job, which builds it in order: no job waits for another.

use super::graph::Graph;
use serde::Serialize;
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// So many names of services a job is called after.
const NAMED: usize = 3;

/// One job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Job {
    /// For people: names of services
    pub name: String,
    /// In the order of their names
    pub services: Vec<String>,
    /// How long they take one after the other, as far as it is known
    pub seconds: f64,
}

/// At most so many jobs, as even as may be, the longest first. A service without recorded seconds
/// counts as the median of those that have them.
pub fn jobs(
    graph: &Graph,
    services: &BTreeSet<String>,
    recorded: &BTreeMap<String, f64>,
    most: usize,
) -> Vec<Job> {
    let usual = median(recorded.values().copied().collect());
    let seconds = |service: &String| recorded.get(service).copied().unwrap_or(usual);
    let mut together: Vec<(f64, Vec<String>)> = connected(graph, services)
        .into_iter()
        .map(|services| (services.iter().map(seconds).sum(), services))
        .collect();
    together.sort_by(|(a, first), (b, second)| b.total_cmp(a).then_with(|| first.cmp(second)));
    let mut bins: Vec<(f64, Vec<String>)> =
        vec![(0.0, Vec::new()); most.max(1).min(together.len())];
    for (seconds, services) in together {
        // The first of the emptiest: the same services always give the same jobs.
        if let Some(bin) = bins.iter_mut().min_by(|a, b| fuller(a, b)) {
            bin.0 += seconds;
            bin.1.extend(services);
        }
    }
    let mut jobs: Vec<Job> =
        bins.into_iter().map(|(seconds, services)| job(seconds, services)).collect();
    jobs.sort_by(|a, b| b.seconds.total_cmp(&a.seconds).then_with(|| a.services.cmp(&b.services)));
    jobs
}

/// What GitHub is given. Without jobs the list is empty, which a workflow has to ask for: GitHub
/// refuses a matrix without jobs.
pub fn to_github(jobs: &[Job]) -> Value {
    let one = |job: &Job| json!({ "name": job.name, "services": job.services.join(" ") });
    json!({ "include": jobs.iter().map(one).collect::<Vec<Value>>() })
}

fn fuller(a: &(f64, Vec<String>), b: &(f64, Vec<String>)) -> Ordering {
    a.0.total_cmp(&b.0).then_with(|| a.1.len().cmp(&b.1.len()))
}

fn job(seconds: f64, mut services: Vec<String>) -> Job {
    services.sort();
    let more = services.len().saturating_sub(NAMED);
    let mut name = services[..services.len() - more].join(", ");
    if more > 0 {
        name.push_str(&format!(" and {more} more"));
    }
    Job { name, services, seconds: (seconds * 1000.0).round() / 1000.0 }
}

/// Services that build on each other, directly or not, in groups.
fn connected(graph: &Graph, services: &BTreeSet<String>) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<&str>> =
        services.iter().map(|service| vec![service.as_str()]).collect();
    let numbered = services.iter().enumerate();
    let mut group_of: BTreeMap<&str, usize> =
        numbered.map(|(number, service)| (service.as_str(), number)).collect();
    for service in services {
        let on = graph.with_dependencies([service.as_str()]);
        for other in on.iter().filter_map(|on| services.get(on)) {
            let (mine, theirs) = (group_of[service.as_str()], group_of[other.as_str()]);
            if mine != theirs {
                let members = std::mem::take(&mut groups[theirs]);
                group_of.extend(members.iter().map(|member| (*member, mine)));
                groups[mine].extend(members);
            }
        }
    }
    let groups = groups.into_iter().filter(|group| !group.is_empty());
    groups.map(|group| group.into_iter().map(str::to_owned).collect()).collect()
}

/// The middle one; 1 where there are none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &[&str])]) -> Graph {
        let set = |on: &[&str]| on.iter().map(|s| (*s).to_owned()).collect();
        Graph::new(edges.iter().map(|(s, on)| ((*s).to_owned(), set(on))).collect()).unwrap()
    }

    fn names(names: &str) -> BTreeSet<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    fn times(times: &[(&str, f64)]) -> BTreeMap<String, f64> {
        times.iter().map(|(name, seconds)| ((*name).to_owned(), *seconds)).collect()
    }

    #[track_caller]
    fn case(
        edges: &[(&str, &[&str])],
        services: &str,
        seconds: &[(&str, f64)],
        most: usize,
        expected: &[&str],
    ) {
        let jobs = jobs(&graph(edges), &names(services), &times(seconds), most);
        let found: Vec<String> = jobs.iter().map(|job| job.services.join(" ")).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn jobs_are_as_even_as_may_be() {
        let seconds = [("a", 8.0), ("b", 7.0), ("c", 6.0), ("d", 5.0), ("e", 4.0)];
        case(&[], "a b c d e", &seconds, 2, &["a d e", "b c"]);
        case(&[], "a b c d e", &seconds, 9, &["a", "b", "c", "d", "e"]);
        case(&[], "a b c d e", &seconds, 1, &["a b c d e"]);
        case(&[], "a b c d e", &seconds, 0, &["a b c d e"]);
    }

    #[test]
    fn what_was_never_timed_counts_as_the_median() {
        // b: 3, as c.
        case(&[], "a b c d", &[("a", 7.0), ("c", 3.0), ("d", 1.0)], 2, &["a", "b c d"]);
        case(&[], "a b c d", &[], 2, &["a c", "b d"]);
        case(&[], "a b c d", &[("a", 0.0)], 2, &["a c", "b d"]);
    }

    #[test]
    fn what_builds_on_each_other_is_in_one_job() {
        let edges: [(&str, &[&str]); 6] = [
            ("app", &["lib"]),
            ("lib", &["zero"]),
            ("zero", &[]),
            ("web", &["base"]),
            ("db", &["base"]),
            ("base", &[]),
        ];
        case(&edges, "app base db lib web zero", &[], 9, &["app lib zero", "base db web"]);
        // Through one that is not asked for, too; what is only shared and not asked for joins nothing.
        case(&edges, "app zero", &[], 9, &["app zero"]);
        case(&edges, "db web", &[], 9, &["db", "web"]);
    }

    #[test]
    fn an_empty_matrix_is_a_matrix() {
        let none = jobs(&Graph::default(), &BTreeSet::new(), &BTreeMap::new(), 8);
        assert_eq!(to_github(&none).to_string(), r#"{"include":[]}"#);
    }

    #[test]
    fn github_is_given_names_and_services() {
        let one = jobs(&Graph::default(), &names("a b c d e"), &BTreeMap::new(), 1);
        let json = r#"{"include":[{"name":"a, b, c and 2 more","services":"a b c d e"}]}"#;
        assert_eq!(to_github(&one).to_string(), json);
        let two = jobs(&Graph::default(), &names("a b"), &BTreeMap::new(), 2);
        assert_eq!(two[1].name, "b");
    }

    /// Every service once, never more jobs, no job beyond the mean and one group, the same each time.
    #[test]
    fn random_services_are_spread() {
        let mut random = 1_u64;
        let mut below = |limit: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % limit
        };
        for _ in 0..200 {
            let count = 1 + below(30);
            let name = |number: u64| format!("s{number}");
            let on: BTreeMap<String, BTreeSet<String>> = (0..count)
                .map(|n| {
                    (
                        name(n),
                        (n > 0 && below(3) == 0).then(|| name(below(n))).into_iter().collect(),
                    )
                })
                .collect();
            let seconds: BTreeMap<String, f64> =
                (0..count).map(|n| (name(n), below(100) as f64)).collect();
            let (graph, all) = (Graph::new(on).unwrap(), seconds.keys().cloned().collect());
            let most = 1 + below(10) as usize;
            let found = jobs(&graph, &all, &seconds, most);
            assert_eq!(found, jobs(&graph, &all, &seconds, most));
            assert!(found.len() <= most);
            let mut placed: Vec<&String> = found.iter().flat_map(|job| &job.services).collect();
            placed.sort();
            assert!(placed.into_iter().eq(&all));
            for (job, service) in
                found.iter().flat_map(|job| job.services.iter().map(move |s| (job, s)))
            {
                assert!(graph.direct(service).all(|on| job.services.iter().any(|s| s == on)));
            }
            let total: f64 = seconds.values().sum();
            let of_group = |group: Vec<String>| group.iter().map(|s| seconds[s]).sum::<f64>();
            let largest = connected(&graph, &all).into_iter().map(of_group).fold(0.0, f64::max);
            assert!(found.iter().all(|job| job.seconds <= total / most as f64 + largest + 0.001));
        }
    }
}
