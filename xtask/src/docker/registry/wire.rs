//! One HTTP exchange: no credentials of its own, no redirects, no second try. Counts what goes by.

use super::message::{Content, Incoming, Limits, Outgoing, Server, head, what};
use super::resolver::CachingResolver;
use super::settings::Settings;
use super::url::{Url, is_loopback};
use super::{Kind, Reason};
use crate::interrupt::Interrupt;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use ureq::http;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::{resolver::DefaultResolver, transport::DefaultConnector};
use ureq::{Agent, Proxy, SendBody};

/// How many idle connections are kept for a host; as many look-ups run side by side.
const KEPT: usize = 8;
/// How much of a body that is not needed is read; a longer one costs the connection. In bytes.
const DRAINED: u64 = 64 << 10;

/// The connections to all registries and token servers.
pub(super) struct Wire {
    plain: Agent,
    tls: OnceLock<Agent>,
    settings: Settings,
    interrupt: Interrupt,
    requests: AtomicU64,
    token_requests: AtomicU64,
    bytes_in: Arc<AtomicU64>,
    bytes_out: AtomicU64,
}

/// What has gone by so far. Sizes are those of bodies, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests to registries
    pub requests: u64,
    /// Requests to token servers
    pub token_requests: u64,
    /// Bytes received
    pub bytes_in: u64,
    /// Bytes sent
    pub bytes_out: u64,
}

impl Wire {
    pub fn new(settings: Settings, interrupt: Interrupt) -> Self {
        // Without roots: this agent is never given an address with TLS.
        let plain =
            agent(None, TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[])).build());
        Self {
            plain,
            tls: OnceLock::new(),
            settings,
            interrupt,
            requests: AtomicU64::default(),
            token_requests: AtomicU64::default(),
            bytes_in: Arc::default(),
            bytes_out: AtomicU64::default(),
        }
    }

    /// Whether a host may be spoken to without TLS: this machine, and those that were listed.
    pub fn is_plain(&self, host: &str) -> bool {
        is_loopback(host)
            || self.settings.plain_hosts.iter().any(|plain| plain.eq_ignore_ascii_case(host))
    }

    /// Sends a request and gives the answer's head.
    pub fn send(&self, request: &Outgoing<'_>) -> Result<Incoming, Reason> {
        let what = what(&request.method, request.url);
        let failed = |error: ureq::Error| self.failure(&what, &error);
        if !request.url.tls && !self.is_plain(&request.url.host) {
            return Err(Reason::new(
                Kind::Garbage,
                what,
                "http without TLS is for this machine only",
            ));
        }
        if self.interrupt.is_raised() {
            return Err(Reason::new(Kind::Interrupted, what, ""));
        }
        self.count(request);
        let agent =
            self.agent(request.url).map_err(|detail| Reason::new(Kind::Local, &*what, detail))?;
        let builder = head(request).map_err(|e| failed(e.into()))?;
        let bad = |e: http::Error| failed(e.into());
        let response = match request.content {
            Content::None => {
                agent.run(timed(agent, builder.body(()).map_err(bad)?, request.limits))
            }
            Content::Bytes(bytes) => {
                agent.run(timed(agent, builder.body(bytes).map_err(bad)?, request.limits))
            }
            Content::Stream { length, open } => {
                let mut stream = open()?.take(length);
                let body = SendBody::from_reader(&mut stream);
                let builder = builder.header("content-length", length);
                agent.run(timed(agent, builder.body(body).map_err(bad)?, request.limits))
            }
        };
        let (head, body) = response.map_err(failed)?.into_parts();
        Ok(Incoming {
            status: head.status.as_u16(),
            headers: head.headers,
            what: what.clone(),
            body,
        })
    }

    /// Reads a body of at most `limit` bytes; a longer one is garbage.
    pub fn read(&self, incoming: Incoming, limit: u64) -> Result<Vec<u8>, Reason> {
        let what = incoming.what.clone();
        let mut bytes = Vec::new();
        self.reader(incoming)
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| self.failure(&what, &e.into()))?;
        if bytes.len() as u64 > limit {
            return Err(Reason::new(Kind::Garbage, what, format!("more than {limit} bytes")));
        }
        Ok(bytes)
    }

    /// The beginning of a body, as far as it comes.
    pub fn start(&self, incoming: Incoming, limit: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        // An error after some bytes leaves these.
        self.reader(incoming).take(limit).read_to_end(&mut bytes).ok();
        bytes
    }

    /// Reads a body that is not needed, so that its connection can be used again.
    pub fn drain(&self, incoming: Incoming) {
        drop(self.start(incoming, DRAINED));
    }

    /// A body as a stream of bytes.
    pub fn reader(&self, incoming: Incoming) -> Counted {
        Counted { body: incoming.body.into_reader(), count: Arc::clone(&self.bytes_in) }
    }

    /// What has gone by so far.
    pub fn counters(&self) -> Counters {
        Counters {
            requests: self.requests.load(Relaxed),
            token_requests: self.token_requests.load(Relaxed),
            bytes_in: self.bytes_in.load(Relaxed),
            bytes_out: self.bytes_out.load(Relaxed),
        }
    }

    /// Cuts all connections, also those in use: requests that other threads wait for end at once.
    pub fn cut(&self) {
        self.plain.clone().shutdown();
        if let Some(agent) = self.tls.get() {
            agent.clone().shutdown();
        }
    }

    fn agent(&self, url: &Url) -> Result<&Agent, String> {
        if !url.tls {
            return Ok(&self.plain);
        }
        if let Some(agent) = self.tls.get() {
            return Ok(agent);
        }
        let agent = agent(self.settings.proxy()?, self.settings.tls()?);
        Ok(self.tls.get_or_init(|| agent))
    }

    fn count(&self, request: &Outgoing<'_>) {
        let counter = match request.to {
            Server::Registry => &self.requests,
            Server::Token => &self.token_requests,
        };
        counter.fetch_add(1, Relaxed);
        let bytes = match request.content {
            Content::None => 0,
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Stream { length, .. } => length,
        };
        self.bytes_out.fetch_add(bytes, Relaxed);
    }

    /// Why a request, or the reading of its answer, came to nothing.
    pub fn failure(&self, what: &str, error: &ureq::Error) -> Reason {
        use ureq::Error;
        let kind = match error {
            _ if self.interrupt.is_raised() => Kind::Interrupted,
            Error::Timeout(_) => Kind::TimedOut,
            Error::Io(e) if e.kind() == io::ErrorKind::TimedOut => Kind::TimedOut,
            Error::Http(_)
            | Error::BadUri(_)
            | Error::Protocol(_)
            | Error::LargeResponseHeader(..) => Kind::Garbage,
            _ => Kind::Unreachable,
        };
        Reason::new(kind, what, error)
    }
}

/// A body that counts what is read of it.
pub(super) struct Counted {
    body: ureq::BodyReader<'static>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(buffer)?;
        self.count.fetch_add(read as u64, Relaxed);
        Ok(read)
    }
}

fn agent(proxy: Option<Proxy>, tls: TlsConfig) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("cargo-xtask/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .max_idle_connections(4 * KEPT)
        .max_idle_connections_per_host(KEPT)
        .proxy(proxy)
        .tls_config(tls);
    Agent::with_parts(
        config.build(),
        DefaultConnector::default(),
        CachingResolver::<DefaultResolver>::default(),
    )
}

fn timed<B: ureq::AsSendBody>(
    agent: &Agent,
    request: http::Request<B>,
    limits: Limits,
) -> http::Request<B> {
    let config = agent.configure_request(request);
    let config = config.timeout_connect(Some(limits.connect)).timeout_resolve(Some(limits.connect));
    let config = match limits.stalled {
        None => config.timeout_global(Some(limits.whole)),
        Some(stalled) => config.timeout_per_read(Some(stalled)).timeout_per_write(Some(stalled)),
    };
    config.build()
}
