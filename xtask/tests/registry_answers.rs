//! What each misbehaviour of a registry leads to (DESIGN 4.5), against local servers that misbehave.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "a test tells the real time")]

use relay::{Canned, Received, Reply, Scripted};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant, SystemTime};
use xtask::docker::registry::oci::{digest_of, media};
use xtask::docker::registry::{
    Answer, AtOnce, Deletion, Kind, Options, Patience, Reference, Registry,
};

const PATIENCE: Patience = Patience {
    connect: Duration::from_millis(500),
    per_request: Duration::from_millis(250),
    total: Duration::from_secs(3),
    tries: 3,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(40),
};

fn client() -> Registry {
    Registry::new(options())
}

fn options() -> Options {
    Options {
        vars: BTreeMap::new(),
        processes: xtask::process::Processes::default(),
        patience: PATIENCE,
        plain_hosts: Vec::new(),
        clock: Arc::new(SystemTime::now),
    }
}

fn reference(server: &Scripted) -> Reference {
    format!("{}/team/app:dev", server.address()).parse().unwrap()
}

fn index() -> String {
    format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[]}}"#, media::INDEX)
}

fn good() -> Canned {
    Canned::status(200)
        .header("Content-Type", media::INDEX)
        .header("Docker-Content-Digest", digest_of(index().as_bytes()))
        .body(index())
}

/// What an answer comes down to: `found`, `absent`, or the kind and status of the reason.
fn verdict<T>(answer: Answer<T>) -> String {
    let told = |reason: &xtask::docker::registry::Reason| {
        let status = reason.status.map_or(String::new(), |status| format!(" {status}"));
        format!("{:?}{status}", reason.kind)
    };
    match &answer {
        Answer::Found(_) => "found".into(),
        Answer::Absent => "absent".into(),
        Answer::Refused(reason) => {
            assert_eq!(reason.kind, Kind::Refused);
            told(reason)
        }
        Answer::Unknown(reason) => {
            assert_ne!(reason.kind, Kind::Refused);
            told(reason)
        }
    }
}

/// Whatever is asked, the server replies thus. What GET, HEAD and PUT of a manifest and the list of
/// tags then come down to, and how often GET was sent.
#[track_caller]
fn case(reply: impl Into<Reply>, expected: [&str; 4], tries: usize) {
    let reply = reply.into();
    let shown = format!("{reply:.120?}");
    let server = Scripted::start(move |_| reply.clone()).unwrap();
    let (registry, reference) = (client(), reference(&server));
    let get = verdict(registry.get_manifest(&reference));
    let sent = server.received().len();
    let head = verdict(registry.head_manifest(&reference));
    let put = registry.put_manifest(&reference, media::INDEX, index().as_bytes());
    let put = verdict(Answer::from(put.map(Some)));
    let tags = verdict(registry.tags(&reference));
    assert_eq!([get.as_str(), &head, &put, &tags], expected, "{shown}");
    assert_eq!(sent, tries, "{shown}");
}

fn all(verdict: &'static str) -> [&'static str; 4] {
    [verdict; 4]
}

#[test]
fn statuses() {
    case(Canned::error(401, "UNAUTHORIZED"), all("Refused 401"), 2);
    case(Canned::error(403, "DENIED"), all("Refused 403"), 2);
    case(
        Canned::html(403).body("You have exceeded a secondary rate limit"),
        // HEAD has no body that could say what the 403 means.
        ["Throttled 403", "Refused 403", "Throttled 403", "Throttled 403"],
        3,
    );
    let absent = ["absent", "absent", "Rejected 404", "absent"];
    case(Canned::error(404, "MANIFEST_UNKNOWN"), absent, 1);
    case(Canned::status(404), absent, 1);
    let nowhere = ["Garbage 404", "Garbage 404", "Rejected 404", "Garbage 404"];
    case(Canned::html(404), nowhere, 1);
    case(Canned::status(404).header("Content-Type", "text/html"), nowhere, 1);
    // Without a body HEAD cannot tell a hotel's plain text from a registry's 404.
    let no_registry = ["Garbage 404", "absent", "Rejected 404", "Garbage 404"];
    case(Canned::status(404).body("404 page not found"), no_registry, 1);
    case(Canned::json(404, "{\"cut"), no_registry, 1);
    case(Canned::error(429, "TOOMANYREQUESTS").header("Retry-After", "1"), all("Throttled 429"), 3);
    case(Canned::status(500), all("Broken 500"), 3);
    case(Canned::html(503), all("Broken 503"), 3);
    case(Canned::status(418), all("Rejected 418"), 1);
    case(Canned::status(302), ["Garbage", "Garbage", "Garbage 302", "Garbage"], 1);
}

#[test]
fn connections() {
    case(Reply::Hang, all("TimedOut"), 3);
    case(Reply::Cut, all("Unreachable"), 3);
    let cut = ["Unreachable", "found", "found", "Unreachable"];
    case(Reply::CutAfter(good(), 10), cut, 3);
    case(Reply::CutChunks(good(), 10), cut, 3);
    case(Reply::Raw(b"SSH-2.0-x\r\n".to_vec()), all("Garbage"), 1);
    let server = Scripted::start(|_| Reply::Cut).unwrap();
    let gone = reference(&server);
    drop(server);
    assert_eq!(verdict(client().get_manifest(&gone)), "Unreachable");
    let nowhere = "no-such-host.invalid/a:b".parse().unwrap();
    assert_eq!(verdict(client().get_manifest(&nowhere)), "Unreachable");
}

#[test]
fn contents() {
    case(good(), ["found", "found", "found", "found"], 1);
    let other = format!("sha256:{}", "0".repeat(64));
    let named =
        |digest: &str| Canned { headers: vec![], ..good() }.header("Docker-Content-Digest", digest);
    case(named(&other), ["Garbage", "found", "Garbage", "found"], 1);
    // Without a digest HEAD becomes GET.
    case(named("rubbish"), ["found", "found", "found", "found"], 1);
    case(Canned::html(200), ["Garbage", "Garbage", "found", "Garbage"], 1);
    case(Canned::json(200, "[]"), ["Garbage", "Garbage", "found", "Garbage"], 1);
    case(Canned::json(200, "{}"), ["Garbage", "Garbage", "found", "found"], 1);
    case(Canned::json(200, index()), ["found", "found", "found", "found"], 1);
    case(
        Reply::Endless(good().body(vec![b' '; 1 << 16])),
        ["Garbage", "found", "found", "Garbage"],
        1,
    );
}

#[test]
fn a_digest_that_was_asked_for_is_insisted_on() {
    let server = Scripted::start(|_| Canned::json(200, index()).into()).unwrap();
    let digest = digest_of(index().as_bytes());
    let right = reference(&server).with_digest(&digest).unwrap();
    let wrong = reference(&server).with_digest(&digest_of(b"x")).unwrap();
    let registry = client();
    assert_eq!(verdict(registry.get_manifest(&right)), "found");
    assert_eq!(verdict(registry.get_manifest(&wrong)), "Garbage");
    assert_eq!(verdict(registry.get_blob(&wrong, &digest, 1 << 20)), "found");
    assert_eq!(verdict(registry.get_blob(&wrong, &digest_of(b"x"), 1 << 20)), "Garbage");
    assert_eq!(verdict(registry.get_blob(&wrong, &digest, 10)), "Garbage");
    let put = registry.put_manifest(&wrong, media::INDEX, index().as_bytes());
    assert_eq!(put.unwrap_err().kind, Kind::Local);
}

#[test]
fn reasons_say_what_was_asked_and_what_was_said() {
    let server = Scripted::start(|_| {
        Canned::json(503, r#"{"errors":[{"code":"UNAVAILABLE","message":"come\nback"}]}"#).into()
    });
    let server = server.unwrap();
    let answer = client().get_manifest(&reference(&server));
    let expected = format!(
        "GET {}/v2/team/app/manifests/dev: status 503: UNAVAILABLE come back",
        server.address()
    );
    assert_eq!(answer.unknown().unwrap().to_string(), expected);
}

/// Fails with a reply the first few times, then is good.
fn recovering(times: usize, reply: impl Into<Reply>) -> Scripted {
    let (seen, reply) = (AtomicUsize::new(0), reply.into());
    Scripted::start(move |request| {
        let first = seen.fetch_add(1, SeqCst) < times;
        let put = || Canned::status(201).into();
        if first {
            reply.clone()
        } else if request.method == "PUT" {
            put()
        } else {
            good().into()
        }
    })
    .unwrap()
}

#[test]
fn what_passes_is_tried_again() {
    for reply in [
        Reply::from(Canned::status(500)),
        Canned::status(429).into(),
        Canned::error(403, "DENIED").into(),
        Reply::Cut,
        Reply::Hang,
        Reply::CutAfter(good(), 3),
    ] {
        let server = recovering(1, reply.clone());
        assert_eq!(verdict(client().get_manifest(&reference(&server))), "found", "{reply:.60?}");
    }
    for reply in [
        Canned::status(502),
        Canned::error(404, "BLOB_UNKNOWN"),
        Canned::error(400, "MANIFEST_BLOB_UNKNOWN"),
    ] {
        let server = recovering(2, reply);
        let digest = client().put_manifest(&reference(&server), media::INDEX, index().as_bytes());
        assert_eq!(digest.unwrap(), digest_of(index().as_bytes()));
        assert_eq!(server.received().len(), 3);
    }
}

#[test]
fn retry_after_is_obeyed_up_to_the_longest_wait() {
    let patience = |longest_wait| Patience { longest_wait, ..PATIENCE };
    let took = |header: &str, longest| {
        let server = recovering(1, Canned::status(429).header("Retry-After", header));
        let registry = client().with_patience(patience(Duration::from_millis(longest)));
        let began = Instant::now();
        assert_eq!(verdict(registry.get_manifest(&reference(&server))), "found");
        began.elapsed().as_millis()
    };
    assert!((1000..5000).contains(&took("1", 60_000)));
    assert!((30..900).contains(&took("3600", 30)));
    assert!(took("Sun, 06 Nov 1994 08:49:37 GMT", 60_000) < 900, "in the past");
    // A wait that ends after all patience is not begun.
    let server = recovering(1, Canned::status(429).header("Retry-After", "60"));
    let began = Instant::now();
    let registry = client().with_patience(patience(Duration::from_secs(60)));
    assert_eq!(verdict(registry.get_manifest(&reference(&server))), "Throttled 429");
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[test]
fn an_interrupt_ends_waits_and_requests_that_hang() {
    let options = options();
    let interrupt = options.processes.interrupt.clone();
    let slow = Patience {
        per_request: Duration::from_secs(60),
        total: Duration::from_secs(60),
        ..PATIENCE
    };
    let registry = Registry::new(options).with_patience(slow);
    let server = Scripted::start(|_| Reply::Hang).unwrap();
    let reference = reference(&server);
    let asking = std::thread::spawn(move || registry.get_manifest(&reference));
    let began = Instant::now();
    while server.received().is_empty() && began.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(5));
    }
    interrupt.raise();
    let answer = asking.join().unwrap();
    assert!(began.elapsed() < Duration::from_secs(6));
    let reason = answer.unknown().unwrap().clone();
    assert_eq!(xtask::error::exit_code(&reason.into()), 130);
}

#[test]
fn redirects_are_followed_without_credentials() {
    let storage = Scripted::start(|_| Canned::json(200, index()).into()).unwrap();
    let target = format!("http://{}/signed?secret=1", storage.address());
    let away = target.clone();
    let registry =
        Scripted::start(move |request: &Received| match request.header("authorization") {
            None => Canned::status(401).header("WWW-Authenticate", "Basic realm=\"x\"").into(),
            Some(_) if request.path.contains("near") => {
                Canned::status(307).header("Location", "/v2/team/app/manifests/there").into()
            }
            Some(_) if request.path.contains("loop") => {
                Canned::status(302).header("Location", "loop").into()
            }
            Some(_) if request.path.contains("odd") => {
                Canned::status(302).header("Location", "file:///etc/passwd").into()
            }
            Some(_) if request.path.contains("plain") => {
                Canned::status(302).header("Location", "http://example.com/x").into()
            }
            Some(_) if request.path.contains("there") => Canned::json(200, index()).into(),
            Some(_) => Canned::status(307).header("Location", away.clone()).into(),
        });
    let registry = registry.unwrap();
    let folder = tempfile("redirects");
    let auth = format!(r#"{{"auths":{{"{}":{{"auth":"dTpw"}}}}}}"#, registry.address());
    std::fs::write(folder.join("config.json"), auth).unwrap();
    let vars = BTreeMap::from([("DOCKER_CONFIG".to_owned(), folder.display().to_string())]);
    let client = Registry::new(Options { vars, ..options() });
    let tag = |tag: &str| reference(&registry).with_tag(tag).unwrap();
    assert_eq!(verdict(client.get_manifest(&tag("away"))), "found");
    assert_eq!(verdict(client.head_manifest(&tag("away"))), "found");
    assert_eq!(
        verdict(client.get_blob(&tag("away"), &digest_of(index().as_bytes()), 1 << 20)),
        "found"
    );
    assert!(storage.received().iter().all(|request| request.header("authorization").is_none()));
    assert_eq!(storage.received().len(), 4);
    assert_eq!(verdict(client.get_manifest(&tag("near"))), "found");
    for bad in ["loop", "odd", "plain"] {
        assert_eq!(verdict(client.get_manifest(&tag(bad))), "Garbage", "{bad}");
    }
    let put = client.put_manifest(&tag("away"), media::INDEX, b"{}").unwrap_err();
    assert_eq!(
        (put.kind, put.status),
        (Kind::Garbage, Some(307)),
        "what is written is not redirected"
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn http_is_for_this_machine_only() {
    let refused =
        Registry::new(Options { plain_hosts: vec!["192.0.2.1:5000".into()], ..options() });
    let short = Patience { connect: Duration::from_millis(50), tries: 1, ..PATIENCE };
    let answer = refused.with_patience(short).get_manifest(&"192.0.2.1:5000/a:b".parse().unwrap());
    // Not refused by us: nobody answers there.
    assert!(matches!(answer.unknown().unwrap().kind, Kind::TimedOut | Kind::Unreachable));
}

#[test]
fn a_proxy_is_used_for_hosts_with_tls_only() {
    let proxy = Scripted::start(|_| Canned::status(403).into()).unwrap();
    let server = Scripted::start(|_| good().into()).unwrap();
    let vars = [
        ("HTTPS_PROXY", format!("http://u:p@{}", proxy.address())),
        ("NO_PROXY", "near.invalid, .near.invalid".to_owned()),
    ];
    let vars = vars.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let once = Patience { tries: 1, ..PATIENCE };
    let registry = Registry::new(Options { vars, patience: once, ..options() });
    assert_eq!(verdict(registry.get_manifest(&reference(&server))), "found");
    assert!(proxy.received().is_empty());
    for host in ["far.invalid", "near.invalid", "x.near.invalid"] {
        let answer = registry.get_manifest(&format!("{host}/a:b").parse().unwrap());
        let told = answer.unknown().unwrap().to_string();
        assert!(!told.contains("u:p"), "{told}");
    }
    let asked = proxy.received();
    assert_eq!((asked.len(), asked[0].method.as_str()), (1, "CONNECT"));
    assert_eq!(asked[0].path, "far.invalid:443");
}

#[test]
fn many_look_ups_have_one_end() {
    let server = Scripted::start(|request: &Received| match request.route() {
        path if path.ends_with("hang") => Reply::Hang,
        path if path.ends_with("none") => Canned::status(404).into(),
        _ => good().into(),
    });
    let server = server.unwrap();
    let mut references: Vec<Reference> = Vec::new();
    for n in 0..60 {
        let tag = ["a", "none"][n % 2];
        references.push(reference(&server).with_tag(tag).unwrap());
    }
    let registry = client();
    let at_once = AtOnce { threads: 4, within: Some(Duration::from_secs(9)) };
    let answers = registry.get_manifests(references.clone(), at_once);
    let verdicts: Vec<String> = answers.into_iter().map(verdict).collect();
    assert!(verdicts.chunks(2).all(|pair| pair == ["found", "absent"]));
    assert_eq!((registry.counters().requests, registry.counters().token_requests), (60, 0));
    references.insert(1, reference(&server).with_tag("hang").unwrap());
    let patient = Patience { per_request: Duration::from_secs(9), ..PATIENCE };
    let at_once = AtOnce { threads: 2, within: Some(Duration::from_secs(1)) };
    let began = Instant::now();
    let answers = registry.with_patience(patient).get_manifests(references, at_once);
    assert!(began.elapsed() < Duration::from_secs(3));
    let verdicts: Vec<String> = answers.into_iter().map(verdict).collect();
    assert_eq!(verdicts[..4], ["found", "TimedOut", "absent", "found"]);
    assert_eq!(verdicts.iter().filter(|verdict| *verdict == "TimedOut").count(), 1);
}

#[test]
fn what_a_registry_cannot_delete_is_said() {
    let delete = |canned: Canned, key: &str| {
        let server = Scripted::start(move |_| canned.clone().into()).unwrap();
        let tag = reference(&server);
        let by_digest = tag.with_digest(&digest_of(b"")).unwrap();
        client().delete_manifest(if key == "tag" { &tag } else { &by_digest })
    };
    assert_eq!(delete(Canned::status(202), "tag"), Ok(Deletion::Done));
    assert_eq!(delete(Canned::error(404, "MANIFEST_UNKNOWN"), "tag"), Ok(Deletion::Absent));
    for (status, key) in [(405, "tag"), (405, "digest"), (400, "tag")] {
        let deletion = delete(Canned::error(status, "UNSUPPORTED"), key);
        assert!(matches!(deletion, Ok(Deletion::Unsupported(_))), "{status} {key}");
    }
    assert_eq!(delete(Canned::status(400), "digest").unwrap_err().kind, Kind::Rejected);
    assert_eq!(delete(Canned::status(403), "digest").unwrap_err().kind, Kind::Refused);
}

fn tempfile(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
