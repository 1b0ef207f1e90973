//! One complete WebSocket message, as it passes through the gateway. The bytes are shared, never
//! copied: a broadcast to a thousand clients holds them once.

use bytes::Bytes;
use bytestring::ByteString;

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

    /// A text message.
    pub fn text(text: impl Into<ByteString>) -> Self {
        Self::Text(text.into())
    }
}
