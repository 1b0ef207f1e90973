//! The error of a call. It is for people to read, in the gateway's log; nothing matches on it.

use std::fmt::{self, Display};

use crate::Error;

/// Result of a listener's call.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a call failed. Whatever can be displayed turns into one by `?` or `.into()`.
///
/// Returned from `start` it refuses the revision; from `on_message` or `on_disconnect` it discards
/// what the call has queued, and the gateway logs the text.
pub struct Failure(String);

impl Failure {
    /// The text that the gateway logs.
    pub fn into_text(self) -> String {
        self.0
    }
}

impl<E: Display> From<E> for Failure {
    fn from(cause: E) -> Self {
        Self(cause.to_string())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error {
    /// The name that the interface gives to the case, e.g. `queue-full`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Closed => "closed",
            Self::QueueFull => "queue-full",
            Self::TooLarge(_) => "too-large",
            Self::Denied(_) => "denied",
            Self::InvalidArgument(_) => "invalid-argument",
            Self::LimitExceeded(_) => "limit-exceeded",
            Self::Other(_) => "other",
        }
    }

    /// What the case carries: the limit in bytes, the grant, the argument, the quota.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::NotFound | Self::Closed | Self::QueueFull => None,
            Self::TooLarge(bytes) => Some(bytes.to_string()),
            Self::Denied(text)
            | Self::InvalidArgument(text)
            | Self::LimitExceeded(text)
            | Self::Other(text) => Some(text.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_that_can_be_displayed_becomes_a_failure() {
        fn parse() -> Result<u8> {
            Ok("300".parse::<u8>()?)
        }
        assert_eq!(parse().unwrap_err().into_text(), "number too large to fit in target type");
        assert_eq!(Failure::from("not today").into_text(), "not today");
    }

    #[test]
    fn an_error_tells_its_code_and_what_it_carries() {
        assert_eq!((Error::QueueFull.code(), Error::QueueFull.detail()), ("queue-full", None));
        let too_large = Error::TooLarge(1024);
        assert_eq!((too_large.code(), too_large.detail()), ("too-large", Some("1024".into())));
    }
}
