//! Verification keys: read from their source, checked, and bound to their algorithms.
//!
//! Invariant: a [`VerifyingKey`] knows its algorithms from the configuration and its own kind.
//! A token chooses among them and can never add one.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::Jwk;

use super::error::AuthError;
use super::jwks::Jwks;
use super::settings::{Algorithm, KeySource};
use super::setup_error::KeyProblem;

/// Largest file with a secret or a PEM key, in bytes.
pub const MAX_KEY_FILE_BYTES: usize = 64 * 1024;

/// A key and what it may be used for.
pub(super) struct VerifyingKey {
    pub(super) key: DecodingKey,
    pub(super) algorithms: Vec<Algorithm>,
}

/// The keys of one issuer.
pub(super) enum KeySet {
    /// A secret or a PEM key. Such a key has no id, so a token's `kid` says nothing about it.
    One(VerifyingKey),
    Many(Jwks),
}

impl KeySet {
    /// # Errors
    /// Where the source has no key that can be used with one of the algorithms.
    pub(super) fn load(
        source: &KeySource,
        algorithms: Option<&[Algorithm]>,
    ) -> Result<Self, KeyProblem> {
        if algorithms.is_some_and(<[Algorithm]>::is_empty) {
            return Err(KeyProblem::NoAlgorithm);
        }
        match source {
            KeySource::SecretFile(path) => {
                let bytes = read_bounded(path, MAX_KEY_FILE_BYTES)?;
                secret_key(without_line_end(&bytes), algorithms).map(Self::One)
            }
            KeySource::Secret(secret) => {
                secret_key(secret.expose().as_bytes(), algorithms).map(Self::One)
            }
            KeySource::PublicKeyPem(path) => {
                pem_key(&read_bounded(path, MAX_KEY_FILE_BYTES)?, algorithms).map(Self::One)
            }
            KeySource::JwksFile(path) => Jwks::load(path, algorithms).map(Self::Many),
        }
    }

    /// The key for a token that names this `kid` and algorithm.
    pub(super) fn select(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<&VerifyingKey, AuthError> {
        let key = match self {
            Self::One(key) => key,
            Self::Many(set) => set.select(kid, algorithm)?,
        };
        if key.algorithms.contains(&algorithm) { Ok(key) } else { Err(AuthError::WrongAlgorithm) }
    }
}

/// Kinds of key, by what they can verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    Secret { bytes: usize },
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl KeyKind {
    /// All algorithms that the key can be used with; the first is the default.
    fn possible(self) -> &'static [Algorithm] {
        use Algorithm::{ES256, ES384, EdDSA, HS256, HS384, HS512};
        use Algorithm::{PS256, PS384, PS512, RS256, RS384, RS512};
        match self {
            Self::Secret { .. } => &[HS256, HS384, HS512],
            Self::Rsa => &[RS256, RS384, RS512, PS256, PS384, PS512],
            Self::P256 => &[ES256],
            Self::P384 => &[ES384],
            Self::Ed25519 => &[EdDSA],
        }
    }

    pub(super) fn check(self, algorithm: Algorithm) -> Result<(), KeyProblem> {
        let possible = self.possible();
        if !possible.contains(&algorithm) {
            return Err(KeyProblem::AlgorithmNotForKey { algorithm, possible: possible.to_vec() });
        }
        match self {
            Self::Secret { bytes: 0 } => Err(KeyProblem::EmptySecret),
            Self::Secret { bytes } if bytes < hash_bytes(algorithm) => {
                Err(KeyProblem::ShortSecret { bytes, needed: hash_bytes(algorithm), algorithm })
            }
            Self::Secret { .. } | Self::Rsa | Self::P256 | Self::P384 | Self::Ed25519 => Ok(()),
        }
    }

    /// For a key that is alone: each configured algorithm must be one of its own.
    fn algorithms(self, configured: Option<&[Algorithm]>) -> Result<Vec<Algorithm>, KeyProblem> {
        let algorithms = match configured {
            Some(configured) => configured.to_vec(),
            None => self.possible().get(..1).unwrap_or_default().to_vec(),
        };
        algorithms.iter().try_for_each(|&algorithm| self.check(algorithm))?;
        Ok(algorithms)
    }

    /// For a key of a set: the declared algorithm or the default, or those configured that fit.
    /// Empty where the configuration rules the key out.
    pub(super) fn algorithms_in_set(
        self,
        declared: Option<Algorithm>,
        configured: Option<&[Algorithm]>,
    ) -> Result<Vec<Algorithm>, KeyProblem> {
        let candidates = match (&declared, configured) {
            (Some(declared), _) => std::slice::from_ref(declared),
            (None, Some(_)) => self.possible(),
            (None, None) => self.possible().get(..1).unwrap_or_default(),
        };
        let algorithms: Vec<Algorithm> = candidates
            .iter()
            .copied()
            .filter(|algorithm| configured.is_none_or(|list| list.contains(algorithm)))
            .collect();
        algorithms.iter().try_for_each(|&algorithm| self.check(algorithm))?;
        Ok(algorithms)
    }
}

fn hash_bytes(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::HS384 => 48,
        Algorithm::HS512 => 64,
        _ => 32,
    }
}

fn secret_key(secret: &[u8], configured: Option<&[Algorithm]>) -> Result<VerifyingKey, KeyProblem> {
    if secret.windows(PEM_BEGIN.len()).any(|window| window == PEM_BEGIN.as_bytes()) {
        return Err(KeyProblem::SecretIsPem);
    }
    let algorithms = KeyKind::Secret { bytes: secret.len() }.algorithms(configured)?;
    Ok(VerifyingKey { key: DecodingKey::from_secret(secret), algorithms })
}

const PEM_BEGIN: &str = "-----BEGIN ";

/// How the DER of a public key begins (RFC 5480, RFC 8410). The library tells EC curves by the
/// length of the point, which does not tell P-256 from other curves of 256 bits.
const P256_DER: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
const P384_DER: &[u8] = &[
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
    0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04,
];
const ED25519_DER: &[u8] =
    &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

fn pem_key(pem: &[u8], configured: Option<&[Algorithm]>) -> Result<VerifyingKey, KeyProblem> {
    let text = std::str::from_utf8(pem).map_err(|_| KeyProblem::NotPem)?;
    let mut labels = text.lines().filter_map(|line| {
        line.trim().strip_prefix(PEM_BEGIN).and_then(|rest| rest.strip_suffix("-----"))
    });
    let label = labels.next().ok_or(KeyProblem::NotPem)?;
    let more = labels.count();
    if label.ends_with("PRIVATE KEY") {
        return Err(KeyProblem::PrivateKey);
    }
    if more > 0 {
        return Err(KeyProblem::SeveralPemBlocks(more + 1));
    }
    let key = match label {
        "PUBLIC KEY" => {
            let der = pem_body(text).ok_or(KeyProblem::NotPem)?;
            if der.starts_with(P256_DER) || der.starts_with(P384_DER) {
                DecodingKey::from_ec_pem(pem)
            } else if der.starts_with(ED25519_DER) {
                DecodingKey::from_ed_pem(pem)
            } else {
                DecodingKey::from_rsa_pem(pem)
            }
        }
        "RSA PUBLIC KEY" => DecodingKey::from_rsa_pem(pem),
        "CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE" => {
            return Err(KeyProblem::Certificate);
        }
        _ => return Err(KeyProblem::UnsupportedKey),
    };
    let key = key.map_err(|_| KeyProblem::UnsupportedKey)?;
    let jwk = Jwk::from_decoding_key(&key, None).map_err(|_| KeyProblem::UnsupportedKey)?;
    let kind = super::jwks::kind(&jwk)?.ok_or(KeyProblem::UnsupportedKey)?;
    Ok(VerifyingKey { key, algorithms: kind.algorithms(configured)? })
}

fn pem_body(text: &str) -> Option<Vec<u8>> {
    let body: String = text
        .lines()
        .map(str::trim)
        .skip_while(|line| !line.starts_with(PEM_BEGIN))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END "))
        .collect();
    STANDARD.decode(body).ok()
}

/// Reads a file of at most `limit` bytes, and never more than one byte beyond.
pub(super) fn read_bounded(path: &Path, limit: usize) -> Result<Vec<u8>, KeyProblem> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(KeyProblem::Unreadable)?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(KeyProblem::Unreadable)?;
    if bytes.len() > limit { Err(KeyProblem::TooLarge { limit }) } else { Ok(bytes) }
}

fn without_line_end(bytes: &[u8]) -> &[u8] {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    line.strip_suffix(b"\r").unwrap_or(line)
}
