//! Limits of what comes before a WebSocket exists: one HTTP request.

use std::time::Duration;

use super::section::Section;
use super::units::ByteSize;

/// Handshakes in one go where the setting is absent and there may be fewer clients: those who find
/// the gateway full come again.
pub const MIN_DEFAULT_BURST: u32 = 1_000;

/// Limits of an HTTP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// Time from the connection to the end of the upgrade; then it is closed.
    pub timeout: Duration,
    /// TCP connections at a time that are no clients yet; 503 above.
    pub connections: usize,
    /// How many of them one address may have that is no proxy's; 429 above.
    pub connections_per_address: usize,
    /// Handshakes of one address in a second; zero: any number. 429 above.
    pub connect_rate: u32,
    /// Handshakes of one address in one go; none: as many as there may be clients, and no fewer
    /// than [`MIN_DEFAULT_BURST`].
    pub connect_burst: Option<u32>,
    /// Bad credentials of one address in a minute; zero: any number. 429 above.
    pub failed_logins: u32,
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
    let per_address =
        limits.optional_in("handshakes_per_address", "a quarter of handshakes", 1..=1_000_000);
    let connect_rate = limits.read_in("connect_rate", 100, 0..=1_000_000);
    let connect_burst =
        limits.optional_in("connect_burst", "max_connections, at least 1000", 1..=1_000_000);
    let failed_logins = limits.read_in("failed_logins", 300, 0..=1_000_000);
    let uris = ByteSize::bytes(512)..=ByteSize::kib(60);
    let uri_size = limits.read_in("uri_size", ByteSize::kib(8), uris);
    let sizes = ByteSize::kib(8)..=ByteSize::mib(1);
    let header_size = limits.read_in("header_size", ByteSize::kib(16), sizes);
    let header_count = limits.read_in("header_count", 100, 16..=1_024);
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    Handshake {
        timeout,
        connections: count(handshakes),
        connections_per_address: count(per_address.unwrap_or(handshakes.div_ceil(4))),
        connect_rate,
        connect_burst,
        failed_logins,
        uri_bytes: uri_size.as_len(),
        header_bytes: header_size.as_len(),
        header_count: count(header_count),
    }
}
