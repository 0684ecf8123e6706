//! The one module that talks to registries (OCI distribution specification 1.1; DESIGN 4.5, 4.6).
//!
//! A question has four answers ([`Answer`]): found, absent, refused, unknown. Absence is only what
//! the registry itself says. What is written is checked, bodies are bounded, and every wait ends
//! with Ctrl-C. Nothing here decides what a missing answer means for a run.

mod answer;
mod blobs;
mod challenge;
mod credentials;
mod exchange;
mod images;
mod judge;
mod lookup;
mod manifests;
mod message;
pub mod oci;
mod packages;
mod patience;
mod ping;
mod promote;
mod reason;
mod reference;
mod resolver;
mod secret;
mod settings;
mod tags;
mod tokens;
mod url;
mod wire;

pub use answer::Answer;
pub use blobs::{Arrival, Source};
pub use challenge::Challenge;
pub use images::Pushed;
pub use lookup::{AtOnce, Resolved};
pub use manifests::{Fetched, Stat};
pub use packages::{ByApi, Packages, Version};
pub use patience::Patience;
pub use promote::{Halted, Promoted};
pub use reason::{Kind, Reason};
pub use reference::{InvalidReference, Reference};
pub use secret::Secret;
pub use tags::Deletion;
pub use url::is_loopback;
pub use wire::Counters;

use crate::context::environment::Environment;
use crate::interrupt::Interrupt;
use crate::process::Processes;
use credentials::Credentials;
use settings::Settings;
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime};
use tokens::Tokens;
use wire::Wire;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// A client of all registries. Clones share connections, credentials, tokens and counters; it may
/// be used from several threads. After an interrupt it answers nothing more: whoever has to clean
/// up then makes a new one with an interrupt of its own.
#[derive(Clone)]
pub struct Registry {
    shared: Arc<Shared>,
    patience: Patience,
    /// When the answers are no longer wanted, whatever patience says
    deadline: Option<Instant>,
}

struct Shared {
    wire: Wire,
    tokens: Tokens,
    clock: Clock,
    interrupt: Interrupt,
    /// Dropped with the last clone: then the watcher of the interrupt ends
    _alive: mpsc::Sender<()>,
}

/// What a client needs to be told.
#[derive(Clone)]
pub struct Options {
    /// Environment variables: `DOCKER_CONFIG`, `HTTPS_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`, `GITHUB_TOKEN`, …
    pub vars: BTreeMap<String, String>,
    /// Starts credential helpers; its interrupt ends all waits
    pub processes: Processes,
    /// How long to wait and how often to try
    pub patience: Patience,
    /// Hosts besides this machine itself that may be spoken to without TLS
    pub plain_hosts: Vec<String>,
    /// Tells the time
    pub clock: Clock,
}

impl Options {
    /// For a process: its environment, and its clock counted on from when it began.
    pub fn new(environment: &Environment, processes: &Processes, patience: Patience) -> Self {
        let (now, began) = (environment.now, Instant::now());
        Self {
            vars: environment.vars.clone(),
            processes: processes.clone(),
            patience,
            plain_hosts: Vec::new(),
            clock: Arc::new(move || now + began.elapsed()),
        }
    }

    fn settings(&self) -> Settings {
        let var = |names: &[&str]| {
            let set = names.iter().filter_map(|name| self.vars.get(*name));
            set.into_iter().find(|value| !value.is_empty()).cloned()
        };
        Settings {
            plain_hosts: self.plain_hosts.clone(),
            proxy: var(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
            no_proxy: var(&["NO_PROXY", "no_proxy"]).unwrap_or_default(),
            cert_file: var(&["SSL_CERT_FILE"]),
            cert_dir: var(&["SSL_CERT_DIR"]),
        }
    }
}

impl Registry {
    /// A client. Nothing is connected to and no file is read yet.
    pub fn new(options: Options) -> Self {
        let interrupt = options.processes.interrupt.clone();
        let wire = Wire::new(options.settings(), interrupt.clone());
        let credentials = Credentials::new(options.vars, options.processes);
        let (alive, watched) = mpsc::channel();
        let clock = options.clock;
        let tokens = Tokens::new(credentials, Arc::clone(&clock));
        let shared = Arc::new(Shared { wire, tokens, clock, interrupt, _alive: alive });
        watch(Arc::downgrade(&shared), shared.interrupt.clone(), watched);
        Self { shared, patience: options.patience, deadline: None }
    }

    /// The same client with another patience.
    pub fn with_patience(&self, patience: Patience) -> Self {
        Self { patience, ..self.clone() }
    }

    /// The same client, whose operations end at a moment whatever patience says.
    pub fn until(&self, deadline: Instant) -> Self {
        let deadline = self.deadline.map_or(deadline, |earlier| earlier.min(deadline));
        Self { deadline: Some(deadline), ..self.clone() }
    }

    /// What has gone by so far, over all clones.
    pub fn counters(&self) -> Counters {
        self.shared.wire.counters()
    }
}

/// Ends requests that hang when the user interrupts.
fn watch(shared: Weak<Shared>, interrupt: Interrupt, alive: mpsc::Receiver<()>) {
    let watching = std::thread::Builder::new().spawn(move || {
        while alive.recv_timeout(Duration::from_millis(20)) == Err(mpsc::RecvTimeoutError::Timeout)
        {
            if interrupt.is_raised() {
                if let Some(shared) = shared.upgrade() {
                    shared.wire.cut();
                }
                return;
            }
        }
    });
    // Where no thread can be had, a request that hangs ends with its own time limit.
    drop(watching);
}
