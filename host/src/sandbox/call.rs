//! What a guest is called with and what it answers, in the gateway's own words.

use std::sync::Arc;

use super::bindings::exports::sporegate::gateway::{disconnect_handler, message_handler};
use super::bindings::sporegate::gateway::types;
use super::effects::Effects;
use crate::close::CloseReason;
use crate::message::Payload;
use crate::session::Session;

/// One matched message for one listener.
#[derive(Debug)]
pub struct MessageCall<'a> {
    /// Name of the listener that matched.
    pub listener: &'a str,
    /// Who sent the message.
    pub session: &'a Arc<Session>,
    /// The message.
    pub payload: &'a Payload,
    /// Captures of the listener's path pattern, in order.
    pub path_params: Vec<(&'a str, &'a str)>,
    /// Number of the message in its session, from 1.
    pub sequence: u64,
    /// Milliseconds since the Unix epoch.
    pub received_at_ms: u64,
}

/// The end of one session for one listener.
#[derive(Debug)]
pub struct DisconnectCall<'a> {
    /// Name of the listener that matched.
    pub listener: &'a str,
    /// The session, already out of every query.
    pub session: &'a Session,
    /// Why it ended.
    pub reason: &'a CloseReason,
}

/// Whether lower priorities see the message too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They do.
    Proceed,
    /// They do not.
    Stop,
}

/// A call that succeeded, with what it asked for. Its changes of
/// listeners are in force; its effects have not happened yet.
#[derive(Debug)]
pub struct Called<T> {
    /// The guest's answer.
    pub answer: T,
    /// Sends, broadcasts and closes since the last flush.
    pub effects: Effects,
}

/// The parts of a client record that are borrowed by its lowered form.
pub(super) struct ClientParts<'a> {
    session: &'a Session,
    roles: Vec<&'a str>,
}

impl<'a> ClientParts<'a> {
    pub(super) fn of(session: &'a Session) -> Self {
        let roles = session.principal().roles().iter().map(|role| &**role).collect();
        Self { session, roles }
    }

    pub(super) fn record(&'a self) -> types::ClientParam<'a> {
        types::ClientParam {
            id: self.session.id_text(),
            connect_path: self.session.path().as_str(),
            username: self.session.principal().username().map(|name| &**name),
            roles: &self.roles,
        }
    }
}

impl<'a> MessageCall<'a> {
    pub(super) fn lower(
        &'a self,
        client: &'a ClientParts<'a>,
    ) -> message_handler::MessageEvent<'a> {
        message_handler::MessageEvent {
            listener: self.listener,
            client: client.record(),
            message: match self.payload {
                Payload::Text(text) => types::PayloadParam::Text(text),
                Payload::Binary(bytes) => types::PayloadParam::Binary(bytes),
            },
            path_params: &self.path_params,
            sequence: self.sequence,
            received_at_ms: self.received_at_ms,
            traceparent: None,
        }
    }
}

impl<'a> DisconnectCall<'a> {
    pub(super) fn lower(
        &'a self,
        client: &'a ClientParts<'a>,
    ) -> disconnect_handler::DisconnectEvent<'a> {
        disconnect_handler::DisconnectEvent {
            listener: self.listener,
            client: client.record(),
            code: self.reason.code(),
            reason: self.reason.text(),
        }
    }
}

impl From<message_handler::Outcome> for Outcome {
    fn from(outcome: message_handler::Outcome) -> Self {
        match outcome {
            message_handler::Outcome::Proceed => Self::Proceed,
            message_handler::Outcome::Stop => Self::Stop,
        }
    }
}

/// A client record for the answer of a query.
pub(super) fn client_result(session: &Arc<Session>) -> types::ClientResult {
    types::ClientResult {
        id: session.id_text().to_owned(),
        connect_path: session.path().as_str().to_owned(),
        username: session.principal().username().map(|name| &**name).map(str::to_owned),
        roles: session.principal().roles().iter().map(|role| String::from(&**role)).collect(),
    }
}
