//! Counts by reason, for what is rare. A reason is a text of the program itself, so that the set
//! of them is closed whatever clients do.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts, each under a reason of type `R`.
#[derive(Debug)]
pub struct By<R>(Mutex<BTreeMap<R, u64>>);

/// Counts by a stable name.
pub type ByReason = By<&'static str>;

impl<R: Ord + Copy> By<R> {
    /// Counts that show these reasons from the beginning, at zero.
    pub fn showing(reasons: impl IntoIterator<Item = R>) -> Self {
        Self(Mutex::new(reasons.into_iter().map(|reason| (reason, 0)).collect()))
    }

    /// Adds one.
    pub fn increment(&self, reason: R) {
        *self.lock().entry(reason).or_default() += 1;
    }

    /// Adds `count`.
    pub fn add(&self, reason: R, count: u64) {
        *self.lock().entry(reason).or_default() += count;
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Ord + Copy> Default for By<R> {
    fn default() -> Self {
        Self::showing([])
    }
}
