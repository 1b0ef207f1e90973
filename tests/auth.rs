//! Who gets in: tokens of every kind through real configuration files, roles, and the difference
//! between 401 and 403.

mod anonymous;
mod cookie;
mod forged;
mod hosts;
mod insecure;
mod jwt;
mod paths;
mod proxy;
mod roles;
mod secrets;
mod token_file;

use sporegate::auth::Algorithm;

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::{Client, Handshake, RawResponse, TestGateway, raw_request};

/// A test key.
fn key(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "tests", "fixtures", "keys", name].iter().collect()
}

fn pem(name: &str) -> Vec<u8> {
    std::fs::read(key(name)).unwrap()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Claims that every issuer of these tests accepts.
fn claims() -> Value {
    json!({"sub": "ann", "roles": ["writer", "reader"], "exp": now() + 60})
}

/// A token as an issuer makes it.
fn sign(algorithm: Algorithm, key_id: Option<&str>, claims: &Value, key: &EncodingKey) -> String {
    let header = Header { kid: key_id.map(str::to_owned), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

/// What a handshake with this token is answered.
async fn answer(gateway: &TestGateway, path: &str, token: &str) -> RawResponse {
    let handshake = Handshake::new(&format!("/websocket{path}")).bearer(token);
    raw_request(gateway.address(), &handshake.bytes()).await
}

/// What a listener sees of a client with this token.
async fn seen(gateway: &TestGateway, token: &str) -> Value {
    let mut client = gateway.connect("/probe", Some(token)).await.unwrap();
    client.greeting().await;
    whoami(&mut client).await
}

async fn whoami(client: &mut Client) -> Value {
    client.ok(json!({"do": "whoami"})).await["client"].take()
}

/// Asserts that the answer is 401 with a challenge, and says in it what the client may know.
fn assert_unauthorized(answer: &RawResponse, error: Option<&str>) {
    assert_eq!(answer.status, 401, "{answer:?}");
    let challenge = answer.header("www-authenticate").expect("a challenge");
    assert!(challenge.starts_with("Bearer realm="), "{challenge}");
    match error {
        None => assert!(!challenge.contains("error"), "{challenge}"),
        Some(error) => assert!(challenge.contains(error), "{challenge}"),
    }
}
