//! A session: one client as listeners know it, over all its connections. It owns the outbox; a
//! connection only drains it, so that whatever happens to a socket, what is queued for a client
//! stays here. Its life is drawn in [`Attachment`]'s file.

mod attachment;
mod history;
mod id;
mod outbox;
mod saved;
#[cfg(test)]
mod tests;
mod tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use attachment::Link;
pub use attachment::{Attachment, Left, Over};
pub use history::Gap;
pub use id::{ClientId, ReconnectToken, TokenHash};
pub use outbox::{Drained, Dropped, Kept, Outbox, Refusal, SendPermit, Sent};
pub use saved::Home;
pub use tokens::Tokens;

use crate::admission::Admission;
use crate::close::{CloseCause, CloseReason};
use crate::counters::PathCounters;
use crate::limits::SharedPolicy;
use crate::message::Payload;
use crate::path::ConnectPath;
use crate::principal::Principal;
use crate::store::Store;

/// One client session. Listeners see its [`ClientId`], which gives nothing away.
#[derive(Debug)]
pub struct Session {
    id: ClientId,
    id_text: Box<str>,
    order: u64,
    path: ConnectPath,
    principal: Principal,
    policy: SharedPolicy,
    traffic: Traffic,
    in_call: AtomicBool,
    tokens: Tokens,
    outbox: Outbox,
    store: Option<Arc<Store>>,
}

/// A message of a session is with an instance, until this is dropped.
#[derive(Debug)]
pub struct InCall<'a>(&'a AtomicBool);

/// What has passed between a client and the gateway.
#[derive(Debug, Default)]
pub struct Traffic {
    messages_received: AtomicU64,
    bytes_received: AtomicU64,
    messages_sent: AtomicU64,
    bytes_sent: AtomicU64,
}

impl Session {
    /// A session with an empty outbox. `order` is its place in the order of admission; what passes
    /// is counted in `counters`, and in `kept` while its client is away.
    pub fn new(
        order: u64,
        path: ConnectPath,
        principal: Principal,
        policy: SharedPolicy,
        counters: Arc<PathCounters>,
        kept: Arc<Kept>,
    ) -> Result<Self, getrandom::Error> {
        let id = ClientId::random()?;
        let outbox = Outbox::new(SharedPolicy::clone(&policy), counters, kept);
        Ok(Self {
            id,
            id_text: id.to_string().into_boxed_str(),
            order,
            path,
            principal,
            policy,
            traffic: Traffic::default(),
            in_call: AtomicBool::new(false),
            tokens: Tokens::default(),
            outbox,
            store: None,
        })
    }

    /// The public id, as listeners see it.
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// The public id as text.
    pub fn id_text(&self) -> &str {
        &self.id_text
    }

    /// Place in the order of admission; unique, and the order of pages of a query.
    pub fn order(&self) -> u64 {
        self.order
    }

    /// Where the client connected, below the base path.
    pub fn path(&self) -> &ConnectPath {
        &self.path
    }

    /// Who the client is.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// What holds for this client.
    pub fn policy(&self) -> &SharedPolicy {
        &self.policy
    }

    /// With what the client may come back.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Messages waiting for the client.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// What is counted for the clients of its path.
    pub fn counters(&self) -> &PathCounters {
        self.outbox.counters()
    }

    /// What has passed so far.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Counts a message of `bytes` from the client and numbers it, from 1. Called by its
    /// connection only.
    pub fn received(&self, bytes: usize) -> u64 {
        self.counters().received(bytes as u64);
        add(&self.traffic.bytes_received, bytes as u64);
        add(&self.traffic.messages_received, 1)
    }

    /// Counts messages that a socket has taken.
    pub fn count_sent(&self, sent: Sent) {
        let Sent { messages, bytes } = sent;
        self.counters().sent(messages, bytes);
        add(&self.traffic.messages_sent, messages);
        add(&self.traffic.bytes_sent, bytes);
    }

    /// Queues one message, or says why not.
    pub fn send(self: &Arc<Self>, payload: Payload) -> Result<(), Refusal> {
        SendPermit::reserve(self, payload.len()).map(|permit| permit.send(payload))
    }

    /// A message of the client is with an instance from now on: what ends the session has to wait
    /// for it, for others depend on the instance.
    pub fn enter_call(&self) -> InCall<'_> {
        self.in_call.store(true, Ordering::Relaxed);
        InCall(&self.in_call)
    }

    /// Whether a message of the client is with an instance, and does not just wait for one.
    pub fn is_in_call(&self) -> bool {
        self.in_call.load(Ordering::Relaxed)
    }

    /// The place of the connection that has the session among those that are allowed, for one that
    /// comes to replace it.
    pub fn share_place(&self) -> Option<Admission> {
        self.outbox.lock().place.share()
    }

    /// Ends the session after what is queued has left; at once if its client is away. The first
    /// reason wins.
    pub fn close(&self, reason: CloseReason) {
        let mut state = self.outbox.lock();
        let away = matches!(state.link, Link::Detached(_));
        if state.is_closed() || (away && reason.cause() == CloseCause::GoingAway) {
            return;
        }
        state.closing = Some(reason);
        if away {
            // Its listeners may be told by the next process only.
            self.save_locked(&mut state);
        }
        state.wake();
    }
}

impl Drop for InCall<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Traffic {
    /// Messages from the client.
    pub fn messages_received(&self) -> u64 {
        self.messages_received.load(Ordering::Relaxed)
    }

    /// Bytes in them.
    pub fn bytes_received(&self) -> u64 {
        self.bytes_received.load(Ordering::Relaxed)
    }

    /// Messages to the client.
    pub fn messages_sent(&self) -> u64 {
        self.messages_sent.load(Ordering::Relaxed)
    }

    /// Bytes in them.
    pub fn bytes_sent(&self) -> u64 {
        self.bytes_sent.load(Ordering::Relaxed)
    }
}

/// Adds to a number that one thread at a time writes; returns the sum.
fn add(number: &AtomicU64, count: u64) -> u64 {
    let sum = number.load(Ordering::Relaxed) + count;
    number.store(sum, Ordering::Relaxed);
    sum
}
