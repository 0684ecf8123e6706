//! Signs of life of work that says nothing by itself.

use super::stderr::{is_hushed, line};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often something is said where nothing else is: 30 s at most, with what a look may take.
pub const SIGN_OF_LIFE: Duration = Duration::from_secs(25);

/// Says what goes on, and for how long, whenever it is looked at and has not been said for a while.
#[derive(Debug)]
pub struct Alive {
    began: Instant,
    said: Instant,
    every: Duration,
}

impl Alive {
    /// Of something that begins now.
    pub fn begin() -> Self {
        Self::every(SIGN_OF_LIFE)
    }

    fn every(every: Duration) -> Self {
        let now = Instant::now();
        Self { began: now, said: now, every }
    }

    /// Says it, unless it was said a moment ago or the run is to be quiet.
    pub fn look(&mut self, what: impl FnOnce() -> String) {
        if let Some(sign) = self.sign(Instant::now(), what).filter(|_| !is_hushed()) {
            line(format_args!("{sign}"));
        }
    }

    fn sign(&mut self, now: Instant, what: impl FnOnce() -> String) -> Option<String> {
        if now.duration_since(self.said) < self.every {
            return None;
        }
        self.said = now;
        Some(format!("still at work: {} ({} s so far)", what(), (now - self.began).as_secs()))
    }
}

/// Does something that may take long, and tells now and then that it goes on.
pub fn during<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (ends, ended) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut alive = Alive::begin();
            while ended.recv_timeout(SIGN_OF_LIFE) == Err(RecvTimeoutError::Timeout) {
                alive.look(|| what.to_owned());
            }
        });
        // Dropped also where the work panics: else nobody would end the thread.
        let _ends = ends;
        work()
    })
}

#[cfg(test)]
mod tests {
    use super::{Alive, during};
    use std::time::Duration;

    #[test]
    fn it_is_said_once_a_while() {
        let mut alive = Alive::every(Duration::from_secs(25));
        let began = alive.began;
        let mut at = |seconds| alive.sign(began + Duration::from_secs(seconds), || "a".to_owned());
        let said: Vec<u64> = (0..=100).filter(|second| at(*second).is_some()).collect();
        assert_eq!(said, [25, 50, 75, 100]);
        assert_eq!(at(130).as_deref(), Some("still at work: a (130 s so far)"));
    }

    #[test]
    fn it_gives_what_the_work_gives_at_once() {
        assert_eq!(during("nothing", || 7), 7);
    }
}
