//! Messages waiting for one client, bounded by count and bytes. Unless its policy says which
//! messages to drop, a full outbox never acts on its own: it answers [`Refusal::Full`], and whoever
//! sends decides.

mod kept;
mod queue;

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use self::kept::Held;
pub use self::kept::Kept;
pub use self::queue::Dropped;
use self::queue::Queue;
use super::Session;
use super::attachment::Link;
use super::history::History;
use crate::admission::OwnPlace;
use crate::close::{CloseCause, CloseReason};
use crate::counters::{OfPath, PathCounters};
use crate::limits::{ConnectionPolicy, SharedPolicy, SlowClient};
use crate::message::Payload;

/// Bytes that are taken to be written at a time, or one message that is larger. What is taken
/// counts until it was written: the less it is, the sooner there is room again.
const STEP_BYTES: usize = 64 << 10;

/// The bounded queue of one session.
#[derive(Debug)]
pub struct Outbox {
    policy: SharedPolicy,
    counters: Arc<PathCounters>,
    kept: Arc<Kept>,
    /// Number of the connection that has written what it took, if the state does not know it yet:
    /// whoever locks it next tells it. Set by connections only, which so need no lock of their own
    /// for that; zero for none.
    written_by: AtomicU64,
    state: Mutex<State>,
}

/// The state while nobody else has it. What it has more or fewer bytes afterwards is counted.
pub(super) struct Locked<'a> {
    state: MutexGuard<'a, State>,
    outbox: &'a Outbox,
    before: Held,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) queue: Queue,
    pub(super) history: History,
    pub(super) link: Link,
    /// Connections that have not left.
    pub(super) present: u32,
    /// Of the connection that has the session, among those that are allowed.
    pub(super) place: OwnPlace,
    pub(super) closing: Option<CloseReason>,
    /// Why the last connection was left, of a client that is away.
    pub(super) left: Option<CloseReason>,
    /// Messages that were added in the store to what was saved there.
    pub(super) appended: usize,
    /// What was kept for a client that is away had to go.
    pub(super) evicted: bool,
    /// Set while the connection sleeps; taken by whoever has news for it.
    pub(super) sleeper: Option<Waker>,
}

/// Why nothing can be queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The client is closing or its session has ended.
    Closed,
    /// No room: too many messages or bytes wait already. Never where the policy is to drop.
    Full,
}

impl Refusal {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Closed, Self::Full];

    /// Stable name, for metrics; as the interface calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Full => "queue-full",
        }
    }
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
    /// There are more behind them.
    pub more: bool,
    /// Set once a close was asked for and nothing more is behind `messages`: write them, then
    /// close.
    pub close: Option<CloseReason>,
    /// Much is kept in case it does not arrive: it is time to ask.
    pub ask: bool,
}

/// Messages to a client, and bytes in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many.
    pub messages: u64,
    /// Bytes in all of them.
    pub bytes: u64,
}

impl Outbox {
    pub(super) fn new(policy: SharedPolicy, counters: Arc<PathCounters>, kept: Arc<Kept>) -> Self {
        Self {
            policy,
            counters,
            kept,
            written_by: AtomicU64::new(0),
            state: Mutex::new(State::new()),
        }
    }

    pub(super) fn counters(&self) -> &PathCounters {
        &self.counters
    }

    /// Everything that a connection has drained has been written: its room is free.
    pub(super) fn written(&self, by: u64) {
        self.written_by.store(by, Ordering::Relaxed);
    }

    /// Messages that were dropped because the client is slow, since this was asked last.
    pub fn take_dropped(&self) -> Dropped {
        match self.drops() {
            true => self.lock().queue.take_dropped(),
            false => Dropped::default(),
        }
    }

    /// Bytes waiting, those promised to a call in progress and those being written included.
    pub fn waiting_bytes(&self) -> usize {
        self.lock().queue.size().1
    }

    /// Whether a close was asked for or the session has ended.
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed()
    }

    /// Ends the outbox: what waits is forgotten, nothing more is taken.
    pub fn end(&self) {
        self.lock().end();
    }

    /// Whether the client is away. Nobody is kept from knowing better right after.
    pub(super) fn is_away(&self) -> bool {
        // Nearly always nobody is, and then no lock is needed.
        self.kept.sessions() > 0 && self.away_since().is_some()
    }

    /// Number of the last connection, if the client is away.
    pub fn away_since(&self) -> Option<u64> {
        match self.lock().link {
            Link::Detached(number) => Some(number),
            Link::Attached(_) | Link::Ended => None,
        }
    }

    /// Gives up what is kept for the client, if it is away since the connection of this number.
    pub fn evict(&self, number: u64) {
        let mut state = self.lock();
        if state.link == Link::Detached(number) && !state.evicted {
            state.evicted = true;
            state.forget_all();
            state.wake();
        }
    }

    fn drops(&self) -> bool {
        self.policy.slow_client != SlowClient::Close
    }

    pub(super) fn lock(&self) -> Locked<'_> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.held();
        // It is unset under the lock only, and set only after the lock for a drain was released.
        let by = self.written_by.load(Ordering::Relaxed);
        if by != 0 {
            self.written_by.store(0, Ordering::Relaxed);
            // What an earlier connection has written is in the history, and not in its room.
            if state.link == Link::Attached(by) {
                state.queue.written();
            }
        }
        Locked { state, outbox: self, before }
    }
}

impl State {
    fn new() -> Self {
        Self {
            queue: Queue::default(),
            history: History::default(),
            link: Link::Attached(1),
            present: 1,
            place: OwnPlace::default(),
            closing: None,
            left: None,
            appended: 0,
            evicted: false,
            sleeper: None,
        }
    }

    /// Whether nothing is taken any more. A gateway that stops closes connections: what is sent
    /// before that has happened leaves with the rest, and the session may wait for its client.
    pub(super) fn is_closed(&self) -> bool {
        let over = |reason: &CloseReason| reason.cause() != CloseCause::GoingAway;
        self.link == Link::Ended || self.closing.as_ref().is_some_and(over) || self.evicted
    }

    pub(super) fn drain(&mut self, policy: &ConnectionPolicy) -> Drained {
        let messages = self.queue.take(STEP_BYTES);
        let ask = self.history.hand_out(&messages, policy);
        let more = !self.queue.is_empty();
        let close = if more { None } else { self.closing.clone() };
        Drained { messages, more, close, ask }
    }

    pub(super) fn end(&mut self) {
        self.link = Link::Ended;
        self.forget_all();
        self.sleeper = None;
    }

    fn forget_all(&mut self) {
        self.queue.take(usize::MAX);
        self.queue.written();
        self.history.forget_all();
    }

    pub(super) fn sleep(&mut self, waker: &Waker) {
        match &mut self.sleeper {
            Some(sleeper) => sleeper.clone_from(waker),
            empty => *empty = Some(waker.clone()),
        }
    }

    fn held(&self) -> Held {
        Held {
            waiting_bytes: self.queue.size().1,
            replay_bytes: self.history.bytes(),
            away: matches!(self.link, Link::Detached(_)) && !self.evicted,
        }
    }
}

impl SendPermit {
    /// Takes room for a message of `bytes`.
    pub fn reserve(session: &Arc<Session>, bytes: usize) -> Result<Self, Refusal> {
        let outbox = &session.outbox;
        let mut state = outbox.lock();
        if state.is_closed() {
            return Err(Refusal::Closed);
        }
        if !outbox.drops() && !state.queue.reserve(bytes, &outbox.policy) {
            return Err(Refusal::Full);
        }
        drop(state);
        Ok(Self { session: Arc::clone(session), bytes, used: false })
    }

    /// Whose room it is.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Queues the message that the room was taken for. If the client was closed meanwhile the
    /// message is dropped with everything else that waits for it.
    pub fn send(mut self, payload: Payload) {
        debug_assert_eq!(payload.len(), self.bytes, "a permit is for one message");
        let outbox = &self.session.outbox;
        let mut state = outbox.lock();
        if state.is_closed() {
            // Before the room is given back, which takes the lock again.
            drop(state);
            return;
        }
        self.used = true;
        let to_store = match state.link {
            Link::Detached(_) if self.session.store.is_some() => Some(payload.clone()),
            Link::Detached(_) | Link::Attached(_) | Link::Ended => None,
        };
        match outbox.drops() {
            true => state.queue.push_dropping(payload, &outbox.policy),
            false => state.queue.push_promised(payload),
        }
        if let Some(payload) = to_store {
            self.session.save_sent(&mut state, payload);
        }
        // Who waits for the return of the client needs not know.
        if let Link::Attached(_) = state.link {
            state.wake();
        }
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

impl Locked<'_> {
    /// Wakes the connection if it sleeps, after the lock is gone.
    pub(super) fn wake(mut self) {
        let sleeper = self.sleeper.take();
        drop(self);
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let (before, after) = (self.before, self.state.held());
        if before == after {
            return;
        }
        let change = |before: usize, after: usize| (after as u64).wrapping_sub(before as u64);
        let Outbox { counters, kept, .. } = self.outbox;
        if before.waiting_bytes != after.waiting_bytes {
            let change = change(before.waiting_bytes, after.waiting_bytes);
            counters.add(OfPath::OutboxBytes, change);
        }
        if before.replay_bytes != after.replay_bytes {
            let change = change(before.replay_bytes, after.replay_bytes);
            counters.add(OfPath::ReplayBytes, change);
        }
        if before.away || after.away {
            kept.change(before, after);
        }
    }
}

#[cfg(test)]
mod tests;
