//! What a JWT says of itself before anything of it is believed.
//!
//! Invariant: what is read here only chooses a configured issuer and key. Keys, addresses and
//! certificates in a header (`jwk`, `jku`, `x5u`, `x5c`) are never looked at.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use super::error::AuthError;
use super::settings::Algorithm;

/// The unverified parts that are needed to verify the token.
pub(super) struct Unverified {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) issuer: Option<Value>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
    b64: Option<IgnoredAny>,
    enc: Option<IgnoredAny>,
    zip: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Payload {
    iss: Option<Value>,
}

/// Kinds of token that mean access (RFC 7519 section 5.1, RFC 9068 section 2.1). Others, such as
/// logout tokens, may be signed with the same key and must not open anything (RFC 8725 section 3.11).
const TYPES: [&str; 4] = ["JWT", "application/JWT", "at+jwt", "application/at+jwt"];

impl Unverified {
    /// # Errors
    /// `Malformed` for what is not a JWS in compact form; `WrongAlgorithm` for `none` and other
    /// algorithms that are never verified.
    pub(super) fn parse(token: &str) -> Result<Self, AuthError> {
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(_signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(AuthError::Malformed(
                "a JWT has three parts; encrypted ones are unsupported",
            ));
        };
        let header: Header = decode(header, "the header of the JWT is not base64url JSON")?;
        if header.crit.is_some() || header.b64.is_some() {
            return Err(AuthError::Malformed("the JWT needs an extension that is not supported"));
        }
        if header.enc.is_some() || header.zip.is_some() {
            return Err(AuthError::Malformed("encrypted and compressed JWTs are not supported"));
        }
        if header.typ.is_some_and(|typ| !TYPES.iter().any(|known| typ.eq_ignore_ascii_case(known)))
        {
            return Err(AuthError::Malformed("the JWT is of a type that gives no access"));
        }
        let algorithm = header.alg.parse().map_err(|_| AuthError::WrongAlgorithm)?;
        let Payload { iss } =
            decode(payload, "the payload of the JWT is not a base64url JSON object")?;
        Ok(Self { algorithm, kid: header.kid, issuer: iss })
    }
}

fn decode<T: DeserializeOwned>(part: &str, otherwise: &'static str) -> Result<T, AuthError> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| AuthError::Malformed(otherwise))?;
    serde_json::from_slice(&json).map_err(|_| AuthError::Malformed(otherwise))
}
