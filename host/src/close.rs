//! Why a connection ends, as the client sees it. The table below is the only place where close
//! codes of the gateway are chosen; 1005, 1006 and 1015 are never sent (RFC 6455, section 7.4.1).

use std::borrow::Cow;

/// Longest reason that fits into a close frame, in bytes (RFC 6455, section 5.5).
pub const MAX_REASON_BYTES: usize = 123;

/// A close code with the text that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseReason {
    code: u16,
    cause: CloseCause,
    text: Cow<'static, str>,
}

/// Why a module's own close request was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadClose {
    /// The code is not one that modules may use.
    #[error("code {0}: modules may close with 1000 or 4900 to 4999")]
    Code(u16),
    /// The reason does not fit into a close frame.
    #[error("reason of {0} bytes: at most {MAX_REASON_BYTES} fit into a close frame")]
    ReasonBytes(usize),
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $cause:ident, $text:literal;)*) => {
        $($(#[$doc])* pub const $name: Self =
            Self { code: $code, cause: CloseCause::$cause, text: Cow::Borrowed($text) };)*

        /// All that nobody else makes up.
        pub const ALL: &'static [Self] = &[$(Self::$name,)*];
    };
}

macro_rules! causes {
    ($($(#[$doc:meta])* $cause:ident = $name:literal,)*) => {
        /// What made a connection end: a closed set, for logs and counters.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CloseCause {
            $($(#[$doc])* $cause,)*
        }

        impl CloseCause {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$cause,)*];

            /// Stable name, for logs and counters.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$cause => $name,)*
                }
            }
        }
    };
}

causes! {
    /// The client sent a close frame, with or without a code.
    Client = "client",
    /// A listener asked for it.
    Listener = "listener",
    /// The gateway stops.
    GoingAway = "going-away",
    /// A frame that RFC 6455 forbids.
    Protocol = "protocol",
    /// Binary on a path for text, or text on a path for binary.
    WrongKind = "wrong-kind",
    /// Text that is not UTF-8.
    Utf8 = "utf-8",
    /// Text that is not JSON on a path for JSON.
    NotJson = "not-json",
    /// A message in too many fragments.
    Fragments = "fragments",
    /// A message that took too long to arrive.
    MessageTime = "message-time",
    /// Too many pings and pongs.
    ControlRate = "control-rate",
    /// A message above the limit of bytes.
    TooBig = "too-big",
    /// A listener failed where that closes.
    ListenerFailed = "listener-failed",
    /// A listener's module is not called for the moment, where that closes.
    Unavailable = "unavailable",
    /// Too many messages in too little time.
    Rate = "rate",
    /// Too many bytes in too little time.
    ByteRate = "byte-rate",
    /// The client does not read.
    SlowConsumer = "slow-consumer",
    /// The client looks dead.
    NoPong = "no-pong",
    /// No message for too long.
    Idle = "idle",
    /// As old as a connection may become.
    Lifetime = "lifetime",
    /// The credentials have expired.
    Expired = "expired",
    /// Another connection has its session.
    Replaced = "replaced",
    /// The connection broke.
    Lost = "lost",
}

impl CloseReason {
    reasons! {
        /// The gateway is going away; reconnect elsewhere or later.
        GOING_AWAY = 1001, GoingAway, "the gateway is shutting down";
        /// The same where it is about to be back: what clients are told is configured.
        SERVICE_RESTART = 1012, GoingAway, "the gateway is shutting down";
        /// The client broke the WebSocket protocol.
        PROTOCOL_ERROR = 1002, Protocol, "protocol error";
        /// A text message or close reason was not UTF-8.
        INVALID_UTF8 = 1007, Utf8, "text is not valid UTF-8";
        /// A message or frame was larger than the limit of the path.
        TOO_BIG = 1009, TooBig, "message too big";
        /// A listener failed, and the path closes on failure.
        LISTENER_FAILED = 1011, ListenerFailed, "a listener failed";
        /// A listener's module pauses after failures, and the path closes on failure.
        UNAVAILABLE = 4103, Unavailable, "a module is unavailable for the moment";
        /// The client does not read as fast as messages are sent to it.
        SLOW_CONSUMER = 4102, SlowConsumer, "too many messages are waiting for this client";
        /// No pong came in time; the peer looks dead.
        NO_PONG = 4201, NoPong, "no pong received in time";
        /// The connection broke without a close frame. Reported to listeners, never sent.
        LOST = 1006, Lost, "connection lost";
        /// The client closed without giving a code. Reported to listeners, never sent.
        NO_STATUS = 1005, Client, "";
        /// The client and the gateway are done.
        NORMAL = 1000, Listener, "";
        /// Binary on a path for text or JSON, or text on a path for binary.
        WRONG_KIND = 1003, WrongKind, "this path does not take this kind of message";
        /// Text that is not JSON, or nested too deeply, on a path for JSON.
        NOT_JSON = 1007, NotJson, "text is not JSON";
        /// A message came in more fragments than the limit.
        FRAGMENTS = 1008, Fragments, "message in too many fragments";
        /// A message took longer to arrive than the limit.
        MESSAGE_TIME = 1008, MessageTime, "message took too long to arrive";
        /// More pings and pongs than the limit.
        CONTROL_RATE = 1008, ControlRate, "too many pings or pongs";
        /// More messages than the limit of the path.
        RATE = 4101, Rate, "too many messages in too little time";
        /// More bytes than the limit of the path.
        BYTE_RATE = 4101, ByteRate, "too many bytes in too little time";
        /// No message from the client for too long.
        IDLE = 4202, Idle, "no message for too long";
        /// The connection has reached its greatest age.
        LIFETIME = 4203, Lifetime, "the connection has reached its greatest age";
        /// Another connection has taken the session over.
        REPLACED = 4009, Replaced, "another connection has taken this session over";
        /// The credentials that the client connected with have expired.
        EXPIRED = 4401, Expired, "the credentials have expired";
    }

    /// What a client sent in its close frame.
    pub fn from_peer(code: u16, text: impl Into<String>) -> Self {
        Self { code, cause: CloseCause::Client, text: Cow::Owned(text.into()) }
    }

    /// What was written down of a reason; where a code and a text have several causes, one of them.
    pub fn from_record(code: u16, text: &str) -> Self {
        let own = Self::ALL.iter().find(|own| own.code == code && own.text == text);
        own.cloned().unwrap_or_else(|| Self::from_peer(code, text))
    }

    /// What a module asks for: 1000 or 4900-4999, at most [`MAX_REASON_BYTES`] of reason.
    pub fn from_module(code: u16, text: &str) -> Result<Self, BadClose> {
        if code != 1000 && !(4900..=4999).contains(&code) {
            return Err(BadClose::Code(code));
        }
        if text.len() > MAX_REASON_BYTES {
            return Err(BadClose::ReasonBytes(text.len()));
        }
        Ok(Self { code, cause: CloseCause::Listener, text: Cow::Owned(text.to_owned()) })
    }

    /// Whether the session of a client that was closed for this waits for it: always, unless one of
    /// both is done, or the client has to be mended first.
    pub fn may_come_back(&self) -> bool {
        match self.cause {
            CloseCause::Client => self.code != Self::NORMAL.code,
            CloseCause::GoingAway
            | CloseCause::ListenerFailed
            | CloseCause::Unavailable
            | CloseCause::Rate
            | CloseCause::ByteRate
            | CloseCause::SlowConsumer
            | CloseCause::NoPong
            | CloseCause::Idle
            | CloseCause::Lifetime
            | CloseCause::Expired
            | CloseCause::Lost => true,
            CloseCause::Listener
            | CloseCause::Protocol
            | CloseCause::WrongKind
            | CloseCause::Utf8
            | CloseCause::NotJson
            | CloseCause::Fragments
            | CloseCause::MessageTime
            | CloseCause::ControlRate
            | CloseCause::TooBig
            | CloseCause::Replaced => false,
        }
    }

    /// The close code.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// What made the connection end; several causes may share a code.
    pub fn cause(&self) -> CloseCause {
        self.cause
    }

    /// Stable name of the cause, for logs and counters.
    pub fn name(&self) -> &'static str {
        self.cause.name()
    }

    /// The reason text, at most [`MAX_REASON_BYTES`] bytes where it is sent.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn modules_may_only_use_their_own_codes() {
        for code in [1000, 4900, 4999] {
            assert!(CloseReason::from_module(code, "bye").is_ok(), "{code}");
        }
        for code in [0, 999, 1001, 1005, 1006, 1011, 1015, 3000, 4000, 4899, 5000, u16::MAX] {
            assert_eq!(CloseReason::from_module(code, ""), Err(BadClose::Code(code)));
        }
    }

    #[test]
    fn every_cause_has_a_name_of_its_own() {
        let names: HashSet<_> = CloseCause::ALL.iter().map(|cause| cause.name()).collect();
        assert_eq!(names.len(), CloseCause::ALL.len());
        for name in names {
            assert!(name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')), "{name}");
        }
    }

    #[test]
    fn a_reason_is_at_most_123_bytes() {
        assert!(CloseReason::from_module(1000, &"x".repeat(123)).is_ok());
        assert_eq!(
            CloseReason::from_module(1000, &"x".repeat(124)),
            Err(BadClose::ReasonBytes(124))
        );
    }
}
