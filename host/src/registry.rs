//! All sessions, found by id, path, user or role without a linear search: what a query costs does
//! not depend on the clients that the asking module may not see. No lock is held while anything
//! else runs: queries return shared handles.

mod away;
mod path_tree;
mod returns;
mod steps;
#[cfg(test)]
mod tests;
mod wanted;

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

pub use away::AwayLimits;
pub use returns::Refused;

use away::Away;
use path_tree::PathTree;
use returns::Returns;
use wanted::{Wanted, shapes};

use crate::admission::{AddressKey, Admission, ConnectionLimits, NoRoom, Places};
use crate::path::{ConnectPath, PathPattern, PathSet};
use crate::principal::Principal;
use crate::session::{Attachment, ClientId, Kept, ReconnectToken, Session, TokenHash};

const SHARDS: usize = 16;

/// The sessions of this gateway.
#[derive(Debug)]
pub struct Registry {
    shards: [Mutex<HashMap<ClientId, Arc<Session>>>; SHARDS],
    index: RwLock<Index>,
    next_order: AtomicU64,
    places: Arc<Places>,
    returns: Returns,
    away: Away,
}

/// One page of a query, in a stable order.
#[derive(Debug)]
pub struct Page {
    /// At most as many as asked for.
    pub sessions: Vec<Arc<Session>>,
    /// Where the next page starts; absent on the last one.
    pub next: Option<Cursor>,
}

/// A position in a query: after this path and admission. Its text form is opaque to guests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    order: u64,
    path: Box<str>,
}

#[derive(Debug, Default)]
struct Index {
    paths: PathTree,
    users: HashMap<Arc<str>, ByOrder>,
    roles: HashMap<Arc<str>, ByOrder>,
}

type ByOrder = BTreeMap<u64, Arc<Session>>;

impl Registry {
    /// An empty registry that admits no more clients, and waits for no more, than these limits say.
    pub fn new(limits: ConnectionLimits, away: AwayLimits) -> Self {
        Self {
            shards: Default::default(),
            index: RwLock::default(),
            next_order: AtomicU64::new(1),
            places: Places::new(limits),
            returns: Returns::default(),
            away: Away::new(away),
        }
    }

    /// Takes one of the allowed connections, exactly.
    ///
    /// # Errors
    /// All of them are taken, or all of this address or user.
    pub fn admit(&self, address: AddressKey, user: Option<&Arc<str>>) -> Result<Admission, NoRoom> {
        self.places.admit(address, user)
    }

    /// The place of the connection that a client comes to replace with a token: where there is no
    /// room for another one, it needs none.
    pub fn admit_in_place(
        &self,
        token: &ReconnectToken,
        principal: &Principal,
        path: &ConnectPath,
    ) -> Option<Admission> {
        self.returns.find(token, principal, path).ok()?.share_place()
    }

    /// Whether nobody is admitted because the process has too much memory.
    pub fn is_out_of_memory(&self) -> bool {
        self.places.out_of_memory().load(Ordering::Relaxed)
    }

    /// Admits nobody any more, or whoever comes.
    pub fn set_out_of_memory(&self, is_out: bool) {
        self.places.out_of_memory().store(is_out, Ordering::Relaxed);
    }

    /// Connections admitted now, those in their handshake included.
    pub fn admitted(&self) -> usize {
        self.places.taken()
    }

    /// Most connections at a time.
    pub fn max_connections(&self) -> usize {
        self.places.limits().total
    }

    /// The place of the next session in the order of admission.
    pub fn next_order(&self) -> u64 {
        self.next_order.fetch_add(1, Ordering::Relaxed)
    }

    /// Adds a session to every query.
    pub fn insert(&self, session: &Arc<Session>) {
        self.shard(session.id()).insert(session.id(), Arc::clone(session));
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        let order = session.order();
        index.paths.insert(session);
        if let Some(user) = session.principal().username() {
            index.users.entry(Arc::clone(user)).or_default().insert(order, Arc::clone(session));
        }
        for role in session.principal().roles().iter() {
            index.roles.entry(Arc::clone(role)).or_default().insert(order, Arc::clone(session));
        }
    }

    /// Adds a session that was found in a store: to every query, and for its client to come back.
    /// Those that follow come after it.
    pub fn restore(&self, session: &Arc<Session>) {
        self.next_order.fetch_max(session.order().saturating_add(1), Ordering::Relaxed);
        self.insert(session);
        self.returns.restore(session);
    }

    /// A token for the client of a session, with which it may come back. The one that it has `used`
    /// goes on to count until [`Self::confirm_token`].
    ///
    /// # Errors
    /// The operating system has no random numbers.
    pub fn issue_token(
        &self,
        session: &Arc<Session>,
        used: Option<TokenHash>,
    ) -> Result<ReconnectToken, getrandom::Error> {
        self.returns.issue(session, used)
    }

    /// The client of a session has its newest token.
    pub fn confirm_token(&self, session: &Session) {
        self.returns.confirm(session);
    }

    /// Takes a session over for a client that came back with a token.
    ///
    /// # Errors
    /// There is no such session, or it is not that of this principal and path.
    pub fn claim(
        &self,
        token: &ReconnectToken,
        principal: &Principal,
        path: &ConnectPath,
    ) -> Result<Attachment, Refused> {
        self.returns.claim(token, principal, path)
    }

    /// What sessions count in what is kept of them while their clients are away.
    pub fn kept(&self) -> &Arc<Kept> {
        self.away.kept()
    }

    /// The client of a session is away from now on. Those who are so for longest are given up
    /// where there are too many.
    pub fn went_away(&self, attachment: &Attachment) {
        self.away.add(attachment.session(), attachment.number());
    }

    /// Gives up sessions whose clients are away, as far as more is kept for them than may be.
    /// Costs next to nothing where it is not.
    pub fn relieve(&self) {
        self.away.relieve();
    }

    /// Nobody can come back to a session any more. Who tries is told why, if there is something to
    /// tell.
    pub fn forget(&self, session: &Session, why: Option<Refused>) {
        self.returns.remove(session, why);
    }

    /// Takes a session out of every query. Returns false if it was not there (any more).
    pub fn remove(&self, session: &Session) -> bool {
        if self.shard(session.id()).remove(&session.id()).is_none() {
            return false;
        }
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        index.paths.remove(session);
        if let Some(user) = session.principal().username() {
            remove_from(&mut index.users, user, session.order());
        }
        for role in session.principal().roles().iter() {
            remove_from(&mut index.roles, role, session.order());
        }
        true
    }

    /// The session with this id.
    pub fn get(&self, id: ClientId) -> Option<Arc<Session>> {
        self.shard(id).get(&id).cloned()
    }

    /// Number of sessions on the paths of `scope`. Looks at the paths that its patterns lead to,
    /// and not below their final `*`.
    pub fn count(&self, scope: &PathSet) -> u64 {
        self.read(|index| index.count(scope)) as u64
    }

    /// Sessions on the paths that both `pattern` and `scope` match, ordered by path, then by
    /// admission: at most `limit` of them, after `cursor`. Looks only at paths that both lead to:
    /// those of the page, and what `{name}` tries in vain.
    pub fn on_path(
        &self,
        pattern: &PathPattern,
        scope: &PathSet,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Page {
        let shapes = shapes(Some(pattern), scope);
        let from = cursor.map(|cursor| (&*cursor.path, cursor.order));
        let most = limit.saturating_add(1);
        let mut found = self.read(|index| index.paths.find(&Wanted::of(&shapes), from, most));
        let more = found.len() > limit;
        found.truncate(limit);
        Page::new(found, more)
    }

    /// Sessions of a user on the paths of `scope`, in order of admission. Looks at no more sessions
    /// than the user has, and at no more than there are on these paths.
    pub fn of_user(
        &self,
        username: &str,
        scope: &PathSet,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Page {
        let after = cursor.map(|cursor| cursor.order);
        let most = limit.saturating_add(1);
        let mut found = self.read(|index| {
            let listed = index.users.get(username);
            listed.map_or_else(Vec::new, |listed| index.among(listed, scope, after, most))
        });
        let more = found.len() > limit;
        found.truncate(limit);
        Page::new(found, more)
    }

    /// Sessions that have a role, on the paths of `scope`, in order of admission. Looks at no more
    /// sessions than have the role, and at no more than there are on these paths.
    pub fn with_role(&self, role: &str, scope: &PathSet) -> Vec<Arc<Session>> {
        self.read(|index| {
            let listed = index.roles.get(role);
            listed.map_or_else(Vec::new, |listed| index.among(listed, scope, None, usize::MAX))
        })
    }

    /// Every session, for shutting down.
    pub fn all(&self) -> Vec<Arc<Session>> {
        let mut all = Vec::new();
        for shard in &self.shards {
            all.extend(lock(shard).values().cloned());
        }
        all
    }

    fn read<T>(&self, query: impl FnOnce(&Index) -> T) -> T {
        query(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    #[expect(clippy::indexing_slicing, reason = "the remainder is below the number of shards")]
    fn shard(&self, id: ClientId) -> MutexGuard<'_, HashMap<ClientId, Arc<Session>>> {
        lock(&self.shards[(id.bits() % SHARDS as u128) as usize])
    }
}

impl Index {
    fn count(&self, scope: &PathSet) -> usize {
        self.paths.count(&Wanted::of(&shapes(None, scope)))
    }

    /// At most `limit` of the listed sessions on the paths of `scope`, admitted after `after`. A
    /// role may be everybody's, and a scope may be everything: the fewer of both are tried.
    fn among(
        &self,
        listed: &ByOrder,
        scope: &PathSet,
        after: Option<u64>,
        limit: usize,
    ) -> Vec<Arc<Session>> {
        if listed.len() <= self.count(scope) {
            let after = after.map_or(Bound::Unbounded, Bound::Excluded);
            let later = listed.range((after, Bound::Unbounded)).map(|(_, session)| session);
            let seen = later.inspect(|_| steps::take(1));
            return seen.filter(|s| scope.contains(s.path())).take(limit).cloned().collect();
        }
        let mut found = self.paths.find(&Wanted::of(&shapes(None, scope)), None, usize::MAX);
        steps::take(found.len());
        found.retain(|session| {
            after.is_none_or(|after| session.order() > after)
                && listed.contains_key(&session.order())
        });
        found.sort_unstable_by_key(|session| session.order());
        found.truncate(limit);
        found
    }
}

impl Page {
    fn new(sessions: Vec<Arc<Session>>, more: bool) -> Self {
        let next = sessions
            .last()
            .filter(|_| more)
            .map(|last| Cursor { order: last.order(), path: last.path().as_str().into() });
        Self { sessions, next }
    }
}

impl Cursor {
    /// The opaque text that a guest hands back.
    pub fn to_text(&self) -> String {
        format!("{}{}", self.order, self.path)
    }

    /// Reads back [`Cursor::to_text`]; none for anything else, also not for another spelling.
    pub fn parse(text: &str) -> Option<Self> {
        let slash = text.find('/')?;
        let (order, path) = text.split_at_checked(slash)?;
        // The text of a path is a pattern for just that path.
        let exact = |pattern: &PathPattern| pattern.is_exact() && pattern.as_str() == path;
        PathPattern::parse(path).ok().filter(exact)?;
        let cursor = Self { order: order.parse().ok()?, path: path.into() };
        (cursor.to_text() == text).then_some(cursor)
    }
}

fn remove_from(index: &mut HashMap<Arc<str>, ByOrder>, key: &Arc<str>, order: u64) {
    if let Some(sessions) = index.get_mut(key) {
        sessions.remove(&order);
        if sessions.is_empty() {
            index.remove(key);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
