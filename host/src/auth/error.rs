//! Why a credential is refused.
//!
//! Invariant: no variant can hold a token, a payload or any other text that a client sent.

use std::sync::Arc;

/// A refusal. All of them are answered with HTTP status 401 and [`AuthError::www_authenticate`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Not of the form that a credential has.
    #[error("the credential is malformed: {0}")]
    Malformed(&'static str),
    /// Longer than [`super::MAX_TOKEN_BYTES`]; nothing of it was looked at.
    #[error("the token is too large")]
    TooLarge,
    /// Credentials in more than one place, or more than one in a place (RFC 6750 section 2).
    #[error("the request carries more than one credential")]
    SeveralCredentials,
    /// No configured key has this `kid`, or none can be told without one.
    #[error("no key is known for the token")]
    UnknownKey,
    /// The token's algorithm is not one that its key is for; `none` never is.
    #[error("the token's algorithm is not allowed for its key")]
    WrongAlgorithm,
    /// The signature does not belong to the token and the key.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` is in the future.
    #[error("the token is not yet valid")]
    NotYetValid,
    /// A claim that is needed is absent. For `exp`, `iss` and `aud` also: not of a type that counts.
    #[error("the token has no usable claim `{0}`")]
    MissingClaim(Arc<str>),
    /// A claim has a type or a value that is not allowed.
    #[error("the token's claim `{0}` is not valid")]
    InvalidClaim(Arc<str>),
    /// Meant for another audience.
    #[error("the token is for another audience")]
    WrongAudience,
    /// Issued by somebody who is not configured.
    #[error("the token is from an unknown issuer")]
    WrongIssuer,
    /// Not one of the static tokens.
    #[error("the token is unknown")]
    UnknownToken,
}

/// The `WWW-Authenticate` value for a request without credentials (RFC 6750 section 3).
pub const CHALLENGE: &str = r#"Bearer realm="sporegate""#;

impl AuthError {
    /// A label for metrics and logs, of a closed set: [`AuthError::REASONS`].
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed-credential",
            Self::TooLarge => "token-too-large",
            Self::SeveralCredentials => "several-credentials",
            Self::UnknownKey => "unknown-key",
            Self::WrongAlgorithm => "wrong-algorithm",
            Self::BadSignature => "bad-signature",
            Self::Expired => "token-expired",
            Self::NotYetValid => "token-not-yet-valid",
            Self::MissingClaim(_) => "missing-claim",
            Self::InvalidClaim(_) => "invalid-claim",
            Self::WrongAudience => "wrong-audience",
            Self::WrongIssuer => "wrong-issuer",
            Self::UnknownToken => "unknown-token",
        }
    }

    /// Every value of [`AuthError::reason`].
    pub const REASONS: [&'static str; 13] = [
        "malformed-credential",
        "token-too-large",
        "several-credentials",
        "unknown-key",
        "wrong-algorithm",
        "bad-signature",
        "token-expired",
        "token-not-yet-valid",
        "missing-claim",
        "invalid-claim",
        "wrong-audience",
        "wrong-issuer",
        "unknown-token",
    ];

    /// The value of the `WWW-Authenticate` header (RFC 6750 section 3). It says only what helps a
    /// well-meaning client: that its token has expired, is wrong, or came more than once.
    pub fn www_authenticate(&self) -> &'static str {
        match self {
            Self::SeveralCredentials => {
                r#"Bearer realm="sporegate", error="invalid_request", error_description="more than one credential""#
            }
            Self::Expired => {
                r#"Bearer realm="sporegate", error="invalid_token", error_description="the token has expired""#
            }
            Self::Malformed(_)
            | Self::TooLarge
            | Self::UnknownKey
            | Self::WrongAlgorithm
            | Self::BadSignature
            | Self::NotYetValid
            | Self::MissingClaim(_)
            | Self::InvalidClaim(_)
            | Self::WrongAudience
            | Self::WrongIssuer
            | Self::UnknownToken => r#"Bearer realm="sporegate", error="invalid_token""#,
        }
    }

    /// How far the token came before it was refused: of the refusals of several issuers, the one
    /// that came furthest is reported.
    pub(super) fn progress(&self) -> u8 {
        match self {
            Self::Malformed(_) | Self::TooLarge | Self::SeveralCredentials => 0,
            Self::WrongIssuer | Self::UnknownToken => 1,
            Self::UnknownKey => 2,
            Self::WrongAlgorithm => 3,
            Self::BadSignature => 4,
            Self::Expired
            | Self::NotYetValid
            | Self::MissingClaim(_)
            | Self::InvalidClaim(_)
            | Self::WrongAudience => 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_reason_of_the_set_and_a_challenge() {
        let all = [
            AuthError::Malformed("x"),
            AuthError::TooLarge,
            AuthError::SeveralCredentials,
            AuthError::UnknownKey,
            AuthError::WrongAlgorithm,
            AuthError::BadSignature,
            AuthError::Expired,
            AuthError::NotYetValid,
            AuthError::MissingClaim("exp".into()),
            AuthError::InvalidClaim("exp".into()),
            AuthError::WrongAudience,
            AuthError::WrongIssuer,
            AuthError::UnknownToken,
        ];
        assert_eq!(all.each_ref().map(AuthError::reason), AuthError::REASONS);
        for error in all {
            assert!(error.www_authenticate().starts_with(CHALLENGE), "{error}");
            assert!(hyper::header::HeaderValue::from_str(error.www_authenticate()).is_ok());
        }
    }
}
