//! Why a request of a module came to nothing.

use std::error::Error;

/// The result under which a request is counted that was answered to the end.
pub(super) const ANSWERED: &str = "ok";

/// Why a request was not answered, or not to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No host of its grants.
    #[error("the host is not granted")]
    Host,
    /// A method or address that is never sent.
    #[error("no such request is sent")]
    Request,
    /// As many requests as there may be at a time.
    #[error("too many requests at a time")]
    TooMany,
    /// The name has no address.
    #[error("the host has no address")]
    NotFound,
    /// None of its addresses is public or granted.
    #[error("the host has no address that may be called")]
    Address,
    /// Nobody accepts connections there.
    #[error("nobody accepts a connection")]
    Connect,
    /// No connection in time.
    #[error("no connection in time")]
    ConnectTimeout,
    /// It does not speak TLS as we do.
    #[error("no agreement on TLS")]
    Tls,
    /// Its certificate is not that of the host, or of no authority that is trusted.
    #[error("the certificate is not trusted")]
    Certificate,
    /// No response in time.
    #[error("no response in time")]
    FirstByteTimeout,
    /// The response stood still.
    #[error("the response stood still")]
    BetweenBytesTimeout,
    /// The request has a larger body than it may.
    #[error("the body of the request is larger than {0} bytes")]
    RequestSize(u64),
    /// The response has a larger body than it may.
    #[error("the body of the response is larger than {0} bytes")]
    ResponseSize(u64),
    /// The response has a larger head than it may.
    #[error("the head of the response is larger than {0} bytes")]
    ResponseHead(u32),
    /// What came is not HTTP.
    #[error("the response is not HTTP")]
    Protocol,
    /// The connection broke.
    #[error("the connection broke")]
    Broken,
    /// The module let go of it, or the call that made it is over.
    #[error("given up")]
    GivenUp,
}

impl Failure {
    /// What it is counted under: a closed set, fit for a metric label.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Host => "host-refused",
            Self::Request => "request-refused",
            Self::TooMany => "too-many",
            Self::NotFound => "dns",
            Self::Address => "address-refused",
            Self::Connect => "connect",
            Self::ConnectTimeout => "connect-timeout",
            Self::Tls | Self::Certificate => "tls",
            Self::FirstByteTimeout => "response-timeout",
            Self::BetweenBytesTimeout => "read-timeout",
            Self::RequestSize(_) => "request-size",
            Self::ResponseSize(_) | Self::ResponseHead(_) => "response-size",
            Self::Protocol => "protocol",
            Self::Broken => "broken",
            Self::GivenUp => "given-up",
        }
    }

    /// What has become of a request, as the library says it. Its head may have `head_bytes`.
    pub(super) fn of(error: &hyper::Error, head_bytes: usize) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = error.source();
        while let Some(inner) = cause {
            if let Some(own) = inner.downcast_ref::<Self>() {
                return *own;
            }
            cause = inner.source();
        }
        match () {
            () if error.is_parse_too_large() => {
                Self::ResponseHead(u32::try_from(head_bytes).unwrap_or(u32::MAX))
            }
            () if error.is_parse() => Self::Protocol,
            () if error.is_user() => Self::GivenUp,
            () => Self::Broken,
        }
    }
}

/// Every result under which a request is counted.
pub fn results() -> Vec<&'static str> {
    let failures = [
        Failure::Host,
        Failure::Request,
        Failure::TooMany,
        Failure::NotFound,
        Failure::Address,
        Failure::Connect,
        Failure::ConnectTimeout,
        Failure::Tls,
        Failure::FirstByteTimeout,
        Failure::BetweenBytesTimeout,
        Failure::RequestSize(0),
        Failure::ResponseSize(0),
        Failure::Protocol,
        Failure::Broken,
        Failure::GivenUp,
    ];
    [ANSWERED].into_iter().chain(failures.map(Failure::name)).collect()
}
