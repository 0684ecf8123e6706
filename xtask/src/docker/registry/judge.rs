//! What an answer's status means. Absence is only what a registry itself says (DESIGN 4.5).

use super::message::Incoming;
use super::patience::retry_after;
use super::reason::excerpt;
use super::wire::Wire;
use super::{Clock, Kind, Reason};
use serde_json::Value;

/// How much of an answer that is no success is read, in bytes.
const LIMIT: u64 = 64 << 10;

/// The answer if it is a success; `None` if it is the registry's own "not there"; else the reason.
pub(super) fn outcome(
    wire: &Wire,
    incoming: Incoming,
    clock: &Clock,
) -> Result<Option<Incoming>, Reason> {
    match incoming.status {
        200..=299 => Ok(Some(incoming)),
        404 => {
            let refused = Refused::read(wire, incoming, clock);
            if refused.is_absence() { Ok(None) } else { Err(refused.reason(Kind::Garbage)) }
        }
        _ => success(wire, incoming, clock).map(Some),
    }
}

/// The answer if it is a success, else the reason. For requests where 404 is an error.
pub(super) fn success(wire: &Wire, incoming: Incoming, clock: &Clock) -> Result<Incoming, Reason> {
    if (200..=299).contains(&incoming.status) {
        return Ok(incoming);
    }
    let refused = Refused::read(wire, incoming, clock);
    let kind = refused.kind();
    Err(refused.reason(kind))
}

/// An answer that is no success, read as far as it matters.
struct Refused {
    status: u16,
    what: String,
    content_type: String,
    registry: bool,
    retry_after: Option<std::time::Duration>,
    text: String,
}

impl Refused {
    fn read(wire: &Wire, incoming: Incoming, clock: &Clock) -> Self {
        let content_type = incoming.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let asked = incoming.header("retry-after");
        let retry_after =
            asked.and_then(|asked| retry_after(asked, incoming.header("date"), clock()));
        let (status, what) = (incoming.status, incoming.what.clone());
        let registry = incoming.headers.contains_key("docker-distribution-api-version");
        // What cannot be read of an error's text is not missed.
        let bytes = wire.start(incoming, LIMIT);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self { status, what, content_type, registry, retry_after, text }
    }

    /// Whether a 404 is a registry's: with the OCI error body, or with none. A page of HTML is a
    /// proxy's or a hotel's.
    fn is_absence(&self) -> bool {
        let text = self.text.trim();
        match text.chars().next() {
            _ if ["html", "xml"].iter().any(|kind| self.content_type.contains(kind)) => false,
            None => true,
            Some('<') => false,
            Some('{') => matches!(serde_json::from_str(text), Ok(Value::Object(_))),
            Some(_) => self.registry,
        }
    }

    fn kind(&self) -> Kind {
        let limited = || {
            let text = self.text.to_ascii_lowercase();
            text.contains("rate limit")
                || text.contains("toomanyrequests")
                || text.contains("too many requests")
        };
        match self.status {
            429 => Kind::Throttled,
            401 | 403 if self.retry_after.is_some() || limited() => Kind::Throttled,
            401 | 403 => Kind::Refused,
            500..=599 => Kind::Broken,
            408 => Kind::TimedOut,
            300..=399 => Kind::Garbage,
            // The registry took the blob a moment ago: another of its machines does not know it yet.
            400 | 404 if self.codes().iter().any(|code| code.ends_with("BLOB_UNKNOWN")) => {
                Kind::Broken
            }
            _ => Kind::Rejected,
        }
    }

    fn codes(&self) -> Vec<String> {
        let errors = serde_json::from_str::<Value>(&self.text).ok();
        let errors = errors.as_ref().and_then(|body| body["errors"].as_array());
        errors.into_iter().flatten().filter_map(|e| e["code"].as_str().map(str::to_owned)).collect()
    }

    fn reason(self, kind: Kind) -> Reason {
        let body: Option<Value> = serde_json::from_str(&self.text).ok();
        let errors = body.as_ref().and_then(|body| body["errors"].as_array());
        let said = errors.into_iter().flatten().map(|error| {
            let part = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
            format!("{} {}", part("code"), part("message")).trim().to_owned()
        });
        let said = said.collect::<Vec<_>>().join("; ");
        let detail = excerpt(if said.is_empty() { &self.text } else { &said });
        Reason {
            kind,
            status: Some(self.status),
            what: self.what,
            detail,
            retry_after: self.retry_after,
        }
    }
}
