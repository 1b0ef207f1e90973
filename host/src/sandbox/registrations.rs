//! The listeners of a module, and how they change.
//!
//! Invariant: nothing but a call that succeeded changes them, and of all the calls of `start` only
//! the first. Their number and the memory of their matchers never grow beyond the limits, however
//! many calls change them at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;

use crate::path::PathPattern;
use crate::router::{Matcher, MatcherSpec, held_by_pattern};

/// Memory of the gateway for all listeners of a module, in bytes, as far as it can be told from
/// what they ask for; more gives `limit-exceeded`.
pub(super) const MAX_HELD_BYTES: usize = 16 << 20;

/// What a listener without any condition takes, in bytes.
const LISTENER_BYTES: usize = 1 << 10;

/// The listeners of one module.
#[derive(Clone, Debug, Default)]
pub struct Registrations {
    /// Message listeners by name.
    pub messages: BTreeMap<Arc<str>, MessageRegistration>,
    /// Disconnect listeners by name.
    pub disconnects: BTreeMap<Arc<str>, DisconnectRegistration>,
    held_bytes: usize,
}

/// One message listener.
#[derive(Clone, Debug)]
pub struct MessageRegistration {
    /// Which messages it wants.
    pub matcher: Arc<Matcher>,
    /// Higher is called first.
    pub priority: i32,
}

/// One disconnect listener.
#[derive(Clone, Debug, PartialEq)]
pub struct DisconnectRegistration {
    /// Which of the granted paths; all of them if absent.
    pub path: Option<PathPattern>,
}

/// The listeners of a module as its calls left them, and how many changes of them are in force.
#[derive(Debug, Default)]
pub struct ModuleListeners {
    current: ArcSwap<Registrations>,
    /// What the first `start` registered. It stays, so that no later `start` has to compile it.
    at_start: OnceLock<Arc<Registrations>>,
    changing: Mutex<()>,
    changes: AtomicU64,
    in_force: AtomicU64,
}

/// What a call changed, and how the module's listeners look to it.
#[derive(Debug, Default)]
pub(super) struct ListenerChanges {
    view: Option<Registrations>,
    changes: Vec<Change>,
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    AddMessage(Arc<str>, MessageRegistration),
    RemoveMessage(Arc<str>),
    AddDisconnect(Arc<str>, DisconnectRegistration),
    RemoveDisconnect(Arc<str>),
}

/// Calls of other instances took the room that this call was promised.
#[derive(Debug, thiserror::Error)]
#[error("other calls added so many listeners meanwhile that these are too many")]
pub(super) struct Crowded;

impl ModuleListeners {
    /// The same listeners, for a successor that goes on with the same instances.
    pub fn succeeding(&self) -> Self {
        let at_start = OnceLock::new();
        if let Some(registered) = self.at_start.get() {
            // It is empty: it was just made.
            let _ = at_start.set(Arc::clone(registered));
        }
        Self {
            current: ArcSwap::new(self.current()),
            at_start,
            changing: Mutex::default(),
            changes: AtomicU64::new(self.changes()),
            in_force: AtomicU64::new(0),
        }
    }

    /// The listeners now.
    pub fn current(&self) -> Arc<Registrations> {
        self.current.load_full()
    }

    /// How many changes [`ModuleListeners::current`] has at least.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Whether there are changes that are not in force.
    pub fn has_news(&self) -> bool {
        self.in_force.load(Ordering::Acquire) < self.changes()
    }

    /// So many changes are in force now.
    pub fn put_in_force(&self, changes: u64) {
        self.in_force.fetch_max(changes, Ordering::AcqRel);
    }

    /// Makes the changes of a call, all or, if there is no room any more, none.
    pub(super) fn apply(&self, staged: ListenerChanges, limit: usize) -> Result<(), Crowded> {
        if staged.changes.is_empty() {
            return Ok(());
        }
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current.load();
        let mut next = Registrations::clone(&current);
        staged.changes.into_iter().for_each(|change| next.apply(change));
        let fewer = next.len() <= current.len() && next.held_bytes <= current.held_bytes;
        if !fewer && (next.len() > limit || next.held_bytes > MAX_HELD_BYTES) {
            return Err(Crowded);
        }
        self.current.store(Arc::new(next));
        self.changes.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// Takes what a `start` registered if it is the module's first; later ones change nothing.
    pub(super) fn apply_start(&self, staged: ListenerChanges) {
        let registered = Arc::new(staged.view.unwrap_or_default());
        if self.at_start.set(Arc::clone(&registered)).is_ok() {
            self.current.store(registered);
            self.changes.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// The matcher that the first `start` registered under this name, if it is this one.
    pub(super) fn matcher_at_start(&self, name: &str, spec: &MatcherSpec) -> Option<Arc<Matcher>> {
        let known = self.at_start.get()?.messages.get(name)?;
        (known.matcher.spec() == spec).then(|| Arc::clone(&known.matcher))
    }
}

impl ListenerChanges {
    /// For `start`, which meets a module without listeners: it registers what it wants in the same
    /// way, and gets the same answers, however often it is called.
    pub(super) fn of_start() -> Self {
        Self { view: Some(Registrations::default()), changes: Vec::new() }
    }

    /// The module's listeners as this call sees them.
    pub(super) fn view(&mut self, module: &ModuleListeners) -> &mut Registrations {
        self.view.get_or_insert_with(|| Registrations::clone(&module.current.load()))
    }

    /// Adds a change that is in the view already.
    pub(super) fn push(&mut self, change: Change) {
        self.changes.push(change);
    }
}

impl Registrations {
    /// Number of listeners of both kinds.
    pub fn len(&self) -> usize {
        self.messages.len() + self.disconnects.len()
    }

    /// Whether there is no listener.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is memory for what is added, in place of what it replaces.
    pub(super) fn has_memory_for(&self, change: &Change) -> bool {
        let replaced = match change {
            Change::AddMessage(name, _) => self.messages.get(name).map(|it| it.held_bytes()),
            Change::AddDisconnect(name, _) => self.disconnects.get(name).map(|it| it.held_bytes()),
            Change::RemoveMessage(_) | Change::RemoveDisconnect(_) => return true,
        };
        let kept = self.held_bytes.saturating_sub(replaced.unwrap_or_default());
        kept.saturating_add(change.held_bytes()) <= MAX_HELD_BYTES
    }

    pub(super) fn apply(&mut self, change: Change) {
        let added = change.held_bytes();
        let removed = match change {
            Change::AddMessage(name, registration) => {
                self.messages.insert(name, registration).map(|it| it.held_bytes())
            }
            Change::RemoveMessage(name) => self.messages.remove(&name).map(|it| it.held_bytes()),
            Change::AddDisconnect(name, registration) => {
                self.disconnects.insert(name, registration).map(|it| it.held_bytes())
            }
            Change::RemoveDisconnect(name) => {
                self.disconnects.remove(&name).map(|it| it.held_bytes())
            }
        };
        self.held_bytes = (self.held_bytes + added).saturating_sub(removed.unwrap_or_default());
    }
}

impl Change {
    /// What it adds, without regard to what it takes away.
    fn held_bytes(&self) -> usize {
        match self {
            Self::AddMessage(_, registration) => registration.held_bytes(),
            Self::AddDisconnect(_, registration) => registration.held_bytes(),
            Self::RemoveMessage(_) | Self::RemoveDisconnect(_) => 0,
        }
    }
}

impl MessageRegistration {
    fn held_bytes(&self) -> usize {
        LISTENER_BYTES + self.matcher.held_bytes()
    }
}

impl DisconnectRegistration {
    fn held_bytes(&self) -> usize {
        LISTENER_BYTES + self.path.as_ref().map_or(0, |path| held_by_pattern(path.as_str()))
    }
}

#[cfg(test)]
mod tests;
