//! From a verified payload to a principal.
//!
//! Invariant: only called with a payload whose signature holds.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::error::AuthError;
use crate::principal::{Identity, Principal, PrincipalError};

/// Latest `exp` that is accepted, in seconds since 1970: the end of the year 9999. A token beyond
/// it is one that never expires.
pub const MAX_EXP: u64 = 253_402_300_799;

/// What an issuer's payloads must be like.
pub(super) struct ClaimRules {
    pub(super) authenticator: Arc<str>,
    /// JSON pointer.
    pub(super) username: Arc<str>,
    /// JSON pointer.
    pub(super) roles: Arc<str>,
    pub(super) audience_allowed: bool,
    pub(super) leeway: Duration,
}

impl ClaimRules {
    /// The principal expires when its token says so. Only one that has expired already, and is
    /// forgiven, has the leeway.
    pub(super) fn principal(&self, payload: Map<String, Value>) -> Result<Principal, AuthError> {
        self.check_audience(&payload)?;
        self.check_issued_at(&payload)?;
        let expires_at = self.expires_at(&payload)?;
        let payload = Value::Object(payload);
        let username = match payload.pointer(&self.username) {
            Some(Value::String(username)) => username.clone(),
            Some(_) => return Err(AuthError::InvalidClaim(self.username.clone())),
            None => return Err(AuthError::MissingClaim(self.username.clone())),
        };
        let roles = roles(payload.pointer(&self.roles))
            .ok_or_else(|| AuthError::InvalidClaim(self.roles.clone()))?;
        let identity = Identity {
            username,
            roles,
            claims: Some(payload.to_string()),
            expires_at: Some(expires_at),
            authenticator: self.authenticator.clone(),
        };
        Principal::user(identity).map_err(|error| match error {
            PrincipalError::Username(_) => AuthError::InvalidClaim(self.username.clone()),
            PrincipalError::Role(_) | PrincipalError::TooManyRoles(_) => {
                AuthError::InvalidClaim(self.roles.clone())
            }
        })
    }

    /// The library passes over an `aud` of an impossible type where no audience is configured.
    fn check_audience(&self, payload: &Map<String, Value>) -> Result<(), AuthError> {
        match payload.get("aud") {
            Some(aud) if !self.audience_allowed && !aud.is_null() => Err(AuthError::WrongAudience),
            _ => Ok(()),
        }
    }

    /// The library does not look at `iat`. A token from the future is a forged one, or clocks are
    /// so far apart that `exp` means nothing.
    fn check_issued_at(&self, payload: &Map<String, Value>) -> Result<(), AuthError> {
        let Some(iat) = payload.get("iat") else { return Ok(()) };
        let iat = seconds(iat).ok_or_else(|| AuthError::InvalidClaim("iat".into()))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if iat > (now + self.leeway).as_secs() { Err(AuthError::NotYetValid) } else { Ok(()) }
    }

    /// The library takes a token for the rest of the second in which it expires; RFC 7519, section
    /// 4.1.4 refuses it from that moment on.
    fn expires_at(&self, payload: &Map<String, Value>) -> Result<SystemTime, AuthError> {
        let invalid = || AuthError::InvalidClaim("exp".into());
        let exp = payload.get("exp").and_then(seconds).filter(|&exp| exp <= MAX_EXP);
        let exp = UNIX_EPOCH
            .checked_add(Duration::from_secs(exp.ok_or_else(invalid)?))
            .ok_or_else(invalid)?;
        let forgiven = exp.checked_add(self.leeway).ok_or_else(invalid)?;
        match SystemTime::now() {
            now if now < exp => Ok(exp),
            now if now < forgiven => Ok(forgiven),
            _ => Err(AuthError::Expired),
        }
    }
}

/// A NumericDate (RFC 7519 section 2), which may have a fraction; rounded as the library does.
fn seconds(value: &Value) -> Option<u64> {
    const LIMIT: f64 = u64::MAX as f64;
    value.as_u64().or_else(|| {
        value.as_f64().filter(|date| (0.0..LIMIT).contains(date)).map(|date| date.round() as u64)
    })
}

/// An array of strings, or one string with spaces between; nothing where there is no such claim.
fn roles(claim: Option<&Value>) -> Option<Vec<String>> {
    match claim {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::String(text)) => {
            Some(text.split(' ').filter(|role| !role.is_empty()).map(str::to_owned).collect())
        }
        Some(Value::Array(array)) => {
            array.iter().map(|role| role.as_str().map(str::to_owned)).collect()
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn roles_come_as_array_or_as_text() {
        let read = |value: Value| roles(Some(&value));
        assert_eq!(roles(None), Some(vec![]));
        assert_eq!(read(json!(null)), Some(vec![]));
        assert_eq!(read(json!([])), Some(vec![]));
        assert_eq!(read(json!(["a b", "c"])), Some(vec!["a b".to_owned(), "c".to_owned()]));
        assert_eq!(read(json!(" a  b ")), Some(vec!["a".to_owned(), "b".to_owned()]));
        for wrong in [json!(1), json!(true), json!({"a": 1}), json!(["a", 1]), json!([["a"]])] {
            assert_eq!(read(wrong.clone()), None, "{wrong}");
        }
    }

    #[test]
    fn dates_are_numbers_from_1970_on() {
        for (value, expected) in [
            (json!(0), Some(0)),
            (json!(1_800_000_000), Some(1_800_000_000)),
            (json!(1.6), Some(2)),
            (json!(u64::MAX), Some(u64::MAX)),
            (json!(-1), None),
            (json!(-0.6), None),
            (json!(1e300), None),
            (json!("1800000000"), None),
            (json!(null), None),
            (json!([1]), None),
        ] {
            assert_eq!(seconds(&value), expected, "{value}");
        }
    }
}
