//! All sessions, found by id, path, user or role without a linear search. No lock is held while
//! anything else runs: queries return shared handles.

mod admission;
mod path_tree;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

pub use admission::{AddressKey, Admission, ConnectionLimits, NoRoom};

use admission::Places;
use path_tree::PathTree;

use crate::path::{PathPattern, PathSet};
use crate::session::{ClientId, Session};

const SHARDS: usize = 16;

/// The sessions of this gateway.
#[derive(Debug)]
pub struct Registry {
    shards: [Mutex<HashMap<ClientId, Arc<Session>>>; SHARDS],
    index: RwLock<Index>,
    next_order: AtomicU64,
    places: Arc<Places>,
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
    /// An empty registry that admits no more clients than these limits say.
    pub fn new(limits: ConnectionLimits) -> Self {
        Self {
            shards: Default::default(),
            index: RwLock::default(),
            next_order: AtomicU64::new(1),
            places: Places::new(limits),
        }
    }

    /// Takes one of the allowed connections, exactly.
    ///
    /// # Errors
    /// All of them are taken, or all of this address or user.
    pub fn admit(&self, address: AddressKey, user: Option<&Arc<str>>) -> Result<Admission, NoRoom> {
        self.places.admit(address, user)
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

    /// Number of sessions on the paths of `scope`.
    pub fn count(&self, scope: &PathSet) -> u64 {
        self.read(|index| index.paths.count(scope)) as u64
    }

    /// Sessions on the paths that both `pattern` and `scope` match, ordered by path, then by
    /// admission: at most `limit` of them, after `cursor`.
    pub fn on_path(
        &self,
        pattern: &PathPattern,
        scope: &PathSet,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Page {
        let mut found = self.read(|index| {
            let from = cursor.map(|cursor| (&*cursor.path, cursor.order));
            index.paths.find(pattern, scope, from, limit.saturating_add(1))
        });
        let more = found.len() > limit;
        found.truncate(limit);
        Page::new(found, more)
    }

    /// Sessions of a user on the paths of `scope`, in order of admission.
    pub fn of_user(
        &self,
        username: &str,
        scope: &PathSet,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Page {
        let after = cursor.map_or(Bound::Unbounded, |cursor| Bound::Excluded(cursor.order));
        let mut found = self.read(|index| match index.users.get(username) {
            None => Vec::new(),
            Some(sessions) => sessions
                .range((after, Bound::Unbounded))
                .map(|(_, session)| session)
                .filter(|session| scope.contains(session.path()))
                .take(limit.saturating_add(1))
                .cloned()
                .collect(),
        });
        let more = found.len() > limit;
        found.truncate(limit);
        Page::new(found, more)
    }

    /// Sessions that have a role, on the paths of `scope`.
    pub fn with_role(&self, role: &str, scope: &PathSet) -> Vec<Arc<Session>> {
        self.read(|index| match index.roles.get(role) {
            None => Vec::new(),
            Some(sessions) => {
                sessions.values().filter(|s| scope.contains(s.path())).cloned().collect()
            }
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

    /// Reads back [`Cursor::to_text`]; none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let slash = text.find('/')?;
        let (order, path) = text.split_at_checked(slash)?;
        Some(Self { order: order.parse().ok()?, path: path.into() })
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
