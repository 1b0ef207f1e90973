//! A session as it outlives the process. Everything is written under the lock of the outbox, so that
//! the store sees what happens to a session in the order in which it happens.

use std::sync::Arc;

use super::attachment::Link;
use super::outbox::State;
use super::{Attachment, ClientId, Kept, Outbox, Session, TokenHash, Tokens, Traffic};
use crate::close::CloseReason;
use crate::counters::PathCounters;
use crate::limits::{SharedPolicy, SlowClient};
use crate::message::Payload;
use crate::path::ConnectPath;
use crate::principal::Principal;
use crate::store::{SessionRecord, Standing, Store, StoredSession, Token};

/// Where messages may be dropped, more is written than waits: so many more, and all of it is written
/// anew.
const MIN_STALE: usize = 64;

/// What a session that was found in a store is part of in this process.
#[derive(Clone, Debug)]
pub struct Home {
    /// Its path.
    pub path: ConnectPath,
    /// Its client.
    pub principal: Principal,
    /// What holds for it now.
    pub policy: SharedPolicy,
    /// Where it is counted.
    pub counters: Arc<PathCounters>,
    /// Where it is counted while its client is away.
    pub kept: Arc<Kept>,
    /// Where it was found.
    pub store: Arc<Store>,
}

impl Session {
    /// Makes a session outlive the process, if anybody may come back to it.
    #[must_use]
    pub fn kept_in(self, store: Option<&Arc<Store>>) -> Self {
        let store = store.filter(|_| self.policy.reconnect_timeout.is_some());
        Self { store: store.cloned(), ..self }
    }

    /// A session that was found in a store, as one that its client has left. The client may come
    /// back where the record says that it is away.
    pub fn found(stored: StoredSession, home: Home) -> Attachment {
        let StoredSession { record, messages } = stored;
        let Home { path, principal, policy, counters, kept, store } = home;
        let id = ClientId::from_bits(record.id);
        let session = Arc::new(Self {
            id,
            id_text: id.to_string().into_boxed_str(),
            order: record.order,
            path,
            principal,
            traffic: Traffic::from(record.received),
            in_call: false.into(),
            tokens: Tokens::of(record.tokens.iter().map(|Token(bits)| TokenHash::from_bits(*bits))),
            outbox: Outbox::new(SharedPolicy::clone(&policy), counters, kept),
            policy,
            store: Some(store),
        });
        let mut state = session.outbox.lock();
        state.present = 0;
        state.link = Link::Detached(record.connection);
        if let Standing::Away { replay, last, code, reason } = record.standing {
            let mut messages = messages.into_iter();
            let replay = usize::try_from(replay).unwrap_or(usize::MAX);
            state.history.restore(messages.by_ref().take(replay).collect(), last);
            for payload in messages {
                state.queue.restore(payload, &session.policy);
            }
            // They were counted when they were dropped first.
            state.queue.take_dropped();
            state.left = Some(CloseReason::from_record(code, &reason));
        }
        drop(state);
        Attachment::found(session, record.connection)
    }

    /// Writes the session as it is now, tokens included.
    pub fn save(&self) {
        if self.store.is_some() {
            self.save_locked(&mut self.outbox.lock());
        }
    }

    /// Nobody can come back to the session any more, and its listeners are about to be told so.
    pub fn save_end(&self, reason: &CloseReason) {
        if let Some(store) = &self.store {
            let standing = Standing::Over { code: reason.code(), reason: reason.text().to_owned() };
            store.put(self.record(0, standing), Vec::new());
        }
    }

    /// The listeners have been told.
    pub fn forget_saved(&self) {
        if let Some(store) = &self.store {
            store.forget(self.id.bits());
        }
    }

    /// Where it outlives the process.
    pub fn store(&self) -> Option<&Arc<Store>> {
        self.store.as_ref()
    }

    /// Whether what is sent now would wait for the client's return in a store.
    pub fn is_away_in_store(&self) -> bool {
        self.store.is_some() && self.outbox.is_away()
    }

    /// Writes the session, under its lock.
    pub(super) fn save_locked(&self, state: &mut State) {
        let Some(store) = &self.store else { return };
        match state.link {
            Link::Attached(number) => {
                store.put(self.record(number, Standing::Attached), Vec::new())
            }
            // What it had is gone, and its end will be written.
            Link::Detached(_) if state.evicted => {}
            // Nobody comes back to it any more, though its listeners do not know yet.
            Link::Detached(_) if let Some(reason) = &state.closing => self.save_end(reason),
            Link::Detached(number) => {
                state.appended = 0;
                let left = state.left.as_ref();
                let standing = Standing::Away {
                    replay: state.history.messages().len() as u64,
                    last: state.history.last(),
                    code: left.map_or(CloseReason::LOST.code(), CloseReason::code),
                    reason: left.map_or("", CloseReason::text).to_owned(),
                };
                let replay = state.history.messages().iter().cloned();
                let messages = replay.chain(state.queue.messages()).collect();
                store.put(self.record(number, standing), messages);
            }
            Link::Ended => {}
        }
    }

    /// Writes a message that was just queued for a client that is away, under the lock.
    pub(super) fn save_sent(&self, state: &mut State, payload: Payload) {
        let Some(store) = &self.store else { return };
        state.appended += 1;
        // Where messages are dropped, those before are dropped again when it is read.
        let stale = self.policy.slow_client != SlowClient::Close;
        if stale && state.appended > MIN_STALE.max(2 * state.queue.len()) {
            self.save_locked(state);
        } else {
            store.append(self.id.bits(), payload);
        }
    }

    fn record(&self, connection: u64, standing: Standing) -> SessionRecord {
        SessionRecord {
            id: self.id.bits(),
            order: self.order,
            tokens: self.tokens.all().map(|hash| Token(hash.bits())).collect(),
            path: self.path.as_str().to_owned(),
            username: self.principal.username().cloned(),
            roles: Arc::clone(self.principal.roles()),
            claims: self.principal.claims().cloned(),
            authenticator: Arc::clone(self.principal.authenticator()),
            received: self.traffic.messages_received(),
            connection,
            standing,
        }
    }
}

impl From<u64> for Traffic {
    /// Of a session that goes on: messages that its client has sent.
    fn from(received: u64) -> Self {
        Self { messages_received: received.into(), ..Self::default() }
    }
}
