//! All routes at one moment.
//!
//! Invariant: a snapshot never changes. A change of listeners makes a new one; what a path got
//! from an old one goes on to work as it was.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::path_tree::PathTree;
use super::{DisconnectRoute, PathRoutes, Route};
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
    /// one index, as far as the cache reaches ([`MAX_CACHED_SETS`], [`MAX_CACHED_ROUTES`]).
    pub fn on_path(&self, path: &ConnectPath) -> Arc<PathRoutes<T>> {
        let positions = self.paths.find(path);
        if let Some(known) = self.sets().get(&positions) {
            return known;
        }
        let routes = positions.iter().filter_map(|at| self.routes.get(*at)).map(Arc::clone);
        // Compiled without the lock; should two connections do so at once, one set is kept.
        let compiled = Arc::new(PathRoutes::new(routes.collect()));
        self.sets().insert(positions, compiled)
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
    ready: HashMap<Vec<usize>, Arc<PathRoutes<T>>>,
    routes: usize,
}

impl<T> Default for Sets<T> {
    fn default() -> Self {
        Self { ready: HashMap::new(), routes: 0 }
    }
}

impl<T> Sets<T> {
    fn get(&self, positions: &[usize]) -> Option<Arc<PathRoutes<T>>> {
        self.ready.get(positions).map(Arc::clone)
    }

    /// Keeps a set if there is room, or can be made by giving up those that no connection uses.
    /// Returns the set to use.
    fn insert(&mut self, positions: Vec<usize>, set: Arc<PathRoutes<T>>) -> Arc<PathRoutes<T>> {
        if let Some(known) = self.get(&positions) {
            return known;
        }
        if !self.has_room(positions.len()) {
            self.ready.retain(|_, set| Arc::strong_count(set) > 1);
            self.routes = self.ready.keys().map(Vec::len).sum();
        }
        if self.has_room(positions.len()) {
            self.routes += positions.len();
            self.ready.insert(positions, Arc::clone(&set));
        }
        set
    }

    fn has_room(&self, routes: usize) -> bool {
        self.ready.len() < MAX_CACHED_SETS && self.routes + routes <= MAX_CACHED_ROUTES
    }
}

#[cfg(test)]
mod tests;
