//! A session: one client as listeners know it. It owns the outbox; the connection only drains it,
//! so that whatever happens to a socket, what is queued for a client stays here.
//!
//! ```text
//! Open --close(reason)--> Closing --end()--> Ended      (Open --end()--> Ended: connection lost)
//! ```

mod id;
mod outbox;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use id::{ClientId, ReconnectToken};
pub use outbox::{Drained, Outbox, Refusal, SendPermit};

use crate::close::CloseReason;
use crate::limits::SharedPolicy;
use crate::message::Payload;
use crate::path::ConnectPath;
use crate::principal::Principal;

/// One client session. Listeners see its [`ClientId`], which gives nothing away.
#[derive(Debug)]
pub struct Session {
    id: ClientId,
    id_text: Box<str>,
    order: u64,
    path: ConnectPath,
    principal: Principal,
    policy: SharedPolicy,
    messages_received: AtomicU64,
    outbox: Outbox,
}

impl Session {
    /// A session with an empty outbox. `order` is its place in the order of admission.
    pub fn new(
        order: u64,
        path: ConnectPath,
        principal: Principal,
        policy: SharedPolicy,
    ) -> Result<Self, getrandom::Error> {
        let id = ClientId::random()?;
        let outbox = Outbox::new(policy.outbox_messages, policy.outbox_bytes);
        Ok(Self {
            id,
            id_text: id.to_string().into_boxed_str(),
            order,
            path,
            principal,
            policy,
            messages_received: AtomicU64::new(0),
            outbox,
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

    /// Messages waiting for the client.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Numbers the next message of the client, from 1.
    pub fn next_sequence(&self) -> u64 {
        self.messages_received.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Queues one message, or says why not.
    pub fn send(self: &Arc<Self>, payload: Payload) -> Result<(), Refusal> {
        SendPermit::reserve(self, payload.len()).map(|permit| permit.send(payload))
    }

    /// Asks the connection to close after what is queued has left. The first reason wins.
    pub fn close(&self, reason: CloseReason) {
        self.outbox.close(reason);
    }
}
