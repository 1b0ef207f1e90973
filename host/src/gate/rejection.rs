//! Why a request is turned away before the upgrade: one variant per answer.

use hyper::StatusCode;

use crate::admission::NoRoom;
use crate::auth::subprotocol::NoneFits;
use crate::auth::{AuthError, CHALLENGE};
use crate::rate::Empty;

/// Seconds after which a client that found everything full, or the gateway stopping, may come back.
const RETRY_SECONDS: u64 = 5;

/// A request that does not become a session.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// A plain request for a WebSocket path.
    #[error("connect with a WebSocket client")]
    NotAWebSocket,
    /// Another version of the protocol than 13.
    #[error("this gateway speaks WebSocket version 13")]
    Version,
    /// Not a handshake as RFC 6455 says, or not a path.
    #[error("malformed request: {0}")]
    Malformed(String),
    /// A request target longer than the limit.
    #[error("the address is longer than the limit")]
    LongAddress,
    /// Nothing there.
    #[error("no such path; clients connect below the base path")]
    NoSuchPath,
    /// The gateway is not known by the host that the request names.
    #[error("this gateway does not answer for that host; see hosts")]
    WrongHost,
    /// The page that the browser shows is not allowed to connect.
    #[error("pages of this origin may not connect; see allowed_origins")]
    ForeignOrigin,
    /// No credentials, and the path does not admit anonymous clients.
    #[error("credentials are required: a bearer token")]
    NoCredentials,
    /// Credentials that do not hold.
    #[error("{0}")]
    BadCredentials(AuthError),
    /// A known client without any of the roles that the path needs.
    #[error("none of the client's roles is admitted here")]
    MissingRole,
    /// None of the subprotocols that the path requires is offered.
    #[error("{0}")]
    NoSubprotocol(NoneFits),
    /// All allowed connections are in use.
    #[error("all connections are in use; try again later")]
    Full,
    /// The process has too much memory already.
    #[error("the gateway has no memory left for more clients; try again later")]
    OutOfMemory,
    /// The user has as many connections as one may have.
    #[error("this user has as many connections as one may have")]
    UserFull,
    /// The address has as many connections as one may have.
    #[error("this address has as many connections as one may have")]
    AddressFull,
    /// Too many requests of this address.
    #[error("too many attempts from this address; try again later")]
    ConnectRate(Empty),
    /// Too many bad credentials from this address.
    #[error("too many failed logins from this address; try again later")]
    FailedLogins(Empty),
    /// The gateway is stopping.
    #[error("the gateway is shutting down; try again later")]
    Draining,
}

impl Rejection {
    /// The status that answers it.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotAWebSocket | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Malformed(_) | Self::NoSubprotocol(_) => StatusCode::BAD_REQUEST,
            Self::LongAddress => StatusCode::URI_TOO_LONG,
            Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::NoCredentials | Self::BadCredentials(_) => StatusCode::UNAUTHORIZED,
            Self::ForeignOrigin | Self::MissingRole => StatusCode::FORBIDDEN,
            Self::UserFull | Self::AddressFull | Self::ConnectRate(_) | Self::FailedLogins(_) => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::Full | Self::OutOfMemory | Self::Draining => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Stable name, for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotAWebSocket => "not-a-websocket",
            Self::Version => "version",
            Self::Malformed(_) => "malformed",
            Self::LongAddress => "address-length",
            Self::NoSuchPath => "no-such-path",
            Self::WrongHost => "wrong-host",
            Self::ForeignOrigin => "foreign-origin",
            Self::NoCredentials => "no-credentials",
            Self::BadCredentials(error) => error.reason(),
            Self::MissingRole => "missing-role",
            Self::NoSubprotocol(_) => "no-subprotocol",
            Self::Full => "full",
            Self::OutOfMemory => "memory",
            Self::UserFull => "user-full",
            Self::AddressFull => "address-full",
            Self::ConnectRate(_) => "connect-rate",
            Self::FailedLogins(_) => "failed-logins",
            Self::Draining => "draining",
        }
    }

    /// Every value of [`Rejection::reason`], but those of bad credentials.
    pub const REASONS: [&'static str; 17] = [
        "not-a-websocket",
        "version",
        "malformed",
        "address-length",
        "no-such-path",
        "wrong-host",
        "foreign-origin",
        "no-credentials",
        "missing-role",
        "no-subprotocol",
        "full",
        "memory",
        "user-full",
        "address-full",
        "connect-rate",
        "failed-logins",
        "draining",
    ];

    /// Seconds after which another attempt may have more success, where the answer says so.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Full
            | Self::OutOfMemory
            | Self::Draining
            | Self::UserFull
            | Self::AddressFull => Some(RETRY_SECONDS),
            Self::ConnectRate(empty) | Self::FailedLogins(empty) => {
                Some(empty.retry_after.as_secs().saturating_add(1))
            }
            _ => None,
        }
    }

    /// Value of `WWW-Authenticate` (RFC 6750, section 3), where the answer is 401.
    pub fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::NoCredentials => Some(CHALLENGE),
            Self::BadCredentials(error) => Some(error.www_authenticate()),
            _ => None,
        }
    }
}

impl From<NoRoom> for Rejection {
    fn from(no_room: NoRoom) -> Self {
        match no_room {
            NoRoom::Gateway => Self::Full,
            NoRoom::Memory => Self::OutOfMemory,
            NoRoom::User => Self::UserFull,
            NoRoom::Address => Self::AddressFull,
        }
    }
}
