//! The same work for many things, by a few threads.

use crate::interrupt::Interrupt;
use anyhow::Result;
use std::sync::atomic::{AtomicUsize, Ordering};

/// More threads do not make a disk faster.
const MOST: usize = 8;

/// Does it for each, and gives the results in the order of the things.
pub fn for_each<T: Sync, R: Send>(
    interrupt: &Interrupt,
    things: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Result<Vec<R>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        while !interrupt.is_raised() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(thing) = things.get(number) else { break };
            done.push((number, work(thing)));
        }
        done
    };
    let mut done = std::thread::scope(|scope| {
        let others = threads.min(MOST).min(things.len()).saturating_sub(1);
        let others: Vec<_> = (0..others).map(|_| scope.spawn(worker)).collect();
        let mut done = worker();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    interrupt.check()?;
    done.sort_unstable_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}
