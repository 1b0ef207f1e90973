//! A limit of lines per second, for logs that outsiders can cause. What does not fit is counted,
//! never lost without a word.

mod buckets;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use buckets::{Buckets, Empty};

const WINDOW: Duration = Duration::from_secs(1);

/// Counts lines in windows of one second.
#[derive(Debug)]
pub struct LineRate {
    per_second: u32,
    window: Mutex<Window>,
}

/// Lines about what peers do: for each reason one of a peer in each second, so that none hides what
/// others do, and so many in all. A flood of one reason hides no other. Remembered are only those
/// who have a line in the second that lasts: there are not more of them than lines. Reasons are
/// texts of the program: there are not many.
#[derive(Debug)]
pub struct LineRates<P> {
    per_second: usize,
    seconds: Mutex<BTreeMap<&'static str, Second<P>>>,
}

/// What was told for one reason lately.
#[derive(Debug)]
struct Second<P> {
    since: Instant,
    told: Vec<P>,
    dropped: u64,
}

#[derive(Debug)]
struct Window {
    since: Instant,
    lines: u32,
    dropped: u64,
}

/// The line may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Lines that were dropped before, to be told along with this one.
    pub dropped_before: u64,
}

impl LineRate {
    /// At most `per_second` lines in each second.
    pub fn new(per_second: u32) -> Self {
        Self { per_second, window: Mutex::new(Window::new()) }
    }

    /// Whether one more line fits; if not it is counted as dropped.
    pub fn admit(&self) -> Option<Admitted> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner).admit(self.per_second)
    }
}

impl<P: Eq> LineRates<P> {
    /// At most `per_second` lines for each reason in each second, each of another peer.
    pub fn new(per_second: usize) -> Self {
        Self { per_second, seconds: Mutex::default() }
    }

    /// Whether one more line for this reason about this peer fits; if not it is counted as dropped.
    pub fn admit(&self, reason: &'static str, peer: P) -> Option<Admitted> {
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let second = seconds.entry(reason).or_insert_with(Second::new);
        if second.since.elapsed() >= WINDOW {
            second.since = Instant::now();
            second.told.clear();
        }
        if second.told.len() >= self.per_second || second.told.contains(&peer) {
            second.dropped += 1;
            return None;
        }
        second.told.push(peer);
        Some(Admitted { dropped_before: std::mem::take(&mut second.dropped) })
    }
}

impl<P> Second<P> {
    fn new() -> Self {
        Self { since: Instant::now(), told: Vec::new(), dropped: 0 }
    }
}

impl Window {
    fn new() -> Self {
        Self { since: Instant::now(), lines: 0, dropped: 0 }
    }

    fn admit(&mut self, per_second: u32) -> Option<Admitted> {
        let mut dropped_before = 0;
        if self.since.elapsed() >= WINDOW {
            dropped_before = self.dropped;
            *self = Self::new();
        }
        if self.lines >= per_second {
            self.dropped += 1;
            return None;
        }
        self.lines += 1;
        Some(Admitted { dropped_before })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_so_many_lines_and_counts_the_rest() {
        let rate = LineRate::new(2);
        assert_eq!(rate.admit(), Some(Admitted { dropped_before: 0 }));
        assert!(rate.admit().is_some());
        assert!(rate.admit().is_none());
        assert!(rate.admit().is_none());
        rate.window.lock().unwrap().since = Instant::now() - WINDOW;
        assert_eq!(rate.admit(), Some(Admitted { dropped_before: 2 }));
    }

    #[test]
    fn a_flood_of_one_peer_hides_no_other_and_one_of_a_reason_no_other_reason() {
        let rates = LineRates::new(3);
        let none_before = Some(Admitted { dropped_before: 0 });
        assert_eq!(rates.admit("a", 1), none_before);
        assert_eq!(rates.admit("a", 1), None);
        assert_eq!(rates.admit("a", 2), Some(Admitted { dropped_before: 1 }));
        assert_eq!(rates.admit("b", 1), none_before);
        assert_eq!(rates.admit("a", 3), none_before);
        for peer in 4..1_000 {
            assert_eq!(rates.admit("a", peer), None);
        }
        let mut seconds = rates.seconds.lock().unwrap();
        let second = seconds.get_mut("a").unwrap();
        assert_eq!(second.told.len(), 3, "nobody else is remembered");
        second.since = Instant::now() - WINDOW;
        drop(seconds);
        assert_eq!(rates.admit("a", 1), Some(Admitted { dropped_before: 996 }));
    }
}
