//! From a request that passed the gate to a connection.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use hyper::{Request, Response, StatusCode};

use super::http::Reply;
use super::life::{self, Client};
use super::{Peer, Server};
use crate::gate::{Entry, Rejection};

/// Answers a handshake with 101 and leaves the rest to a task of its own.
pub(super) fn accept(
    server: &Arc<Server>,
    peer: Peer,
    request: &mut Request<Incoming>,
) -> Result<Reply, Rejection> {
    // Before anything is looked at: for those who come now it makes no difference. Whoever slips
    // through is closed as soon as he is a client.
    if !server.is_ready() && request.headers().contains_key(UPGRADE) {
        return Err(Rejection::Draining);
    }
    let remote = server.remote(peer, request.headers());
    server.admit_attempt(remote.client)?;
    let checked = server.gate.check(request, remote);
    if let Err(Rejection::BadCredentials(_)) = &checked {
        server.note_failed_login(remote.client);
    }
    let entry = checked?;
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
    let Entry { path, principal, policy, rule, returning, admission, .. } = entry;
    let counters = server.counters.path(rule);
    let address = remote.client.into();
    let client = Client { address, path, principal, policy, counters, returning, admission };
    server.sessions.spawn(life::run(Arc::clone(server), peer, Box::new(client), upgrade));
    Ok(reply)
}
