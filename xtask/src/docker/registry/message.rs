//! Requests and answers as they go over the wire.

use super::url::Url;
use super::{Reason, Secret};
use std::io::Read;
use std::time::Duration;
use ureq::http::{self, HeaderMap, HeaderValue, Method};

/// What a request carries.
#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    /// No body at all
    None,
    /// Bytes at hand
    Bytes(&'a [u8]),
    /// A stream of known length, opened anew for each try
    Stream { length: u64, open: &'a Open<'a> },
}

/// Opens a stream.
pub(super) type Open<'a> = dyn Fn() -> Result<Box<dyn Read>, Reason> + 'a;

/// A request as it goes over the wire.
pub(super) struct Outgoing<'a> {
    pub method: Method,
    pub url: &'a Url,
    pub headers: &'a [(&'static str, String)],
    pub authorization: Option<&'a Secret>,
    pub content: Content<'a>,
    pub limits: Limits,
    /// Counted apart
    pub to: Server,
}

/// Whom a request goes to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    Registry,
    Token,
}

/// How long things may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// For the connection
    pub connect: Duration,
    /// For request and answer; where `stalled` is set, only for what comes before the body
    pub whole: Duration,
    /// For a transfer of any length: how long no byte may move
    pub stalled: Option<Duration>,
}

/// An answer whose body is not read yet.
pub(super) struct Incoming {
    pub status: u16,
    pub headers: HeaderMap,
    /// What was asked, for messages
    pub what: String,
    pub body: ureq::Body,
}

impl Incoming {
    /// A header's text; `None` where it is absent or not ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What a request is called in messages. Queries are left out: they may hold signatures.
pub(super) fn what(method: &Method, url: &Url) -> String {
    format!("{method} {}{}", url.host, url.path.split('?').next().unwrap_or_default())
}

/// The head of a request.
pub(super) fn head(request: &Outgoing<'_>) -> Result<http::request::Builder, http::Error> {
    let mut builder =
        http::Request::builder().method(request.method.clone()).uri(request.url.to_string());
    for (name, value) in request.headers {
        builder = builder.header(*name, value);
    }
    if let Some(authorization) = request.authorization {
        let mut value = HeaderValue::from_str(authorization.reveal())?;
        value.set_sensitive(true);
        builder = builder.header("authorization", value);
    }
    Ok(builder)
}
