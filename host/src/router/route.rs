//! What is registered: listeners for messages and for disconnects.
//!
//! Invariant: the order of routes is total for different listeners, and does not depend on the
//! order in which modules were loaded.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use super::Matcher;
use crate::path::{PathPattern, PathSet};

/// A message listener: which messages go to `target`.
#[derive(Debug, Clone)]
pub struct Route<T> {
    /// Whatever the messages are for; the router only hands it back.
    pub target: T,
    /// The paths the module may serve; messages on others never match.
    pub grants: Arc<PathSet>,
    /// Which messages on these paths.
    pub matcher: Arc<Matcher>,
    /// Higher ones are called first.
    pub priority: i32,
    /// The listener's name, unique in its module.
    pub name: Arc<str>,
    /// The module's name.
    pub module: Arc<str>,
}

/// A disconnect listener: whose sessions' ends go to `target`.
#[derive(Debug, Clone)]
pub struct DisconnectRoute<T> {
    /// Whatever the ends of sessions are for; the router only hands it back.
    pub target: T,
    /// The paths the module may serve.
    pub grants: Arc<PathSet>,
    /// Of the granted paths those that match; all of them without a pattern.
    pub path: Option<PathPattern>,
    /// The listener's name, unique in its module.
    pub name: Arc<str>,
    /// The module's name.
    pub module: Arc<str>,
}

impl<T> Route<T> {
    /// Dispatch order: priority from high to low, then listener name, then module name.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        Reverse(self.priority)
            .cmp(&Reverse(other.priority))
            .then_with(|| self.name.cmp(&other.name))
            .then_with(|| self.module.cmp(&other.module))
    }
}

impl<T> DisconnectRoute<T> {
    /// Dispatch order: listener name, then module name.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name).then_with(|| self.module.cmp(&other.module))
    }
}
