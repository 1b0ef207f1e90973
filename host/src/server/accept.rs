//! The accept loop. It outlives every error: running out of file descriptors slows it down and
//! hurts no connected client.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::{ACCEPT_BACKOFF, Peer, Server, http};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4_096;

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

/// Accepts until the server has stopped: while it drains, whoever comes is told so.
pub async fn serve(server: Arc<Server>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = server.stopped.cancelled() => return,
        };
        match accepted {
            // What is left is not for clients.
            Ok((stream, _)) if !server.spare.keep() => {
                drop(stream);
                server.spare.keep();
                note(&server, &io::Error::from_raw_os_error(libc::EMFILE));
            }
            Ok((stream, address)) => take_in(&server, stream, address),
            Err(error) => {
                note(&server, &error);
                if is_about_one_connection(&error) {
                    continue;
                }
                tokio::select! {
                    () = tokio::time::sleep(ACCEPT_BACKOFF) => {}
                    () = server.stopped.cancelled() => return,
                }
            }
        }
    }
}

/// Serves a connection, if there is room for one more that is no client yet.
fn take_in(server: &Arc<Server>, stream: TcpStream, address: SocketAddr) {
    let peer = Peer { connection: server.next_connection(), address };
    match server.lobby.admit(address.ip()) {
        Ok(place) => {
            drop(server.requests.spawn(http::serve(Arc::clone(server), stream, peer, place)))
        }
        Err(no_place) => {
            server.turned_away(peer, no_place.reason(), Some(no_place.status()));
            // Whoever does not take this at once does without.
            let _ = stream.into_std().and_then(|mut stream| stream.write(no_place.reply()));
        }
    }
}

fn note(server: &Server, error: &io::Error) {
    let reason = reason(error);
    server.counters.accept_errors.increment(reason);
    if let Some(admitted) = server.accept_lines.admit() {
        let more = admitted.dropped_before;
        tracing::warn!(%error, reason, more, "accept failed; connected clients go on");
    }
}

/// Whether an error is that of the connection that was about to be accepted: the next one may be
/// well.
fn is_about_one_connection(error: &io::Error) -> bool {
    reason(error) == "aborted"
}

/// Every reason for which an accept fails.
pub const ACCEPT_ERRORS: [&str; 4] = ["no-descriptors", "no-memory", "aborted", "other"];

/// Stable name, for logs and metrics.
fn reason(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE) => "no-descriptors",
        Some(libc::ENOMEM | libc::ENOBUFS) => "no-memory",
        // Errors of the network that Linux passes on by accept(2).
        Some(
            libc::ECONNABORTED
            | libc::ECONNRESET
            | libc::EPERM
            | libc::EPROTO
            | libc::ENETDOWN
            | libc::ENETUNREACH
            | libc::EHOSTDOWN
            | libc::EHOSTUNREACH
            | libc::ENOPROTOOPT
            | libc::EOPNOTSUPP,
        ) => "aborted",
        _ => "other",
    }
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the address is in use; stop the other process, or choose another address with --listen (port 0 takes any free one)".into()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_about_one_connection_is_passed_over_without_a_pause() {
        let reason_of = |code| reason(&io::Error::from_raw_os_error(code));
        assert_eq!(reason_of(libc::EMFILE), "no-descriptors");
        assert_eq!(reason_of(libc::ENOMEM), "no-memory");
        assert_eq!(reason_of(libc::EINVAL), "other");
        assert!(is_about_one_connection(&io::Error::from_raw_os_error(libc::ECONNABORTED)));
        assert!(!is_about_one_connection(&io::Error::from_raw_os_error(libc::EMFILE)));
    }
}
