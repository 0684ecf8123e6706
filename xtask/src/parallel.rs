//! The same work on many items at once, on few threads.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Calls a function with each item, on so many threads at most. The results are in the items' order.
pub fn map<I: Sync, T: Send>(threads: usize, items: &[I], f: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                while let Some((at, item)) = {
                    let at = next.fetch_add(1, Relaxed);
                    items.get(at).map(|item| (at, item))
                } {
                    let result = f(item);
                    lock(&results).push((at, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The least that a thread is started for.
const FOR_A_THREAD: usize = 32;
/// The most threads that compute.
const MOST: usize = 8;

/// The same for what computes: no more threads than there are processors, and none for few items.
pub fn compute<I: Sync, T: Send>(items: &[I], f: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    match items.len().div_ceil(FOR_A_THREAD).min(processors).min(MOST) {
        0 | 1 => items.iter().map(f).collect(),
        threads => map(threads, items, f),
    }
}

/// A lock that does not care whether another thread panicked.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn results_keep_their_order() {
        let items: Vec<u64> = (0..100).collect();
        let doubled = map(8, &items, |item| item * 2);
        assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert!(map(8, &[] as &[u64], |item| *item).is_empty());
    }

    #[test]
    fn items_are_worked_on_at_once() {
        let both = std::sync::Barrier::new(2);
        assert_eq!(map(2, &[1, 2], |item| (both.wait(), *item).1), [1, 2]);
    }
}
