//! Waits until the machine has nothing else to do: an engine goes on tidying after a build has ended,
//! and would slow down whoever is measured next.

use crate::docker::engine::files;
use crate::interrupt::Interrupt;
use anyhow::Result;
use std::time::{Duration, Instant};

/// So long is looked how much there is to do.
const WINDOW: Duration = Duration::from_millis(250);
/// The part of all processors' time that may be in use.
const BUSY: f64 = 0.1;
/// A machine that is never calm is measured as it is; each row tells the load.
const AT_MOST: Duration = Duration::from_secs(30);

/// Time of all processors since the system began, in its ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ticks {
    idle: u64,
    all: u64,
}

/// Waits for a calm moment, if the system tells.
pub fn wait(interrupt: &Interrupt) -> Result<()> {
    let end = Instant::now() + AT_MOST;
    let Some(mut before) = now() else { return Ok(()) };
    while Instant::now() < end {
        interrupt.sleep(WINDOW)?;
        let Some(after) = now() else { break };
        if busy(before, after) <= BUSY {
            break;
        }
        before = after;
    }
    Ok(())
}

fn now() -> Option<Ticks> {
    parse(&files::read("/proc/stat".into()).ok()??)
}

/// The first line of /proc/stat: user, nice, system, idle, and more (proc(5)).
fn parse(text: &str) -> Option<Ticks> {
    let numbers = text.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let numbers: Vec<u64> = numbers.map(str::parse).collect::<Result<_, _>>().ok()?;
    // What guests use is counted as user's already.
    Some(Ticks { idle: *numbers.get(3)?, all: numbers.iter().take(8).sum() })
}

fn busy(before: Ticks, after: Ticks) -> f64 {
    let all = after.all.saturating_sub(before.all);
    let idle = after.idle.saturating_sub(before.idle);
    if all == 0 { 0.0 } else { 1.0 - idle as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::{Ticks, busy, parse};

    #[test]
    fn what_is_not_idle_is_busy() {
        let text = "cpu  10 1 20 900 5 0 3 1 7 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        let before = parse(text).unwrap();
        assert_eq!(before, Ticks { idle: 900, all: 940 });
        assert!((busy(before, Ticks { idle: 925, all: 1040 }) - 0.75).abs() < 1e-9);
        assert!(busy(before, before) == 0.0);
        for text in ["", "intr 1 2", "cpu 1 2", "cpu x 1 2 3"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
