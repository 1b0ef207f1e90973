//! The sessions whose clients are away, in the order in which these left. Where there are too many,
//! or too much is kept for them, those who left first are given up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::session::{Kept, Session};

/// How much may be kept for clients who are away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AwayLimits {
    /// Sessions that wait for their clients.
    pub sessions: usize,
    /// Bytes of messages in all of them.
    pub bytes: usize,
}

/// All who are away; some have come back since.
#[derive(Debug)]
pub(super) struct Away {
    limits: AwayLimits,
    kept: Arc<Kept>,
    left: Mutex<VecDeque<Departure>>,
}

#[derive(Debug)]
struct Departure {
    session: Weak<Session>,
    /// The connection that it left.
    number: u64,
}

/// Departures of clients that have come back since are removed when there are more than this.
const MIN_STALE: usize = 1_024;

impl Default for AwayLimits {
    fn default() -> Self {
        Self { sessions: 10_000, bytes: 64 << 20 }
    }
}

impl Away {
    pub(super) fn new(limits: AwayLimits) -> Self {
        Self { limits, kept: Arc::default(), left: Mutex::default() }
    }

    pub(super) fn kept(&self) -> &Arc<Kept> {
        &self.kept
    }

    pub(super) fn add(&self, session: &Arc<Session>, number: u64) {
        {
            let mut left = self.lock();
            left.push_back(Departure { session: Arc::downgrade(session), number });
            if left.len() > 2 * self.kept.sessions().max(MIN_STALE) {
                left.retain(Departure::still_is);
            }
        }
        self.relieve();
    }

    pub(super) fn relieve(&self) {
        let too_much =
            || self.kept.sessions() > self.limits.sessions || self.kept.bytes() > self.limits.bytes;
        if !too_much() {
            return;
        }
        let mut left = self.lock();
        while too_much() {
            let Some(Departure { session, number }) = left.pop_front() else { return };
            if let Some(session) = session.upgrade() {
                session.outbox().evict(number);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Departure>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Departure {
    fn still_is(&self) -> bool {
        let session = self.session.upgrade();
        session.is_some_and(|session| session.outbox().away_since() == Some(self.number))
    }
}
