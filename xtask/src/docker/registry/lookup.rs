//! Many questions at once, over few connections, with one end for all of them (DESIGN 4.5, 5).

use super::oci::Platform;
use super::{Answer, Fetched, Kind, Reason, Reference, Registry};
use crate::report::alive::Alive;
use serde::Deserialize;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// The largest image configuration that is read, in bytes.
const CONFIG_LIMIT: u64 = 4 << 20;

/// How many questions are asked at once, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtOnce {
    /// How many threads (and so connections) there are at most; at least one
    pub threads: usize,
    /// How long all of it may take; what is not answered by then is unknown
    pub within: Option<Duration>,
}

/// What a name stands for at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The digest of the index or manifest
    pub digest: String,
    /// Its media type
    pub media_type: String,
    /// What it runs on; for a single manifest read from its configuration
    pub platforms: Vec<Platform>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(flatten)]
    platform: Platform,
}

impl Registry {
    /// Reads many manifests; the answers are in the order of the references.
    pub fn get_manifests(
        &self,
        references: Vec<Reference>,
        at_once: AtOnce,
    ) -> Vec<Answer<Fetched>> {
        self.for_each(references, at_once, Self::get_manifest)
    }

    /// Asks a question about each item; the answers are in the order of the items. After `within`,
    /// and when the user interrupts, nothing is waited for: threads that still hang end later by
    /// themselves, and hold nothing up.
    pub fn for_each<I, T>(
        &self,
        items: Vec<I>,
        at_once: AtOnce,
        ask: impl Fn(&Self, &I) -> Answer<T> + Send + Sync + 'static,
    ) -> Vec<Answer<T>>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
    {
        let end = at_once.within.map(|within| Instant::now() + within);
        let registry = end.map_or_else(|| self.clone(), |end| self.until(end));
        let (sender, answers) = mpsc::channel();
        let count = items.len();
        let work = Arc::new((items, AtomicUsize::new(0), ask, registry));
        for _ in 0..at_once.threads.clamp(1, 64).min(count) {
            let (work, sender) = (Arc::clone(&work), sender.clone());
            // Where no thread can be had, what is left over is answered as unknown.
            let thread = std::thread::Builder::new().spawn(move || {
                let (items, next, ask, registry) = &*work;
                loop {
                    let at = next.fetch_add(1, Relaxed);
                    let Some(item) = items.get(at) else { return };
                    if sender.send((at, ask(registry, item))).is_err() {
                        return;
                    }
                }
            });
            drop(thread);
        }
        drop(sender);
        self.collect(count, &answers, end)
    }

    fn collect<T>(
        &self,
        count: usize,
        answers: &mpsc::Receiver<(usize, Answer<T>)>,
        end: Option<Instant>,
    ) -> Vec<Answer<T>> {
        let mut all: Vec<Option<Answer<T>>> = std::iter::repeat_with(|| None).take(count).collect();
        let mut kind = Kind::Local;
        let (mut answered, mut alive) = (0, Alive::begin());
        loop {
            let slice = Duration::from_millis(20);
            let left = end.map_or(slice, |end| end.saturating_duration_since(Instant::now()));
            match answers.recv_timeout(left.min(slice)) {
                Ok((at, answer)) => {
                    all[at] = Some(answer);
                    answered += 1;
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    if self.shared.interrupt.is_raised() {
                        kind = Kind::Interrupted;
                        break;
                    }
                    if left.is_zero() {
                        kind = Kind::TimedOut;
                        break;
                    }
                    alive.look(|| format!("{answered} of {count} answers of registries are in"));
                }
            }
        }
        let missing = || Reason::new(kind, "look-up", "the time for all look-ups was over");
        all.into_iter().map(|answer| answer.unwrap_or_else(|| missing().into())).collect()
    }

    /// What a name stands for: its digest and the platforms that it can run on.
    pub fn resolve(&self, reference: &Reference) -> Answer<Resolved> {
        self.get_manifest(reference).and_then(|fetched| {
            let platforms = if fetched.is_index() {
                fetched.index()?.platforms()
            } else {
                vec![self.single_platform(reference, &fetched)?]
            };
            let Fetched { digest, media_type, .. } = fetched;
            Ok(Resolved { digest, media_type, platforms })
        })
    }

    fn single_platform(
        &self,
        reference: &Reference,
        fetched: &Fetched,
    ) -> Result<Platform, Reason> {
        let config = fetched.manifest()?.config.digest;
        let garbage = |detail: String| Reason::new(Kind::Garbage, reference.to_string(), detail);
        let bytes = self.get_blob(reference, &config, CONFIG_LIMIT).known()?;
        let bytes = bytes.ok_or_else(|| garbage("its configuration is not there".into()))?;
        let config: Config = serde_json::from_slice(&bytes)
            .map_err(|e| garbage(format!("its configuration names no platform: {e}")))?;
        Ok(config.platform)
    }
}
