//! JSON Web Tokens (RFC 7519): several issuers, each with its own keys and rules.
//!
//! Invariant: a principal comes out only after the signature was verified with a key of the issuer
//! and an algorithm of that key, and all of the issuer's rules held.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, Validation};
use serde_json::{Map, Value};

use super::claims::ClaimRules;
use super::error::AuthError;
use super::keys::KeySet;
use super::settings::{JwtSettings, KeySource, MAX_LEEWAY};
use super::setup_error::AuthSetupError;
use super::unverified::Unverified;
use crate::principal::Principal;

/// Most issuers of JWTs; each may cost one signature check for a token.
pub const MAX_ISSUERS: usize = 16;

/// An issuer, ready to verify.
pub(super) struct Issuer {
    keys: KeySet,
    /// The `iss` its tokens must have.
    issuer: Option<String>,
    /// All but the algorithms, which the key gives.
    validation: Validation,
    claims: ClaimRules,
}

impl Issuer {
    /// Reads the keys.
    pub(super) fn new(settings: JwtSettings) -> Result<Self, AuthSetupError> {
        let JwtSettings {
            name: issuer_name,
            key,
            algorithms,
            issuer,
            audience,
            leeway,
            username_claim,
            roles_claim,
        } = settings;
        if leeway > MAX_LEEWAY {
            return Err(AuthSetupError::LeewayTooLong {
                issuer: issuer_name,
                seconds: leeway.as_secs_f64().ceil() as u64,
            });
        }
        let bad_pointer = [&username_claim, &roles_claim].into_iter().find(|it| !is_pointer(it));
        if let Some(pointer) = bad_pointer {
            let pointer = pointer.clone();
            return Err(AuthSetupError::BadClaimPointer { issuer: issuer_name, pointer });
        }
        let keys = KeySet::load(&key, algorithms.as_deref()).map_err(|problem| {
            AuthSetupError::Key { issuer: issuer_name.clone(), origin: origin(&key), problem }
        })?;
        let leeway = Duration::from_secs(leeway.as_secs());
        Ok(Self {
            keys,
            validation: validation(issuer.as_deref(), &audience, leeway),
            issuer,
            claims: ClaimRules {
                authenticator: Arc::from(issuer_name),
                username: Arc::from(username_claim),
                roles: Arc::from(roles_claim),
                audience_allowed: !audience.is_empty(),
                leeway,
            },
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.claims.authenticator
    }

    fn may_have_issued(&self, token: &Unverified) -> bool {
        match (&self.issuer, &token.issuer) {
            (None, _) => true,
            (Some(expected), Some(Value::String(given))) => expected == given,
            (Some(_), _) => false,
        }
    }

    fn verify(&self, token: &str, unverified: &Unverified) -> Result<Principal, AuthError> {
        let key = self.keys.select(unverified.kid.as_deref(), unverified.algorithm)?;
        let mut validation = self.validation.clone();
        validation.algorithms.clone_from(&key.algorithms);
        let payload = jsonwebtoken::decode::<Map<String, Value>>(token, &key.key, &validation)
            .map_err(refusal)?
            .claims;
        self.claims.principal(payload)
    }
}

/// Asks each issuer that may have issued the token, in the configured order; the first that
/// accepts it counts. Otherwise the refusal of the one where it came furthest.
pub(super) fn authenticate(issuers: &[Issuer], token: &str) -> Result<Principal, AuthError> {
    let unverified = Unverified::parse(token)?;
    let mut refused: Option<AuthError> = None;
    for issuer in issuers.iter().filter(|issuer| issuer.may_have_issued(&unverified)) {
        match issuer.verify(token, &unverified) {
            Ok(principal) => return Ok(principal),
            Err(error) => {
                if refused.as_ref().is_none_or(|before| error.progress() > before.progress()) {
                    refused = Some(error);
                }
            }
        }
    }
    Err(refused.unwrap_or_else(|| match unverified.issuer {
        Some(_) => AuthError::WrongIssuer,
        None => AuthError::MissingClaim("iss".into()),
    }))
}

fn validation(issuer: Option<&str>, audience: &[String], leeway: Duration) -> Validation {
    let mut validation = Validation::new(Algorithm::default());
    validation.algorithms.clear();
    validation.leeway = leeway.as_secs();
    validation.validate_nbf = true;
    let mut required = vec!["exp"];
    if let Some(issuer) = issuer {
        validation.set_issuer(&[issuer]);
        required.push("iss");
    }
    if !audience.is_empty() {
        validation.set_audience(audience);
        required.push("aud");
    }
    validation.set_required_spec_claims(&required);
    validation
}

/// The library's errors carry pieces of the token: only their kind goes on.
fn refusal(error: Error) -> AuthError {
    match error.into_kind() {
        ErrorKind::InvalidSignature => AuthError::BadSignature,
        ErrorKind::InvalidAlgorithm
        | ErrorKind::InvalidAlgorithmName
        | ErrorKind::UnsupportedAlgorithm
        | ErrorKind::MissingAlgorithm => AuthError::WrongAlgorithm,
        ErrorKind::ExpiredSignature => AuthError::Expired,
        ErrorKind::ImmatureSignature => AuthError::NotYetValid,
        ErrorKind::MissingRequiredClaim(claim) => AuthError::MissingClaim(claim.into()),
        ErrorKind::InvalidClaimFormat(claim) => AuthError::InvalidClaim(claim.into()),
        ErrorKind::InvalidIssuer => AuthError::WrongIssuer,
        ErrorKind::InvalidAudience => AuthError::WrongAudience,
        ErrorKind::InvalidSubject => AuthError::InvalidClaim("sub".into()),
        // The enum is open. Base64, JSON and UTF-8 come here.
        _ => AuthError::Malformed("the JWT cannot be decoded"),
    }
}

/// RFC 6901, except for the pointer to the whole document.
fn is_pointer(text: &str) -> bool {
    text.starts_with('/')
        && text.split('~').skip(1).all(|rest| rest.starts_with('0') || rest.starts_with('1'))
}

fn origin(key: &KeySource) -> String {
    match key {
        KeySource::Secret(_) => "the configured secret".to_owned(),
        KeySource::SecretFile(path) => format!("the secret file {}", path.display()),
        KeySource::PublicKeyPem(path) => format!("the public key file {}", path.display()),
        KeySource::JwksFile(path) => format!("the JWKS file {}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_pointers_are_recognised() {
        for pointer in ["/sub", "/", "/a/b", "/a~1b", "/~0", "/realm_access/roles"] {
            assert!(is_pointer(pointer), "{pointer}");
        }
        for other in ["", "sub", "a/b", "/~", "/a~2", "/a~/b"] {
            assert!(!is_pointer(other), "{other}");
        }
    }
}
