use super::*;
use crate::bench::report::tests::report;
use crate::bench::report::{Run, Steps};
use crate::bench::traffic::Traffic;

/// Three runs that differ by a tenth.
fn runs(seconds: f64, requests: u64, cached: u64) -> Vec<Run> {
    let run = |factor: f64| Run {
        seconds: seconds * factor,
        traffic: Traffic { requests, tags: 60, bytes_pulled: 5_000, ..Traffic::default() },
        peak_memory: None,
        steps: Some(Steps { total: 100, cached }),
    };
    [0.95, 1.0, 1.05].map(run).into()
}

fn verdicts(new: &[Run], old: &[Run], bake: (f64, f64)) -> Vec<Verdict> {
    let (now, before) = (runs(bake.0, 500, 100), runs(bake.1, 500, 100));
    let new = report(&[("xtask", new), ("bake", &now)]);
    let old = report(&[("xtask", old), ("bake", &before)]);
    against(&new, &old).unwrap()
}

fn weights(verdicts: &[Verdict]) -> Vec<Weight> {
    verdicts.iter().map(|verdict| verdict.weight).collect()
}

#[test]
fn the_same_again_is_no_regression() {
    let same = verdicts(&runs(0.1, 20, 100), &runs(0.1, 20, 100), (2.0, 2.0));
    assert_eq!(weights(&same), [Weight::Same], "{same:?}");
    assert!(same[0].text.contains("beside bake: 1.00 times"), "{same:?}");
}

#[test]
fn a_slower_machine_is_no_regression_where_the_peer_is_as_much_slower() {
    let slower = verdicts(&runs(0.3, 20, 100), &runs(0.1, 20, 100), (6.0, 2.0));
    assert_eq!(weights(&slower), [Weight::Same], "{slower:?}");
}

#[test]
fn a_sleep_is_seen() {
    let slept = verdicts(&runs(0.16, 20, 100), &runs(0.1, 20, 100), (2.0, 2.0));
    assert_eq!(weights(&slept), [Weight::Worse], "{slept:?}");
    let faster = verdicts(&runs(0.1, 20, 100), &runs(0.16, 20, 100), (2.0, 2.0));
    assert_eq!(weights(&faster), [Weight::Better], "{faster:?}");
}

#[test]
fn one_request_more_and_one_hit_less_are_seen() {
    let more = verdicts(&runs(0.1, 21, 100), &runs(0.1, 20, 100), (2.0, 2.0));
    assert_eq!(weights(&more), [Weight::Worse, Weight::Same], "{more:?}");
    assert_eq!(more[0].to_string(), "WORSE    noop pr warm: requests: 21, before 20");
    let missed = verdicts(&runs(0.1, 20, 99), &runs(0.1, 20, 100), (2.0, 2.0));
    assert_eq!(missed[0].to_string(), "WORSE    noop pr warm: cached steps: 99, before 100");
    let fewer = verdicts(&runs(0.1, 19, 100), &runs(0.1, 20, 100), (2.0, 2.0));
    assert_eq!(weights(&fewer), [Weight::Better, Weight::Same], "{fewer:?}");
}

#[test]
fn bytes_may_differ_by_what_attestations_do() {
    let mut runs = runs(0.1, 20, 100);
    let old = runs.clone();
    runs.iter_mut().for_each(|run| run.traffic.bytes_pulled += 2_000);
    assert_eq!(weights(&verdicts(&runs, &old, (2.0, 2.0))), [Weight::Same]);
    runs.iter_mut().for_each(|run| run.traffic.bytes_pulled += 1);
    let verdicts = verdicts(&runs, &old, (2.0, 2.0));
    assert_eq!(verdicts[0].to_string(), "WORSE    noop pr warm: bytes pulled: 7001, before 5000");
}

#[test]
fn too_few_runs_and_too_much_noise_are_said() {
    let few = verdicts(&runs(0.3, 20, 100)[..2], &runs(0.1, 20, 100), (2.0, 2.0));
    assert_eq!(weights(&few), [Weight::Unknown], "{few:?}");
    let mut noisy = runs(0.1, 20, 100);
    noisy[2].seconds = 0.25;
    let noisy = verdicts(&noisy, &runs(0.1, 20, 100), (2.0, 2.0));
    assert_eq!(weights(&noisy), [Weight::Unknown], "{noisy:?}");
    assert!(noisy[0].text.ends_with("too noisy, more runs"), "{noisy:?}");
}

#[test]
fn what_only_one_has_is_said_and_other_work_is_refused() {
    let runs = runs(0.1, 20, 100);
    let (new, none) = (report(&[("xtask", &runs)]), report(&[]));
    assert_eq!(weights(&against(&new, &none).unwrap()), [Weight::Unknown]);
    assert_eq!(weights(&against(&none, &new).unwrap()), [Weight::Unknown]);
    let mut other = new.clone();
    other.work.services = 21;
    against(&new, &other).unwrap_err();
}
