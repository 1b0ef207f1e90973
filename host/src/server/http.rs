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
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper::{Method, Request, Response, StatusCode};

use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::net::TcpStream;

use super::intake::{Intake, IntakeError};
use super::lobby::Place;
use super::{Peer, Server, page, upgrade};
use crate::counters::Gauge;
use crate::gate::{self, Rejection};

pub(super) type Reply = Response<Full<Bytes>>;

/// What the kernel keeps of a client's messages beyond what is on its way. Without this it says
/// that it takes more only after a third of its buffer has become free, which is a megabyte and
/// more: a client that reads steadily, but slowly, would look as if it took nothing for long.
const UNSENT_BYTES: u32 = 64 << 10;

/// Serves a connection until it becomes a client, or has had its time.
pub(super) async fn serve(server: Arc<Server>, stream: TcpStream, peer: Peer, place: Place) {
    let _counted = Counted::in_handshake(&server.counters.http_connections);
    let options = SockRef::from(&stream);
    let set = options.set_tcp_nodelay(true);
    if let Err(error) = set.and(options.set_tcp_notsent_lowat(UNSENT_BYTES)) {
        tracing::debug!(connection = peer.connection, %error, "options of the socket");
    }
    let settings = &server.settings;
    let stream = Intake::new(stream, settings.handshake_timeout, settings.uri_bytes);
    let ending = stream.ending();
    let service = service_fn(|request| answer(&server, peer, request));
    match serve_connection(&server, stream, service).await {
        Ok(()) if ending.get() == Some(&IntakeError::Silent) => {
            server.turned_away(peer, SILENT, None);
        }
        Ok(()) => {}
        Err(error) => match refusal(&error) {
            Some((reason, status)) => server.turned_away(peer, reason, status),
            None => tracing::debug!(connection = peer.connection, %error, "HTTP ended"),
        },
    }
    drop(place);
}

/// HTTP on a connection, within the limits of a head.
pub(super) async fn serve_connection<S>(
    server: &Server,
    stream: Intake,
    service: S,
) -> Result<(), hyper::Error>
where
    S: HttpService<Incoming, ResBody = Full<Bytes>, Error = Infallible>,
{
    let settings = &server.settings;
    let mut http = http1::Builder::new();
    // Time is the connection's own affair: see `Intake`.
    http.timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_header_size(settings.header_bytes)
        .max_headers(settings.header_count)
        // No pipelining of what nobody answers yet; half-open clients are gone.
        .half_close(false);
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => ended,
        () = server.stopped.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

/// The reason of a connection that said nothing in time.
const SILENT: &str = "handshake-silent";

/// Every reason of [`refusal`].
pub(super) const REFUSALS: [&str; 6] =
    ["handshake-timeout", SILENT, "answer-unread", "address-length", "head-size", "malformed"];

/// What was answered to what never became a request: a stable reason and the status, if there was
/// an answer.
fn refusal(error: &hyper::Error) -> Option<(&'static str, Option<u16>)> {
    let inner = std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<std::io::Error>())
        .and_then(std::io::Error::get_ref)
        .and_then(|inner| inner.downcast_ref::<IntakeError>());
    match inner {
        Some(IntakeError::SlowRequest) => return Some(("handshake-timeout", Some(408))),
        Some(IntakeError::Silent) => return Some((SILENT, None)),
        Some(IntakeError::Unread) => return Some(("answer-unread", None)),
        Some(IntakeError::LongAddress) => return Some(("address-length", Some(414))),
        Some(IntakeError::Idle) => return None,
        None => {}
    }
    match error {
        _ if error.is_parse_too_large() => Some(("head-size", Some(431))),
        _ if error.is_parse() => Some(("malformed", Some(400))),
        _ => None,
    }
}

/// One more of something, as long as this lives.
struct Counted<'a>(&'a Gauge);

impl<'a> Counted<'a> {
    fn in_handshake(gauge: &'a Gauge) -> Self {
        gauge.rise();
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fall();
    }
}

/// Answers one request.
async fn answer(
    server: &Arc<Server>,
    peer: Peer,
    mut request: Request<Incoming>,
) -> Result<Reply, Infallible> {
    let path = request.uri().path();
    let reply = match path {
        _ if target_bytes(&request) > server.settings.uri_bytes => {
            reject(server, peer, &request, &Rejection::LongAddress)
        }
        "/healthz" => read_only(&request, || text(StatusCode::OK, "ok\n")),
        "/readyz" if server.is_ready() && !server.keeps_sessions() => read_only(&request, || {
            text(StatusCode::SERVICE_UNAVAILABLE, "the store of sessions fails\n")
        }),
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

pub(super) fn read_only(request: &Request<Incoming>, reply: impl FnOnce() -> Reply) -> Reply {
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
    server.counters.rejected.increment(rejection.reason());
    let status = rejection.status();
    let client = server.remote(peer, request.headers()).client;
    if let Some(admitted) = server.rejected_lines.admit(rejection.reason(), client.into()) {
        // The path only: the query may hold a token.
        let path = shown(request.uri().path());
        let connection = peer.connection;
        let reason = rejection.reason();
        let more = admitted.dropped_before;
        let peer = peer.address;
        let status = status.as_u16();
        tracing::info!(connection, %peer, address = %client, path, status, reason, more, "rejected");
    }
    let mut reply = text(status, format!("{} {rejection}\n", status.as_u16()));
    let headers = reply.headers_mut();
    if let Some(challenge) = rejection.challenge() {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(seconds) = rejection.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    match rejection {
        Rejection::NotAWebSocket | Rejection::Version => {
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        }
        // What follows may be a body, or frames: neither is read as the next request. And the next
        // attempt is better made elsewhere.
        Rejection::Malformed(_) | Rejection::LongAddress | Rejection::Draining => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    reply
}

/// Bytes of the address in a request line.
fn target_bytes<B>(request: &Request<B>) -> usize {
    let uri = request.uri();
    let path = uri.path_and_query().map_or(0, |target| target.as_str().len());
    path + uri.authority().map_or(0, |authority| authority.as_str().len())
}

/// As much of a path as a log line has room for.
fn shown(path: &str) -> &str {
    path.get(..path.floor_char_boundary(256)).unwrap_or(path)
}

pub(super) fn text(status: StatusCode, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
