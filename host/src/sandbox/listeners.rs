//! `sporegate:gateway/listeners`: which messages a module wants. Registrations belong to the
//! module, not to one of its instances; changes come into force when the call that made them
//! succeeds, all together.

use std::sync::Arc;
use std::time::Instant;

use super::bindings::sporegate::gateway::listeners::{
    ContentTest as WitTest, Host, JsonTest as WitJsonTest, MessageMatcher,
};
use super::bindings::sporegate::gateway::types::{Error, Host as TypesHost};
use super::clients::limit_exceeded;
use super::registrations::{Change, DisconnectRegistration, MessageRegistration, Registrations};
use super::state::InstanceState;
use crate::router::{ContentTest, JsonMatch, JsonTest, Matcher, MatcherSpec};

const MAX_NAME_BYTES: usize = 64;

impl TypesHost for InstanceState {}

impl Host for InstanceState {
    fn add_message_listener(
        &mut self,
        name: String,
        matcher: MessageMatcher,
        priority: i32,
    ) -> wasmtime::Result<Result<(), Error>> {
        self.count_host_call()?;
        // Compiling a matcher can take longer than all that the guest does.
        let began = Instant::now();
        let answer = self.stage_message_listener(&name, matcher.into(), priority, began);
        self.call.count_host_time(began.elapsed())?;
        Ok(answer)
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
        began: Instant,
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
        self.check_count(is_new)?;
        let matcher = self.compile(name, spec, began)?;
        let registration = MessageRegistration { matcher, priority };
        self.stage_if_it_fits(Change::AddMessage(name.into(), registration))
    }

    /// The matcher that the first `start` had under this name if it is the same, else a new one.
    /// Given up when the call's CPU time is over.
    fn compile(
        &self,
        name: &str,
        spec: MatcherSpec,
        began: Instant,
    ) -> Result<Arc<Matcher>, Error> {
        if let Some(known) = self.context.listeners.matcher_at_start(name, &spec) {
            return Ok(known);
        }
        let left = self.call.cpu_left();
        Matcher::compile_while(spec, || began.elapsed() <= left)
            .map(Arc::new)
            .map_err(|error| Error::InvalidArgument(format!("matcher: {error}")))
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
        self.check_count(is_new)?;
        self.stage_if_it_fits(Change::AddDisconnect(name.into(), registration))
    }

    /// The module's listeners as this call sees them, its own changes included.
    fn listeners(&mut self) -> &mut Registrations {
        self.call.listener_changes.view(&self.context.listeners)
    }

    fn stage(&mut self, change: Change) {
        self.listeners().apply(change.clone());
        self.call.listener_changes.push(change);
    }

    fn stage_if_it_fits(&mut self, change: Change) -> Result<(), Error> {
        if !self.listeners().has_memory_for(&change) {
            return Err(limit_exceeded("memory of listeners"));
        }
        self.stage(change);
        Ok(())
    }

    fn check_count(&mut self, is_new: bool) -> Result<(), Error> {
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
