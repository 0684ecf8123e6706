//! Reports of recorded runs: what they hold, the Markdown, comparisons, the command.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/sample_report.rs"]
mod sample_report;
mod support;

use sample_report::real;
use std::collections::BTreeMap;
use support::Repository;
use xtask::docker::bake::Definition;
use xtask::docker::build::{Built, Failed, Outcome};
use xtask::docker::progress::Progress;
use xtask::docker::pushed_bytes::Sent;
use xtask::plan::{Action, EventFields, Plan, ServicePlan};
use xtask::report::assemble::{self, Run, Traffic};
use xtask::report::data::{Report, SCHEMA, Step};
use xtask::report::{json, summary, timeline};

fn service(name: &str, action: Action) -> ServicePlan {
    ServicePlan {
        service: name.into(),
        image: format!("r.io/x/{name}"),
        action,
        reason: "nothing is published of its fingerprint".into(),
        published: None,
        pull: false,
        anew: false,
        fingerprint: None,
        no_fingerprint: Vec::new(),
        handle: "fp".into(),
        depends_on: Vec::new(),
        platforms: Vec::new(),
        push: true,
        tags: vec!["dev".into()],
        stays: Vec::new(),
        cache_from: Vec::new(),
        cache_to: Vec::new(),
    }
}

fn plan(services: Vec<ServicePlan>) -> Plan {
    let event =
        EventFields { kind: "dev", revision: None, r#ref: None, version: None, fork: false };
    let (definition, levels, warnings) = (Definition::default(), Vec::new(), Vec::new());
    Plan { schema: 1, event, services, definition, levels, warnings }
}

fn replayed(targets: &[&str], stream: &str) -> Progress {
    let targets: Vec<String> = targets.iter().map(|target| (*target).to_owned()).collect();
    let mut progress = Progress::new(&targets);
    stream.lines().for_each(|line| drop(progress.line(line)));
    progress
}

fn built(progress: &Progress, service: &str) -> Outcome {
    Outcome::Built(Built {
        digest: progress.digest(service).map(str::to_owned),
        cache: progress.cache(service).map(str::to_owned),
        seconds: progress.seconds(service),
        steps: progress.steps(service),
    })
}

fn told(
    plan: &Plan,
    outcomes: &BTreeMap<String, Outcome>,
    bakes: &[Progress],
    pushed: &BTreeMap<String, Sent>,
    usual: &assemble::Usual,
) -> Report {
    assemble::report(&Run {
        project: "x",
        plan,
        outcomes,
        bakes,
        began: "2026-11-24T11:32:17Z".into(),
        began_at: 1_795_519_937.0,
        took: 3.0,
        line_of: &|_, step| step.contains("RUN").then_some(7),
        pushed,
        untold: &BTreeMap::new(),
        sees_store: false,
        own: Traffic { received: 100, sent: 10 },
        network: None,
        of_bases: None,
        why: &BTreeMap::new(),
        usual,
        bases: BTreeMap::new(),
        volatile_args: BTreeMap::new(),
    })
}

#[test]
fn a_recorded_push_is_told_with_its_steps() {
    let bake = replayed(&["c"], include_str!("rawjson/single-target-pushed.jsonl"));
    let plan = plan(vec![service("c", Action::Build), service("d", Action::Promote)]);
    let promoted = Outcome::Promoted("sha256:d".into());
    let outcomes = [("c".to_owned(), built(&bake, "c")), ("d".to_owned(), promoted)].into();
    let pushed = [("c".to_owned(), Sent { image: 1_000, cache: 500 })].into();
    let cached = ("c".to_owned(), String::new(), "WORKDIR /x".to_owned());
    let usual = [(cached, assemble::Took { seconds: 4.0, moved: None })].into();
    let report = told(&plan, &outcomes, &[bake], &pushed, &usual);

    let steps = report.steps.unwrap();
    assert_eq!((report.schema, steps.total, steps.cached), (SCHEMA, 3, 1));
    assert_eq!(report.hit_rate, Some(0.333));
    let of_c = &report.services[0];
    assert_eq!((of_c.pushed, of_c.cache_pushed), (Some(1_500), Some(500)));
    assert_eq!((report.pushed, report.cache_pushed), (Some(1_510), Some(500)));
    assert_eq!(report.pulled, of_c.pulled.map(|pulled| pulled + 100));
    assert_eq!(report.network, None);
    assert_eq!(report.cache.unwrap().saved_seconds, Some(4.0));

    let named =
        |name: &str| report.timeline.iter().find(|step| step.name.starts_with(name)).unwrap();
    let run = named("RUN echo hello");
    assert_eq!((run.number, run.line, run.result.as_str()), (Some((3, 4)), Some(7), "ran"));
    assert!(run.seconds() >= 1.0 && run.start > 0.0, "{run:?}");
    assert_eq!(report.timeline[run.needs[0]].name, "WORKDIR /x");
    assert!(run.critical, "all waited for it");
    assert_eq!(named("exporting to image").pushed, 1_000);
    assert_eq!(named("exporting cache").pushed, 500);
    assert!(report.timeline.iter().enumerate().all(|(place, step)| step.id == place));
}

#[test]
fn what_failed_and_what_was_not_said_is_absent() {
    let bake = replayed(&["a", "b"], include_str!("rawjson/one-fails.jsonl"));
    let failed = Failed { step: bake.failed_steps().pop(), last_words: String::new() };
    let plan = plan(vec![service("a", Action::Build), service("b", Action::Build)]);
    let failed = Outcome::Failed(Box::new(failed));
    let outcomes = [("a".to_owned(), built(&bake, "a")), ("b".to_owned(), failed)].into();
    let report = told(&plan, &outcomes, &[bake], &BTreeMap::new(), &BTreeMap::new());
    assert_eq!((report.services[0].pushed, report.pushed), (None, None));
    let b = &report.services[1];
    assert_eq!((b.outcome.as_str(), b.digest.as_ref()), ("failed", None));
    assert!(b.error.as_ref().unwrap().contains("exit code: 3"));
    assert!(report.timeline.iter().any(|step| step.result == "failed"));
    let json = serde_json::to_value(&report).unwrap();
    assert!(json.get("pushed").is_none() && json["services"][1].get("seconds").is_none());
    let text = summary::markdown(&report);
    assert!(text.contains("- **b** failed at `[2/3] RUN echo before"), "{text}");
}

#[test]
fn a_run_that_built_nothing_has_no_steps_and_no_rate() {
    let plan = plan(vec![service("a", Action::Skip)]);
    let outcomes = [("a".to_owned(), Outcome::Skipped(Some("sha256:a".into())))].into();
    let report = told(&plan, &outcomes, &[], &BTreeMap::new(), &BTreeMap::new());
    assert_eq!((report.steps, report.hit_rate, report.cache), (None, None, None));
    assert_eq!((report.pulled, report.pushed), (Some(100), Some(10)));
    let text = summary::markdown(&report);
    assert!(text.contains("| a | skip |  |  |  | 0 B | 0 B | `sha256:a` |"), "{text}");
    assert!(!text.contains("Slowest") && !text.contains("Why they were built"), "{text}");
}

#[test]
fn the_summary_of_three_services() {
    let mut report = real();
    report.services[1].why =
        Some("services/git-server/serve changed (content), since dev (1a2b3c4)".into());
    let text = summary::markdown(&report);
    let expected = include_str!("data/reports/three-services.md");
    if std::env::var("XTASK_ACCEPT").is_ok() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/reports/three-services.md");
        std::fs::write(file, &text).unwrap();
        return;
    }
    assert_eq!(text, expected);
}

#[test]
fn every_report_comes_back_equal() {
    for report in [real(), Report::default()] {
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    }
}

/// `report` reads what an earlier version wrote, and says what of two reports differs.
#[test]
fn the_command_prints_compares_and_draws() {
    let repository = Repository::new(&[("services/services.toml", "[project]\nname = \"x\"\n")]);
    let call = |args: &[&str]| repository.xtask(args).run();
    call(&["report"]).refused("no run has left a report");

    let mut slow = real();
    let longest = |a: &&mut Step, b: &&mut Step| a.seconds().total_cmp(&b.seconds());
    slow.timeline.iter_mut().max_by(longest).unwrap().end += 60.0;
    repository.write("target/xtask/report.json", &serde_json::to_string(&slow).unwrap());
    repository.write("before.json", &serde_json::to_string(&real()).unwrap());

    let ran = call(&["report"]).success();
    assert!(ran.stdout.starts_with("### autogit: dev\n"), "{}", ran.stdout);
    let page = std::fs::read_to_string(repository.root().join("target/xtask/timeline.html"));
    assert_eq!(page.unwrap(), timeline::html(&slow));

    let ran = call(&["report", "--compare", "before.json"]).success();
    let line = "steps that became slower:\n  79 s -> 2 min 19 s  runner-coordinator build: RUN";
    assert!(ran.stdout.contains(line), "{}", ran.stdout);
    let json = call(&["report", "before.json", "--compare", "target/xtask/report.json", "--json"]);
    let json = json.success().json();
    assert_eq!(
        (json["schema"].clone(), json["steps"][0]["change"].clone()),
        (1.into(), "faster".into())
    );
    assert!(repository.root().join("before.html").is_file());

    let old = r#"{"schema":1,"event":{"kind":"pr"},"seconds":1.5,"services":[{"service":"a","outcome":"skipped"}]}"#;
    repository.write("old.json", old);
    let ran = call(&["report", "old.json"]).success();
    assert!(ran.stdout.contains("1 service: 1 skipped in 1.5 s"), "{}", ran.stdout);
    repository.write("new.json", r#"{"schema":3}"#);
    call(&["report", "new.json"]).refused("is of a later version of this program (schema 3)");
    repository.write("other.json", "[]");
    call(&["report", "other.json"]).refused("is no report of this program");
}

/// A run that builds nothing is the last one, but not what the next is compared with.
#[test]
fn the_last_two_builds_are_kept() {
    let folder = support::Folder::new();
    let root = camino::Utf8PathBuf::from_path_buf(folder.0.clone()).unwrap();
    let (first, nothing) = (real(), Report { schema: SCHEMA, ..Report::default() });
    let second = Report { seconds: 1.0, ..real() };
    json::write(&root, &first).unwrap();
    json::write(&root, &nothing).unwrap();
    assert_eq!(json::read(&json::last(&root)).unwrap(), nothing);
    assert_eq!(json::built_reports(&root), std::slice::from_ref(&first));
    json::write(&root, &second).unwrap();
    assert_eq!(json::built_reports(&root), [first, second]);
}
