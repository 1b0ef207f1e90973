//! JSON Web Key sets (RFC 7517) from a file.
//!
//! Invariant: keys are found in a map that was made at start. Nothing is fetched, and nothing in a
//! token leads to a file or an address.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::AuthError;
use super::keys::{KeyKind, VerifyingKey, read_bounded};
use super::settings::Algorithm;
use super::setup_error::KeyProblem;

/// Largest key set, in bytes.
pub const MAX_JWKS_BYTES: usize = 1024 * 1024;

/// Most keys in a set.
pub const MAX_KEYS: usize = 100;

/// The usable keys of a set, in the order of the file.
pub(super) struct Jwks {
    keys: Vec<VerifyingKey>,
    by_kid: HashMap<Box<str>, usize>,
}

#[derive(Deserialize)]
struct KeySetText {
    keys: Vec<Map<String, Value>>,
}

impl Jwks {
    /// Keys for encryption or of unknown kinds are passed over (RFC 7517 section 5).
    ///
    /// # Errors
    /// A private, damaged or unsafe key, a `kid` twice, or no key that is left.
    pub(super) fn load(path: &Path, configured: Option<&[Algorithm]>) -> Result<Self, KeyProblem> {
        Self::parse(&read_bounded(path, MAX_JWKS_BYTES)?, configured)
    }

    fn parse(json: &[u8], configured: Option<&[Algorithm]>) -> Result<Self, KeyProblem> {
        let set: KeySetText = serde_json::from_slice(json)
            .map_err(|error| KeyProblem::NotJwks { line: error.line(), column: error.column() })?;
        let total = set.keys.len();
        if total > MAX_KEYS {
            return Err(KeyProblem::TooManyKeys(total));
        }
        let mut jwks = Self { keys: Vec::new(), by_kid: HashMap::new() };
        let mut kids = HashSet::new();
        for (number, jwk) in (1..).zip(set.keys) {
            let kid = jwk.get("kid").and_then(Value::as_str).map(str::to_owned);
            if let Some(kid) = &kid
                && !kids.insert(kid.clone())
            {
                return Err(KeyProblem::DuplicateKid(kid.clone()));
            }
            let key = verifying_key(jwk, configured)
                .map_err(|problem| KeyProblem::Jwk { number, problem: Box::new(problem) })?;
            let Some(key) = key else {
                tracing::warn!(number, kid, "a key of the JWKS file cannot be used and is ignored");
                continue;
            };
            if let Some(kid) = kid {
                jwks.by_kid.insert(kid.into(), jwks.keys.len());
            }
            jwks.keys.push(key);
        }
        if jwks.keys.is_empty() {
            return Err(KeyProblem::NoUsableKey { skipped: total });
        }
        Ok(jwks)
    }

    /// By `kid`; without one, the only key for the algorithm.
    pub(super) fn select(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<&VerifyingKey, AuthError> {
        let Some(kid) = kid else {
            let mut fitting = self.keys.iter().filter(|key| key.algorithms.contains(&algorithm));
            return match (fitting.next(), fitting.next()) {
                (Some(key), None) => Ok(key),
                (None, _) => Err(AuthError::WrongAlgorithm),
                (Some(_), Some(_)) => Err(AuthError::UnknownKey),
            };
        };
        self.by_kid.get(kid).and_then(|&at| self.keys.get(at)).ok_or(AuthError::UnknownKey)
    }
}

/// `None`: not for signatures, not supported, or ruled out by the configured algorithms.
fn verifying_key(
    jwk: Map<String, Value>,
    configured: Option<&[Algorithm]>,
) -> Result<Option<VerifyingKey>, KeyProblem> {
    if ["d", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|member| jwk.contains_key(*member)) {
        return Err(KeyProblem::PrivateKey);
    }
    let jwk: Jwk = serde_json::from_value(Value::Object(jwk))
        .map_err(|_| KeyProblem::Damaged("a member has the wrong type"))?;
    let for_signatures =
        jwk.common.public_key_use.as_ref().is_none_or(|r#use| *r#use == PublicKeyUse::Signature)
            && jwk
                .common
                .key_operations
                .as_ref()
                .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    let declared = match jwk.common.key_algorithm.map(Algorithm::try_from) {
        Some(Err(_)) => return Ok(None),
        Some(Ok(algorithm)) => Some(algorithm),
        None => None,
    };
    let Some(kind) = kind(&jwk)? else { return Ok(None) };
    if !for_signatures {
        return Ok(None);
    }
    let algorithms = kind.algorithms_in_set(declared, configured)?;
    if algorithms.is_empty() {
        return Ok(None);
    }
    let key = DecodingKey::from_jwk(&jwk).map_err(|_| KeyProblem::Damaged("not base64url"))?;
    Ok(Some(VerifyingKey { key, algorithms }))
}

/// What a key can verify, after a check of its sizes; `None`: nothing that is supported.
pub(super) fn kind(jwk: &Jwk) -> Result<Option<KeyKind>, KeyProblem> {
    let kind = match &jwk.algorithm {
        AlgorithmParameters::OctetKey(secret) => {
            KeyKind::Secret { bytes: decode(&secret.value)?.len() }
        }
        AlgorithmParameters::RSA(rsa) => {
            if !is_safe_rsa(&decode(&rsa.n)?, &decode(&rsa.e)?) {
                return Err(KeyProblem::UnsafeRsa);
            }
            KeyKind::Rsa
        }
        AlgorithmParameters::EllipticCurve(ec) => {
            let (kind, bytes) = match ec.curve {
                EllipticCurve::P256 => (KeyKind::P256, 32),
                EllipticCurve::P384 => (KeyKind::P384, 48),
                _ => return Ok(None),
            };
            check_length(&ec.x, bytes)?;
            check_length(&ec.y, bytes)?;
            kind
        }
        AlgorithmParameters::OctetKeyPair(pair) => {
            if pair.curve != EllipticCurve::Ed25519 {
                return Ok(None);
            }
            check_length(&pair.x, 32)?;
            KeyKind::Ed25519
        }
        _ => return Ok(None),
    };
    Ok(Some(kind))
}

/// 2,048 to 8,192 bits, as the cryptography accepts, and an odd exponent above 1.
fn is_safe_rsa(modulus: &[u8], exponent: &[u8]) -> bool {
    let leading_zeros = modulus.iter().take_while(|&&byte| byte == 0).count();
    let top_bits = modulus.get(leading_zeros).map_or(0, |byte| byte.leading_zeros() as usize);
    let bits = (modulus.len() - leading_zeros) * 8 - top_bits;
    let odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
    let one = exponent
        .split_last()
        .is_some_and(|(last, rest)| *last == 1 && rest.iter().all(|byte| *byte == 0));
    (2048..=8192).contains(&bits) && odd && !one
}

fn check_length(base64url: &str, bytes: usize) -> Result<(), KeyProblem> {
    if decode(base64url)?.len() == bytes {
        Ok(())
    } else {
        Err(KeyProblem::Damaged("a coordinate has the wrong length for its curve"))
    }
}

fn decode(base64url: &str) -> Result<Vec<u8>, KeyProblem> {
    URL_SAFE_NO_PAD.decode(base64url).map_err(|_| KeyProblem::Damaged("not base64url"))
}
