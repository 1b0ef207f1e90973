//! What the gateway counts. Monotonic, relaxed, and never labelled with anything a client chose.

use std::sync::atomic::{AtomicU64, Ordering};

/// One counter.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

/// All counters of one gateway.
#[derive(Debug, Default)]
pub struct Counters {
    /// Connections that were upgraded.
    pub accepted: Counter,
    /// Requests that were turned away before the upgrade.
    pub rejected: Counter,
    /// Messages received from clients.
    pub messages_received: Counter,
    /// Messages that listeners queued for clients.
    pub messages_queued: Counter,
    /// Messages that no listener matched.
    pub unmatched: Counter,
    /// Calls of listeners, for messages and disconnects.
    pub calls: Counter,
    /// Calls that a listener answered with an error.
    pub calls_refused: Counter,
    /// Calls that ended their instance: traps, time-outs and breached limits.
    pub calls_ended: Counter,
}

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `count`.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The count so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
