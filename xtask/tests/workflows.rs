//! What `.github/workflows` says: each `run:` is a line that our own parser takes, and what a job may do, for how
//! long, and by which actions stands in tables here.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "workflows/reader.rs"]
mod reader;

mod support;

use clap::Parser as _;
use reader::{Job, Step, Workflow, actions, workflows};
use std::collections::{BTreeMap, BTreeSet};
use support::Repository;
use xtask::cli::{Cli, Task};

#[track_caller]
fn parsed(line: &str) -> Cli {
    let words = reader::words(line).unwrap_or_else(|why| panic!("`{line}`: {why}"));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ["cargo", "xtask", arguments @ ..] = &words[..] else {
        panic!("`{line}` is no call of `cargo xtask`")
    };
    let arguments = ["cargo xtask"].iter().chain(arguments);
    Cli::try_parse_from(arguments).unwrap_or_else(|error| panic!("`{line}`: {error}"))
}

fn steps() -> Vec<(String, Job, Step)> {
    let of = |workflow: Workflow| {
        let jobs = workflow.jobs.into_iter();
        jobs.flat_map(move |job| {
            let (name, job) = (format!("{}/{}", workflow.name, job.name), job);
            job.steps.clone().into_iter().map(move |step| (name.clone(), job.clone(), step))
        })
    };
    workflows().into_iter().flat_map(of).collect()
}

#[test]
fn each_run_is_one_line_that_our_parser_takes() {
    let lines: Vec<(String, String)> = steps()
        .into_iter()
        .filter_map(|(job, _, step)| Some((job, step.get("run")?.to_owned())))
        .collect();
    for (_, line) in &lines {
        parsed(line);
    }
    let jobs: BTreeSet<&str> = lines.iter().map(|(job, _)| job.as_str()).collect();
    let expected = [
        "bench/bench",
        "ci/test",
        "docker-build/build",
        "docker-build/gate",
        "docker-build/plan",
        "docker-dev-build/build",
        "docker-dev-build/plan",
        "release/publish",
        "warm-cache/warm",
    ];
    assert_eq!(jobs, expected.into());
}

#[test]
fn a_line_that_our_parser_does_not_take_is_seen() {
    for wrong in
        ["cargo xtask biuld-images", "cargo xtask matrix --job 3", "make", "cargo xtask plan; true"]
    {
        let wrong = wrong.to_owned();
        assert!(std::panic::catch_unwind(|| parsed(&wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn a_job_may_do_what_it_has_to() {
    let found: BTreeMap<String, String> = workflows()
        .into_iter()
        .flat_map(|workflow| {
            assert_eq!(workflow.permissions.as_deref(), Some("{}"), "{}", workflow.name);
            let name = workflow.name;
            workflow.jobs.into_iter().map(move |job| {
                (
                    format!("{name}/{}", job.name),
                    job.permissions.expect("its permissions").join(", "),
                )
            })
        })
        .collect();
    let expected = [
        ("bench/bench", "contents: read"),
        ("ci/test", "contents: read"),
        ("docker-build/build", "contents: read, packages: read"),
        ("docker-build/gate", "contents: read"),
        ("docker-build/plan", "contents: read"),
        ("docker-dev-build/build", "contents: read, packages: write"),
        ("docker-dev-build/plan", "contents: read"),
        ("release/github-release", "contents: write"),
        ("release/publish", "contents: read, packages: write"),
        ("warm-cache/warm", "contents: read, packages: write"),
    ];
    let expected = expected.map(|(job, may)| (job.to_owned(), may.to_owned()));
    assert_eq!(found, expected.into());
}

#[test]
fn actions_are_pinned_and_each_by_one_commit() {
    let mut pins: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for used in actions() {
        if used == "./.github/actions/xtask" {
            continue;
        }
        let (pin, version) = used.split_once(" # ").expect("the version as a comment");
        let (action, commit) = pin.split_once('@').expect("a commit");
        assert!(commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()), "{used}");
        let number = version.strip_prefix('v').expect("a version");
        assert!(semver::Version::parse(number).is_ok(), "{used}");
        let repository: Vec<&str> = action.split('/').take(2).collect();
        pins.entry(repository.join("/")).or_default().insert(format!("{commit} {version}"));
    }
    assert!(pins.values().all(|pins| pins.len() == 1), "{pins:?}");
    let found = pins.iter().map(|(action, pins)| (action.as_str(), pins.first().unwrap().as_str()));
    // Each commit was looked up in a clone of its repository: `git rev-parse VERSION^{commit}`.
    let expected = [
        ("actions/cache", "27d5ce7f107fe9357f9df03efb73ab90386fccae v5.0.5"),
        ("actions/checkout", "3d3c42e5aac5ba805825da76410c181273ba90b1 v7.0.1"),
        ("actions/download-artifact", "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c v8.0.1"),
        ("actions/upload-artifact", "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f v7.0.0"),
        ("crazy-max/ghaction-github-runtime", "04d248b84655b509d8c44dc1d6f990c879747487 v4.0.0"),
        ("docker/login-action", "4907a6ddec9925e35a0a9e82d7399ccc52663121 v4.1.0"),
        ("docker/setup-buildx-action", "37fe631027851001ddb9b187196cc803df7f5f0e v4.3.0"),
        ("softprops/action-gh-release", "b4309332981a82ec1c5618f44dd2e27cc8bfbfda v3.0.0"),
    ];
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn what_a_fork_wrote_reaches_nothing() {
    for workflow in workflows() {
        assert!(!workflow.text.contains("pull_request_target"), "{}", workflow.name);
        assert!(!workflow.text.contains("workflow_run"), "{}", workflow.name);
        assert!(!workflow.text.contains("secrets."), "{}", workflow.name);
        if workflow.on.contains_key("pull_request") {
            for job in &workflow.jobs {
                let may = job.permissions.clone().expect("its permissions").join(" ");
                assert!(!may.contains("write"), "{}/{}: {may}", workflow.name, job.name);
            }
        }
    }
    for (job, _, step) in steps() {
        if step.uses("actions/checkout") {
            assert_eq!(step.get("persist-credentials"), Some("false"), "{job}");
        }
        if job.starts_with("docker-build/") && step.uses("docker/login-action") {
            let when = step.get("if").expect("a condition");
            let own = "github.event.pull_request.head.repo.full_name == github.repository";
            assert!(when.ends_with(own), "{job}: {when}");
        }
    }
}

#[test]
fn who_writes_to_the_repository_runs_no_code_of_it() {
    for (name, job, step) in steps() {
        let may = job.permissions.expect("its permissions");
        if may.contains(&"contents: write".to_owned()) {
            assert_eq!(step.get("run"), None, "{name}");
            assert!(!step.uses("actions/checkout"), "{name}");
        }
    }
}

#[test]
fn runs_do_not_get_in_each_others_way() {
    for workflow in workflows() {
        let concurrency = &workflow.concurrency;
        assert!(concurrency.contains_key("group"), "{}", workflow.name);
        let cancels = concurrency["cancel-in-progress"].as_str();
        let publishes = workflow.text.contains("packages: write");
        assert_eq!(cancels == "false", publishes || workflow.name == "bench", "{}", workflow.name);
        let queue = concurrency.get("queue").map(String::as_str);
        assert_eq!(queue, (workflow.name == "release").then_some("max"), "{}", workflow.name);
        for job in &workflow.jobs {
            let minutes: u32 = job.timeout.as_deref().expect("a timeout").parse().unwrap();
            assert!((1..=120).contains(&minutes), "{}/{}", workflow.name, job.name);
        }
    }
}

#[test]
fn what_a_run_builds_is_checked_out_and_named() {
    for workflow in workflows() {
        let by_clock =
            ["schedule", "workflow_dispatch"].iter().any(|on| workflow.on.contains_key(*on));
        for job in &workflow.jobs {
            let name = format!("{}/{}", workflow.name, job.name);
            let checkout = job.steps.iter().find(|step| step.uses("actions/checkout"));
            let get = |key| checkout.and_then(|step| step.get(key));
            let asks: Vec<Task> =
                job.steps.iter().filter_map(|s| s.get("run")).map(|l| parsed(l).task).collect();
            let history = asks.iter().any(|task| {
                matches!(task, Task::Affected(_) | Task::Release { .. } | Task::WarmCache(_))
            });
            assert_eq!(get("fetch-depth") == Some("0"), history, "{name}");
            for task in &asks {
                if let Task::BuildImages(options) = task {
                    assert_eq!(options.event.as_deref() == Some("dev"), by_clock, "{name}");
                }
            }
            if by_clock {
                let refs = [
                    "dev",
                    "${{ github.event_name == 'push' && github.sha || 'dev' }}",
                    "${{ needs.plan.outputs.commit }}",
                ];
                assert!(
                    get("ref").is_some_and(|at| refs.contains(&at)),
                    "{name}: {:?}",
                    get("ref")
                );
            }
        }
    }
}

#[test]
fn who_builds_is_given_the_variables_of_the_gha_cache() {
    let mut builders = 0;
    for workflow in workflows() {
        for job in &workflow.jobs {
            let builds = |step: &Step| {
                let task = step.get("run").map(|line| parsed(line).task);
                let is = |task| {
                    matches!(task, Task::BuildImages(_) | Task::Release { .. } | Task::WarmCache(_))
                };
                task.is_some_and(is)
            };
            let Some(first) = job.steps.iter().position(builds) else { continue };
            builders += 1;
            for action in ["docker/setup-buildx-action", "crazy-max/ghaction-github-runtime"] {
                let at = job.steps.iter().position(|step| step.uses(action));
                assert!(
                    at.is_some_and(|at| at < first),
                    "{}/{}: {action}",
                    workflow.name,
                    job.name
                );
            }
        }
    }
    assert_eq!(builders, 4);
}

#[test]
fn the_gate_needs_every_job() {
    let workflow =
        workflows().into_iter().find(|workflow| workflow.name == "docker-build").unwrap();
    let gate = workflow.jobs.iter().find(|job| job.name == "gate").unwrap();
    assert_eq!(gate.condition.as_deref(), Some("always()"));
    let others = workflow.jobs.iter().filter(|job| job.name != "gate").map(|job| job.name.as_str());
    let needs = gate.needs.as_deref().unwrap().trim_matches(['[', ']']).split(", ");
    assert_eq!(needs.collect::<BTreeSet<_>>(), others.collect());
}

#[test]
fn the_gate_and_outputs_of_steps_at_a_desk() {
    let repository = Repository::new(&[
        (
            "services/services.toml",
            "[project]\nname = \"a\"\nregistry = \"r.example/a\"\n[services.web]\n",
        ),
        ("services/web/Dockerfile", "FROM scratch\n"),
    ]);
    let run = |args: &[&str]| repository.xtask(args).run();
    let needs = |plan, build| {
        format!(
            "{{\"plan\":{{\"result\":\"{plan}\",\"outputs\":{{}}}},\"build\":{{\"result\":\"{build}\"}}}}"
        )
    };
    let gate = |plan, build| run(&["gate", "--may-skip", "build", &needs(plan, build)]).code;
    assert_eq!(gate("success", "skipped"), Some(0));
    assert_eq!(gate("success", "cancelled"), Some(1));
    assert_eq!(gate("skipped", "skipped"), Some(1));
    run(&["gate", ""]).refused("these are no needs");
    run(&["gate", "{}"]).refused("there are no needs");
    run(&["gate", "--may-skip", "biuld", &needs("success", "success")]).refused("no such job");
    let matrix = run(&["matrix", "--as", "jobs"]).success().stdout;
    assert_eq!(matrix, "jobs={\"include\":[{\"name\":\"web\",\"services\":\"web\"}]}\n");
    run(&["matrix", "--as", "a=b"]).refused("it begins with a letter");
    run(&["build-images", "--test", "--event", "dev"]).refused("this one pushes them");
    run(&["build-images", "web nothing"]).refused("nothing");
}
