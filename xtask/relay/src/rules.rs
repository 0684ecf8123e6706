//! What goes wrong, and when.

use crate::canned::Canned;
use crate::server::lock;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A request as a rule sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Counted from 1 since the relay was started or reset
    pub number: u64,
    /// `PUT`
    pub method: String,
    /// Path and query
    pub path: String,
}

type Predicate = Arc<dyn Fn(&Request) -> bool + Send + Sync>;
type Callback = Arc<dyn Fn(&Request) + Send + Sync>;

/// Which requests a rule is for: those that fit, less the first `skip` of them, and at most `times`.
#[derive(Clone)]
pub struct When {
    fits: Predicate,
    skip: u64,
    times: Option<u64>,
}

impl When {
    /// Requests of which something is true.
    pub fn is(fits: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        Self { fits: Arc::new(fits), skip: 0, times: None }
    }

    /// Every request.
    pub fn any() -> Self {
        Self::is(|_| true)
    }

    /// The k-th request (from 1).
    pub fn nth(k: u64) -> Self {
        Self::is(move |request| request.number == k)
    }

    /// The k-th request and all that follow.
    pub fn from(k: u64) -> Self {
        Self::is(move |request| request.number >= k)
    }

    /// Requests of a method whose path contains a text.
    pub fn on(method: &str, path: &str) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        Self::is(move |request| request.method == method && request.path.contains(&path))
    }

    /// Leaves the first `n` that fit alone.
    pub fn skip(self, n: u64) -> Self {
        Self { skip: n, ..self }
    }

    /// At most `n` times; without it, for ever.
    pub fn times(self, n: u64) -> Self {
        Self { times: Some(n), ..self }
    }

    /// Once.
    pub fn once(self) -> Self {
        self.times(1)
    }
}

/// What is done with a request.
#[derive(Clone)]
pub enum Then {
    /// Passed on unchanged (so that a later rule is not asked)
    Pass,
    /// Answered here; the upstream never sees it
    Answer(Canned),
    /// Passed on after a while
    Delay(Duration),
    /// The connection is cut, and the upstream never sees the request
    Cut,
    /// Cut after so many bytes of the request's body went upstream
    CutUpload(u64),
    /// Carried out upstream; cut after so many bytes of the answer's body
    CutAnswer(u64),
    /// Carried out upstream, but the client never hears of it
    LoseAnswer,
    /// Passed on when the gate opens
    Hold(Gate),
    /// Carried out upstream; the answer is passed on when the gate opens
    HoldAnswer(Gate),
    /// Passed on after a function has run
    Before(Callback),
    /// Carried out upstream; the answer is passed on after a function has run
    After(Callback),
}

impl Then {
    /// Runs a function, then passes the request on.
    pub fn before(call: impl Fn(&Request) + Send + Sync + 'static) -> Self {
        Self::Before(Arc::new(call))
    }

    /// Has the request carried out, runs a function, then passes the answer on.
    pub fn after(call: impl Fn(&Request) + Send + Sync + 'static) -> Self {
        Self::After(Arc::new(call))
    }
}

impl fmt::Debug for Then {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("pass"),
            Self::Answer(canned) => write!(f, "status:{}", canned.status),
            Self::Delay(wait) => write!(f, "delay:{}", wait.as_millis()),
            Self::Cut => f.write_str("cut"),
            Self::CutUpload(bytes) => write!(f, "cut-upload:{bytes}"),
            Self::CutAnswer(bytes) => write!(f, "cut-answer:{bytes}"),
            Self::LoseAnswer => f.write_str("lose"),
            Self::Hold(_) => f.write_str("hold"),
            Self::HoldAnswer(_) => f.write_str("hold-answer"),
            Self::Before(_) => f.write_str("before"),
            Self::After(_) => f.write_str("after"),
        }
    }
}

impl FromStr for Then {
    type Err = String;

    /// The forms that a command line can give: `status:500`, `delay:250` (milliseconds), `cut`,
    /// `cut-upload:1000`, `cut-answer:10`, `lose`, `pass`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once(':').unwrap_or((text, "0"));
        let value: u64 = value.parse().map_err(|_| format!("`{value}` is no number"))?;
        Ok(match name {
            "pass" => Self::Pass,
            "cut" => Self::Cut,
            "lose" => Self::LoseAnswer,
            "delay" => Self::Delay(Duration::from_millis(value)),
            "cut-upload" => Self::CutUpload(value),
            "cut-answer" => Self::CutAnswer(value),
            "status" => match u16::try_from(value) {
                Ok(status @ 200..=599) => Self::Answer(Canned::error(status, "RELAY")),
                _ => return Err(format!("`{value}` is no status")),
            },
            _ => return Err(format!("`{name}` is no action")),
        })
    }
}

/// Holds requests until it is opened. Clones are one gate.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<Waiting>, Condvar)>);

#[derive(Debug, Default)]
struct Waiting {
    open: bool,
    arrived: u64,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets those that wait, and all that come, go on.
    pub fn open(&self) {
        lock(&self.0.0).open = true;
        self.0.1.notify_all();
    }

    /// Waits until `n` requests have arrived at the gate; `false` if that takes longer than `patience`.
    pub fn wait_for(&self, n: u64, patience: Duration) -> bool {
        let waiting = lock(&self.0.0);
        let late = self.0.1.wait_timeout_while(waiting, patience, |waiting| waiting.arrived < n);
        !late.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    pub(crate) fn pass(&self) {
        let mut waiting = lock(&self.0.0);
        waiting.arrived += 1;
        self.0.1.notify_all();
        while !waiting.open {
            waiting = self.0.1.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Rules in the order in which they are asked; the first that is for a request decides.
#[derive(Default)]
pub(crate) struct Rules(Mutex<Vec<Rule>>);

struct Rule {
    when: When,
    then: Then,
    seen: u64,
}

impl Rules {
    pub fn add(&self, when: When, then: Then) {
        lock(&self.0).push(Rule { when, then, seen: 0 });
    }

    pub fn clear(&self) {
        lock(&self.0).clear();
    }

    pub fn decide(&self, request: &Request) -> Option<Then> {
        for rule in lock(&self.0).iter_mut() {
            if !(rule.when.fits)(request) {
                continue;
            }
            rule.seen += 1;
            let ended = rule.when.times.is_some_and(|times| rule.seen > rule.when.skip + times);
            if rule.seen > rule.when.skip && !ended {
                return Some(rule.then.clone());
            }
        }
        None
    }
}
