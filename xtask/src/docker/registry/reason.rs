//! Why a registry gave no usable answer, in a form that can be matched on and read.

use crate::error::Interrupted;
use std::fmt;
use std::time::Duration;

/// How many characters of what a server said are kept.
const EXCERPT: usize = 200;

/// Why a request had no usable answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What sort of failure it is
    pub kind: Kind,
    /// The HTTP status, where there was one
    pub status: Option<u16>,
    /// What was asked: `GET ghcr.io/v2/a/b/manifests/dev`
    pub what: String,
    /// What was said or happened, shortened
    pub detail: String,
    /// How long the registry asks us to wait
    pub retry_after: Option<Duration>,
}

/// The sorts of failure; each calls for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 401 or 403 after the token exchange: credentials are missing, wrong or not enough
    Refused,
    /// 429, or the 403 that GHCR uses as a rate limit
    Throttled,
    /// 5xx, or a registry that does not yet know a blob that it took
    Broken,
    /// No connection, or one that was cut
    Unreachable,
    /// No answer in time
    TimedOut,
    /// An answer that no registry gives: HTML, a wrong digest, no end of bytes, a bad redirect
    Garbage,
    /// Any other refusal of the request itself: 400, 404 for a write, 405, 413
    Rejected,
    /// The user interrupted
    Interrupted,
    /// Something on this machine: an unreadable file, a name that is none
    Local,
}

impl Reason {
    /// A reason without a status.
    pub fn new(kind: Kind, what: impl Into<String>, detail: impl fmt::Display) -> Self {
        let (what, detail) = (what.into(), excerpt(&detail.to_string()));
        Self { kind, status: None, what, detail, retry_after: None }
    }

    /// Whether the registry knows us not well enough (401, 403), as opposed to not answering.
    pub fn is_refusal(&self) -> bool {
        self.kind == Kind::Refused
    }

    /// Whether the same request may go well a moment later.
    pub fn may_pass(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::Broken | Kind::Unreachable | Kind::TimedOut)
    }
}

/// What a person needs of a server's text: one line, printable, short.
pub(super) fn excerpt(text: &str) -> String {
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let line = printable.take(4 * EXCERPT).collect::<String>();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.what)?;
        match (self.kind, self.status) {
            (Kind::Refused, Some(status)) => write!(f, "refused ({status})")?,
            (Kind::Throttled, Some(status)) => write!(f, "rate limit ({status})")?,
            (_, Some(status)) => write!(f, "status {status}")?,
            (Kind::TimedOut, None) => f.write_str("no answer in time")?,
            (Kind::Unreachable, None) => f.write_str("no connection")?,
            (Kind::Garbage, None) => f.write_str("not an answer of a registry")?,
            (Kind::Interrupted, None) => f.write_str("interrupted")?,
            (_, None) => f.write_str("failed")?,
        }
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl std::error::Error for Reason {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        (self.kind == Kind::Interrupted).then_some(&Interrupted as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_keeps_its_exit_code() {
        let reason = Reason::new(Kind::Interrupted, "GET x", "");
        assert_eq!(crate::error::exit_code(&anyhow::Error::new(reason)), 130);
        assert_eq!(crate::error::exit_code(&Reason::new(Kind::Broken, "GET x", "").into()), 1);
    }

    #[test]
    fn excerpts_are_one_short_printable_line() {
        assert_eq!(excerpt("a\r\n\x1b[31m b\t c"), "a [31m b c");
        assert_eq!(excerpt(&"é".repeat(1000)).chars().count(), EXCERPT + 1);
    }
}
