//! The queue's rules, with a clock that is a number.

use std::time::Duration;

use super::{Enqueued, Filter, Held, Store};
use crate::{
    event::PushEvent,
    job::{Job, Outcome, Rules, State},
};

const RULES: Rules = Rules { lease: Duration::from_millis(100), max_attempts: 2 };

fn event(id: &str) -> PushEvent {
    PushEvent {
        id: id.into(),
        repository: "team/app".into(),
        reference: format!("refs/heads/{id}"),
        before: "0".repeat(40),
        after: "a".repeat(40),
        pusher: "ann".into(),
        at: String::new(),
    }
}

fn store(events: &[&str]) -> Store {
    let mut store = Store::in_memory().unwrap();
    for id in events {
        store.enqueue(&event(id), 0).unwrap();
    }
    store
}

fn job(store: &mut Store, now: i64) -> Job {
    store.job(1, RULES, now).unwrap().unwrap()
}

#[test]
fn an_event_makes_one_job_however_often_it_comes() {
    let mut store = store(&[]);
    let Enqueued::New(Some(first)) = store.enqueue(&event("a"), 5).unwrap() else {
        panic!("not new")
    };
    assert_eq!((first.state, first.created_at, first.attempts), (State::Queued, 5, 0));
    assert_eq!(store.enqueue(&event("a"), 6).unwrap(), Enqueued::Known(Some(first)));
    let other = PushEvent { pusher: "bob".into(), ..event("a") };
    assert_eq!(store.enqueue(&other, 7).unwrap(), Enqueued::Conflict);
    assert_eq!(store.list(&Filter { limit: 9, ..Filter::default() }, RULES, 7).unwrap().len(), 1);
}

#[test]
fn a_deleted_ref_makes_no_job() {
    let mut store = store(&[]);
    let deletion = PushEvent { after: "0".repeat(40), ..event("a") };
    assert_eq!(store.enqueue(&deletion, 0).unwrap(), Enqueued::New(None));
    assert_eq!(store.enqueue(&deletion, 0).unwrap(), Enqueued::Known(None));
    assert_eq!(store.claim("r", RULES, 0).unwrap(), None);
}

#[test]
fn jobs_are_handed_out_in_order_and_once() {
    let mut store = store(&["a", "b"]);
    let claims: Vec<_> =
        (0..3).map(|_| store.claim("r", RULES, 0).unwrap().map(|claim| claim.job.event)).collect();
    assert_eq!(claims, [Some("a".into()), Some("b".into()), None]);
}

#[test]
fn a_renewed_lease_lasts() {
    let mut store = store(&["a"]);
    let claim = store.claim("r", RULES, 0).unwrap().unwrap();
    assert_eq!(claim.job.lease_expires_at, Some(100));
    assert!(
        matches!(store.renew(1, &claim.lease, RULES, 99).unwrap(), Held::Yes(job) if job.lease_expires_at == Some(199))
    );
    assert_eq!(job(&mut store, 198).state, State::Running);
    assert_eq!(store.renew(1, &claim.lease, RULES, 199).unwrap(), Held::No);
}

#[test]
fn a_lost_job_is_claimed_again_and_its_first_runner_has_no_say() {
    let mut store = store(&["a"]);
    let lost = store.claim("first", RULES, 0).unwrap().unwrap();
    assert_eq!(store.claim("second", RULES, 99).unwrap(), None);
    let again = store.claim("second", RULES, 100).unwrap().unwrap();
    assert_eq!((again.job.attempts, again.job.runner.as_deref()), (2, Some("second")));
    assert_ne!(lost.lease, again.lease);
    assert_eq!(store.finish(1, &lost.lease, Outcome::Failure, RULES, 101).unwrap(), Held::No);
    assert!(matches!(
        store.finish(1, &again.lease, Outcome::Success, RULES, 102).unwrap(),
        Held::Yes(_)
    ));
    let job = job(&mut store, 102);
    assert_eq!(
        (job.state, job.finished_at, job.lease_expires_at),
        (State::Success, Some(102), None)
    );
}

#[test]
fn a_job_that_is_lost_too_often_has_failed() {
    let mut store = store(&["a"]);
    store.claim("r", RULES, 0).unwrap().unwrap();
    store.claim("r", RULES, 100).unwrap().unwrap();
    let job = job(&mut store, 200);
    assert_eq!(job.state, State::Failure);
    assert_eq!(job.reason.as_deref(), Some("given up: the lease expired 2 times"));
    assert_eq!(store.claim("r", RULES, 300).unwrap(), None);
}

#[test]
fn finishing_twice_is_no_error_unless_the_outcome_differs() {
    let mut store = store(&["a"]);
    let lease = store.claim("r", RULES, 0).unwrap().unwrap().lease;
    for now in [1, 2000] {
        let held = store.finish(1, &lease, Outcome::Success, RULES, now).unwrap();
        assert!(matches!(held, Held::Yes(job) if job.finished_at == Some(1)));
    }
    assert_eq!(store.finish(1, &lease, Outcome::Failure, RULES, 3).unwrap(), Held::No);
    assert_eq!(store.renew(1, &lease, RULES, 3).unwrap(), Held::No);
}

#[test]
fn only_the_right_lease_counts() {
    let mut store = store(&["a"]);
    assert_eq!(store.finish(1, "", Outcome::Success, RULES, 0).unwrap(), Held::No);
    store.claim("r", RULES, 0).unwrap().unwrap();
    assert_eq!(store.finish(1, "guess", Outcome::Success, RULES, 0).unwrap(), Held::No);
    assert_eq!(store.finish(7, "guess", Outcome::Success, RULES, 0).unwrap(), Held::Unknown);
}

#[test]
fn filters_and_pages() {
    let mut store = store(&["a", "b", "c"]);
    store.claim("r", RULES, 0).unwrap().unwrap();
    let mut ids = |filter: Filter| -> Vec<i64> {
        store.list(&filter, RULES, 1).unwrap().into_iter().map(|job| job.id).collect()
    };
    let all = Filter { limit: 10, ..Filter::default() };
    assert_eq!(ids(all.clone()), [3, 2, 1]);
    assert_eq!(ids(Filter { limit: 2, ..all.clone() }), [3, 2]);
    assert_eq!(ids(Filter { before: Some(2), ..all.clone() }), [1]);
    assert_eq!(ids(Filter { state: Some(State::Queued), ..all.clone() }), [3, 2]);
    assert_eq!(ids(Filter { reference: Some("refs/heads/b".into()), ..all.clone() }), [2]);
    assert_eq!(ids(Filter { repository: Some("team".into()), ..all }), [0_i64; 0]);
}

#[test]
fn a_file_keeps_everything_and_a_newer_one_is_refused() {
    let path = std::env::temp_dir().join(format!("coordinator-{}.db", std::process::id()));
    Store::open(&path).unwrap().enqueue(&event("a"), 1).unwrap();
    let mut store = Store::open(&path).unwrap();
    assert_eq!(job(&mut store, 2).event, "a");
    store.connection.pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(&path).err().unwrap();
    assert!(error.to_string().contains("of version 99"), "{error}");
    drop(store);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
}
