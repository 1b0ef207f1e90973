//! Plain HTTP: health, the test page, and the answers to requests that do not become sessions.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER,
    SEC_WEBSOCKET_VERSION, UPGRADE, WWW_AUTHENTICATE,
};
use hyper::{Method, Request, Response, StatusCode};

use super::{Peer, Server, page, upgrade};
use crate::gate::{self, Rejection};

pub(super) type Reply = Response<Full<Bytes>>;

/// Seconds after which a client that found the gateway full or stopping may come back.
const RETRY_AFTER_SECONDS: &str = "5";

/// Answers one request.
pub(super) async fn answer(
    server: &Arc<Server>,
    peer: Peer,
    mut request: Request<Incoming>,
) -> Result<Reply, Infallible> {
    let path = request.uri().path();
    let reply = match path {
        "/healthz" => read_only(&request, || text(StatusCode::OK, "ok\n")),
        "/readyz" if server.is_ready() => read_only(&request, || {
            let insecure = server.gate.is_insecure();
            text(StatusCode::OK, if insecure { "ready\nINSECURE\n" } else { "ready\n" })
        }),
        "/readyz" => read_only(&request, || text(StatusCode::SERVICE_UNAVAILABLE, "draining\n")),
        _ => {
            let below = gate::below(&server.settings.base_path, path);
            let file = below.filter(|_| server.settings.test_page).and_then(page::file);
            match file {
                Some(file) if !request.headers().contains_key(UPGRADE) => {
                    read_only(&request, || page::reply(file))
                }
                _ => upgrade::accept(server, peer, &mut request)
                    .unwrap_or_else(|rejection| reject(server, peer, &request, &rejection)),
            }
        }
    };
    Ok(reply)
}

fn read_only(request: &Request<Incoming>, reply: impl FnOnce() -> Reply) -> Reply {
    match *request.method() {
        Method::GET | Method::HEAD => reply(),
        _ => {
            let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            reply.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            reply
        }
    }
}

fn reject(
    server: &Server,
    peer: Peer,
    request: &Request<Incoming>,
    rejection: &Rejection,
) -> Reply {
    server.counters.rejected.increment();
    let status = rejection.status();
    if let Some(admitted) = server.rejected_lines.admit() {
        // The path only: the query may hold a token.
        let path = request.uri().path();
        let reason = rejection.reason();
        let more = admitted.dropped_before;
        tracing::info!(peer = %peer.0, path, status = status.as_u16(), reason, more, "rejected");
    }
    let mut reply = text(status, format!("{} {rejection}\n", status.as_u16()));
    let headers = reply.headers_mut();
    if let Some(challenge) = rejection.challenge() {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    match rejection {
        Rejection::NotAWebSocket | Rejection::Version => {
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        }
        Rejection::Full | Rejection::Draining => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        // What follows may be a body, or frames: neither is read as the next request.
        Rejection::Malformed(_) => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    reply
}

pub(super) fn text(status: StatusCode, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
