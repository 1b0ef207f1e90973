//! Which client may come back to which session. A token is found by its hash, and counts only for
//! the user, the roles, the authenticator and the path of its session.
//!
//! Invariant: what one user is told does not depend on the sessions of another.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::path::ConnectPath;
use crate::principal::Principal;
use crate::session::{Attachment, ReconnectToken, Session, TokenHash};

/// Sessions that are over, of which it is remembered why, and for how long. Some 100 bytes each.
const REMEMBERED: usize = 16_384;
const REMEMBERED_FOR: Duration = Duration::from_secs(600);

/// Why a client that comes back gets another session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refused {
    /// It was away for longer than its session waited.
    Expired,
    /// Too much was kept for clients who were away, and this one was so for longest.
    Evicted,
    /// The session is that of another user.
    OtherUser,
    /// The same user, with other roles or from another authenticator, or on another path.
    Principal,
    /// There is no such session.
    Unknown,
    /// Not all that the client has not received is there any more.
    Gap,
}

impl Refused {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Expired, Self::Evicted, Self::OtherUser, Self::Principal, Self::Unknown, Self::Gap];

    /// Stable name, for metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Evicted => "evicted",
            Self::OtherUser => "other-user",
            Self::Principal => "principal",
            Self::Unknown => "unknown",
            Self::Gap => "gap",
        }
    }

    /// What the client is told. It learns nothing of the sessions of others, not even that there
    /// are some.
    pub fn told(self) -> &'static str {
        match self {
            Self::OtherUser => Self::Unknown.name(),
            told => told.name(),
        }
    }
}

/// The tokens of all sessions, and the end of some.
#[derive(Debug, Default)]
pub(super) struct Returns(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    sessions: HashMap<TokenHash, Arc<Session>>,
    over: HashMap<TokenHash, Grave>,
    /// In the order in which they ended.
    buried: VecDeque<(Instant, TokenHash)>,
}

#[derive(Debug)]
struct Grave {
    why: Refused,
    username: Option<Arc<str>>,
}

impl Returns {
    /// A new token for a session, whose client has come back with `used`. This goes on to count
    /// until [`Self::confirm`]: it is not known that the new one arrives.
    pub(super) fn issue(
        &self,
        session: &Arc<Session>,
        used: Option<TokenHash>,
    ) -> Result<ReconnectToken, getrandom::Error> {
        let token = ReconnectToken::random()?;
        let mut inner = self.lock();
        if let Some(unused) = session.tokens().push(token.hash(), used) {
            inner.sessions.remove(&unused);
        }
        inner.sessions.insert(token.hash(), Arc::clone(session));
        Ok(token)
    }

    /// The client of a session that was found in a store may come back with the tokens it had.
    pub(super) fn restore(&self, session: &Arc<Session>) {
        let mut inner = self.lock();
        for hash in session.tokens().all() {
            inner.sessions.insert(hash, Arc::clone(session));
        }
    }

    /// The client has its newest token: the one before does not count any more.
    pub(super) fn confirm(&self, session: &Session) {
        if let Some(used) = session.tokens().confirm() {
            self.lock().sessions.remove(&used);
        }
    }

    /// Takes a session over for a client that came back.
    pub(super) fn claim(
        &self,
        token: &ReconnectToken,
        principal: &Principal,
        path: &ConnectPath,
    ) -> Result<Attachment, Refused> {
        let session = self.find(token, principal, path)?;
        Attachment::take_over(&session, principal.expires_at()).ok_or(Refused::Unknown)
    }

    /// The session to which a client with a token may come back.
    pub(super) fn find(
        &self,
        token: &ReconnectToken,
        principal: &Principal,
        path: &ConnectPath,
    ) -> Result<Arc<Session>, Refused> {
        let hash = token.hash();
        let session = {
            let inner = self.lock();
            let Some(session) = inner.sessions.get(&hash) else {
                let grave = inner.over.get(&hash);
                let own = grave.filter(|grave| grave.username.as_ref() == principal.username());
                return Err(own.map_or(Refused::Unknown, |grave| grave.why));
            };
            Arc::clone(session)
        };
        if session.policy().reconnect_timeout.is_none() {
            return Err(Refused::Unknown);
        }
        let owner = session.principal();
        if owner.username() != principal.username() {
            return Err(Refused::OtherUser);
        }
        let same = owner.roles() == principal.roles()
            && owner.authenticator() == principal.authenticator()
            && session.path() == path;
        if same { Ok(session) } else { Err(Refused::Principal) }
    }

    /// A session is over; a client that comes back to it is told why, if there is something to
    /// tell.
    pub(super) fn remove(&self, session: &Session, why: Option<Refused>) {
        let mut inner = self.lock();
        let now = Instant::now();
        for hash in session.tokens().take() {
            inner.sessions.remove(&hash);
            if let Some(why) = why {
                let username = session.principal().username().cloned();
                inner.over.insert(hash, Grave { why, username });
                inner.buried.push_back((now, hash));
            }
        }
        while let Some((when, hash)) = inner.buried.front().copied() {
            let young = now.duration_since(when) < REMEMBERED_FOR;
            if young && inner.buried.len() <= REMEMBERED {
                break;
            }
            inner.buried.pop_front();
            inner.over.remove(&hash);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
