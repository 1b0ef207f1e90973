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

/// The same for each reason by itself, so that a flood of one hides no other. Reasons are texts of
/// the program: there are not many.
#[derive(Debug)]
pub struct LineRates {
    per_second: u32,
    windows: Mutex<BTreeMap<&'static str, Window>>,
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
    /// Lines that were dropped in the window before, to be told along with this one.
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

impl LineRates {
    /// At most `per_second` lines for each reason in each second.
    pub fn new(per_second: u32) -> Self {
        Self { per_second, windows: Mutex::default() }
    }

    /// Whether one more line for this reason fits; if not it is counted as dropped.
    pub fn admit(&self, reason: &'static str) -> Option<Admitted> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.entry(reason).or_insert_with(Window::new).admit(self.per_second)
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
    fn a_flood_of_one_reason_hides_no_other() {
        let rates = LineRates::new(1);
        assert!(rates.admit("a").is_some());
        assert!(rates.admit("a").is_none());
        assert!(rates.admit("b").is_some());
    }
}
