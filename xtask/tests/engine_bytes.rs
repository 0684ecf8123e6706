//! Bytes in reports are true: held against what a relay before the registry counts.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/registry.rs"]
mod registry;
mod support;

use registry::relay_to;
use relay::{Canned, Relay, Then, When};
use std::net::SocketAddr;
use support::{EmptyEngine, Engine, Repository, busybox, engine, unique};
use xtask::report::data::Report;

const WEB: &str = "FROM busybox:debian AS builder
RUN : NAME; head -c 6000000 /dev/urandom > /layer
COPY data /data
RUN echo built > /out
FROM busybox:debian
WORKDIR /app
RUN : NAME; head -c 3000000 /dev/urandom > /own
COPY --from=builder /layer /layer
COPY --from=builder /out /out
";

/// Two services, one on the other; `small` shares no layer with them.
fn services(relay: &Relay) -> Repository {
    // Layers of its own: what the engine has pushed elsewhere before, it has the registry link.
    let name = unique("bytes");
    let place = format!("{}/{name}", relay.address());
    let web = WEB.replace("NAME", &name);
    let api = format!("FROM {place}/web\nRUN head -c 1000000 /dev/urandom > /api\n");
    let small = format!("FROM busybox:debian\nRUN echo {name} > /small\n");
    let services = [("web", web.as_str()), ("api", &api), ("small", &small)];
    let repository =
        busybox(&place, "[services.web]\n[services.api]\n[services.small]\n", &services);
    repository.write("services/web/data", &"0123456789abcdef".repeat(100_000));
    repository.commit("data");
    repository
}

/// What a call reports, and what the relay saw go up and down meanwhile.
fn run(
    engine: &Engine,
    relay: &Relay,
    repository: &Repository,
    args: &[&str],
) -> (Report, u64, u64) {
    relay.reset();
    let ran = engine.xtask(repository, &[args, &["--json"]].concat()).run().success();
    let totals = relay.totals();
    let report: Report = serde_json::from_str(&ran.stdout).unwrap();
    (report, totals.up, totals.down)
}

#[track_caller]
fn near(reported: Option<u64>, seen: u64, what: &str) {
    let reported = reported.unwrap_or_else(|| panic!("{what} is absent"));
    println!("{what}: {reported} reported, {seen} seen");
    // What is smaller than this are manifests and tokens.
    let tolerance = (seen / 20).max(20_000);
    assert!(reported.abs_diff(seen) <= tolerance, "{what}: {reported} reported, {seen} seen");
}

const DEV: [&str; 3] = ["build-images", "--event", "dev"];

#[test]
fn what_is_pulled_and_pushed_is_what_a_relay_counts() {
    let relay = relay_to(engine());
    let repository = services(&relay);

    let (cold, up, down) = run(engine(), &relay, &repository, &DEV);
    near(cold.pushed, up, "pushed cold");
    near(cold.pulled, down, "pulled cold");
    assert!(cold.pushed > Some(12_000_000) && cold.cache_pushed > Some(6_000_000), "{cold:?}");

    let forced = [&DEV[..], &["--force"]].concat();
    let (warm, up, down) = run(engine(), &relay, &repository, &forced);
    near(warm.pushed, up, "pushed warm");
    near(warm.pulled, down, "pulled warm");
    assert_eq!(warm.hit_rate, Some(1.0));

    let fresh = EmptyEngine::start();
    let all = ["build-images", "--event", "pr", "--no-skip"];
    let (pr, up, down) = run(&fresh.0, &relay, &repository, &all);
    near(pr.pulled, down, "pulled by a pull request on a fresh engine");
    assert_eq!((pr.pushed, up), (Some(0), 0));
    // `api` is fed by the build of `web` here, not by what is published, and that is another key.
    assert!(pr.hit_rate > Some(0.8), "{:?}", pr.hit_rate);

    let file = repository.root().join("services/web/Dockerfile");
    let edited = std::fs::read_to_string(file).unwrap().replace("echo built", "echo rebuilt");
    repository.write("services/web/Dockerfile", &edited);
    repository.commit("edit");
    let other = EmptyEngine::start();
    let (edit, up, down) = run(&other.0, &relay, &repository, &DEV);
    near(edit.pushed, up, "pushed after an edit on a fresh engine");
    near(edit.pulled, down, "pulled after an edit on a fresh engine");
    assert!(edit.hit_rate < Some(1.0) && edit.hit_rate > Some(0.5), "{:?}", edit.hit_rate);

    let (nothing, up, down) = run(engine(), &relay, &repository, &DEV);
    near(nothing.pushed, up, "pushed where nothing is built");
    near(nothing.pulled, down, "pulled where nothing is built");
    assert_eq!(nothing.hit_rate, None, "of no steps there is no rate");
}

/// What stood in the repository before was not said: what of it is new nobody knows.
#[test]
fn what_cannot_be_known_is_absent_not_zero() {
    let relay = relay_to(engine());
    let repository = services(&relay);
    let broken = || Then::Answer(Canned::status(500));
    relay.rule(When::on("GET", "/web/manifests/latest"), broken());
    let (report, ..) = run(engine(), &relay, &repository, &DEV);
    let web = report.services.iter().find(|service| service.service == "web").unwrap();
    assert_eq!((web.outcome.as_str(), web.pushed, web.cache_pushed), ("built", None, None));
    let small = report.services.iter().find(|service| service.service == "small").unwrap();
    assert!(small.pushed.is_some());
    assert_eq!(report.pushed, None, "a sum of what is not known is not known");
}

/// What a RUN fetches goes over the bridge of the engine.
#[test]
fn what_steps_fetch_is_network() {
    let anywhere = busybox("registry.invalid", "[services.web]\n", &[("web", "FROM scratch\n")]);
    let status = engine().xtask(&anywhere, &["engine", "status", "--json"]);
    let status = status.run().success().json();
    let block = status["addresses"].as_str().unwrap();
    let host = block.split('/').next().unwrap().rsplit_once('.').unwrap().0.to_owned() + ".1";
    let upstream: SocketAddr = engine().registry().parse().unwrap();
    let server = Relay::start_at(upstream, format!("{host}:0").parse().unwrap()).unwrap();
    let file = Canned::status(200).body(vec![7; 4_000_000]);
    server.rule(When::on("GET", "/file"), Then::Answer(file));
    let fetch = format!(
        "FROM busybox:debian\nRUN busybox wget -O /file http://{}/file\n",
        server.address()
    );
    let place = registry::place(engine());
    let repository = busybox(&place, "[services.web]\n", &[("web", &fetch)]);
    let ran = engine().xtask(&repository, &["build-images", "--event", "pr", "--json"]);
    let report: Report = serde_json::from_str(&ran.run().success().stdout).unwrap();
    let network = report.network.unwrap();
    println!("network: {network} reported, 4000000 fetched");
    // Headers of packets and acknowledgements are bytes too.
    assert!((4_000_000..4_400_000).contains(&network), "{network}");
}

/// Also of a run that fails.
#[test]
fn on_github_there_is_a_summary_with_outputs() {
    let place = registry::place(engine());
    let manifest = "[services.good]\n[services.bad]\n";
    let good = "FROM busybox:debian\nRUN echo good > /good\n";
    let bad = "FROM busybox:debian\nRUN echo `date` | grep never\n";
    let repository = busybox(&place, manifest, &[("good", good), ("bad", bad)]);
    let file = |name: &str| repository.root().join("target").join(name);
    std::fs::create_dir_all(file("")).unwrap();
    let path = |name: &str| file(name).to_str().unwrap().to_owned();
    let ran = engine()
        .xtask(&repository, &["build-images", "--event", "pr"])
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &path("summary.md"))
        .env("GITHUB_OUTPUT", &path("outputs"))
        .run();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let summary = std::fs::read_to_string(file("summary.md")).unwrap();
    assert!(
        summary.contains("| good | build | ") && summary.contains("| bad | build: **failed** |")
    );
    assert!(summary.contains("- **bad** failed at ``"), "{summary}");
    let outputs = std::fs::read_to_string(file("outputs")).unwrap();
    for (name, value) in [("built", "1"), ("failed", "1"), ("skipped", "0")] {
        assert!(outputs.contains(&format!("{name}<<END\n{value}\nEND\n")), "{outputs}");
    }
    let report = outputs.split_once("report<<END\n").unwrap().1.split_once('\n').unwrap().0;
    let report: Report = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    assert!(report.timeline.iter().any(|step| step.result == "failed"));
    let page = std::fs::read_to_string(repository.root().join("target/xtask/timeline.html"));
    assert!(page.unwrap().contains("grep never"));
}
