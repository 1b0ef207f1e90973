//! The accept loop. It outlives every error: running out of file descriptors slows it down and
//! hurts no connected client.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::{Peer, Server, http};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4_096;

/// Pause after an accept that failed for lack of something that others hold.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {}", explain(.source))]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// What the operating system said.
    pub source: io::Error,
}

/// Starts to listen. Port 0 takes any free port.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    let open = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    open().map_err(|source| BindError { address, source })
}

/// Accepts until the server stops.
pub async fn serve(server: Arc<Server>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = server.stopping.cancelled() => return,
        };
        match accepted {
            Ok((stream, address)) => {
                let task = serve_http(Arc::clone(&server), stream, Peer(address));
                server.tasks.spawn(task);
            }
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

async fn serve_http(server: Arc<Server>, stream: TcpStream, peer: Peer) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let settings = &server.settings;
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(settings.handshake_timeout)
        .max_header_size(settings.header_bytes)
        .max_headers(settings.header_count)
        // No pipelining of what nobody answers yet; half-open clients are gone.
        .half_close(false);
    let service = service_fn(|request| http::answer(&server, peer, request));
    let mut connection =
        std::pin::pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = server.stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %peer.0, %error, "HTTP connection ended");
    }
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the address is in use; stop the other process, or choose another address with --listen (port 0 takes any free port)".into()
        }
        io::ErrorKind::PermissionDenied => {
            "permission denied; ports below 1024 need privileges, choose another with --listen".into()
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address; use one of its own, or 0.0.0.0 for all".into()
        }
        _ => error.to_string(),
    }
}
