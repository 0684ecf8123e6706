//! The relay: passes requests on to an upstream server, counts them, and does what its rules say.

use crate::exchange::{BUFFER, Exchange, Reader};
use crate::http::Head;
use crate::rules::{Request, Rules, Then, When};
use crate::server::{Server, lock};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

/// A reverse proxy before a registry. Dropping it cuts its connections.
pub struct Relay {
    server: Server,
    shared: Arc<Shared>,
}

/// One request that came by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Counted from 1 since the last reset
    pub number: u64,
    /// `PUT`
    pub method: String,
    /// Path and query
    pub path: String,
    /// The status that the upstream or a rule answered; none where there was no answer
    pub status: Option<u16>,
    /// Bytes of the request's body that went upstream
    pub up: u64,
    /// Bytes of the answer's body that came back from the upstream
    pub down: u64,
    /// The rule that was applied: `status:500`, `cut`
    pub rule: Option<String>,
}

/// Sums over all requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests
    pub requests: u64,
    /// Bytes of bodies sent upstream
    pub up: u64,
    /// Bytes of bodies sent back
    pub down: u64,
}

/// What all connections of a relay share.
pub struct Shared {
    /// Where requests go
    pub upstream: SocketAddr,
    /// The relay's own address
    pub own: Mutex<String>,
    rules: Rules,
    log: Mutex<Vec<Entry>>,
    watcher: Mutex<Option<Watcher>>,
}

type Watcher = Box<dyn Fn(&Entry) + Send>;

/// The first byte of a TLS connection. Container engines try TLS first, and go on without it only
/// after an answer like this one, which registries give.
const TLS_HANDSHAKE: u8 = 0x16;
const NOT_TLS: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\nThis is no TLS server.\n";

impl Relay {
    /// A relay on a free loopback port.
    pub fn start(upstream: SocketAddr) -> io::Result<Self> {
        Self::start_at(upstream, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    /// A relay that listens at an address of its own.
    pub fn start_at(upstream: SocketAddr, listen: SocketAddr) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            upstream,
            own: Mutex::default(),
            rules: Rules::default(),
            log: Mutex::default(),
            watcher: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        // A connection that breaks is what this program is for: there is nobody to tell.
        let server = Server::start(listen, move |client| drop(serving.serve(client)))?;
        *lock(&shared.own) = server.address().to_string();
        Ok(Self { server, shared })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Adds a rule behind those that are there; the first that is for a request decides.
    pub fn rule(&self, when: When, then: Then) {
        self.shared.rules.add(when, then);
    }

    /// Takes all rules away.
    pub fn clear_rules(&self) {
        self.shared.rules.clear();
    }

    /// Forgets what came by, and counts from 1 again.
    pub fn reset(&self) {
        lock(&self.shared.log).clear();
    }

    /// What came by so far, in the order in which the requests arrived.
    pub fn log(&self) -> Vec<Entry> {
        lock(&self.shared.log).clone()
    }

    /// Sums over what came by so far.
    pub fn totals(&self) -> Totals {
        let add = |sum: Totals, entry: &Entry| Totals {
            requests: sum.requests + 1,
            up: sum.up + entry.up,
            down: sum.down + entry.down,
        };
        lock(&self.shared.log).iter().fold(Totals::default(), add)
    }

    /// How many requests of a method went to paths that contain a text.
    pub fn count(&self, method: &str, path: &str) -> usize {
        let fits = |entry: &&Entry| entry.method == method && entry.path.contains(path);
        lock(&self.shared.log).iter().filter(fits).count()
    }

    /// Calls a function with each request when it is over.
    pub fn watch(&self, watcher: impl Fn(&Entry) + Send + 'static) {
        *lock(&self.shared.watcher) = Some(Box::new(watcher));
    }

    /// Cuts all connections; new ones are taken.
    pub fn cut(&self) {
        self.server.cut();
    }
}

impl Shared {
    fn serve(&self, client: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(BUFFER, client.try_clone()?);
        let mut upstream: Option<Reader> = None;
        if reader.fill_buf()?.first() == Some(&TLS_HANDSHAKE) {
            return (&client).write_all(NOT_TLS);
        }
        while let Some(head) = Head::read(&mut reader)? {
            let request = self.arrive(&head);
            let then = self.rules.decide(&request);
            self.note(&request, |entry| entry.rule = then.as_ref().map(|then| format!("{then:?}")));
            let mut exchange = Exchange { shared: self, request: &request, head, client: &client };
            let kept = exchange.run(&mut reader, &mut upstream, then);
            self.tell(&request);
            if !kept? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn arrive(&self, head: &Head) -> Request {
        let (method, path) = (head.word(0).to_owned(), head.word(1).to_owned());
        let mut log = lock(&self.log);
        let number = log.len() as u64 + 1;
        log.push(Entry { number, method: method.clone(), path: path.clone(), ..Entry::default() });
        Request { number, method, path }
    }

    /// Completes the log's entry of a request.
    pub fn note(&self, request: &Request, change: impl FnOnce(&mut Entry)) {
        let mut log = lock(&self.log);
        // After a reset the number may be another request's.
        let entry = log.get_mut(request.number as usize - 1);
        if let Some(entry) = entry.filter(|entry| entry.path == request.path) {
            change(entry);
        }
    }

    fn tell(&self, request: &Request) {
        let entry = lock(&self.log).get(request.number as usize - 1).cloned();
        if let (Some(watcher), Some(entry)) = (&*lock(&self.watcher), entry) {
            watcher(&entry);
        }
    }
}
