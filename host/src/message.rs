//! One complete WebSocket message, as it passes through the gateway. The bytes are shared, never
//! copied: a broadcast to a thousand clients holds them once.

use bytes::Bytes;
use bytestring::ByteString;

/// What the gateway says to clients from time to time: the original's, a JSON string.
pub const KEEP_ALIVE: &str = "\"keepalive\"";

/// The payload of one text or binary message. Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A text message; always valid UTF-8 (RFC 6455, section 5.6).
    Text(ByteString),
    /// A binary message.
    Binary(Bytes),
}

impl Payload {
    /// Size of the payload in bytes, without framing.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether the message carries no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a client takes this for a keep-alive, whoever sends it.
    pub fn is_keep_alive(&self) -> bool {
        // Almost always the length tells already.
        matches!(self, Self::Text(text) if *text == KEEP_ALIVE)
    }

    /// A text message.
    pub fn text(text: impl Into<ByteString>) -> Self {
        Self::Text(text.into())
    }
}
