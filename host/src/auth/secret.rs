//! A text that must not be seen: neither `Debug` nor `Display` shows it.

use std::fmt;

/// A secret from the configuration or from [`super::dev_token::random_secret`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Takes the text as it is: its UTF-8 bytes are the key, nothing is trimmed or decoded.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself. Do not log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}
