//! The listener for those who look after the gateway: `/metrics`, and nothing else. It is not the
//! one that clients reach. One descriptor is kept for it, so that it can be asked what is wrong when
//! clients have taken all others.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::http::{self, Reply};
use super::intake::Intake;
use super::{Server, ServerSettings};
use crate::metrics::{self, Metrics};

/// Connections at a time; a scraper needs one. Others wait to be accepted.
const MAX_CONNECTIONS: usize = 16;

/// Answers scrapes until the server has stopped.
pub async fn serve_metrics(server: Arc<Server>, listener: TcpListener, metrics: Metrics) {
    let metrics = Arc::new(metrics);
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    server.spare.want();
    loop {
        let accepting = async {
            let room = Arc::clone(&room).acquire_owned().await;
            (room, listener.accept().await)
        };
        let (room, accepted) = tokio::select! {
            accepted = accepting => accepted,
            () = server.stopped.cancelled() => return,
        };
        let (Ok(room), Ok((stream, _))) = (room, accepted) else {
            // Out of descriptors, most likely: the other accept loop says so, and sleeps.
            if !server.spare.give() {
                tokio::time::sleep(super::ACCEPT_BACKOFF).await;
            }
            continue;
        };
        let ServerSettings { handshake_timeout, uri_bytes, .. } = server.settings;
        let stream = Intake::new(stream, handshake_timeout, uri_bytes);
        let (server, metrics) = (Arc::clone(&server), Arc::clone(&metrics));
        let tasks = server.requests.clone();
        tasks.spawn(async move {
            let service = service_fn(|request| answer(&metrics, request));
            // A scraper that goes away has no further consequence.
            let _ = http::serve_connection(&server, stream, service).await;
            // At once: what the scraper has given back is wanted by others, too.
            server.spare.keep();
            drop(room);
        });
    }
}

async fn answer(metrics: &Metrics, request: Request<Incoming>) -> Result<Reply, Infallible> {
    Ok(match request.uri().path() {
        "/metrics" => http::read_only(&request, || match metrics.text() {
            Ok(text) => {
                let mut reply = http::text(StatusCode::OK, text);
                let kind = HeaderValue::from_static(metrics::CONTENT_TYPE);
                reply.headers_mut().insert(CONTENT_TYPE, kind);
                reply
            }
            Err(_) => http::text(StatusCode::INTERNAL_SERVER_ERROR, "no text\n"),
        }),
        _ => http::text(StatusCode::NOT_FOUND, "only /metrics is here\n"),
    })
}
