//! Sessions that an earlier process left, and what becomes of a store that fails.

use std::sync::Arc;

use super::{Server, life};
use crate::close::CloseReason;
use crate::path::ConnectPath;
use crate::principal::{ANONYMOUS, Identity, Principal};
use crate::registry::Refused;
use crate::session::{Attachment, Home, Left, Session};
use crate::store::{SessionRecord, Standing, Store, StoredSession};

impl Server {
    /// Goes on with sessions that were found in the store. Those whose clients were away wait for
    /// them, for as long as if they had just left. Those whose clients were connected when the
    /// gateway ended without a word are over: nobody knows what these have missed. Listeners are told
    /// in the background.
    pub fn restore(self: &Arc<Self>, sessions: Vec<StoredSession>, clean: bool) {
        let Some(store) = &self.store else { return };
        let mut over = Vec::new();
        for stored in sessions {
            let id = stored.record.id;
            let reason = end_of(&stored.record.standing, clean);
            let Some((attachment, may_come_back)) = self.home(stored, store) else {
                self.counters.sessions_lost.increment();
                store.forget(id);
                continue;
            };
            self.registry.restore(attachment.session());
            self.counters.sessions_restored.increment();
            let (reason, why) = match reason {
                Reason::Waits(reason) if may_come_back => {
                    let server = Arc::clone(self);
                    self.sessions.spawn(async move {
                        life::after(&server, attachment, reason, Left::Detached).await;
                    });
                    continue;
                }
                Reason::Waits(reason) => (reason, None),
                Reason::Over(reason, why) => (reason, why),
            };
            // Nobody may come back to it while its end waits for those of others.
            if attachment.expire() {
                self.registry.forget(attachment.session(), why);
                over.push((attachment, reason));
            }
        }
        let server = Arc::clone(self);
        self.sessions.spawn(async move {
            for (attachment, reason) in over {
                life::tell_end(&server, attachment.session(), &reason).await;
            }
        });
    }

    /// Saves every session again whenever the store had to be made anew, until the server stops.
    pub async fn mend_store(self: Arc<Self>) {
        let Some(store) = &self.store else { return };
        loop {
            tokio::select! {
                () = store.made_anew() => {}
                () = self.stopping.cancelled() => return,
            }
            let all = self.registry.all();
            all.iter().for_each(|session| session.save());
            store.is_complete().await;
            if store.is_well() {
                tracing::info!(sessions = all.len(), "the store of sessions works again");
            }
        }
    }

    /// The session of a record, and whether anybody may come back to it under the configuration of
    /// today; none where the record cannot be one.
    fn home(&self, stored: StoredSession, store: &Arc<Store>) -> Option<(Attachment, bool)> {
        let path = ConnectPath::parse(&stored.record.path).ok()?;
        let principal = principal(&stored.record)?;
        let (policy, rule) = self.gate.policy_of(&path);
        let waits = policy.reconnect_timeout.is_some();
        let home = Home {
            path,
            principal,
            policy,
            counters: self.counters.path(rule),
            kept: Arc::clone(self.registry.kept()),
            store: Arc::clone(store),
        };
        Some((Session::found(stored, home), waits))
    }
}

enum Reason {
    /// This is what listeners are told if the client does not come.
    Waits(CloseReason),
    /// This is what they are told now; and its client why it cannot come back.
    Over(CloseReason, Option<Refused>),
}

fn end_of(standing: &Standing, clean: bool) -> Reason {
    match standing {
        Standing::Attached => Reason::Over(CloseReason::LOST, Some(Refused::Gap)),
        Standing::Away { code, reason, .. } if clean => {
            Reason::Waits(CloseReason::from_record(*code, reason))
        }
        // For the client, the gateway was lost.
        Standing::Away { .. } => Reason::Waits(CloseReason::LOST),
        Standing::Over { code, reason } => {
            Reason::Over(CloseReason::from_record(*code, reason), None)
        }
    }
}

fn principal(record: &SessionRecord) -> Option<Principal> {
    let Some(username) = &record.username else {
        let nobody = Principal::anonymous();
        return (*record.authenticator == *ANONYMOUS).then_some(nobody);
    };
    let identity = Identity {
        username: username.to_string(),
        roles: record.roles.iter().map(|role| role.to_string()).collect(),
        claims: record.claims.as_ref().map(|claims| claims.to_string()),
        // A connection has a time; a session that waits for one has none.
        expires_at: None,
        authenticator: Arc::clone(&record.authenticator),
    };
    Principal::user(identity).ok()
}
