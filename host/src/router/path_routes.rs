//! The routes of one path, ready to be searched.
//!
//! Invariant: immutable. What connections keep is [`RoutesInForce`], from which the snapshot takes
//! them back when another one is in force.

use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use super::Route;
use super::index::{Index, Scratch};

thread_local! {
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// A complete message as it came from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'m> {
    /// A text message.
    Text(&'m str),
    /// A binary message.
    Binary(&'m [u8]),
}

/// The routes that apply to a path, in dispatch order, with an index over their matchers.
pub struct PathRoutes<T> {
    routes: Vec<Arc<Route<T>>>,
    index: Index,
    retired: bool,
}

impl<T> PathRoutes<T> {
    /// From routes in dispatch order.
    pub(super) fn new(routes: Vec<Arc<Route<T>>>) -> Self {
        let matchers: Vec<_> = routes.iter().map(|route| Arc::clone(&route.matcher)).collect();
        Self { routes, index: Index::new(&matchers), retired: false }
    }

    /// What stands in the place of routes that are not in force any more.
    pub(super) fn retired() -> Self {
        Self { routes: Vec::new(), index: Index::new(&[]), retired: true }
    }

    /// The routes that a message of a client with these roles matches, in dispatch order.
    ///
    /// JSON is read at most once, and only if a route that may still match needs it. Allocates
    /// only if more than [`Matches::INLINE`] routes match or the message holds escapes in what is
    /// compared.
    pub fn find<R: AsRef<str>>(&self, roles: &[R], content: Content<'_>) -> Matches<'_, T> {
        let mut matches = Matches::new(&self.routes);
        // Taken, not borrowed: should a role's `as_ref` come back here, it meets an empty one.
        let mut scratch = SCRATCH.take();
        self.index.find(roles, content, &mut scratch, |position| matches.push(position));
        SCRATCH.set(scratch);
        matches
    }

    /// All routes of the path, in dispatch order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Route<T>>> {
        self.routes.iter()
    }

    /// Whether nothing listens on the path.
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }
}

impl<T> fmt::Debug for PathRoutes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.routes.iter().map(|route| (&route.module, &route.name));
        f.debug_list().entries(names).finish()
    }
}

/// The routes of a path, until they are not in force any more. Many connections keep one, and it is
/// small by then.
pub struct RoutesInForce<T>(ArcSwap<PathRoutes<T>>);

/// The routes of a path while a message is brought to them. They go on to work for it, whatever
/// changes meanwhile.
pub struct RoutesInUse<T>(Guard<Arc<PathRoutes<T>>>);

impl<T> RoutesInForce<T> {
    pub(super) fn new(routes: PathRoutes<T>) -> Self {
        Self(ArcSwap::from_pointee(routes))
    }

    /// The routes, if they are still in force. What it writes is of one thread only: many
    /// connections share a set.
    pub fn get(&self) -> Option<RoutesInUse<T>> {
        let routes = self.0.load();
        (!routes.retired).then_some(RoutesInUse(routes))
    }

    pub(super) fn retire(&self, in_its_place: &Arc<PathRoutes<T>>) {
        self.0.store(Arc::clone(in_its_place));
    }
}

impl<T> fmt::Debug for RoutesInForce<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.load().fmt(f)
    }
}

impl<T> Deref for RoutesInUse<T> {
    type Target = PathRoutes<T>;

    fn deref(&self) -> &PathRoutes<T> {
        &self.0
    }
}

/// The routes that a message matched, in dispatch order.
#[derive(Clone)]
pub struct Matches<'a, T> {
    routes: &'a [Arc<Route<T>>],
    first: [usize; Matches::<()>::INLINE],
    more: Vec<usize>,
    next: usize,
    len: usize,
}

impl Matches<'_, ()> {
    /// How many matches need no allocation.
    pub const INLINE: usize = 8;
}

impl<'a, T> Matches<'a, T> {
    fn new(routes: &'a [Arc<Route<T>>]) -> Self {
        Self { routes, first: Default::default(), more: Vec::new(), next: 0, len: 0 }
    }

    fn push(&mut self, position: usize) {
        match self.first.get_mut(self.len) {
            Some(slot) => *slot = position,
            None => self.more.push(position),
        }
        self.len += 1;
    }
}

impl<'a, T> Iterator for Matches<'a, T> {
    type Item = &'a Arc<Route<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.len {
            return None;
        }
        let position = match self.first.get(self.next) {
            Some(position) => position,
            None => self.more.get(self.next - self.first.len())?,
        };
        self.next += 1;
        self.routes.get(*position)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.len - self.next;
        (left, Some(left))
    }
}

impl<T> ExactSizeIterator for Matches<'_, T> {}
