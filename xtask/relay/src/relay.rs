//! The relay: passes requests on to an upstream server, counts them, and does what its rules say.
#![expect(clippy::disallowed_methods, reason = "delays requests on purpose")]

use crate::canned::Canned;
use crate::http::{Framing, Head, Part, go_on, walk};
use crate::rules::{Request, Rules, Then, When};
use crate::server::{Server, lock};
use std::io::{self, BufReader, BufWriter, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

/// How much of a body is held at a time, in bytes.
const BUFFER: usize = 64 << 10;

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

struct Shared {
    upstream: SocketAddr,
    own: Mutex<String>,
    rules: Rules,
    log: Mutex<Vec<Entry>>,
    watcher: Mutex<Option<Watcher>>,
}

type Watcher = Box<dyn Fn(&Entry) + Send>;
type Reader = BufReader<TcpStream>;

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

    fn note(&self, request: &Request, change: impl FnOnce(&mut Entry)) {
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

/// One request and its answer.
struct Exchange<'a> {
    shared: &'a Shared,
    request: &'a Request,
    head: Head,
    client: &'a TcpStream,
}

impl Exchange<'_> {
    /// Whether the client's connection can be used for the next request.
    fn run(
        &mut self,
        reader: &mut Reader,
        upstream: &mut Option<Reader>,
        then: Option<Then>,
    ) -> io::Result<bool> {
        match &then {
            Some(Then::Cut) => return Ok(false),
            Some(Then::Answer(canned)) => return self.answer(reader, canned),
            Some(Then::Delay(wait)) => std::thread::sleep(*wait),
            Some(Then::Hold(gate)) => gate.pass(),
            Some(Then::Before(call)) => call(self.request),
            _ => {}
        }
        let upload_limit = match then {
            Some(Then::CutUpload(bytes)) => Some(bytes),
            _ => None,
        };
        let server = match upstream.take().filter(is_alive) {
            Some(server) => server,
            None => self.connect()?,
        };
        let server = upstream.insert(server);
        let whole = self.pass_request(reader, server, upload_limit)?;
        if upload_limit.is_some() {
            return Ok(false);
        }
        let answer = loop {
            let head = Head::read(server)?.ok_or(ErrorKind::UnexpectedEof)?;
            if !head.word(1).starts_with('1') {
                break head;
            }
        };
        self.shared.note(self.request, |entry| entry.status = answer.word(1).parse().ok());
        let mut answer = answer;
        let kept = self.pass_answer(server, &mut answer, then)?;
        if !kept || answer.closes() {
            *upstream = None;
        }
        Ok(kept && whole && !answer.closes() && !self.head.closes())
    }

    fn answer(&mut self, reader: &mut Reader, canned: &Canned) -> io::Result<bool> {
        go_on(&self.head, &mut self.client)?;
        walk(reader, self.head.request_framing(), &mut |_| Ok(()))?;
        self.shared.note(self.request, |entry| entry.status = Some(canned.status));
        self.client.write_all(&canned.to_bytes(&self.request.method))?;
        Ok(!self.head.closes())
    }

    fn connect(&self) -> io::Result<Reader> {
        let server = TcpStream::connect(self.shared.upstream)?;
        server.set_nodelay(true)?;
        Ok(BufReader::with_capacity(BUFFER, server))
    }

    /// Sends the request upstream; `false` where the upstream stopped reading before its end.
    fn pass_request(
        &mut self,
        reader: &mut Reader,
        server: &Reader,
        limit: Option<u64>,
    ) -> io::Result<bool> {
        go_on(&self.head, &mut self.client)?;
        let framing = self.head.request_framing();
        let mut head = self.head.clone();
        head.remove("expect");
        let mut writer = BufWriter::with_capacity(BUFFER, server.get_ref());
        writer.write_all(&head.to_bytes())?;
        let (mut sent, mut broken) = (0, false);
        let walked = walk(reader, framing, &mut |part| {
            let bytes = match part {
                Part::Framing(bytes) => bytes,
                Part::Data(bytes) => {
                    let room = limit.map_or(u64::MAX, |limit| limit - sent);
                    let bytes =
                        &bytes[..bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
                    sent += bytes.len() as u64;
                    bytes
                }
            };
            let written = writer.write_all(bytes);
            broken = written.is_err();
            written?;
            if limit == Some(sent) { Err(ErrorKind::Interrupted.into()) } else { Ok(()) }
        });
        let flushed = writer.flush();
        drop(writer.into_parts());
        self.shared.note(self.request, |entry| entry.up = sent);
        if limit.is_some() || broken || flushed.is_err() {
            return Ok(false);
        }
        walked.map(|()| true)
    }

    /// Sends the answer back; `false` where the connection must not be used again.
    fn pass_answer(
        &self,
        server: &mut Reader,
        answer: &mut Head,
        then: Option<Then>,
    ) -> io::Result<bool> {
        self.rewrite(answer);
        let framing = answer.answer_framing(&self.request.method);
        match &then {
            Some(Then::LoseAnswer) => {
                self.pass_body(server, framing, &mut io::sink(), None)?;
                return Ok(false);
            }
            Some(Then::HoldAnswer(gate)) => gate.pass(),
            Some(Then::After(call)) => call(self.request),
            _ => {}
        }
        let limit = match then {
            Some(Then::CutAnswer(bytes)) => Some(bytes),
            _ => None,
        };
        let mut writer = BufWriter::with_capacity(BUFFER, self.client);
        writer.write_all(&answer.to_bytes())?;
        self.pass_body(server, framing, &mut writer, limit)?;
        writer.flush()?;
        Ok(limit.is_none() && framing != Framing::UntilClose)
    }

    fn pass_body(
        &self,
        server: &mut Reader,
        framing: Framing,
        client: &mut dyn Write,
        limit: Option<u64>,
    ) -> io::Result<()> {
        let (mut read, mut cut) = (0_u64, false);
        let walked = walk(server, framing, &mut |part| {
            let (bytes, counts) = match part {
                Part::Framing(bytes) => (bytes, false),
                Part::Data(bytes) => (bytes, true),
            };
            let room = usize::try_from(limit.map_or(u64::MAX, |limit| limit.saturating_sub(read)));
            let room =
                if counts { room.unwrap_or(usize::MAX).min(bytes.len()) } else { bytes.len() };
            if counts {
                read += bytes.len() as u64;
            }
            cut = limit.is_some_and(|limit| read > limit || (read == limit && counts));
            client.write_all(&bytes[..room])?;
            if cut { Err(ErrorKind::Interrupted.into()) } else { Ok(()) }
        });
        self.shared.note(self.request, |entry| entry.down = read);
        if cut { Ok(()) } else { walked }
    }

    /// An upstream that names itself by its own address names the relay instead.
    fn rewrite(&self, answer: &mut Head) {
        let own = lock(&self.shared.own).clone();
        let upstream = format!("http://{}/", self.shared.upstream);
        for (name, value) in &mut answer.headers {
            if name.eq_ignore_ascii_case("location")
                && let Some(path) = value.strip_prefix(&upstream)
            {
                *value = format!("http://{own}/{path}");
            }
        }
    }
}

/// Whether an idle connection has not been closed by the other side.
fn is_alive(reader: &Reader) -> bool {
    let stream = reader.get_ref();
    if !reader.buffer().is_empty() || stream.set_nonblocking(true).is_err() {
        return false;
    }
    let idle = matches!(stream.peek(&mut [0]), Err(e) if e.kind() == ErrorKind::WouldBlock);
    stream.set_nonblocking(false).is_ok() && idle
}
