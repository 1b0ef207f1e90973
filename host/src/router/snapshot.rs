//! All routes at one moment.
//!
//! Invariant: a snapshot never changes. A change of listeners makes a new one, and retires the one
//! before: no connection keeps its routes alive, however long it sleeps.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::path_tree::PathTree;
use super::{DisconnectRoute, PathRoutes, Route, RoutesInForce};
use crate::path::ConnectPath;

/// Most sets of routes that a snapshot keeps ready.
pub const MAX_CACHED_SETS: usize = 4096;

/// Most routes in all these sets together.
pub const MAX_CACHED_ROUTES: usize = 65_536;

/// An immutable snapshot of all listeners.
pub struct Router<T> {
    routes: Vec<Arc<Route<T>>>,
    paths: PathTree,
    disconnects: Vec<DisconnectRoute<T>>,
    disconnect_paths: PathTree,
    sets: Mutex<Sets<T>>,
}

impl<T> Router<T> {
    /// A snapshot of these listeners.
    pub fn new(mut routes: Vec<Route<T>>, mut disconnects: Vec<DisconnectRoute<T>>) -> Self {
        routes.sort_by(Route::order);
        disconnects.sort_by(DisconnectRoute::order);
        let (mut paths, mut disconnect_paths) = (PathTree::default(), PathTree::default());
        for (position, route) in routes.iter().enumerate() {
            paths.insert(&route.grants, route.matcher.path(), position);
        }
        for (position, route) in disconnects.iter().enumerate() {
            disconnect_paths.insert(&route.grants, route.path.as_ref(), position);
        }
        let routes = routes.into_iter().map(Arc::new).collect();
        Self { routes, paths, disconnects, disconnect_paths, sets: Mutex::default() }
    }

    /// The message routes that apply to a path: those whose grants contain it and whose pattern,
    /// if they have one, matches it. For a connection to keep; paths with the same routes share
    /// one index, as far as the cache reaches ([`MAX_CACHED_SETS`], [`MAX_CACHED_ROUTES`]). None
    /// once the snapshot is retired.
    pub fn on_path(&self, path: &ConnectPath) -> Option<Arc<RoutesInForce<T>>> {
        let positions = self.paths.find(path);
        {
            let sets = self.sets();
            if sets.retired {
                return None;
            }
            if let Some(known) = sets.ready.get(&positions) {
                return Some(Arc::clone(known));
            }
        }
        let routes = positions.iter().filter_map(|at| self.routes.get(*at)).map(Arc::clone);
        // Compiled without the lock; should two connections do so at once, one set is kept.
        let compiled = Arc::new(RoutesInForce::new(PathRoutes::new(routes.collect())));
        self.sets().insert(positions, compiled)
    }

    /// Another snapshot is in force: takes back all routes that connections keep. Calls in
    /// progress go on with theirs.
    pub fn retire(&self) {
        let Sets { ready, unshared, .. } =
            std::mem::replace(&mut *self.sets(), Sets { retired: true, ..Sets::default() });
        let unshared = unshared.iter().filter_map(Weak::upgrade);
        let nothing = Arc::new(PathRoutes::retired());
        ready.into_values().chain(unshared).for_each(|set| set.retire(&nothing));
    }

    /// The disconnect listeners for sessions on a path, by listener name, then module name.
    pub fn disconnect_on_path(
        &self,
        path: &ConnectPath,
    ) -> impl Iterator<Item = &DisconnectRoute<T>> {
        let positions = self.disconnect_paths.find(path);
        positions.into_iter().filter_map(|at| self.disconnects.get(at))
    }

    /// All message routes, in dispatch order.
    pub fn routes(&self) -> impl ExactSizeIterator<Item = &Arc<Route<T>>> {
        self.routes.iter()
    }

    /// All disconnect routes, by listener name, then module name.
    pub fn disconnect_routes(&self) -> impl ExactSizeIterator<Item = &DisconnectRoute<T>> {
        self.disconnects.iter()
    }

    fn sets(&self) -> std::sync::MutexGuard<'_, Sets<T>> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without any listener.
impl<T> Default for Router<T> {
    fn default() -> Self {
        Self::new(Vec::new(), Vec::new())
    }
}

/// The sets of routes that are ready, by the positions of their routes.
struct Sets<T> {
    ready: HashMap<Vec<usize>, Arc<RoutesInForce<T>>>,
    routes: usize,
    /// Sets that connections have and for which there was no room here.
    unshared: Vec<Weak<RoutesInForce<T>>>,
    /// How many of `unshared` lived when they were looked through last.
    living: usize,
    retired: bool,
}

impl<T> Default for Sets<T> {
    fn default() -> Self {
        let (ready, unshared) = (HashMap::new(), Vec::new());
        Self { ready, routes: 0, unshared, living: 0, retired: false }
    }
}

impl<T> Sets<T> {
    /// Keeps a set if there is room, or can be made by giving up those that no connection uses.
    /// Returns the set to use.
    fn insert(
        &mut self,
        positions: Vec<usize>,
        set: Arc<RoutesInForce<T>>,
    ) -> Option<Arc<RoutesInForce<T>>> {
        if self.retired {
            return None;
        }
        if let Some(known) = self.ready.get(&positions) {
            return Some(Arc::clone(known));
        }
        if !self.has_room(positions.len()) {
            self.ready.retain(|_, set| Arc::strong_count(set) > 1);
            self.routes = self.ready.keys().map(Vec::len).sum();
        }
        if self.has_room(positions.len()) {
            self.routes += positions.len();
            self.ready.insert(positions, Arc::clone(&set));
        } else {
            // Looked through only when twice as many: each costs a constant time.
            if self.unshared.len() > 2 * self.living {
                self.unshared.retain(|set| set.strong_count() > 0);
                self.living = self.unshared.len();
            }
            self.unshared.push(Arc::downgrade(&set));
        }
        Some(set)
    }

    fn has_room(&self, routes: usize) -> bool {
        self.ready.len() < MAX_CACHED_SETS && self.routes + routes <= MAX_CACHED_ROUTES
    }
}

#[cfg(test)]
mod tests;
