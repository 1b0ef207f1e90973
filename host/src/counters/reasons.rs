//! Counts by reason, for what is rare. A reason is a text of the program itself, so that the set
//! of them is closed whatever clients do.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts, each under a reason of type `R`.
#[derive(Debug)]
pub struct By<R> {
    counts: Mutex<BTreeMap<R, u64>>,
    /// All reasons that there are have been there from the beginning.
    all_known: bool,
}

/// Counts by a stable name.
pub type ByReason = By<&'static str>;

impl<R: Ord + Copy + Debug> By<R> {
    /// Counts that show these reasons from the beginning, at zero: a rise from nothing would be
    /// seen by nobody who looks at rates. There are no others.
    pub fn showing(reasons: impl IntoIterator<Item = R>) -> Self {
        let counts = reasons.into_iter().map(|reason| (reason, 0)).collect();
        Self { counts: Mutex::new(counts), all_known: true }
    }

    /// Adds one.
    pub fn increment(&self, reason: R) {
        self.add(reason, 1);
    }

    /// Adds `count`.
    pub fn add(&self, reason: R, count: u64) {
        let mut counts = self.lock();
        debug_assert!(!self.all_known || counts.contains_key(&reason), "{reason:?} is not shown");
        *counts.entry(reason).or_default() += count;
    }

    /// The sum of all.
    pub fn get(&self) -> u64 {
        self.lock().values().sum()
    }

    /// The count of one.
    pub fn of(&self, reason: R) -> u64 {
        self.lock().get(&reason).copied().unwrap_or_default()
    }

    /// All, in order.
    pub fn all(&self) -> Vec<(R, u64)> {
        self.lock().iter().map(|(reason, count)| (*reason, *count)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<R, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> Default for By<R> {
    fn default() -> Self {
        Self { counts: Mutex::default(), all_known: false }
    }
}
