//! Messages waiting for one client, bounded by count and bytes. Unless its policy says which
//! messages to drop, a full outbox never acts on its own: it answers [`Refusal::Full`], and whoever
//! sends decides.

mod queue;

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

pub use self::queue::Dropped;
use self::queue::Queue;
use super::Session;
use crate::close::CloseReason;
use crate::counters::{OfPath, PathCounters};
use crate::limits::{SharedPolicy, SlowClient};
use crate::message::Payload;

/// The bounded queue of one session.
#[derive(Debug)]
pub struct Outbox {
    policy: SharedPolicy,
    counters: Arc<PathCounters>,
    state: Mutex<State>,
}

/// The state while nobody else has it. What it has more or fewer bytes afterwards is counted.
struct Locked<'a> {
    state: MutexGuard<'a, State>,
    counters: &'a PathCounters,
    bytes_before: usize,
}

#[derive(Debug, Default)]
struct State {
    queue: Queue,
    closing: Option<CloseReason>,
    ended: bool,
    /// Set while the connection sleeps; taken by whoever has news for it.
    sleeper: Option<Waker>,
}

/// Why nothing can be queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The client is closing or its session has ended.
    Closed,
    /// No room: too many messages or bytes wait already. Never where the policy is to drop.
    Full,
}

/// Room for one message, taken at the moment of the request and given back when it is dropped
/// unused. It keeps a promise made to a listener until its call succeeds. Where the policy is to
/// drop messages no room is taken: what has to go goes when the message is sent, so that a call
/// that fails drops nothing.
#[derive(Debug)]
pub struct SendPermit {
    session: Arc<Session>,
    bytes: usize,
    used: bool,
}

/// What the connection finds when it looks.
#[derive(Debug, Default)]
pub struct Drained {
    /// Messages to write, in order.
    pub messages: VecDeque<Payload>,
    /// Set once a close was asked for: write `messages`, then close.
    pub close: Option<CloseReason>,
}

impl Outbox {
    pub(super) fn new(policy: SharedPolicy, counters: Arc<PathCounters>) -> Self {
        Self { policy, counters, state: Mutex::default() }
    }

    pub(super) fn counters(&self) -> &PathCounters {
        &self.counters
    }

    /// Takes everything queued. Called by the connection only.
    pub fn drain(&self) -> Drained {
        let mut state = self.lock();
        Drained { messages: state.queue.take(), close: state.closing.clone() }
    }

    /// Messages that were dropped because the client is slow, since this was asked last.
    pub fn take_dropped(&self) -> Dropped {
        match self.drops() {
            true => self.lock().queue.take_dropped(),
            false => Dropped::default(),
        }
    }

    /// Returns whether there is news; if not, `waker` is woken at the next one.
    pub fn poll_news(&self, waker: &Waker) -> bool {
        let mut state = self.lock();
        if !state.queue.is_empty() || state.closing.is_some() {
            return true;
        }
        match &mut state.sleeper {
            Some(sleeper) => sleeper.clone_from(waker),
            empty => *empty = Some(waker.clone()),
        }
        false
    }

    /// The connection is awake: nobody needs to wake it.
    pub fn awake(&self) {
        self.lock().sleeper = None;
    }

    /// Bytes waiting, those promised to a call in progress included.
    pub fn waiting_bytes(&self) -> usize {
        self.lock().queue.size().1
    }

    /// Whether a close was asked for or the session has ended.
    pub fn is_closed(&self) -> bool {
        let state = self.lock();
        state.ended || state.closing.is_some()
    }

    /// Ends the outbox: what waits is forgotten, nothing more is taken.
    pub fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        state.queue.take();
        state.sleeper = None;
    }

    fn drops(&self) -> bool {
        self.policy.slow_client != SlowClient::Close
    }

    pub(super) fn close(&self, reason: CloseReason) {
        let mut state = self.lock();
        if state.ended || state.closing.is_some() {
            return;
        }
        state.closing = Some(reason);
        wake(state);
    }

    fn lock(&self) -> Locked<'_> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes_before = state.queue.size().1;
        Locked { state, counters: &self.counters, bytes_before }
    }
}

impl SendPermit {
    /// Takes room for a message of `bytes`.
    pub fn reserve(session: &Arc<Session>, bytes: usize) -> Result<Self, Refusal> {
        let outbox = &session.outbox;
        let mut state = outbox.lock();
        if state.ended || state.closing.is_some() {
            return Err(Refusal::Closed);
        }
        if !outbox.drops() && !state.queue.reserve(bytes, &outbox.policy) {
            return Err(Refusal::Full);
        }
        drop(state);
        Ok(Self { session: Arc::clone(session), bytes, used: false })
    }

    /// Queues the message that the room was taken for. If the client was closed meanwhile the
    /// message is dropped with everything else that waits for it.
    pub fn send(mut self, payload: Payload) {
        debug_assert_eq!(payload.len(), self.bytes, "a permit is for one message");
        let outbox = &self.session.outbox;
        let mut state = outbox.lock();
        if state.ended || state.closing.is_some() {
            // Before the room is given back, which takes the lock again.
            drop(state);
            return;
        }
        self.used = true;
        match outbox.drops() {
            true => state.queue.push_dropping(payload, &outbox.policy),
            false => state.queue.push_promised(payload),
        }
        wake(state);
    }
}

impl Drop for SendPermit {
    fn drop(&mut self) {
        if !self.used && !self.session.outbox.drops() {
            self.session.outbox.lock().queue.release(self.bytes);
        }
    }
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let bytes = self.state.queue.size().1;
        if bytes != self.bytes_before {
            let change = (bytes as u64).wrapping_sub(self.bytes_before as u64);
            self.counters.add(OfPath::OutboxBytes, change);
        }
    }
}

/// Wakes the connection if it sleeps, after the lock is gone.
fn wake(mut state: Locked<'_>) {
    let sleeper = state.sleeper.take();
    drop(state);
    if let Some(sleeper) = sleeper {
        sleeper.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;
    use crate::counters::Counters;
    use crate::limits::ConnectionPolicy;
    use crate::path::ConnectPath;
    use crate::principal::Principal;

    struct Bell(AtomicUsize);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn session(messages: usize, bytes: usize) -> Arc<Session> {
        session_with(ConnectionPolicy {
            outbox_messages: messages,
            outbox_bytes: bytes,
            ..ConnectionPolicy::default()
        })
    }

    fn session_with(policy: ConnectionPolicy) -> Arc<Session> {
        let path = ConnectPath::parse("/a").unwrap();
        let counters = Counters::default().path(None);
        Arc::new(Session::new(1, path, Principal::anonymous(), Arc::new(policy), counters).unwrap())
    }

    #[test]
    fn an_outbox_is_full_by_count_and_by_bytes() {
        let by_count = session(2, 100);
        by_count.send(Payload::text("a")).unwrap();
        by_count.send(Payload::text("b")).unwrap();
        assert_eq!(by_count.send(Payload::text("c")), Err(Refusal::Full));
        let by_bytes = session(10, 3);
        by_bytes.send(Payload::text("abc")).unwrap();
        assert_eq!(by_bytes.send(Payload::text("d")), Err(Refusal::Full));
        by_bytes.send(Payload::text("")).unwrap();
    }

    #[test]
    fn a_permit_holds_room_until_it_is_used_or_dropped() {
        let session = session(1, 100);
        let permit = SendPermit::reserve(&session, 1).unwrap();
        assert_eq!(session.send(Payload::text("x")), Err(Refusal::Full));
        drop(permit);
        session.send(Payload::text("x")).unwrap();
        assert_eq!(session.outbox().drain().messages.len(), 1);
        assert_eq!(session.outbox().waiting_bytes(), 0);
    }

    #[test]
    fn where_messages_are_dropped_a_permit_takes_no_room_and_a_failed_call_drops_nothing() {
        for slow_client in [SlowClient::DropOldest, SlowClient::DropNewest, SlowClient::Latest] {
            let policy =
                ConnectionPolicy { slow_client, outbox_messages: 1, ..ConnectionPolicy::default() };
            let session = session_with(policy);
            session.send(Payload::text("a")).unwrap();
            let kept = SendPermit::reserve(&session, 1).unwrap();
            let unused = SendPermit::reserve(&session, 1).unwrap();
            drop(unused);
            assert_eq!(session.outbox().waiting_bytes(), 1);
            kept.send(Payload::text("b"));
            let last = if slow_client == SlowClient::DropNewest { "a" } else { "b" };
            let drained = session.outbox().drain();
            assert_eq!(drained.messages, [Payload::text(last)], "{slow_client:?}");
            assert_eq!(session.outbox().take_dropped().count(), 1);
            // A close is no message: it always has room, and comes last.
            session.send(Payload::text("c")).unwrap();
            session.send(Payload::text("d")).unwrap();
            session.close(CloseReason::GOING_AWAY);
            assert_eq!(session.outbox().drain().close, Some(CloseReason::GOING_AWAY));
            assert_eq!(session.outbox().take_dropped().count(), 1);
        }
    }

    #[test]
    fn the_first_reason_to_close_stays_and_nothing_more_is_taken() {
        let session = session(5, 100);
        let permit = SendPermit::reserve(&session, 1).unwrap();
        session.send(Payload::text("last words")).unwrap();
        session.close(CloseReason::GOING_AWAY);
        session.close(CloseReason::SLOW_CONSUMER);
        permit.send(Payload::text("x"));
        assert_eq!(session.send(Payload::text("x")), Err(Refusal::Closed));
        let drained = session.outbox().drain();
        assert_eq!(drained.close, Some(CloseReason::GOING_AWAY));
        assert_eq!(drained.messages, [Payload::text("last words")]);
    }

    #[test]
    fn a_sleeper_is_woken_once_and_one_that_is_awake_not_at_all() {
        let session = session(5, 100);
        let bell = Arc::new(Bell(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&bell));
        assert!(!session.outbox().poll_news(&waker));
        session.send(Payload::text("a")).unwrap();
        session.send(Payload::text("b")).unwrap();
        assert_eq!(bell.0.load(Ordering::Relaxed), 1);
        session.outbox().drain();
        assert!(!session.outbox().poll_news(&waker));
        session.outbox().awake();
        session.send(Payload::text("c")).unwrap();
        assert_eq!(bell.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn an_ended_outbox_is_empty_and_takes_nothing() {
        let session = session(5, 100);
        session.send(Payload::text("a")).unwrap();
        session.outbox().end();
        assert!(session.outbox().drain().messages.is_empty());
        assert_eq!(session.send(Payload::text("b")), Err(Refusal::Closed));
        assert_eq!(session.outbox().waiting_bytes(), 0);
    }
}
