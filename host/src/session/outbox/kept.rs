//! What is kept for clients who are away, counted over all sessions.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What is kept for all clients who are away.
#[derive(Debug, Default)]
pub struct Kept {
    sessions: AtomicUsize,
    bytes: AtomicUsize,
}

/// What one session holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) waiting_bytes: usize,
    pub(super) replay_bytes: usize,
    pub(super) away: bool,
}

impl Held {
    /// Sessions and bytes that are kept for those who are away.
    fn kept(self) -> (usize, usize) {
        if self.away { (1, self.waiting_bytes + self.replay_bytes) } else { (0, 0) }
    }
}

impl Kept {
    /// How many sessions wait for their clients.
    pub fn sessions(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// Bytes of messages in all of them.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// A session holds something else now.
    pub(super) fn change(&self, before: Held, after: Held) {
        let (before, after) = (before.kept(), after.kept());
        self.sessions.fetch_add(after.0.wrapping_sub(before.0), Ordering::Relaxed);
        self.bytes.fetch_add(after.1.wrapping_sub(before.1), Ordering::Relaxed);
    }
}
