//! A request with all that belongs to it: credentials, redirects, and trying again.

use super::message::{Content, Incoming, Limits, Outgoing, Server};
use super::tokens::Purpose;
use super::url::Url;
use super::{Challenge, Kind, Patience, Reason, Reference, Registry, Secret, Shared, judge};
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::{Duration, Instant};
use ureq::http::Method;

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// A request to a registry.
pub(super) struct Request<'a> {
    pub method: Method,
    /// The registry: only its own server gets its credentials
    pub origin: Url,
    /// Where the request goes; usually on the registry's server
    pub url: Url,
    pub scopes: Vec<String>,
    pub headers: Vec<(&'static str, String)>,
    pub content: Content<'a>,
    /// Whether 404 is an answer rather than an error
    pub absence: Absence,
    pub size: Size,
}

/// What 404 means for a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Absence {
    /// An answer: the thing is not there
    Answer,
    /// The request failed
    Error,
}

/// How much is moved.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// Little: request and answer have a time limit as a whole
    Small,
    /// A blob: as long as bytes move, it may take its time
    Blob,
}

impl<'a> Request<'a> {
    /// A request for what stands behind `path` in a repository's part of the API.
    pub fn new(registry: &Registry, method: Method, repository: &Reference, path: &str) -> Self {
        let host = repository.api_host();
        let tls = !registry.shared.wire.is_plain(host);
        let path = format!("/v2/{}/{path}", repository.repository());
        let origin = Url { tls, host: host.to_owned(), path: "/v2/".into() };
        let url = Url { path, ..origin.clone() };
        let actions = match method {
            Method::GET | Method::HEAD => "pull",
            Method::DELETE => "pull,push,delete",
            _ => "pull,push",
        };
        let scopes = vec![format!("repository:{}:{actions}", repository.repository())];
        let (headers, content) = (Vec::new(), Content::None);
        Self {
            method,
            origin,
            url,
            scopes,
            headers,
            content,
            absence: Absence::Error,
            size: Size::Small,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the body.
    pub fn content(mut self, content: Content<'a>) -> Self {
        self.content = content;
        self
    }

    /// Takes 404 as an answer.
    pub fn may_be_absent(mut self) -> Self {
        self.absence = Absence::Answer;
        self
    }

    /// Moves a blob.
    pub fn of_blob(mut self) -> Self {
        self.size = Size::Blob;
        self
    }

    fn reads(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

impl Registry {
    /// Sends a request, again where that may help, and gives what `read` makes of the answer;
    /// `None` where the thing is absent.
    pub(super) fn ask<T>(
        &self,
        request: &Request<'_>,
        read: impl Fn(Incoming) -> Result<T, Reason>,
    ) -> Result<Option<T>, Reason> {
        self.retry(|registry, end| {
            let answer = registry.once(request, end)?;
            answer.map(&read).transpose()
        })
    }

    /// Does something until it goes well, cannot go well, or patience ends.
    pub(super) fn retry<T>(
        &self,
        mut attempt: impl FnMut(&Self, Instant) -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        let end = Instant::now() + self.patience.total;
        let end = self.deadline.map_or(end, |deadline| deadline.min(end));
        let mut failed = 0;
        loop {
            let reason = match attempt(self, end) {
                Ok(value) => return Ok(value),
                Err(reason) => reason,
            };
            failed += 1;
            let Some(wait) = self.wait(&reason, failed, end) else { return Err(reason) };
            if self.shared.interrupt.sleep(wait).is_err() {
                return Err(Reason { kind: Kind::Interrupted, ..reason });
            }
        }
    }

    /// How long to wait before the next try; `None` where there is none.
    fn wait(&self, reason: &Reason, failed: u32, end: Instant) -> Option<Duration> {
        // A refusal may be a hiccup or a token that was taken back: once more with a fresh one.
        let again = reason.may_pass() || (reason.is_refusal() && failed == 1);
        if !again || failed >= self.patience.tries {
            return None;
        }
        let jitter = std::hash::RandomState::new().build_hasher().finish() % 100;
        let wait = self.patience.wait(failed, reason.retry_after, jitter as u32);
        (Instant::now() + wait < end).then_some(wait)
    }

    /// One try: with credentials where they are asked for, along redirects.
    pub(super) fn once(
        &self,
        request: &Request<'_>,
        end: Instant,
    ) -> Result<Option<Incoming>, Reason> {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let what = format!("{} {}", request.method, request.url.host);
            return Err(Reason::new(Kind::TimedOut, what, "the time for it was over"));
        }
        let Shared { wire, tokens, clock, .. } = &*self.shared;
        let limits = self.limits(request.size, left);
        let token_limits = self.limits(Size::Small, left);
        let purpose =
            Purpose { origin: &request.origin, scopes: &request.scopes, limits: token_limits };
        let ready = tokens.ready(wire, purpose)?;
        let mut answer = self.follow(request, ready.as_ref(), limits)?;
        if answer.status == 401 {
            let headers = answer.headers.get_all("www-authenticate").iter();
            let challenge = Challenge::best(headers.filter_map(|value| value.to_str().ok()));
            let new = match challenge {
                Some(challenge) => tokens.answer(wire, purpose, &challenge, ready.as_ref())?,
                None => None,
            };
            if let Some(new) = new {
                // Read to its end, so that the connection can be used again.
                wire.drain(answer);
                answer = self.follow(request, Some(&new), limits)?;
            }
        }
        let outcome = match request.absence {
            Absence::Answer => judge::outcome(wire, answer, clock),
            Absence::Error => judge::success(wire, answer, clock).map(Some),
        };
        outcome.map_err(|reason| self.explained(reason, purpose))
    }

    /// A refusal with what went wrong while credentials were looked for; its token is dropped.
    fn explained(&self, mut reason: Reason, purpose: Purpose<'_>) -> Reason {
        if reason.is_refusal() {
            self.shared.tokens.forget(purpose);
            let troubles = self.shared.tokens.troubles();
            if !troubles.is_empty() {
                reason.detail = format!("{} ({troubles})", reason.detail);
            }
        }
        reason
    }

    /// Sends a request and follows its redirects. Credentials go to the registry's own server only.
    fn follow(
        &self,
        request: &Request<'_>,
        authorization: Option<&Secret>,
        limits: Limits,
    ) -> Result<Incoming, Reason> {
        let mut url = request.url.clone();
        if request.origin.tls && !url.tls {
            // The address of an upload is the registry's word, too.
            return Err(Reason::new(Kind::Garbage, what(request), "an address without TLS"));
        }
        for _ in 0..=REDIRECTS {
            let incoming = self.shared.wire.send(&Outgoing {
                method: request.method.clone(),
                url: &url,
                headers: &request.headers,
                authorization: authorization.filter(|_| url.same_server(&request.origin)),
                content: request.content,
                limits,
                to: Server::Registry,
            })?;
            if !matches!(incoming.status, 301 | 302 | 303 | 307 | 308) || !request.reads() {
                return Ok(incoming);
            }
            let target = incoming.header("location").and_then(|location| url.join(location));
            let garbage = |detail| Reason::new(Kind::Garbage, what(request), detail);
            let target = target.ok_or_else(|| garbage("a redirect without a usable address"))?;
            if url.tls && !target.tls {
                return Err(garbage("a redirect from https to http"));
            }
            url = target;
        }
        Err(Reason::new(Kind::Garbage, what(request), format!("more than {REDIRECTS} redirects")))
    }

    fn limits(&self, size: Size, left: Duration) -> Limits {
        let Patience { connect, per_request, .. } = self.patience;
        Limits {
            connect: connect.min(left),
            whole: per_request.min(left),
            stalled: (size == Size::Blob).then_some(per_request),
        }
    }
}

fn what(request: &Request<'_>) -> String {
    let path = request.url.path.split('?').next().unwrap_or_default();
    format!("{} {}{path}", request.method, request.url.host)
}
