//! The API over a real port, with a clock that the test moves.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;

use std::{collections::BTreeSet, thread};

use serde_json::{Value, json};
use server::Server;

fn event(id: &str) -> Value {
    json!({
        "id": id, "repository": "team/app", "ref": "refs/heads/main",
        "before": "0".repeat(40), "after": "a".repeat(40), "pusher": "ann", "at": "2026-01-01T00:00:00Z",
    })
}

#[test]
fn a_push_becomes_a_job_that_a_runner_does() {
    let server = Server::start();
    let (status, answer) = server.post("/events", &event("e"));
    assert_eq!((status, &answer["job"]["state"]), (201, &json!("queued")));
    assert_eq!(server.post("/events", &event("e")), (200, answer));

    let (_, claim) = server.post("/jobs/claim", &json!({"runner": "r1"}));
    assert_eq!(claim["job"]["runner"], "r1");
    server.advance(50);
    let (status, renewed) = server.post("/jobs/1/renew", &json!({"lease": claim["lease"]}));
    assert_eq!((status, &renewed["lease_expires_at"]), (200, &json!(150)));
    let end = json!({"lease": claim["lease"], "outcome": "success"});
    assert_eq!(server.post("/jobs/1/finish", &end).0, 200);
    assert_eq!(server.get("/jobs/1").1["state"], "success");
    assert_eq!(server.post("/jobs/claim", &json!({"runner": "r1"})).0, 204);
}

#[test]
fn ten_runners_claim_at_once_and_each_job_goes_to_one() {
    let server = Server::start();
    for number in 0..7 {
        server.post("/events", &event(&number.to_string()));
    }
    let answers: Vec<_> = thread::scope(|scope| {
        let server = &server;
        let runners: Vec<_> = (0..10)
            .map(|runner| {
                scope.spawn(move || {
                    server.post("/jobs/claim", &json!({"runner": format!("r{runner}")}))
                })
            })
            .collect();
        runners.into_iter().map(|runner| runner.join().unwrap()).collect()
    });
    let ids: Vec<i64> = answers
        .iter()
        .filter(|(status, _)| *status == 200)
        .map(|(_, claim)| claim["job"]["id"].as_i64().unwrap())
        .collect();
    assert_eq!(ids.len(), 7);
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), (1..=7).collect());
    assert_eq!(answers.iter().filter(|(status, _)| *status == 204).count(), 3);
}

#[test]
fn a_dead_runner_loses_its_job_to_another() {
    let server = Server::start();
    server.post("/events", &event("e"));
    let (_, lost) = server.post("/jobs/claim", &json!({"runner": "dead"}));
    server.advance(100);
    assert_eq!(server.get("/jobs/1").1["state"], "queued");
    let (_, again) = server.post("/jobs/claim", &json!({"runner": "alive"}));
    assert_eq!((&again["job"]["id"], &again["job"]["attempts"]), (&json!(1), &json!(2)));
    let late = json!({"lease": lost["lease"], "outcome": "success"});
    let (status, answer) = server.post("/jobs/1/finish", &late);
    assert_eq!((status, answer), (409, json!({"error": "job 1 is not held by this lease"})));
}

#[test]
fn nothing_is_lost_over_a_restart() {
    let mut server = Server::start();
    server.post("/events", &event("a"));
    server.post("/events", &event("b"));
    let (_, claim) = server.post("/jobs/claim", &json!({"runner": "r"}));
    let before = server.get("/jobs");
    server.restart();
    assert_eq!(server.get("/jobs"), before);
    assert_eq!(server.post("/events", &event("a")).0, 200);
    let end = json!({"lease": claim["lease"], "outcome": "failure"});
    assert_eq!(server.post("/jobs/1/finish", &end).0, 200);
    assert_eq!(
        server.get("/jobs?state=failure&repo=team/app&ref=refs/heads/main&limit=1").1["jobs"][0]["id"],
        1
    );
}

#[test]
fn pages_follow_each_other() {
    let server = Server::start();
    for id in ["a", "b", "c"] {
        server.post("/events", &event(id));
    }
    let (_, page) = server.get("/jobs?limit=2");
    assert_eq!((page["jobs"].as_array().unwrap().len(), &page["next_before"]), (2, &json!(2)));
    let (_, page) = server.get("/jobs?limit=2&before=2");
    assert_eq!((page["jobs"].as_array().unwrap().len(), &page["next_before"]), (1, &Value::Null));
}

#[test]
fn changes_want_the_token_and_reading_does_not() {
    let server = Server::start();
    for path in ["/events", "/jobs/claim", "/jobs/1/renew", "/jobs/1/finish"] {
        for header in ["", "Authorization: Bearer wrong\r\n", "Authorization: Basic c2VzYW1l\r\n"] {
            let (status, answer) = server.ask("POST", path, header, "{}");
            assert_eq!(status, 401, "{path} {header}");
            assert!(answer["error"].as_str().unwrap().contains("Bearer"));
        }
    }
    assert_eq!(server.ask("GET", "/jobs", "", "").0, 200);
    assert_eq!(server.ask("GET", "/healthz", "", ""), (200, json!({"status": "ok"})));

    let closed = Server::start_with(None);
    let (status, answer) = closed.post("/events", &event("e"));
    assert_eq!(status, 403);
    assert!(answer["error"].as_str().unwrap().contains("COORDINATOR_TOKEN"));
}

#[test]
fn every_refusal_is_json() {
    let server = Server::start();
    let json_header = "Authorization: Bearer sesame\r\nContent-Type: application/json\r\n";
    let long = format!("\"{}\"", "x".repeat(70_000));
    for (method, path, headers, body, expected) in [
        ("GET", "/nothing", "", "", 404),
        ("GET", "/jobs/1", "", "", 404),
        ("GET", "/jobs/x", "", "", 400),
        ("GET", "/jobs?state=done", "", "", 400),
        ("GET", "/jobs?stat=queued", "", "", 400),
        ("GET", "/jobs?limit=0", "", "", 400),
        ("DELETE", "/jobs/1", "", "", 405),
        ("POST", "/events", json_header, "{", 400),
        ("POST", "/events", json_header, "{}", 422),
        ("POST", "/events", json_header, &long, 413),
        ("POST", "/events", "Authorization: Bearer sesame\r\n", "{}", 415),
        ("POST", "/jobs/claim", json_header, r#"{"runner": ""}"#, 422),
        ("POST", "/jobs/9/finish", json_header, r#"{"lease": "x", "outcome": "success"}"#, 404),
        ("POST", "/jobs/9/finish", json_header, r#"{"lease": "x", "outcome": "well"}"#, 422),
    ] {
        let (status, answer) = server.ask(method, path, headers, body);
        assert_eq!(status, expected, "{method} {path} {answer}");
        assert!(answer["error"].is_string(), "{method} {path} {answer}");
    }
    server.post("/events", &event("e"));
    let mut other = event("e");
    other["pusher"] = json!("bob");
    assert_eq!(server.post("/events", &other).0, 409);
}

#[test]
fn it_stops_at_once_although_a_client_hangs() {
    let mut server = Server::start();
    let _hanging = server.connect();
    let began = std::time::Instant::now();
    server.stop();
    assert!(began.elapsed() < std::time::Duration::from_millis(1900));
}
