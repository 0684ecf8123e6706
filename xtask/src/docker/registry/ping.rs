//! Whether a registry is there at all, and what time it is there.

use super::message::{Content, Limits, Outgoing, Server};
use super::url::Url;
use super::{Kind, Reason, Reference, Registry, patience::http_date};
use ureq::http::Method;

impl Registry {
    /// Asks the registry of a repository for its version. Any answer but a 5xx is one: also "who are
    /// you?". Gives its time in seconds since 1970, where it says it.
    pub fn ping(&self, repository: &Reference) -> Result<Option<u64>, Reason> {
        let host = repository.api_host();
        let wire = &self.shared.wire;
        let url = Url { tls: !wire.is_plain(host), host: host.to_owned(), path: "/v2/".into() };
        let (connect, whole) = (self.patience.connect, self.patience.per_request);
        let limits = Limits { connect, whole, stalled: None };
        self.retry(|_, _| {
            let incoming = wire.send(&Outgoing {
                method: Method::GET,
                url: &url,
                headers: &[],
                authorization: None,
                content: Content::None,
                limits,
                to: Server::Registry,
            })?;
            let (status, what) = (incoming.status, incoming.what.clone());
            let date = incoming.header("date").and_then(http_date);
            wire.drain(incoming);
            match status {
                500.. => Err(Reason {
                    status: Some(status),
                    ..Reason::new(Kind::Broken, what, "it is there, and does not work")
                }),
                _ => Ok(date),
            }
        })
    }
}
