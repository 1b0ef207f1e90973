//! The messages that clients send.
//!
//! Invariant: what is echoed or delivered has the same bytes for every server.

use crate::frame::{self, Opcode};

/// What an answer to it contains, whatever a listener makes of the rest.
pub(crate) const MARK: &str = "from the load generator";

/// The size of the ordinary message, bytes.
pub(crate) const ORDINARY: usize = 106;

/// Whether a gateway says this by itself: the greeting, the keep-alive.
pub(crate) fn is_courtesy(message: &[u8]) -> bool {
    message.starts_with(br#"{"type":"setClientId""#) || message == br#""keepalive""#
}

/// An encoded frame with a JSON text of exactly `size` bytes, written as JSON.stringify writes it.
pub(crate) fn frame(size: usize) -> Vec<u8> {
    frame::encode(Opcode::Text, json(size).as_bytes())
}

/// The text in the frame.
pub(crate) fn json(size: usize) -> String {
    let head = r#"{"type":"echo","id":1000001,"payload":{"text":""#;
    let tail = r#"","number":42}}"#;
    let room = size.saturating_sub(head.len() + MARK.len() + tail.len());
    let padding: String = " and so on".chars().cycle().take(room).collect();
    format!("{head}{MARK}{padding}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_size_asked_for_and_are_json() {
        for size in [ORDINARY, 1024] {
            let text = json(size);
            assert_eq!(text.len(), size);
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["type"], "echo");
        }
    }
}
