//! Numbers that many threads add to and nobody waits for. Each thread adds to a cache line of its
//! own, by a plain load and store; a reader sums the lines up. No line is ever written by two
//! threads at a time, but the last one, which is for threads beyond the number of lines.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Threads at a time that have lines of their own; more than there are workers on most machines.
const OWN_LINES: usize = 32;

/// `N` numbers. They wrap around, so that what one thread adds another may take away.
pub(super) struct PerThread<const N: usize> {
    own: Box<[Line<N>]>,
    shared: Line<N>,
}

/// On cache lines that no other line has a part of.
#[repr(align(64))]
struct Line<const N: usize>([AtomicU64; N]);

/// Place of a thread among the lines: the lowest one that is free while the thread lives.
struct Place(usize);

static TAKEN: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

thread_local! {
    static PLACE: Place = Place::take();
}

impl<const N: usize> PerThread<N> {
    /// Adds to the number at `index`; nothing where there is no such number.
    pub(super) fn add(&self, index: usize, count: u64) {
        self.add_all([(index, count)]);
    }

    /// Adds to several numbers.
    pub(super) fn add_all<const M: usize>(&self, counts: [(usize, u64); M]) {
        // While a thread ends it has no place any more.
        let place = PLACE.try_with(|place| place.0).unwrap_or(usize::MAX);
        match self.own.get(place) {
            Some(line) => {
                for (index, count) in counts {
                    let Some(number) = line.0.get(index) else { continue };
                    // This thread is the only one that writes here.
                    let sum = number.load(Ordering::Relaxed).wrapping_add(count);
                    number.store(sum, Ordering::Relaxed);
                }
            }
            None => {
                for (index, count) in counts {
                    let Some(number) = self.shared.0.get(index) else { continue };
                    number.fetch_add(count, Ordering::Relaxed);
                }
            }
        }
    }

    /// The sum of all threads.
    pub(super) fn get(&self, index: usize) -> u64 {
        let lines = self.own.iter().chain([&self.shared]);
        let numbers = lines.filter_map(|line| line.0.get(index));
        numbers.fold(0, |sum, number| sum.wrapping_add(number.load(Ordering::Relaxed)))
    }
}

impl<const N: usize> Default for PerThread<N> {
    fn default() -> Self {
        let line = || Line(std::array::from_fn(|_| AtomicU64::new(0)));
        Self { own: (0..OWN_LINES).map(|_| line()).collect(), shared: line() }
    }
}

impl<const N: usize> std::fmt::Debug for PerThread<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries((0..N).map(|index| self.get(index))).finish()
    }
}

impl Place {
    fn take() -> Self {
        let mut taken = taken();
        let place = (0..OWN_LINES).find(|place| !taken.contains(place)).unwrap_or(OWN_LINES);
        if place < OWN_LINES {
            taken.insert(place);
        }
        Self(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        taken().remove(&self.0);
    }
}

fn taken() -> MutexGuard<'static, BTreeSet<usize>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_with_more_threads_than_lines_and_one_may_take_what_another_added() {
        let numbers = PerThread::<2>::default();
        std::thread::scope(|scope| {
            for _ in 0..OWN_LINES * 3 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        numbers.add_all([(0, 3), (1, 1)]);
                    }
                });
            }
        });
        let all = OWN_LINES as u64 * 3_000;
        assert_eq!((numbers.get(0), numbers.get(1)), (3 * all, all));
        numbers.add(1, all.wrapping_neg());
        assert_eq!(numbers.get(1), 0);
        numbers.add(2, 1);
        assert_eq!(numbers.get(2), 0);
    }
}
