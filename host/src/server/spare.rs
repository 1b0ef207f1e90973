//! A file descriptor that is kept for those who look after the gateway, when clients have taken all
//! others.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// A descriptor that nobody uses, or none while a scraper has it, or none at all.
#[derive(Debug, Default)]
pub(super) struct Spare {
    is_wanted: AtomicBool,
    file: Mutex<Option<File>>,
}

impl Spare {
    /// There is to be one from now on.
    pub(super) fn want(&self) {
        self.is_wanted.store(true, Ordering::Relaxed);
        self.keep();
    }

    /// Gives it away; returns whether there was one.
    pub(super) fn give(&self) -> bool {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
    }

    /// Takes one, if there is none and the system has one. Returns false if there is to be one, and is
    /// not.
    pub(super) fn keep(&self) -> bool {
        if !self.is_wanted.load(Ordering::Relaxed) {
            return true;
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_none() {
            *file = File::open("/dev/null").ok();
        }
        file.is_some()
    }
}
