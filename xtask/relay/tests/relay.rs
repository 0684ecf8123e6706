//! The relay before a scripted server, seen by a client that writes its own bytes.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use relay::{Canned, Gate, Relay, Reply, Scripted, Then, Totals, When};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Echoes a request's body; `/chunked` in chunks, `/where` with an absolute address of its own.
fn upstream() -> (Scripted, Relay) {
    let echo = Scripted::start(|request| {
        let host = request.header("x-upstream").unwrap_or_default().to_owned();
        match request.route() {
            "/chunked" => Reply::Answer(
                Canned::status(200)
                    .header("Transfer-Encoding", "chunked")
                    .header("Content-Length", "9999")
                    .body("5\r\nhello\r\n0\r\n\r\n"),
            ),
            "/where" => {
                Canned::status(202).header("Location", format!("http://{host}/upload?x=1")).into()
            }
            "/close" => Canned::status(200).header("Connection", "close").body("bye").into(),
            "/early" => Reply::Cut,
            _ => Canned::status(200).body(request.body.clone()).into(),
        }
    });
    let echo = echo.unwrap();
    let relay = Relay::start(echo.address()).unwrap();
    (echo, relay)
}

fn connect(address: SocketAddr) -> TcpStream {
    let client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    client
}

fn put(client: &mut TcpStream, path: &str, body: &str) {
    let head = format!("PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
    client.write_all(format!("{head}{body}").as_bytes()).unwrap();
}

/// Reads until a text ends what came so far, or the connection is closed.
fn read_until(client: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while end.is_empty() || !text.ends_with(end) {
        match client.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => text.push_str(&String::from_utf8_lossy(&buffer[..read])),
            Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(e) => panic!("{e}, after {text}"),
        }
    }
    text
}

#[test]
fn a_connection_carries_many_requests_and_all_are_counted() {
    let (echo, relay) = upstream();
    let mut client = connect(relay.address());
    for body in ["one", "", "three"] {
        put(&mut client, "/a", body);
        let end = if body.is_empty() { "\r\n\r\n" } else { body };
        assert!(read_until(&mut client, end).starts_with("HTTP/1.1 200"));
    }
    client
        .write_all(b"PUT /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        .unwrap();
    read_until(&mut client, "abc");
    client.write_all(b"GET /chunked HTTP/1.1\r\n\r\n").unwrap();
    assert!(read_until(&mut client, "0\r\n\r\n").contains("5\r\nhello"));
    client.write_all(b"HEAD /c HTTP/1.1\r\n\r\n").unwrap();
    read_until(&mut client, "\r\n\r\n");
    assert_eq!(relay.totals(), Totals { requests: 6, up: 11, down: 8 + 3 + 5 });
    assert_eq!((relay.count("PUT", "/a"), relay.count("HEAD", "")), (3, 1));
    assert!(relay.log().iter().all(|entry| entry.status == Some(200)));
    assert_eq!(echo.received()[3].body, b"abc");
    relay.reset();
    put(&mut client, "/d", "x");
    read_until(&mut client, "x");
    assert_eq!(relay.log()[0].number, 1);
}

#[test]
fn a_client_that_waits_for_100_gets_it_and_addresses_are_rewritten() {
    let (echo, relay) = upstream();
    let mut client = connect(relay.address());
    client
        .write_all(b"PUT /a HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        .unwrap();
    assert_eq!(read_until(&mut client, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"abc").unwrap();
    assert!(read_until(&mut client, "abc").starts_with("HTTP/1.1 200"));
    assert_eq!(echo.received()[0].header("expect"), None);
    client
        .write_all(
            format!("GET /where HTTP/1.1\r\nX-Upstream: {}\r\n\r\n", echo.address()).as_bytes(),
        )
        .unwrap();
    let answer = read_until(&mut client, "\r\n\r\n");
    assert!(
        answer.contains(&format!("Location: http://{}/upload?x=1", relay.address())),
        "{answer}"
    );
}

#[test]
fn an_upstream_that_closes_is_connected_to_again() {
    let (_echo, relay) = upstream();
    let mut client = connect(relay.address());
    put(&mut client, "/close", "");
    assert!(read_until(&mut client, "").ends_with("bye"));
    let mut client = connect(relay.address());
    put(&mut client, "/a", "x");
    read_until(&mut client, "x");
}

/// What a client sees of a PUT of `0123456789` under a rule; the upstream's count of requests.
fn under(then: Then) -> (String, usize) {
    let (echo, relay) = upstream();
    relay.rule(When::nth(1), then);
    let mut client = connect(relay.address());
    put(&mut client, "/a", "0123456789");
    client.shutdown(std::net::Shutdown::Write).unwrap();
    (read_until(&mut client, ""), echo.received().len())
}

#[test]
fn each_rule_does_what_it_says() {
    assert_eq!(under(Then::Cut), (String::new(), 0));
    assert_eq!(under(Then::CutUpload(4)), (String::new(), 0));
    assert_eq!(under(Then::LoseAnswer), (String::new(), 1));
    let (text, reached) = under(Then::CutAnswer(4));
    assert!(text.ends_with("\r\n\r\n0123") && reached == 1, "{text}");
    let (text, reached) = under(Then::Answer(Canned::status(503).body("no")));
    assert!(text.starts_with("HTTP/1.1 503") && text.ends_with("no") && reached == 0);
    let began = Instant::now();
    assert!(under(Then::Delay(Duration::from_millis(60))).0.ends_with("0123456789"));
    assert!(began.elapsed() >= Duration::from_millis(60));
    let seen = Arc::new(AtomicU64::new(0));
    for then in [Then::before as fn(_) -> Then, Then::after] {
        let seen = Arc::clone(&seen);
        let call: Box<dyn Fn(&relay::Request) + Send + Sync> = Box::new(move |request| {
            seen.fetch_add(request.number, SeqCst);
        });
        assert!(under(then(call)).0.ends_with("0123456789"));
    }
    assert_eq!(seen.load(SeqCst), 2);
}

#[test]
fn rules_count() {
    let (_echo, relay) = upstream();
    let refuse = || Then::Answer(Canned::status(500));
    relay.rule(When::on("PUT", "/skip").skip(1).once(), refuse());
    relay.rule(When::from(5), refuse());
    let mut client = connect(relay.address());
    let mut status = |path: &str| {
        put(&mut client, path, "");
        read_until(&mut client, "\r\n\r\n")[9..12].to_owned()
    };
    let seen = [
        status("/skip"),
        status("/skip"),
        status("/skip"),
        status("/a"),
        status("/a"),
        status("/a"),
    ];
    assert_eq!(seen, ["200", "500", "200", "200", "500", "500"]);
    relay.clear_rules();
    assert_eq!(status("/a"), "200");
    assert_eq!(relay.log()[1].rule.as_deref(), Some("status:500"));
}

#[test]
fn a_gate_holds_until_it_is_opened() {
    let (echo, relay) = upstream();
    let (gate, answers) = (Gate::new(), Gate::new());
    relay.rule(When::nth(1), Then::Hold(gate.clone()));
    relay.rule(When::nth(2), Then::HoldAnswer(answers.clone()));
    let mut client = connect(relay.address());
    put(&mut client, "/a", "x");
    assert!(gate.wait_for(1, Duration::from_secs(5)));
    assert!(!gate.wait_for(2, Duration::from_millis(20)));
    assert_eq!(echo.received().len(), 0);
    gate.open();
    read_until(&mut client, "x");
    put(&mut client, "/b", "y");
    assert!(answers.wait_for(1, Duration::from_secs(5)));
    assert_eq!(echo.received().len(), 2);
    answers.open();
    read_until(&mut client, "y");
}

#[test]
fn a_large_body_streams_through() {
    let (_echo, relay) = upstream();
    let size = 32 << 20;
    let mut client = connect(relay.address());
    let mut reading = client.try_clone().unwrap();
    let reader =
        std::thread::spawn(move || std::io::copy(&mut reading, &mut std::io::sink()).unwrap());
    let head = format!("PUT /a HTTP/1.1\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n");
    client.write_all(head.as_bytes()).unwrap();
    for _ in 0..size >> 20 {
        client.write_all(&[7; 1 << 20]).unwrap();
    }
    assert!(reader.join().unwrap() > size);
    assert_eq!(relay.totals(), Totals { requests: 1, up: size, down: size });
}

#[test]
fn the_program_prints_its_address_and_what_comes_by() {
    use std::io::BufRead as _;
    let (echo, _) = upstream();
    #[expect(clippy::disallowed_methods, reason = "starts the program under test")]
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_relay"))
        .args(["--upstream", &echo.address().to_string(), "--rule", "2+=status:503"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(program.stdout.take().unwrap()).lines();
    let address: SocketAddr = lines.next().unwrap().unwrap().parse().unwrap();
    let mut client = connect(address);
    put(&mut client, "/a", "abc");
    read_until(&mut client, "abc");
    put(&mut client, "/b", "abc");
    read_until(&mut client, "}]}");
    assert_eq!(lines.next().unwrap().unwrap(), "1 PUT /a 200 3 3 -");
    assert_eq!(lines.next().unwrap().unwrap(), "2 PUT /b 503 0 0 status:503");
    program.kill().unwrap();
    program.wait().unwrap();
}
