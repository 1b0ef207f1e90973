//! Limits of one connection and of one module, as plain values. Everything is bounded; each limit
//! says what happens when it is reached.

use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;
use std::time::Duration;

use crate::close::CloseReason;
use crate::json::{self, Pointer};
use crate::message::Payload;

/// What holds for the connections of one path. Shared by all of them.
#[derive(Clone, Debug)]
pub struct ConnectionPolicy {
    /// Kinds of messages that a client may send.
    pub messages: MessageKind,
    /// Largest message a client may send, in bytes; more closes it with 1009.
    pub message_bytes: usize,
    /// Frames that a message may come in; more closes the client with 1008.
    pub fragments: u32,
    /// Time from the first byte of a message or frame to its last; more closes the client with
    /// 1008.
    pub message_time: Duration,
    /// Pings and pongs of a client per second, and at once; more closes it with 1008.
    pub controls_per_second: u32,
    /// Messages and bytes of a client per second.
    pub rate: MessageRate,
    /// Messages that may wait for a client.
    pub outbox_messages: usize,
    /// Bytes that may wait for a client.
    pub outbox_bytes: usize,
    /// What happens to a message for a client whose outbox is full.
    pub slow_client: SlowClient,
    /// Where in a text its key is, for [`SlowClient::Latest`].
    pub slow_client_key: Pointer,
    /// Time without a message from the client; then it is closed with 4202. None: any.
    pub idle_timeout: Option<Duration>,
    /// Greatest age of a connection; then the client is closed with 4203. None: any. To each
    /// client at random up to a tenth less, so that not all come back at once.
    pub lifetime: Option<Duration>,
    /// Time between pings.
    pub ping_interval: Duration,
    /// Time a pong may take; then the client is closed with 4201.
    pub pong_timeout: Duration,
    /// Time between keep-alive messages; none when absent.
    pub keep_alive_interval: Option<Duration>,
    /// Time in which the peer takes nothing of what is written; then it counts as slow (4102).
    pub write_timeout: Duration,
    /// Time the peer has for its half of the closing handshake; then the socket is dropped.
    pub close_timeout: Duration,
    /// Whether the first message is the `setClientId` greeting.
    pub greeting: bool,
    /// How long a session waits for its client to come back; none: it ends with its connection.
    pub reconnect_timeout: Option<Duration>,
    /// Messages that are kept of those that were written, until it is known that they arrived.
    pub replay_messages: usize,
    /// Bytes in them.
    pub replay_bytes: usize,
    /// What a failing listener means for the client.
    pub on_failure: OnFailure,
}

/// Kinds of messages that a client may send on a path. Another kind closes it with 1003.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// Text and binary.
    Any,
    /// Text.
    Text,
    /// Text that is JSON, nested at most [`crate::json::MAX_DEPTH`] levels; other text closes the
    /// client with 1007.
    Json,
    /// Binary.
    Binary,
}

/// Messages and bytes that a client may send per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageRate {
    /// Messages per second; none: any number.
    pub messages_per_second: Option<NonZeroU32>,
    /// Messages at once, after a rest; none: as many as per second.
    pub burst: Option<NonZeroU32>,
    /// Bytes per second; none: any number. So many may come at once, or one largest message.
    pub bytes_per_second: Option<NonZeroU64>,
    /// What happens to a message above either.
    pub on_excess: OnExcess,
}

/// What a message above the rate of its client means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExcess {
    /// The client is closed with 4101.
    Close,
    /// The message is dropped and counted.
    Drop,
    /// The same, and the client is told, once a second at most.
    Reply,
}

/// What a message means for a client whose outbox has no room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlowClient {
    /// A send fails with `queue-full`; a broadcast closes the client with 4102.
    Close,
    /// The messages that wait longest are dropped for it.
    DropOldest,
    /// It is dropped.
    DropNewest,
    /// Of all waiting messages with the same key only the last stays. Those that wait longest go
    /// where that is not enough, and messages without a key go as with [`Self::DropOldest`].
    Latest,
}

impl MessageKind {
    /// Why a client that sends this is closed, if it is.
    pub fn refuses(self, payload: &Payload) -> Option<CloseReason> {
        match (self, payload) {
            (Self::Any, _)
            | (Self::Text, Payload::Text(_))
            | (Self::Binary, Payload::Binary(_)) => None,
            (Self::Json, Payload::Text(text)) => {
                (!json::is_json(text)).then_some(CloseReason::NOT_JSON)
            }
            (Self::Text | Self::Json, Payload::Binary(_)) | (Self::Binary, Payload::Text(_)) => {
                Some(CloseReason::WRONG_KIND)
            }
        }
    }
}

impl Default for ConnectionPolicy {
    fn default() -> Self {
        Self {
            messages: MessageKind::Any,
            message_bytes: 64 << 10,
            fragments: 1_024,
            message_time: Duration::from_secs(30),
            controls_per_second: 100,
            rate: MessageRate::default(),
            outbox_messages: 1_024,
            outbox_bytes: 1 << 20,
            slow_client: SlowClient::Close,
            slow_client_key: Pointer::to_member("topic"),
            idle_timeout: None,
            lifetime: None,
            ping_interval: Duration::from_secs(25),
            pong_timeout: Duration::from_secs(10),
            keep_alive_interval: Some(Duration::from_secs(15)),
            write_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            greeting: true,
            reconnect_timeout: Some(Duration::from_secs(5)),
            replay_messages: 256,
            replay_bytes: 64 << 10,
            on_failure: OnFailure::Skip,
        }
    }
}

impl Default for MessageRate {
    fn default() -> Self {
        Self {
            messages_per_second: None,
            burst: None,
            bytes_per_second: None,
            on_excess: OnExcess::Close,
        }
    }
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
    /// State that is handed over on a swap, in bytes; more gives the swap up.
    pub state_bytes: usize,
    /// Wall-clock and CPU time of each half of a handover; more gives the swap up.
    pub handover_timeout: Duration,
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

/// What the HTTP requests of a module may use up. Each request ends with the call that it was made
/// in, whatever these say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// Requests at a time; one more fails with `connection-limit-reached`.
    pub requests: u32,
    /// Time to look the host up, to connect and to agree on TLS; then `connection-timeout`.
    pub connect_timeout: Duration,
    /// Time from then to the head of the response; then `HTTP-response-timeout`.
    pub first_byte_timeout: Duration,
    /// Time between two pieces of the body; then `connection-read-timeout`.
    pub between_bytes_timeout: Duration,
    /// Body of a request, in bytes; more fails with `HTTP-request-body-size`.
    pub request_bytes: u64,
    /// Body of a response, in bytes; more fails with `HTTP-response-body-size`.
    pub response_bytes: u64,
    /// Headers of a request, and head of a response, in bytes; more traps, or fails with
    /// `HTTP-response-header-section-size`.
    pub header_bytes: usize,
}

/// What each bucket of a module may hold; more fails with `other`, which names the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyValueLimits {
    /// Keys and values together, in bytes, and 64 for each key.
    pub bucket_bytes: usize,
    /// Keys.
    pub keys: u32,
    /// One key, in bytes.
    pub key_bytes: usize,
    /// One value, in bytes.
    pub value_bytes: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            requests: 16,
            connect_timeout: Duration::from_secs(2),
            first_byte_timeout: Duration::from_secs(4),
            between_bytes_timeout: Duration::from_secs(4),
            request_bytes: 1 << 20,
            response_bytes: 1 << 20,
            header_bytes: 16 << 10,
        }
    }
}

impl Default for KeyValueLimits {
    fn default() -> Self {
        Self { bucket_bytes: 1 << 20, keys: 10_000, key_bytes: 256, value_bytes: 64 << 10 }
    }
}

/// Shared handle to the policy of a path.
pub type SharedPolicy = Arc<ConnectionPolicy>;
