//! A limit of lines per second, for logs that outsiders can cause. What does not fit is counted,
//! never lost without a word.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(1);

/// Counts lines in windows of one second.
#[derive(Debug)]
pub struct LineRate {
    per_second: u32,
    window: Mutex<Window>,
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
        let window = Window { since: Instant::now(), lines: 0, dropped: 0 };
        Self { per_second, window: Mutex::new(window) }
    }

    /// Whether one more line fits; if not it is counted as dropped.
    pub fn admit(&self) -> Option<Admitted> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let mut dropped_before = 0;
        if window.since.elapsed() >= WINDOW {
            dropped_before = window.dropped;
            *window = Window { since: Instant::now(), lines: 0, dropped: 0 };
        }
        if window.lines >= self.per_second {
            window.dropped += 1;
            return None;
        }
        window.lines += 1;
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
}
