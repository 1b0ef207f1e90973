//! `sporegate:gateway/listeners`: which messages a module wants. Registrations belong to the
//! module, not to one of its instances; changes come into force when the call that made them
//! succeeds, all together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use super::bindings::sporegate::gateway::listeners::{
    ContentTest as WitTest, Host, JsonTest as WitJsonTest, MessageMatcher,
};
use super::bindings::sporegate::gateway::types::{Error, Host as TypesHost};
use super::clients::limit_exceeded;
use super::state::InstanceState;
use crate::path::PathPattern;
use crate::router::{ContentTest, JsonMatch, JsonTest, Matcher, MatcherSpec};

const MAX_NAME_BYTES: usize = 64;

/// The listeners of one module.
#[derive(Clone, Debug, Default)]
pub struct Registrations {
    /// Message listeners by name.
    pub messages: BTreeMap<Arc<str>, MessageRegistration>,
    /// Disconnect listeners by name.
    pub disconnects: BTreeMap<Arc<str>, DisconnectRegistration>,
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
enum Change {
    AddMessage(Arc<str>, MessageRegistration),
    RemoveMessage(Arc<str>),
    AddDisconnect(Arc<str>, DisconnectRegistration),
    RemoveDisconnect(Arc<str>),
}

impl ModuleListeners {
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

    pub(super) fn apply(&self, staged: ListenerChanges) {
        if staged.changes.is_empty() {
            return;
        }
        self.current.rcu(|current| {
            let mut next = Registrations::clone(current);
            staged.changes.iter().cloned().for_each(|change| next.apply(change));
            next
        });
        self.changes.fetch_add(1, Ordering::AcqRel);
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

    fn apply(&mut self, change: Change) {
        match change {
            Change::AddMessage(name, registration) => {
                self.messages.insert(name, registration);
            }
            Change::RemoveMessage(name) => {
                self.messages.remove(&name);
            }
            Change::AddDisconnect(name, registration) => {
                self.disconnects.insert(name, registration);
            }
            Change::RemoveDisconnect(name) => {
                self.disconnects.remove(&name);
            }
        }
    }
}

impl TypesHost for InstanceState {}

impl Host for InstanceState {
    fn add_message_listener(
        &mut self,
        name: String,
        matcher: MessageMatcher,
        priority: i32,
    ) -> wasmtime::Result<Result<(), Error>> {
        self.count_host_call()?;
        Ok(self.stage_message_listener(&name, matcher.into(), priority))
    }

    fn remove_message_listener(&mut self, name: String) -> wasmtime::Result<Result<(), Error>> {
        self.count_host_call()?;
        Ok(match self.listeners().messages.contains_key(&*name) {
            true => {
                self.stage(Change::RemoveMessage(name.into()));
                Ok(())
            }
            false => Err(Error::NotFound),
        })
    }

    fn add_disconnect_listener(
        &mut self,
        name: String,
        path: Option<String>,
    ) -> wasmtime::Result<Result<(), Error>> {
        self.count_host_call()?;
        Ok(self.stage_disconnect_listener(&name, path.as_deref()))
    }

    fn remove_disconnect_listener(&mut self, name: String) -> wasmtime::Result<Result<(), Error>> {
        self.count_host_call()?;
        Ok(match self.listeners().disconnects.contains_key(&*name) {
            true => {
                self.stage(Change::RemoveDisconnect(name.into()));
                Ok(())
            }
            false => Err(Error::NotFound),
        })
    }
}

impl InstanceState {
    fn stage_message_listener(
        &mut self,
        name: &str,
        spec: MatcherSpec,
        priority: i32,
    ) -> Result<(), Error> {
        check_name(name)?;
        if let Some(path) = &spec.path {
            self.granted_pattern(path)?;
        }
        let known = self.listeners().messages.get(name);
        if known.is_some_and(|known| known.priority == priority && *known.matcher.spec() == spec) {
            return Ok(());
        }
        let is_new = known.is_none();
        self.check_room(is_new)?;
        let matcher = Matcher::compile(spec)
            .map_err(|error| Error::InvalidArgument(format!("matcher: {error}")))?;
        let registration = MessageRegistration { matcher: Arc::new(matcher), priority };
        self.stage(Change::AddMessage(name.into(), registration));
        Ok(())
    }

    fn stage_disconnect_listener(&mut self, name: &str, path: Option<&str>) -> Result<(), Error> {
        check_name(name)?;
        let path = path.map(|path| self.granted_pattern(path)).transpose()?;
        let registration = DisconnectRegistration { path };
        let known = self.listeners().disconnects.get(name);
        if known == Some(&registration) {
            return Ok(());
        }
        let is_new = known.is_none();
        self.check_room(is_new)?;
        self.stage(Change::AddDisconnect(name.into(), registration));
        Ok(())
    }

    /// The module's listeners as this call sees them, its own changes included.
    fn listeners(&mut self) -> &mut Registrations {
        let current = &self.context.listeners.current;
        let view = &mut self.call.listener_changes.view;
        view.get_or_insert_with(|| Registrations::clone(&current.load()))
    }

    fn stage(&mut self, change: Change) {
        self.listeners().apply(change.clone());
        self.call.listener_changes.changes.push(change);
    }

    fn check_room(&mut self, is_new: bool) -> Result<(), Error> {
        let limit = self.context.limits.listeners;
        if is_new && self.listeners().len() >= limit {
            return Err(limit_exceeded("listeners"));
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let plain = name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !plain {
        let rule = format!("name: 1 to {MAX_NAME_BYTES} of a-z, 0-9 and -");
        return Err(Error::InvalidArgument(rule));
    }
    Ok(())
}

impl From<MessageMatcher> for MatcherSpec {
    fn from(matcher: MessageMatcher) -> Self {
        Self {
            path: matcher.path,
            content: matcher.content.into_iter().map(ContentTest::from).collect(),
            roles: matcher.roles,
        }
    }
}

impl From<WitTest> for ContentTest {
    fn from(test: WitTest) -> Self {
        match test {
            WitTest::IsText => Self::IsText,
            WitTest::IsBinary => Self::IsBinary,
            WitTest::TextEquals(text) => Self::TextEquals(text),
            WitTest::TextPrefix(text) => Self::TextPrefix(text),
            WitTest::TextContains(text) => Self::TextContains(text),
            WitTest::TextRegex(regex) => Self::TextRegex(regex),
            WitTest::BinaryPrefix(bytes) => Self::BinaryPrefix(bytes),
            WitTest::Json(part) => Self::Json(JsonMatch {
                pointer: part.pointer,
                test: match part.test {
                    WitJsonTest::Exists => JsonTest::Exists,
                    WitJsonTest::Equals(value) => JsonTest::Equals(value),
                    WitJsonTest::OneOf(values) => JsonTest::OneOf(values),
                },
            }),
        }
    }
}
