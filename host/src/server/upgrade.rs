//! From a request that passed the gate to a session with a connection.

use std::sync::Arc;

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
use super::{Peer, Server};
use crate::close::CloseReason;
use crate::connection;
use crate::gate::{Entry, Rejection, Remote};
use crate::message::Payload;
use crate::session::{ReconnectToken, Session};

/// Answers a handshake with 101 and leaves the rest to a task of its own.
pub(super) fn accept(
    server: &Arc<Server>,
    peer: Peer,
    request: &mut Request<Incoming>,
) -> Result<Reply, Rejection> {
    let entry = server.gate.check(request, Remote { peer: peer.0.ip() })?;
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
    if let Some(protocol) = entry.protocol {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    }
    let upgrade = hyper::upgrade::on(request);
    server.tasks.spawn(run(Arc::clone(server), peer, entry, upgrade));
    Ok(reply)
}

/// The whole life of a session.
async fn run(server: Arc<Server>, peer: Peer, entry: Entry, upgrade: OnUpgrade) {
    let Entry { path, principal, policy, admission, .. } = entry;
    let Some((stream, early)) = Box::pin(upgraded(&server, upgrade)).await else { return };
    let order = server.registry.next_order();
    let session = match Session::new(order, path, principal, policy) {
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
    tracing::debug!(
        peer = %peer.0,
        client = session.id_text(),
        path = session.path().as_str(),
        user = session.principal().username().map(|name| &**name),
        "connected"
    );
    let mut socket = Box::pin(connection::open(stream, early, session.policy())).await;
    let reason = connection::serve(&mut socket, &session, &server.dispatcher).await;
    drop(socket);
    tracing::debug!(client = session.id_text(), code = reason.code(), "disconnected");
    // What only the end of a session needs is not part of the task before.
    Box::pin(server.dispatcher.disconnected(&session, &reason)).await;
    drop(admission);
}

/// The socket and what was read of it beyond the request.
async fn upgraded(server: &Server, upgrade: OnUpgrade) -> Option<(TcpStream, Bytes)> {
    let limit = server.settings.handshake_timeout;
    let upgraded = tokio::time::timeout(limit, upgrade).await.ok()?.ok()?;
    let parts = Upgraded::downcast::<TokioIo<TcpStream>>(upgraded).ok()?;
    Some((parts.io.into_inner(), parts.read_buf))
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
        fn bytes<F>(_: impl Fn(Arc<Server>, Peer, Entry, OnUpgrade) -> F) -> usize {
            size_of::<F>()
        }
        let bytes = bytes(run);
        assert!(bytes <= 1_024, "{bytes} bytes");
    }
}
