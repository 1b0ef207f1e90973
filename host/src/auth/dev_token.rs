//! Tokens for development: signed with HS256 and the secret of the gateway that reads them.
//!
//! Invariant: nothing here is reached while serving, but for the demo's own first token.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;

use super::claims::MAX_EXP;
use super::keys::KeyKind;
use super::secret::Secret;
use super::settings::Algorithm;
use super::setup_error::KeyProblem;
use crate::principal::{NameProblem, check_name};

/// Whom a development token is for. User and roles go to `/sub` and `/roles`, the default claims.
#[derive(Debug, Clone)]
pub struct DevClaims {
    /// User name.
    pub user: String,
    /// Roles.
    pub roles: Vec<String>,
    /// How long it is valid from now on, in whole seconds.
    pub ttl: Duration,
    /// `iss`, where the gateway asks for one.
    pub issuer: Option<String>,
    /// `aud`, where the gateway asks for one.
    pub audience: Option<String>,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum DevTokenError {
    /// The secret is too short.
    #[error("the secret {0}")]
    Secret(KeyProblem),
    /// The gateway would refuse this user name.
    #[error("the user name {0}")]
    User(NameProblem),
    /// The gateway would refuse this role.
    #[error("a role {0}")]
    Role(NameProblem),
    /// It would expire after the year 9999, or the clock is before 1970.
    #[error("the token would be valid for too long; choose a shorter time")]
    Ttl,
    /// The library did not sign.
    #[error("the token could not be signed")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

#[derive(Serialize)]
struct Payload<'a> {
    sub: &'a str,
    roles: &'a [String],
    iat: u64,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
}

/// Makes a token that a gateway with this secret accepts.
///
/// # Errors
/// A secret below 32 bytes, or a name or time that the gateway would refuse.
pub fn sign(secret: &Secret, claims: &DevClaims) -> Result<String, DevTokenError> {
    let secret = secret.expose().as_bytes();
    KeyKind::Secret { bytes: secret.len() }
        .check(Algorithm::HS256)
        .map_err(DevTokenError::Secret)?;
    check_name(&claims.user).map_err(DevTokenError::User)?;
    claims.roles.iter().try_for_each(|role| check_name(role)).map_err(DevTokenError::Role)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| DevTokenError::Ttl)?;
    let iat = now.as_secs();
    let exp = iat
        .checked_add(claims.ttl.as_secs())
        .filter(|&exp| exp <= MAX_EXP)
        .ok_or(DevTokenError::Ttl)?;
    let payload = Payload {
        sub: &claims.user,
        roles: &claims.roles,
        iat,
        exp,
        iss: claims.issuer.as_deref(),
        aud: claims.audience.as_deref(),
    };
    let key = EncodingKey::from_secret(secret);
    Ok(jsonwebtoken::encode(&Header::new(Algorithm::HS256), &payload, &key)?)
}

/// 256 random bits as 43 characters of base64url, long enough for HS256.
///
/// # Errors
/// Where the operating system gives no randomness.
pub fn random_secret() -> Result<Secret, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}
