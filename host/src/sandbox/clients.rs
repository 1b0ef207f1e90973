//! `sporegate:gateway/clients`: what a module asks about clients and for them. A client outside
//! the module's grants does not exist for it: the answer is the same as for a made-up id.

use std::collections::HashSet;
use std::sync::Arc;

use super::bindings::sporegate::gateway::clients::{Audience, Host};
use super::bindings::sporegate::gateway::types::{ClientResult, Error, PayloadResult};
use super::call::client_result;
use super::state::{Entry, InstanceState};
use crate::aside::wait_aside;
use crate::close::{BadClose, CloseReason};
use crate::message::Payload;
use crate::path::PathPattern;
use crate::registry::{Cursor, Page};
use crate::session::{ClientId, Refusal, SendPermit, Session};

/// Clients on one page of a query, at most.
const MAX_PAGE: u32 = 1_000;

/// Ids that a broadcast may name, at most.
const MAX_IDS: usize = 10_000;

type QueryResult = Result<(Vec<ClientResult>, Option<String>), Error>;

impl Host for InstanceState {
    fn base_path(&mut self) -> wasmtime::Result<String> {
        self.count_host_call()?;
        Ok(self.context.base_path.to_string())
    }

    fn get_client(&mut self, id: String) -> wasmtime::Result<Option<ClientResult>> {
        self.count_host_call()?;
        Ok(self.visible(&id).map(|session| client_result(&session)))
    }

    fn get_clients_on_path(
        &mut self,
        path: String,
        cursor: Option<String>,
        limit: u32,
    ) -> wasmtime::Result<QueryResult> {
        self.count_host_call()?;
        Ok(self.query(cursor.as_deref(), |state, cursor| {
            let pattern = state.granted_pattern(&path)?;
            let size = page_size(limit)?;
            Ok(state.context.registry.on_path(&pattern, &state.context.grants, cursor, size))
        }))
    }

    fn get_clients_of_user(
        &mut self,
        username: String,
        cursor: Option<String>,
        limit: u32,
    ) -> wasmtime::Result<QueryResult> {
        self.count_host_call()?;
        Ok(self.query(cursor.as_deref(), |state, cursor| {
            let scope = &state.context.grants;
            let size = page_size(limit)?;
            Ok(state.context.registry.of_user(&username, scope, cursor, size))
        }))
    }

    fn get_client_count(&mut self) -> wasmtime::Result<u64> {
        self.count_host_call()?;
        Ok(self.context.registry.count(&self.context.grants))
    }

    fn get_claims(&mut self, id: String) -> wasmtime::Result<Option<String>> {
        self.count_host_call()?;
        let claims = |session: Arc<Session>| {
            session.principal().claims().map(|claims| &**claims).map(String::from)
        };
        Ok(self.visible(&id).and_then(claims))
    }

    fn send_message(
        &mut self,
        to: String,
        message: PayloadResult,
    ) -> wasmtime::Result<Result<(), Error>> {
        self.count_host_call()?;
        Ok(self.queue_send(&to, message.into()))
    }

    fn broadcast(
        &mut self,
        to: Audience,
        message: PayloadResult,
        except: Vec<String>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        self.count_host_call()?;
        Ok(self.queue_broadcast(to, message.into(), &except))
    }

    fn close(
        &mut self,
        id: String,
        code: u16,
        reason: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        self.count_host_call()?;
        Ok(self.queue_close(&id, code, &reason))
    }

    fn flush(&mut self) -> wasmtime::Result<Result<(), Error>> {
        self.count_host_call()?;
        if self.call.entry() == Entry::Urgent {
            // A handover may be given up, as if it had not begun.
            return Ok(Err(Error::Denied("flush during a handover of state".to_owned())));
        }
        if self.call.is_start() {
            // It may be given up until its module is known, or be made again on a fiber: what was
            // queued leaves with the rest.
            return Ok(Ok(()));
        }
        self.call.set_flushed();
        let counter = &self.context.counters.messages_queued;
        if let Some(store) = self.call.effects.apply_to_absent(counter) {
            // Where it fails, the store says so itself.
            wait_aside(store.settled());
        }
        self.call.effects.apply(counter);
        Ok(Ok(()))
    }
}

impl InstanceState {
    fn queue_send(&mut self, to: &str, payload: Payload) -> Result<(), Error> {
        let session = self.visible(to).ok_or_else(|| self.unknown(to))?;
        check_size(&payload, [&session])?;
        self.count_send(payload.len()).map_err(limit_exceeded)?;
        let permit = match self.closes(&session) {
            true => Err(Refusal::Closed),
            false => SendPermit::reserve(&session, payload.len()),
        };
        let permit = permit.map_err(|refusal| {
            self.context.counters.sends_refused.increment(refusal.name());
            match refusal {
                Refusal::Closed => Error::Closed,
                Refusal::Full => Error::QueueFull,
            }
        })?;
        self.call.effects.send(permit, payload);
        Ok(())
    }

    fn queue_broadcast(
        &mut self,
        audience: Audience,
        payload: Payload,
        except: &[String],
    ) -> Result<u64, Error> {
        if except.len() > MAX_IDS {
            return Err(Error::InvalidArgument(format!("except: at most {MAX_IDS} ids")));
        }
        let mut to = self.audience(audience)?;
        let except = except.iter().filter_map(|id| id.parse().ok());
        let except: HashSet<ClientId> =
            except.chain(self.call.effects.closing().iter().copied()).collect();
        to.retain(|session| !except.contains(&session.id()) && !session.outbox().is_closed());
        check_size(&payload, &to)?;
        self.count_send(payload.len()).map_err(limit_exceeded)?;
        let reached = to.len() as u64;
        self.call.effects.broadcast(to, payload);
        Ok(reached)
    }

    fn queue_close(&mut self, id: &str, code: u16, text: &str) -> Result<(), Error> {
        let reason = CloseReason::from_module(code, text).map_err(|bad| match bad {
            BadClose::Code(_) => Error::InvalidArgument(format!("code: {bad}")),
            BadClose::ReasonBytes(_) => Error::InvalidArgument(format!("reason: {bad}")),
        })?;
        let session = self.visible(id).ok_or_else(|| self.unknown(id))?;
        if session.outbox().is_closed() || self.closes(&session) {
            return Err(Error::Closed);
        }
        self.count_send(0).map_err(limit_exceeded)?;
        self.call.effects.close(session, reason);
        Ok(())
    }

    /// The clients that a broadcast is for, among those that the module may reach.
    fn audience(&self, audience: Audience) -> Result<Vec<Arc<Session>>, Error> {
        let context = &self.context;
        match audience {
            Audience::Ids(ids) if ids.len() > MAX_IDS => {
                Err(Error::InvalidArgument(format!("ids: at most {MAX_IDS}")))
            }
            Audience::Ids(ids) => {
                let mut seen = HashSet::new();
                let found = ids.iter().filter_map(|id| self.visible(id));
                Ok(found.filter(|session| seen.insert(session.id())).collect())
            }
            Audience::Path(path) => {
                let pattern = self.granted_pattern(&path)?;
                let page = context.registry.on_path(&pattern, &context.grants, None, usize::MAX);
                Ok(page.sessions)
            }
            Audience::User(username) => {
                let page = context.registry.of_user(&username, &context.grants, None, usize::MAX);
                Ok(page.sessions)
            }
            Audience::Role(role) => Ok(context.registry.with_role(&role, &context.grants)),
        }
    }

    /// A client that is on a path granted to the module.
    fn visible(&self, id: &str) -> Option<Arc<Session>> {
        // Its message would not have come here from any other path.
        if let Some(caller) = self.call.caller.as_ref().filter(|caller| caller.id_text() == id) {
            return Some(Arc::clone(caller));
        }
        let session = self.context.registry.get(id.parse().ok()?)?;
        self.context.grants.contains(session.path()).then_some(session)
    }

    /// Why a client cannot be found: of the one that this very call is about, it is known.
    fn unknown(&self, id: &str) -> Error {
        match self.gone {
            Some(gone) if id.parse() == Ok(gone) => Error::Closed,
            Some(_) | None => Error::NotFound,
        }
    }

    /// Whether this call has already asked to close the client.
    fn closes(&self, session: &Session) -> bool {
        self.call.effects.closing().contains(&session.id())
    }

    /// A path or pattern that the module may at least partly see.
    pub(super) fn granted_pattern(&self, path: &str) -> Result<PathPattern, Error> {
        let pattern = PathPattern::parse(path)
            .map_err(|error| Error::InvalidArgument(format!("path: {error}")))?;
        if !self.context.grants.overlaps(&pattern) {
            return Err(Error::Denied(format!("path {path}")));
        }
        Ok(pattern)
    }

    fn query(
        &self,
        cursor: Option<&str>,
        find: impl FnOnce(&Self, Option<&Cursor>) -> Result<Page, Error>,
    ) -> QueryResult {
        let cursor = match cursor {
            None => None,
            Some(text) => Some(Cursor::parse(text).ok_or_else(|| {
                Error::InvalidArgument("cursor: not one that a query returned".into())
            })?),
        };
        let page = find(self, cursor.as_ref())?;
        let clients = page.sessions.iter().map(client_result).collect();
        Ok((clients, page.next.map(|cursor| cursor.to_text())))
    }
}

impl From<PayloadResult> for Payload {
    fn from(payload: PayloadResult) -> Self {
        match payload {
            PayloadResult::Text(text) => Self::Text(text.into()),
            PayloadResult::Binary(bytes) => Self::Binary(bytes.into()),
        }
    }
}

fn page_size(limit: u32) -> Result<usize, Error> {
    match limit {
        0 => Err(Error::InvalidArgument("limit: a page has at least 1 client".into())),
        _ => Ok(limit.min(MAX_PAGE) as usize),
    }
}

pub(super) fn limit_exceeded(quota: &str) -> Error {
    Error::LimitExceeded(quota.to_owned())
}

/// A message that an empty outbox could not hold never leaves.
fn check_size<'a>(
    payload: &Payload,
    to: impl IntoIterator<Item = &'a Arc<Session>>,
) -> Result<(), Error> {
    let smallest = to.into_iter().map(|session| session.policy().outbox_bytes).min();
    match smallest {
        Some(limit) if payload.len() > limit => Err(Error::TooLarge(limit as u64)),
        Some(_) | None => Ok(()),
    }
}
