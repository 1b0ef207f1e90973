//! Limits of what comes before a WebSocket exists: one HTTP request.

use std::time::Duration;

use super::section::Section;
use super::units::ByteSize;

/// Limits of an HTTP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// Time from the connection to the end of the upgrade; then it is closed.
    pub timeout: Duration,
    /// TCP connections at a time that are no clients yet; 503 above.
    pub connections: usize,
    /// Most bytes of the address in the request line; 414 above.
    pub uri_bytes: usize,
    /// Most bytes of the request line and all headers; 431 above.
    pub header_bytes: usize,
    /// Most headers; 431 above.
    pub header_count: usize,
}

/// Reads its part of `[limits]`.
pub(super) fn read(limits: &mut Section<'_, '_>) -> Handshake {
    let waits = Duration::from_millis(10)..=Duration::from_secs(600);
    let timeout = limits.read_in("handshake_timeout", Duration::from_secs(10), waits);
    let handshakes = limits.read_in("handshakes", 4_096, 1..=1_000_000);
    let uris = ByteSize::bytes(512)..=ByteSize::kib(60);
    let uri_size = limits.read_in("uri_size", ByteSize::kib(8), uris);
    let sizes = ByteSize::kib(8)..=ByteSize::mib(1);
    let header_size = limits.read_in("header_size", ByteSize::kib(16), sizes);
    let header_count = limits.read_in("header_count", 100, 16..=1_024);
    Handshake {
        timeout,
        connections: usize::try_from(handshakes).unwrap_or(usize::MAX),
        uri_bytes: uri_size.as_len(),
        header_bytes: header_size.as_len(),
        header_count: usize::try_from(header_count).unwrap_or(usize::MAX),
    }
}
