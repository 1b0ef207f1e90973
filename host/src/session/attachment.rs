//! A session and the connections that it has one after the other.
//!
//! ```text
//!            leave(), and the client may come back
//! Attached ----------------------------------------> Detached
//!    |  ^ \                                            |  |
//!    |  |  +--take_over() by another connection        |  |
//!    |  +-----------------take_over()------------------+  |
//!    +--leave(), for good--> Ended <--expire(), close()---+
//! ```
//!
//! Invariant: only the connection that came last gets messages, and it gets none before all others
//! have left: what those had received is with its listeners then.

use std::ops::Deref;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::SystemTime;

use super::Session;
use super::history::Gap;
use super::outbox::{Drained, Sent};
use crate::admission::Admission;
use crate::close::{CloseCause, CloseReason};

/// Which connection has a session. The number is that of the connection in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Attached(u64),
    /// The connection of this number was the last one.
    Detached(u64),
    Ended,
}

/// The right of one connection to what waits for a session, until another one takes it over.
#[derive(Debug)]
pub struct Attachment {
    session: Arc<Session>,
    number: u64,
    expires_at: Option<SystemTime>,
}

/// What becomes of a session that a connection leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Another connection has it.
    Replaced,
    /// It waits for its client.
    Detached,
    /// It is over.
    Ended,
}

/// What ends the wait for a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// It has come back.
    Back,
    /// A listener closed it, or a broadcast found no room.
    Closed(CloseReason),
    /// Too much is kept for those who are away.
    Evicted,
}

impl Attachment {
    /// For the first connection of a session. The credentials of its client hold until
    /// `expires_at`.
    pub fn first(session: Arc<Session>, expires_at: Option<SystemTime>) -> Self {
        Self { session, number: 1, expires_at }
    }

    /// Of a session that was found, whose last connection had this number.
    pub(super) fn found(session: Arc<Session>, number: u64) -> Self {
        Self { session, number, expires_at: None }
    }

    /// For a further connection, which gets everything from now on. None if the session is over,
    /// or about to be.
    pub fn take_over(session: &Arc<Session>, expires_at: Option<SystemTime>) -> Option<Self> {
        let mut state = session.outbox.lock();
        let number = match state.link {
            Link::Ended => return None,
            Link::Attached(number) | Link::Detached(number) => number + 1,
        };
        match &state.closing {
            Some(reason) if reason.cause() != CloseCause::GoingAway => return None,
            Some(_) | None => {}
        }
        if state.evicted {
            return None;
        }
        state.link = Link::Attached(number);
        state.present += 1;
        // Before anything is written to it: what a crash then leaves is no session with a gap.
        session.save_locked(&mut state);
        // Whoever had it, or waits for its end, is told.
        state.wake();
        Some(Self { session: Arc::clone(session), number, expires_at })
    }

    /// The connection has this place among those that are allowed: whoever replaces it may share it.
    pub fn has_place(&self, admission: &Admission) {
        let mut state = self.session.outbox.lock();
        if state.link == Link::Attached(self.number) {
            state.place = admission.place();
        }
    }

    /// The session.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Number of the connection in its session.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// From when on the credentials of the client are refused.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }

    /// Whether this is not the first connection of the session.
    pub fn is_return(&self) -> bool {
        self.number > 1
    }

    /// Ready when all earlier connections have left; `Err` when this one is replaced meanwhile.
    pub fn poll_alone(&self, waker: &Waker) -> Poll<Result<(), Left>> {
        let mut state = self.session.outbox.lock();
        if state.link != Link::Attached(self.number) {
            return Poll::Ready(Err(Left::Replaced));
        }
        if state.present == 1 {
            return Poll::Ready(Ok(()));
        }
        state.sleep(waker);
        Poll::Pending
    }

    /// Has everything again that the client says it has not received, or, where it does not say,
    /// what the connections before did not write. All earlier connections have left.
    ///
    /// # Errors
    /// Not all of it is there. Nothing has changed then.
    pub fn rewind(&self, received: Option<u64>) -> Result<(), Gap> {
        let mut state = self.session.outbox.lock();
        let unwritten = state.queue.unwritten() as u64;
        let received = received.unwrap_or(state.history.last().saturating_sub(unwritten));
        let again = state.history.rewind(received)?;
        state.queue.written();
        state.queue.push_front(again);
        Ok(())
    }

    /// Takes what waits, or a part of it, to be written. It goes on to count until
    /// [`Self::sent`].
    pub fn drain(&self) -> Drained {
        let mut state = self.session.outbox.lock();
        if state.link != Link::Attached(self.number) {
            return Drained { close: Some(CloseReason::REPLACED), ..Drained::default() };
        }
        state.drain(&self.session.policy)
    }

    /// The socket has taken what was drained, or so much of it and then no more. Counts it, and
    /// gives its room back.
    pub fn sent(&self, sent: Sent) {
        self.session.count_sent(sent);
        self.session.outbox.written(self.number);
    }

    /// Number of the last message that was drained.
    pub fn last_drained(&self) -> u64 {
        self.session.outbox.lock().history.last()
    }

    /// All messages up to this one have arrived.
    pub fn acknowledge(&self, number: u64) {
        self.session.outbox.lock().history.acknowledge(number);
    }

    /// Returns whether there is news; if not, `waker` is woken at the next one.
    pub fn poll_news(&self, waker: &Waker) -> bool {
        let mut state = self.session.outbox.lock();
        let replaced = state.link != Link::Attached(self.number);
        if replaced || !state.queue.is_empty() || state.closing.is_some() {
            return true;
        }
        state.sleep(waker);
        false
    }

    /// Returns whether another connection has the session; if not, `waker` is woken when one has.
    pub fn poll_replaced(&self, waker: &Waker) -> bool {
        let mut state = self.session.outbox.lock();
        if state.link != Link::Attached(self.number) {
            return true;
        }
        state.sleep(waker);
        false
    }

    /// The connection is awake: nobody needs to wake it.
    pub fn awake(&self) {
        let mut state = self.session.outbox.lock();
        if state.link == Link::Attached(self.number) {
            state.sleeper = None;
        }
    }

    /// Whether the connection is to be closed: somebody asked for it, or another has the session.
    pub fn is_closing(&self) -> bool {
        let state = self.session.outbox.lock();
        state.link != Link::Attached(self.number) || state.closing.is_some()
    }

    /// The connection is over, for this reason, and has nothing with a listener any more.
    pub fn leave(&self, reason: &CloseReason) -> Left {
        let mut state = self.session.outbox.lock();
        state.present -= 1;
        if state.link != Link::Attached(self.number) {
            // It may be this one that another waits for.
            state.wake();
            return Left::Replaced;
        }
        state.sleeper = None;
        let asked = state.closing.as_ref().is_none_or(|by| by.cause() == CloseCause::GoingAway);
        if self.session.policy.reconnect_timeout.is_some() && asked && reason.may_come_back() {
            state.link = Link::Detached(self.number);
            state.closing = None;
            state.left = Some(reason.clone());
            self.session.save_locked(&mut state);
            Left::Detached
        } else {
            state.end();
            Left::Ended
        }
    }

    /// After [`Left::Detached`]: ready with what ends the wait for the client.
    pub fn poll_over(&self, waker: &Waker) -> Poll<Over> {
        let mut state = self.session.outbox.lock();
        if state.link != Link::Detached(self.number) {
            return Poll::Ready(Over::Back);
        }
        if let Some(reason) = &state.closing {
            return Poll::Ready(Over::Closed(reason.clone()));
        }
        if state.evicted {
            return Poll::Ready(Over::Evicted);
        }
        state.sleep(waker);
        Poll::Pending
    }

    /// The wait for the client is over. Returns whether the session is; else it is back.
    pub fn expire(&self) -> bool {
        let mut state = self.session.outbox.lock();
        let over = state.link == Link::Detached(self.number);
        if over {
            state.end();
        }
        over
    }
}

impl Deref for Attachment {
    type Target = Arc<Session>;

    fn deref(&self) -> &Arc<Session> {
        &self.session
    }
}
