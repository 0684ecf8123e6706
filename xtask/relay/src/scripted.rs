//! A server that answers by a function, also in ways that no server should.

use crate::canned::Canned;
use crate::http::{Head, collect, go_on};
use crate::server::{Server, lock};
use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

/// A request with its body.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// `PUT`
    pub method: String,
    /// Path and query
    pub path: String,
    /// The headers as they came
    pub headers: Vec<(String, String)>,
    /// The body, out of its framing
    pub body: Vec<u8>,
}

impl Received {
    /// The first header of a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The path without the query.
    pub fn route(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// The values of a query parameter, with `%` escapes undone.
    pub fn query(&self, name: &str) -> Vec<String> {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(own, _)| *own == name).map(|(_, value)| unescape(value)).collect()
    }
}

/// What a scripted server does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A proper answer
    Answer(Canned),
    /// Nothing, for ever
    Hang,
    /// The connection is cut without an answer
    Cut,
    /// An answer that is cut after so many bytes of its body
    CutAfter(Canned, usize),
    /// An answer in chunks that is cut after so many bytes of its body
    CutChunks(Canned, usize),
    /// An answer whose body never ends (its own body, again and again)
    Endless(Canned),
    /// Bytes that are not HTTP
    Raw(Vec<u8>),
}

impl From<Canned> for Reply {
    fn from(canned: Canned) -> Self {
        Self::Answer(canned)
    }
}

/// A server that answers by script, and keeps what it was asked. Dropping it cuts its connections.
pub struct Scripted {
    server: Server,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Scripted {
    /// A server on a free loopback port.
    pub fn start(script: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        // A connection that breaks is what this server is for: there is nobody to tell.
        let server = Server::start(listen, move |client| drop(serve(&client, &script, &kept)))?;
        Ok(Self { server, received })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What it was asked so far.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.received).clone()
    }
}

fn serve(
    mut client: &TcpStream,
    script: &dyn Fn(&Received) -> Reply,
    kept: &Mutex<Vec<Received>>,
) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    while let Some(head) = Head::read(&mut reader)? {
        go_on(&head, &mut client)?;
        let body = collect(&mut reader, head.request_framing())?;
        let received = Received {
            method: head.word(0).to_owned(),
            path: head.word(1).to_owned(),
            headers: head.headers.clone(),
            body,
        };
        lock(kept).push(received.clone());
        let reply = script(&received);
        if !give(client, &received.method, reply)? || head.closes() {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether the connection goes on.
fn give(mut client: &TcpStream, method: &str, reply: Reply) -> io::Result<bool> {
    match reply {
        Reply::Answer(canned) => client.write_all(&canned.to_bytes(method)).map(|()| true),
        Reply::Cut => Ok(false),
        Reply::Raw(bytes) => client.write_all(&bytes).map(|()| false),
        Reply::Hang => {
            // Until the client goes away, or the server is dropped.
            io::copy(&mut client, &mut io::sink())?;
            Ok(false)
        }
        Reply::CutAfter(canned, bytes) => {
            let whole = canned.to_bytes(method);
            let body = if method == "HEAD" { 0 } else { canned.body.len() };
            client.write_all(&whole[..whole.len() - body.saturating_sub(bytes)])?;
            Ok(false)
        }
        Reply::CutChunks(canned, bytes) => {
            let head = canned.clone().body("").header("Transfer-Encoding", "chunked");
            let head = String::from_utf8_lossy(&head.to_bytes(method))
                .replace("Content-Length: 0\r\n", "");
            let mut text = head.into_bytes();
            text.extend(format!("{:x}\r\n", canned.body.len()).bytes());
            text.extend(&canned.body[..bytes.min(canned.body.len())]);
            client.write_all(&text).map(|()| false)
        }
        Reply::Endless(canned) => {
            let endless = canned.clone().header("Content-Length", u64::MAX.to_string());
            client.write_all(&endless.to_bytes(method))?;
            loop {
                client.write_all(&canned.body)?;
            }
        }
    }
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
