//! Ctrl-C and SIGTERM as a value that long work looks at.
#![expect(clippy::disallowed_methods, reason = "the one place that sleeps, in slices")]

use crate::error::Interrupted;
use anyhow::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Whether the user has asked us to stop. Clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on SIGINT and SIGTERM only raise the flag: whoever runs long has to look at it.
    pub fn install() -> Result<Self> {
        let flag = Self::default();
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&flag.0))?;
        }
        Ok(flag)
    }

    /// Whether a signal has arrived.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// [`Interrupted`] when a signal has arrived.
    pub fn check(&self) -> Result<()> {
        if self.is_raised() { Err(Interrupted.into()) } else { Ok(()) }
    }

    /// Waits, and gives up early with [`Interrupted`].
    pub fn sleep(&self, duration: Duration) -> Result<()> {
        let end = Instant::now() + duration;
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(Duration::from_millis(20)));
        }
    }

    /// Raises the flag as a signal would (tests, and a run that ends itself).
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
