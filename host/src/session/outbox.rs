//! Messages waiting for one client, bounded by count and bytes. A full outbox never acts on its
//! own: it answers [`Refusal::Full`], and whoever sends decides.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::Session;
use crate::close::CloseReason;
use crate::message::Payload;

/// The bounded queue of one session.
#[derive(Debug)]
pub struct Outbox {
    max_messages: usize,
    max_bytes: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Payload>,
    /// What waits in `queue` and what is promised to permits.
    messages: usize,
    bytes: usize,
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
    /// No room: too many messages or bytes wait already.
    Full,
}

/// Room for one message, taken at the moment of the request and given back when it is dropped
/// unused. It keeps a promise made to a listener until its call succeeds.
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
    pub(super) fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self { max_messages, max_bytes, state: Mutex::default() }
    }

    /// Takes everything queued. Called by the connection only.
    pub fn drain(&self) -> Drained {
        let mut state = self.lock();
        let messages = std::mem::take(&mut state.queue);
        state.messages -= messages.len();
        state.bytes -= messages.iter().map(Payload::len).sum::<usize>();
        Drained { messages, close: state.closing.clone() }
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
        self.lock().bytes
    }

    /// Whether a close was asked for or the session has ended.
    pub fn is_closed(&self) -> bool {
        let state = self.lock();
        state.ended || state.closing.is_some()
    }

    /// Ends the outbox: what waits is dropped, nothing more is taken.
    pub fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        state.bytes -= state.queue.iter().map(Payload::len).sum::<usize>();
        state.messages -= state.queue.len();
        state.queue = VecDeque::new();
        state.sleeper = None;
    }

    pub(super) fn close(&self, reason: CloseReason) {
        let mut state = self.lock();
        if state.ended || state.closing.is_some() {
            return;
        }
        state.closing = Some(reason);
        wake(state);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        if state.messages >= outbox.max_messages || state.bytes + bytes > outbox.max_bytes {
            return Err(Refusal::Full);
        }
        state.messages += 1;
        state.bytes += bytes;
        drop(state);
        Ok(Self { session: Arc::clone(session), bytes, used: false })
    }

    /// Queues the message that the room was taken for. If the client was closed meanwhile the
    /// message is dropped with everything else that waits for it.
    pub fn send(mut self, payload: Payload) {
        debug_assert_eq!(payload.len(), self.bytes, "a permit is for one message");
        self.used = true;
        let mut state = self.session.outbox.lock();
        if state.ended || state.closing.is_some() {
            state.messages -= 1;
            state.bytes -= self.bytes;
            return;
        }
        state.queue.push_back(payload);
        wake(state);
    }
}

impl Drop for SendPermit {
    fn drop(&mut self) {
        if !self.used {
            let mut state = self.session.outbox.lock();
            state.messages -= 1;
            state.bytes -= self.bytes;
        }
    }
}

/// Wakes the connection if it sleeps, after the lock is gone.
fn wake(mut state: MutexGuard<'_, State>) {
    let sleeper = state.sleeper.take();
    drop(state);
    if let Some(sleeper) = sleeper {
        sleeper.wake();
    }
}
