//! Forged and broken tokens over a real socket: each is sent in every place where a token may come,
//! and none is accepted. The gateway has issuers with a secret, a PEM key and a key set, each with
//! an `iss` and an `aud` of its own.

mod claims;
mod headers;
mod keys;
mod shapes;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::*;
use crate::support::{Setup, read_response};

const SECRET: &str = "the secret of an issuer in tests, of more than 32 bytes";
const SECRET_ISS: &str = "https://secret.example";
const RSA_ISS: &str = "https://rsa.example";
const SET_ISS: &str = "https://set.example";

/// What it is, and the token. Every token names `canary-user`.
type Forged = (String, String);

/// Where a token may come.
const WAYS: [Way; 4] = [Way::Header, Way::Subprotocol, Way::Cookie, Way::Query];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Header,
    Subprotocol,
    Cookie,
    Query,
}

impl Way {
    fn handshake(self, token: &str) -> Handshake {
        let plain = Handshake::new("/websocket/x");
        match self {
            Self::Header => plain.bearer(token),
            Self::Subprotocol => {
                plain.and("Sec-WebSocket-Protocol", &format!("sporegate, bearer.{token}"))
            }
            Self::Cookie => plain
                .and("Origin", "http://sporegate.test")
                .and("Cookie", &format!("theme=dark; session={token}")),
            Self::Query => {
                let escaped: String = token.bytes().map(|byte| format!("%{byte:02x}")).collect();
                let plain_enough = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
                let query = if token.bytes().all(plain_enough) { token } else { &escaped };
                Handshake::new(&format!("/websocket/x?access_token={query}"))
            }
        }
    }

    /// What a token that does not hold is answered. What no list of subprotocols can have is not
    /// even a request, and what is larger than any request is not read.
    fn refusal(self, token: &str) -> &'static [u16] {
        const HEAD_LIMIT: usize = 16 << 10;
        let in_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        match self {
            _ if self.handshake(token).bytes().len() > HEAD_LIMIT => &[431, 414],
            // A list goes on behind a comma: what comes there is another name.
            Self::Subprotocol if !token.bytes().all(in_token) => &[400],
            // An address of a few KiB is none either.
            Self::Query if token.len() > 2 << 10 => &[401, 414],
            _ => &[401],
        }
    }
}

fn setup() -> Setup {
    let issuer = |name: &str, iss: &str, key: String| {
        format!("[[auth.jwt]]\nname = {name:?}\nissuer = {iss:?}\naudience = \"gate\"\n{key}\n")
    };
    let setup = TestGateway::with();
    std::fs::write(setup.directory().join("issuer.secret"), SECRET).unwrap();
    setup
        .table(&issuer("hs", SECRET_ISS, "secret_file = \"issuer.secret\"".to_owned()))
        .table(&issuer("rsa", RSA_ISS, format!("public_key = {:?}", key("rsa-public.pem"))))
        .table(&issuer("set", SET_ISS, format!("jwks = {:?}", key("jwks.json"))))
        .table("[auth]\naccess_token_query = true\ncookie = \"session\"")
        // All come from one address, and each one is to be looked at.
        .table("[limits]\nfailed_logins = 0")
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

/// Claims that the issuer's rules allow.
fn claims(iss: &str) -> Value {
    json!({
        "iss": iss, "aud": "gate", "sub": "canary-user", "roles": ["admin"], "exp": now() + 600,
    })
}

fn with(mut claims: Value, claim: &str, value: Value) -> Value {
    claims[claim] = value;
    claims
}

fn without(mut claims: Value, claim: &str) -> Value {
    claims.as_object_mut().unwrap().remove(claim);
    claims
}

fn part(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

/// Signed with `algorithm`, whatever the header says.
fn signed(message: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn forge(header: &Value, claims: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    signed(&format!("{}.{}", part(header), part(claims)), key, algorithm)
}

/// Right header, key and signature: only the claims may be wrong.
fn by_secret(claims: &Value) -> String {
    forge(&json!({"alg": "HS256"}), claims, &Signers::new().secret, Algorithm::HS256)
}

fn genuine() -> Vec<String> {
    let key = Signers::new();
    let set = |algorithm: &str, kid: &str| json!({"alg": algorithm, "kid": kid});
    vec![
        by_secret(&claims(SECRET_ISS)),
        forge(&json!({"alg": "RS256"}), &claims(RSA_ISS), &key.rsa, Algorithm::RS256),
        forge(&set("RS256", "rsa-1"), &claims(SET_ISS), &key.rsa, Algorithm::RS256),
        forge(&set("ES256", "p256"), &claims(SET_ISS), &key.p256, Algorithm::ES256),
        forge(&set("ES384", "p384"), &claims(SET_ISS), &key.p384, Algorithm::ES384),
        forge(&set("EdDSA", "ed-1"), &claims(SET_ISS), &key.ed25519, Algorithm::EdDSA),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn genuine_tokens_are_accepted_in_every_place() {
    let gateway = setup().start().await;
    for token in genuine() {
        for way in WAYS {
            let bytes = way.handshake(&token).bytes();
            let answer = raw_request(gateway.address(), &bytes).await;
            assert_eq!(answer.status, 101, "{way:?}: {answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_forged_or_broken_token_is_accepted_in_any_place() {
    let gateway = setup().start().await;
    let mut forged = keys::algorithms();
    forged.extend(keys::confused());
    forged.extend(keys::signatures());
    forged.extend(headers::key_ids());
    forged.extend(headers::members());
    forged.extend(claims::times());
    forged.extend(claims::parties());
    forged.extend(claims::identities());
    forged.extend(shapes::parts());
    forged.extend(shapes::texts());
    forged.extend(shapes::payloads());
    let mut tokens: Vec<&String> = forged.iter().map(|(_, token)| token).collect();
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), forged.len(), "a token stands there twice");
    assert!(forged.len() >= 60, "{}", forged.len());
    for (what, token) in &forged {
        for way in WAYS {
            let Some(answer) = send(&gateway, &way.handshake(token)).await else {
                assert!(token.len() > 64 << 10, "{what}, {way:?}: no answer");
                continue;
            };
            let expected = way.refusal(token);
            assert!(expected.contains(&answer.status), "{what}, {way:?}: {answer:?}");
            assert_eq!(answer.header("www-authenticate").is_some(), answer.status == 401);
            let shown = format!("{answer:?}");
            assert!(!shown.contains("canary") && !shown.contains("eyJ"), "{what}: {shown}");
        }
    }
    assert_eq!(gateway.counters().accepted.get(), 0);
}

/// Sends a handshake and reads the answer; none where the gateway has cut off what is far too much.
async fn send(gateway: &TestGateway, handshake: &Handshake) -> Option<RawResponse> {
    let bytes = handshake.bytes();
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    if stream.write_all(&bytes).await.is_err() || bytes.len() > 64 << 10 {
        return None;
    }
    Some(read_response(&mut stream, &mut Vec::new()).await)
}
