//! The module as its users see it: settings and a request in, a principal or a refusal out.

mod accepted;
mod forged;
mod mutated;
mod setup;

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

use super::*;

/// 64 bytes, enough for HS512.
const SECRET: &str = "test-only-secret-0123456789abcdef-0123456789abcdef-0123456789abc";

fn fixture(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "tests", "fixtures", "keys", name].iter().collect()
}

fn fixture_bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Keys to sign with.
struct Signers {
    secret: EncodingKey,
    rsa: EncodingKey,
    rsa_other: EncodingKey,
    p256: EncodingKey,
    p384: EncodingKey,
    ed25519: EncodingKey,
}

impl Signers {
    fn new() -> Self {
        let pem = fixture_bytes;
        Self {
            secret: EncodingKey::from_secret(SECRET.as_bytes()),
            rsa: EncodingKey::from_rsa_pem(&pem("rsa-private.pem")).unwrap(),
            rsa_other: EncodingKey::from_rsa_pem(&pem("rsa-other-private.pem")).unwrap(),
            p256: EncodingKey::from_ec_pem(&pem("ec-p256-private.pem")).unwrap(),
            p384: EncodingKey::from_ec_pem(&pem("ec-p384-private.pem")).unwrap(),
            ed25519: EncodingKey::from_ed_pem(&pem("ed25519-private.pem")).unwrap(),
        }
    }
}

fn part(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

/// A token of any header and payload, signed with `algorithm` whatever the header says.
fn token(header: &Value, payload: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    signed(&format!("{}.{}", part(header), part(payload)), key, algorithm)
}

fn signed(message: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn payload() -> Value {
    json!({"sub": "ann", "roles": ["user"], "exp": now() + 600, "canary": "canary-claim"})
}

/// The payload with one claim more, or another value of it.
fn with(mut payload: Value, claim: &str, value: Value) -> Value {
    payload[claim] = value;
    payload
}

fn without(mut payload: Value, claim: &str) -> Value {
    payload.as_object_mut().unwrap().remove(claim);
    payload
}

fn gate(jwt: Vec<JwtSettings>) -> Authenticator {
    Authenticator::new(AuthSettings { jwt, ..AuthSettings::default() }).unwrap()
}

fn secret_issuer() -> JwtSettings {
    JwtSettings::new("secret", KeySource::Secret(Secret::new(SECRET)))
}

/// What the gate says to a request with this bearer token.
fn ask(gate: &Authenticator, token: &str) -> Result<Principal, AuthError> {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_bytes(format!("Bearer {token}").as_bytes()).unwrap();
    headers.insert(AUTHORIZATION, value);
    present(gate, &headers, None).map(|principal| principal.unwrap())
}

/// What the gate says to a request that no proxy and no page vouches for.
fn present(
    gate: &Authenticator,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Option<Principal>, AuthError> {
    let vouched = Vouched::default();
    gate.authenticate(Presented { headers, query, vouched: &vouched, sender: Sender::Program })
}
