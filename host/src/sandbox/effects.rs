//! What a guest asked for during one call. Arguments, grants and room are checked when it asks;
//! the effect itself waits until the call succeeds. Dropping effects undoes the promises.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::close::CloseReason;
use crate::counters::Counter;
use crate::message::Payload;
use crate::session::{ClientId, Refusal, SendPermit, Session};
use crate::store::Store;

/// Recorded effects, in the order in which they were asked for.
#[derive(Debug, Default)]
pub struct Effects {
    recorded: Vec<Effect>,
    /// The clients of the recorded closes, for every send asks for them.
    closing: BTreeSet<ClientId>,
}

#[derive(Debug)]
enum Effect {
    Send { permit: SendPermit, payload: Payload },
    Broadcast { to: Vec<Arc<Session>>, payload: Payload },
    Close { session: Arc<Session>, reason: CloseReason },
}

impl Effects {
    pub(super) fn send(&mut self, permit: SendPermit, payload: Payload) {
        self.recorded.push(Effect::Send { permit, payload });
    }

    pub(super) fn broadcast(&mut self, to: Vec<Arc<Session>>, payload: Payload) {
        self.recorded.push(Effect::Broadcast { to, payload });
    }

    pub(super) fn close(&mut self, session: Arc<Session>, reason: CloseReason) {
        self.closing.insert(session.id());
        self.recorded.push(Effect::Close { session, reason });
    }

    /// The clients that this call has asked to close since the last flush.
    pub(super) fn closing(&self) -> &BTreeSet<ClientId> {
        &self.closing
    }

    /// Makes happen what concerns clients who are away and have a store: nobody may learn of the call
    /// before what it sent outlives the process. Returns the store, if there was any of that.
    pub fn apply_to_absent(&mut self, counter: &Counter) -> Option<Arc<Store>> {
        let mut store = None;
        let (mut sent, mut queued) = (0, 0);
        let mut is_absent = |session: &Arc<Session>| {
            let absent = session.is_away_in_store();
            if absent && store.is_none() {
                store = session.store().cloned();
            }
            absent
        };
        let kept = self.recorded.extract_if(.., |effect| match effect {
            Effect::Send { permit, .. } => is_absent(permit.session()),
            Effect::Broadcast { to, payload } => {
                for session in to.extract_if(.., |session| is_absent(session)) {
                    queued += deliver(&session, payload);
                }
                false
            }
            Effect::Close { session, .. } => is_absent(session),
        });
        for effect in kept {
            match effect {
                Effect::Send { permit, payload } => {
                    permit.send(payload);
                    sent += 1;
                }
                Effect::Close { session, reason } => session.close(reason),
                Effect::Broadcast { .. } => {}
            }
        }
        counter.add(sent + queued);
        store
    }

    /// Makes everything recorded happen, in order, and forgets it. Messages that were queued are
    /// added to `counter`.
    pub fn apply(&mut self, counter: &Counter) {
        let mut queued = 0;
        self.closing.clear();
        for effect in self.recorded.drain(..) {
            match effect {
                Effect::Send { permit, payload } => {
                    permit.send(payload);
                    queued += 1;
                }
                Effect::Broadcast { to, payload } => {
                    queued += to.iter().map(|session| deliver(session, &payload)).sum::<u64>();
                }
                Effect::Close { session, reason } => session.close(reason),
            }
        }
        counter.add(queued);
    }
}

/// A broadcast does not ask each client for room: one that is too slow is closed.
fn deliver(session: &Arc<Session>, payload: &Payload) -> u64 {
    match session.send(payload.clone()) {
        Ok(()) => 1,
        Err(Refusal::Closed) => 0,
        Err(Refusal::Full) => {
            session.close(CloseReason::SLOW_CONSUMER);
            0
        }
    }
}
