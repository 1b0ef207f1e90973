//! Why a connection ends, as the client sees it. The table below is the only place where close
//! codes of the gateway are chosen; 1005, 1006 and 1015 are never sent (RFC 6455, section 7.4.1).

use std::borrow::Cow;

/// Longest reason that fits into a close frame, in bytes (RFC 6455, section 5.5).
pub const MAX_REASON_BYTES: usize = 123;

/// A close code with the text that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseReason {
    code: u16,
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
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        $($(#[$doc])* pub const $name: Self = Self { code: $code, text: Cow::Borrowed($text) };)*
    };
}

impl CloseReason {
    reasons! {
        /// The gateway is going away; reconnect elsewhere or later.
        GOING_AWAY = 1001, "the gateway is shutting down";
        /// The client broke the WebSocket protocol.
        PROTOCOL_ERROR = 1002, "protocol error";
        /// A text message or close reason was not UTF-8.
        INVALID_UTF8 = 1007, "text is not valid UTF-8";
        /// A message or frame was larger than the limit of the path.
        TOO_BIG = 1009, "message too big";
        /// A listener failed, and the path closes on failure.
        LISTENER_FAILED = 1011, "a listener failed";
        /// The client does not read as fast as messages are sent to it.
        SLOW_CONSUMER = 4102, "too many messages are waiting for this client";
        /// No pong came in time; the peer looks dead.
        NO_PONG = 4201, "no pong received in time";
        /// The connection broke without a close frame. Reported to listeners, never sent.
        LOST = 1006, "connection lost";
        /// The client closed without giving a code. Reported to listeners, never sent.
        NO_STATUS = 1005, "";
        /// The client and the gateway are done.
        NORMAL = 1000, "";
    }

    /// What a client sent in its close frame.
    pub fn from_peer(code: u16, text: impl Into<String>) -> Self {
        Self { code, text: Cow::Owned(text.into()) }
    }

    /// What a module asks for: 1000 or 4900-4999, at most [`MAX_REASON_BYTES`] of reason.
    pub fn from_module(code: u16, text: &str) -> Result<Self, BadClose> {
        if code != 1000 && !(4900..=4999).contains(&code) {
            return Err(BadClose::Code(code));
        }
        if text.len() > MAX_REASON_BYTES {
            return Err(BadClose::ReasonBytes(text.len()));
        }
        Ok(Self { code, text: Cow::Owned(text.to_owned()) })
    }

    /// The close code.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The reason text, at most [`MAX_REASON_BYTES`] bytes where it is sent.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
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
    fn a_reason_is_at_most_123_bytes() {
        assert!(CloseReason::from_module(1000, &"x".repeat(123)).is_ok());
        assert_eq!(
            CloseReason::from_module(1000, &"x".repeat(124)),
            Err(BadClose::ReasonBytes(124))
        );
    }
}
