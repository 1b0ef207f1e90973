//! Payloads from what people have at hand.

use serde::Serialize;

use crate::{Error, Payload, Result};

impl Payload {
    /// A text message that is `value` as JSON.
    ///
    /// # Errors
    /// `InvalidArgument` if JSON cannot hold the value, e.g. a map whose keys are lists.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        match serde_json::to_string(value) {
            Ok(text) => Ok(Self::Text(text)),
            Err(error) => Err(Error::InvalidArgument(format!("message: {error}"))),
        }
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_value_becomes_one_text_message() {
        let payload = Payload::json(&BTreeMap::from([("type", "pong")])).unwrap();
        assert_eq!(payload, Payload::Text(r#"{"type":"pong"}"#.to_owned()));
    }

    #[test]
    fn what_json_cannot_hold_is_an_invalid_argument() {
        let error = Payload::json(&BTreeMap::from([([1, 2], 3)])).unwrap_err();
        assert_eq!(error.code(), "invalid-argument");
    }
}
