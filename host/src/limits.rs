//! Limits of one connection and of one module, as plain values. Everything is bounded; each limit
//! says what happens when it is reached.

use std::sync::Arc;
use std::time::Duration;

/// What holds for the connections of one path. Shared by all of them.
#[derive(Clone, Debug)]
pub struct ConnectionPolicy {
    /// Largest message a client may send, in bytes; more closes it with 1009.
    pub message_bytes: usize,
    /// Messages that may wait for a client.
    pub outbox_messages: usize,
    /// Bytes that may wait for a client. A full outbox answers `queue-full` to a listener's send,
    /// and closes the client with 4102 on a broadcast.
    pub outbox_bytes: usize,
    /// Time between pings.
    pub ping_interval: Duration,
    /// Time a pong may take; then the client is closed with 4201.
    pub pong_timeout: Duration,
    /// Time between keep-alive messages; none when absent.
    pub keep_alive_interval: Option<Duration>,
    /// Time a write to the socket may stall; then the connection counts as slow (4102).
    pub write_timeout: Duration,
    /// Time the peer has for its half of the closing handshake; then the socket is dropped.
    pub close_timeout: Duration,
    /// Whether the first message is the `setClientId` greeting.
    pub greeting: bool,
    /// What a failing listener means for the client.
    pub on_failure: OnFailure,
}

/// What happens to the client whose message a listener failed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The message is skipped; lower priorities still see it.
    Skip,
    /// The client is closed with 1011.
    Close,
}

/// How a module is run and what it may use up.
#[derive(Clone, Debug, PartialEq)]
pub struct ModuleLimits {
    /// Linear memory and tables of one instance, in bytes; more fails the growth.
    pub memory_bytes: usize,
    /// CPU time of one call, in ticks of one millisecond; more ends the instance.
    pub cpu_ticks: u32,
    /// Wall-clock time of one call; more ends the instance.
    pub call_timeout: Duration,
    /// Wall-clock and CPU time of `start`; more fails the instance.
    pub start_timeout: Duration,
    /// Calls of the host in one call; more ends the instance.
    pub host_calls: u32,
    /// Sends, broadcasts and closes in one call; more gives `limit-exceeded`.
    pub sends: u32,
    /// Bytes queued in one call; more gives `limit-exceeded`.
    pub send_bytes: usize,
    /// Listeners of the module; more gives `limit-exceeded`.
    pub listeners: usize,
    /// Log lines per second; more are dropped and counted.
    pub log_lines_per_second: u32,
}

/// Shared handle to the policy of a path.
pub type SharedPolicy = Arc<ConnectionPolicy>;
