//! Messages waiting for one client, bounded by count and bytes. Unless its policy says which
//! messages to drop, a full outbox never acts on its own: it answers [`Refusal::Full`], and whoever
//! sends decides.

mod queue;

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

pub use self::queue::Dropped;
use self::queue::Queue;
use super::Session;
use crate::close::CloseReason;
use crate::counters::{OfPath, PathCounters};
use crate::limits::{SharedPolicy, SlowClient};
use crate::message::Payload;

/// Bytes that are taken to be written at a time, or one message that is larger. What is taken
/// counts until it was written: the less it is, the sooner there is room again.
const STEP_BYTES: usize = 64 << 10;

/// The bounded queue of one session.
#[derive(Debug)]
pub struct Outbox {
    policy: SharedPolicy,
    counters: Arc<PathCounters>,
    /// What was taken has been written, and the state does not know it yet: whoever locks it next
    /// tells it. Set by the connection only, which so needs no lock of its own for that.
    written: AtomicBool,
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
}

impl Outbox {
    pub(super) fn new(policy: SharedPolicy, counters: Arc<PathCounters>) -> Self {
        Self { policy, counters, written: AtomicBool::new(false), state: Mutex::default() }
    }

    pub(super) fn counters(&self) -> &PathCounters {
        &self.counters
    }

    /// Takes what is queued, or a part of it, to be written. It goes on to count until
    /// `written`. Called by the connection only.
    pub fn drain(&self) -> Drained {
        let mut state = self.lock();
        let messages = state.queue.take(STEP_BYTES);
        let more = !state.queue.is_empty();
        let close = if more { None } else { state.closing.clone() };
        Drained { messages, more, close }
    }

    /// Everything that was drained has been written: its room is free. Called by the connection
    /// only.
    pub(super) fn written(&self) {
        self.written.store(true, Ordering::Relaxed);
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

    /// Bytes waiting, those promised to a call in progress and those being written included.
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
        state.queue.take(usize::MAX);
        state.queue.written();
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
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes_before = state.queue.size().1;
        // It is unset under the lock only, and set only after the lock for a drain was released.
        if self.written.load(Ordering::Relaxed) {
            self.written.store(false, Ordering::Relaxed);
            state.queue.written();
        }
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
mod tests;
