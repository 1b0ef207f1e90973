//! From a request that passed the gate to a session with a connection.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::http::Reply;
use super::intake::Intake;
use super::{Peer, Server};
use crate::close::{CloseCause, CloseReason};
use crate::connection;
use crate::counters::{Closed, OfPath, PathCounters};
use crate::gate::{Entry, Rejection};
use crate::limits::SharedPolicy;
use crate::message::Payload;
use crate::path::ConnectPath;
use crate::principal::Principal;
use crate::registry::{AddressKey, Admission};
use crate::session::{ReconnectToken, Session};

/// Answers a handshake with 101 and leaves the rest to a task of its own.
pub(super) fn accept(
    server: &Arc<Server>,
    peer: Peer,
    request: &mut Request<Incoming>,
) -> Result<Reply, Rejection> {
    let remote = server.remote(peer, request.headers());
    server.admit_attempt(remote.client)?;
    let checked = server.gate.check(request, remote);
    if let Err(Rejection::BadCredentials(_)) = &checked {
        server.note_failed_login(remote.client);
    }
    let entry = checked?;
    if !server.is_ready() {
        return Err(Rejection::Draining);
    }
    let mut reply = Response::new(Full::new(Bytes::new()));
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = reply.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    let accept = HeaderValue::from_str(entry.accept.as_str())
        .map_err(|error| Rejection::Malformed(error.to_string()))?;
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(protocol) = &entry.protocol {
        let protocol = HeaderValue::from_str(protocol)
            .map_err(|error| Rejection::Malformed(error.to_string()))?;
        headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let upgrade = hyper::upgrade::on(request);
    let Entry { path, principal, policy, rule, admission, .. } = entry;
    let counters = server.counters.path(rule);
    let address = remote.client.into();
    let client = Client { address, path, principal, policy, counters, admission };
    server.tasks.spawn(run(Arc::clone(server), peer, client, upgrade));
    Ok(reply)
}

/// What of an entry outlives the answer to its handshake.
struct Client {
    /// As far as the configured proxies know.
    address: AddressKey,
    path: ConnectPath,
    principal: Principal,
    policy: SharedPolicy,
    counters: Arc<PathCounters>,
    admission: Admission,
}

/// The whole life of a session.
async fn run(server: Arc<Server>, peer: Peer, client: Client, upgrade: OnUpgrade) {
    let Client { address, path, principal, policy, counters, admission } = client;
    let Some((stream, early)) = Box::pin(upgraded(&server, upgrade)).await else { return };
    let since = Instant::now();
    let order = server.registry.next_order();
    let session = match Session::new(order, path, principal, policy, counters) {
        Ok(session) => Arc::new(session),
        Err(error) => {
            tracing::error!(%error, "no random numbers from the operating system");
            return;
        }
    };
    if let Err(error) = greet(&session) {
        tracing::error!(%error, "no random numbers from the operating system");
        return;
    }
    server.registry.insert(&session);
    if !server.is_ready() {
        session.close(CloseReason::GOING_AWAY);
    }
    server.counters.accepted.increment();
    let connected = Connected::new(&session);
    tracing::debug!(
        connection = peer.connection,
        peer = %peer.address,
        client = session.id_text(),
        path = session.path().as_str(),
        user = session.principal().username().map(|name| &**name),
        "connected"
    );
    let mut socket = Box::pin(connection::open(stream, early, session.policy())).await;
    let reason = connection::serve(&mut socket, &session, &server.dispatcher).await;
    drop(socket);
    drop(connected);
    note_end(&server, (peer, address), &session, &reason, since);
    // What only the end of a session needs is not part of the task before.
    Box::pin(server.dispatcher.disconnected(&session, &reason)).await;
    drop(admission);
}

/// A client that counts as connected as long as this lives.
struct Connected<'a>(&'a Session);

impl<'a> Connected<'a> {
    fn new(session: &'a Session) -> Self {
        session.counters().add(OfPath::Accepted, 1);
        session.counters().add(OfPath::Connections, 1);
        Self(session)
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.counters().take(OfPath::Connections, 1);
    }
}

/// Counts and tells how a session ended.
fn note_end(
    server: &Server,
    (peer, address): (Peer, AddressKey),
    session: &Session,
    reason: &CloseReason,
    since: Instant,
) {
    let label = Closed::from(reason);
    server.counters.closed.increment(label);
    let traffic = session.traffic();
    macro_rules! tell {
        ($level:ident, $($more:tt)*) => {
            tracing::$level!(
                connection = peer.connection,
                client = session.id_text(),
                code = reason.code(),
                reason = label.reason,
                initiator = label.initiator,
                seconds = since.elapsed().as_secs_f64(),
                messages_received = traffic.messages_received(),
                bytes_received = traffic.bytes_received(),
                messages_sent = traffic.messages_sent(),
                bytes_sent = traffic.bytes_sent(),
                $($more)*
            )
        };
    }
    // What a client brought upon itself is told to operators, at a limited rate.
    let told = match is_abuse(reason.cause()) {
        true => server.ended_lines.admit(label.reason, address),
        false => None,
    };
    match told {
        Some(told) => tell!(info, peer = %peer.address, more = told.dropped_before, "disconnected"),
        None => tell!(debug, "disconnected"),
    }
}

/// Whether a client of good will and in good health is never closed for this.
fn is_abuse(cause: CloseCause) -> bool {
    match cause {
        CloseCause::Protocol
        | CloseCause::WrongKind
        | CloseCause::Utf8
        | CloseCause::NotJson
        | CloseCause::Fragments
        | CloseCause::MessageTime
        | CloseCause::ControlRate
        | CloseCause::TooBig
        | CloseCause::Rate
        | CloseCause::ByteRate
        | CloseCause::SlowConsumer => true,
        CloseCause::Client
        | CloseCause::Listener
        | CloseCause::GoingAway
        | CloseCause::ListenerFailed
        | CloseCause::Unavailable
        | CloseCause::NoPong
        | CloseCause::Idle
        | CloseCause::Lifetime
        | CloseCause::Expired
        | CloseCause::Lost => false,
    }
}

/// The socket and what was read of it beyond the request.
async fn upgraded(server: &Server, upgrade: OnUpgrade) -> Option<(TcpStream, Bytes)> {
    let limit = server.settings.handshake_timeout;
    let upgraded = tokio::time::timeout(limit, upgrade).await.ok()?.ok()?;
    let parts = Upgraded::downcast::<TokioIo<Intake>>(upgraded).ok()?;
    Some((parts.io.into_inner().into_stream(), parts.read_buf))
}

/// The first message to a client: the id with which it may come back. Only the client sees it.
fn greet(session: &Arc<Session>) -> Result<(), getrandom::Error> {
    if session.policy().greeting {
        let token = ReconnectToken::random()?;
        let greeting = format!(r#"{{"type":"setClientId","payload":"{}"}}"#, token.reveal());
        // An empty outbox has room for it.
        let _ = session.send(Payload::text(greeting));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every idle connection pays for the largest moment of its life.
    #[test]
    fn the_task_of_a_connection_stays_small() {
        fn bytes<F>(_: impl Fn(Arc<Server>, Peer, Client, OnUpgrade) -> F) -> usize {
            size_of::<F>()
        }
        let bytes = bytes(run);
        assert!(bytes <= 1_024, "{bytes} bytes");
    }
}
