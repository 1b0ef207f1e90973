//! What cannot be set up, and whether the message says where and how to mend it.

use std::path::Path;
use std::time::Duration;

use super::*;

fn refusal(settings: JwtSettings) -> String {
    let settings = AuthSettings { jwt: vec![settings], ..AuthSettings::default() };
    Authenticator::new(settings).unwrap_err().to_string()
}

/// The message for a key file with this content.
fn refused_file(content: &[u8], source: fn(PathBuf) -> KeySource) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    let message = refusal(JwtSettings::new("main", source(file.path().to_owned())));
    assert!(
        message.contains("`main`") && message.contains(file.path().to_str().unwrap()),
        "{message}"
    );
    message
}

#[test]
fn key_files_that_are_wrong_are_refused() {
    let fixture = fixture_bytes;
    let two = [fixture("rsa-public.pem"), fixture("ec-p256-public.pem")].concat();
    let damaged = String::from_utf8(fixture("ec-p256-public.pem")).unwrap().replace("MFkw", "MFk*");
    let no_end = fixture("rsa-public.pem")[..200].to_vec();
    let p256_cut: Vec<u8> = fixture("ec-p256-public.pem")[..80].to_vec();
    for (content, expected) in [
        (fixture("rsa-private.pem"), "private key"),
        (fixture("ec-p256-private.pem"), "private key"),
        (fixture("certificate.pem"), "openssl x509"),
        (fixture("rsa-weak-public.pem"), "not safe"),
        (fixture("ec-p521-public.pem"), "not supported"),
        (fixture("ec-secp256k1-public.pem"), "not supported"),
        (fixture("ed448-public.pem"), "not supported"),
        (fixture("jwks.json"), "JWKS file"),
        (two, "2 PEM blocks"),
        (damaged.into_bytes(), "not a public key in PEM form"),
        (no_end, "not a public key in PEM form"),
        (p256_cut, "not a public key"),
        (b"".to_vec(), "not a public key in PEM form"),
        (b"ssh-ed25519 AAAA me".to_vec(), "not a public key in PEM form"),
        (b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n".to_vec(), "not supported"),
        (b"-----BEGIN X-----\nAAAA\n-----END X-----\n".to_vec(), "not supported"),
        (b"\xff\xfe\x00".to_vec(), "not a public key in PEM form"),
        (vec![b'x'; MAX_KEY_FILE_BYTES + 1], "larger than 65536"),
    ] {
        let message = refused_file(&content, KeySource::PublicKeyPem);
        assert!(message.contains(expected), "{expected}: {message}");
    }
}

#[test]
fn secrets_that_are_wrong_are_refused_without_showing_them() {
    for (content, expected) in [
        (&b""[..], "is empty"),
        (b"\n", "is empty"),
        (b"canary-canary-canary-canary-can", "has 31 bytes"),
        (b"canary-canary-canary-canary-can\n", "has 31 bytes"),
        (b"canary-canary-canary-canary-can\r\n", "has 31 bytes"),
        (&fixture_bytes("rsa-public.pem"), "a PEM key, not a secret"),
        (&vec![b'x'; MAX_KEY_FILE_BYTES + 1], "larger than"),
    ] {
        let message = refused_file(content, KeySource::SecretFile);
        assert!(message.contains(expected) && !message.contains("canary"), "{message}");
    }
    let inline = Secret::new("canary");
    let settings = JwtSettings::new("main", KeySource::Secret(inline));
    assert!(!format!("{settings:?}").contains("canary"));
    let message = refusal(settings);
    assert!(message.contains("the configured secret has 6 bytes"), "{message}");
}

#[test]
fn a_secret_file_may_end_its_line() {
    let key = Signers::new();
    let token = token(&json!({"alg": "HS256"}), &payload(), &key.secret, Algorithm::HS256);
    for end in ["", "\n", "\r\n"] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{SECRET}{end}")).unwrap();
        let gate = gate(vec![JwtSettings::new("f", KeySource::SecretFile(file.path().to_owned()))]);
        assert!(ask(&gate, &token).is_ok(), "{end:?}");
    }
}

#[test]
fn key_sets_that_are_wrong_are_refused() {
    let set: Value = serde_json::from_slice(&fixture_bytes("jwks.json")).unwrap();
    let (rsa, p256, ed) = (set["keys"][0].clone(), set["keys"][1].clone(), set["keys"][3].clone());
    let keys = |keys: &[Value]| json!({"keys": keys}).to_string();
    let one = |key: &Value, member: &str, value: Value| keys(&[with(key.clone(), member, value)]);
    let even = URL_SAFE_NO_PAD.encode([1, 0, 2]);
    let oct = |bytes: usize| json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(vec![7; bytes])});
    let many: Vec<Value> = vec![json!({"kty": "new"}); MAX_KEYS + 1];
    for (content, expected) in [
        (String::new(), "line 1, column 0"),
        ("{\n \"keys\": 1}".to_owned(), "line 2"),
        ("[]".to_owned(), "is not a JSON Web Key set"),
        ("{}".to_owned(), "is not a JSON Web Key set"),
        (keys(&[]), "no key to verify"),
        (keys(&[json!({"kty": "new", "kid": "1"})]), "no key to verify signatures with: 1"),
        (keys(&[json!({})]), "no key to verify"),
        (one(&rsa, "use", json!("enc")), "no key to verify"),
        (one(&rsa, "key_ops", json!(["encrypt"])), "no key to verify"),
        (one(&rsa, "alg", json!("RSA-OAEP")), "no key to verify"),
        (one(&p256, "crv", json!("secp256k1")), "no key to verify"),
        (one(&p256, "crv", json!("P-521")), "no key to verify"),
        (one(&p256, "crv", json!("Ed25519")), "no key to verify"),
        (one(&ed, "crv", json!("X25519")), "no key to verify"),
        (one(&ed, "crv", json!("P-256")), "no key to verify"),
        (one(&rsa, "alg", json!("HS256")), "cannot be used with HS256"),
        (one(&p256, "alg", json!("ES384")), "cannot be used with ES384"),
        (one(&rsa, "d", json!("AQAB")), "key number 1: it holds a private key"),
        (one(&ed, "d", json!("AQAB")), "holds a private key"),
        (one(&rsa, "n", json!("AQAB")), "not safe"),
        (one(&rsa, "e", json!("AQ")), "not safe"),
        (one(&rsa, "e", json!(even)), "not safe"),
        (one(&rsa, "e", json!("")), "not safe"),
        (one(&rsa, "n", json!("not base64url!")), "not base64url"),
        (one(&p256, "x", json!("AQAB")), "wrong length"),
        (one(&ed, "x", json!("AQAB")), "wrong length"),
        (one(&rsa, "kid", json!(7)), "wrong type"),
        (keys(&[oct(31)]), "has 31 bytes"),
        (keys(&[oct(0)]), "is empty"),
        (keys(&[rsa.clone(), with(p256.clone(), "kid", json!("rsa-1"))]), "kid `rsa-1`"),
        (keys(&[json!({"kty": "new", "kid": "rsa-1"}), rsa.clone()]), "kid `rsa-1`"),
        (keys(&many), "101 keys"),
        (" ".repeat(MAX_JWKS_BYTES + 1), "larger than 1048576"),
    ] {
        let message = refused_file(content.as_bytes(), KeySource::JwksFile);
        assert!(message.contains(expected), "{expected}: {message}");
    }
}

#[test]
fn a_set_goes_on_without_keys_that_are_not_for_it() {
    let set: Value = serde_json::from_slice(&fixture_bytes("jwks.json")).unwrap();
    let oct = json!({"kty": "oct", "kid": "s", "k": URL_SAFE_NO_PAD.encode(SECRET)});
    let set = json!({"keys": [json!({"kty": "new"}), set["keys"][1], oct]});
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), set.to_string()).unwrap();
    let gate = gate(vec![JwtSettings::new("set", KeySource::JwksFile(file.path().to_owned()))]);
    let key = Signers::new();
    let es =
        token(&json!({"alg": "ES256", "kid": "p256"}), &payload(), &key.p256, Algorithm::ES256);
    let hs = token(&json!({"alg": "HS256", "kid": "s"}), &payload(), &key.secret, Algorithm::HS256);
    assert!(ask(&gate, &es).is_ok() && ask(&gate, &hs).is_ok());
}

#[test]
fn settings_that_are_wrong_are_refused() {
    let issuer = secret_issuer;
    let rsa = || JwtSettings::new("main", KeySource::PublicKeyPem(fixture("rsa-public.pem")));
    for (settings, expected) in [
        (JwtSettings { leeway: Duration::from_secs(61), ..issuer() }, "leeway of 61 s"),
        (JwtSettings { leeway: Duration::from_millis(60_500), ..issuer() }, "leeway of 61 s"),
        (JwtSettings { username_claim: "sub".to_owned(), ..issuer() }, "the claim `sub` is not"),
        (JwtSettings { roles_claim: String::new(), ..issuer() }, "not a JSON pointer"),
        (JwtSettings { algorithms: Some(Vec::new()), ..issuer() }, "list of algorithms is empty"),
        (
            JwtSettings { algorithms: Some(vec![Algorithm::RS256]), ..issuer() },
            "cannot be used with RS256",
        ),
        (
            JwtSettings { algorithms: Some(vec![Algorithm::RS256, Algorithm::HS256]), ..rsa() },
            "cannot be used with HS256",
        ),
    ] {
        let message = refusal(settings);
        assert!(message.contains(expected), "{expected}: {message}");
    }
    let short_for_512 = JwtSettings {
        algorithms: Some(vec![Algorithm::HS512]),
        ..JwtSettings::new("main", KeySource::Secret(Secret::new(&SECRET[..63])))
    };
    assert!(refusal(short_for_512).contains("HS512 needs a secret of at least 64"));
}

#[test]
fn issuers_have_names_of_their_own_and_a_bounded_number() {
    let refused = |jwt| {
        let settings = AuthSettings { jwt, ..AuthSettings::default() };
        Authenticator::new(settings).unwrap_err().to_string()
    };
    assert!(refused(vec![secret_issuer(), secret_issuer()]).contains("named `secret`"));
    let many = |n: usize| {
        (0..n).map(|n| JwtSettings { name: n.to_string(), ..secret_issuer() }).collect::<Vec<_>>()
    };
    assert!(refused(many(MAX_ISSUERS + 1)).contains("at most 16"));
    assert_eq!(gate(many(MAX_ISSUERS)).issuers.len(), MAX_ISSUERS);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    for source in [KeySource::SecretFile, KeySource::PublicKeyPem, KeySource::JwksFile] {
        for path in ["/nonexistent/key", env!("CARGO_MANIFEST_DIR")] {
            let message = refusal(JwtSettings::new("main", source(Path::new(path).to_owned())));
            assert!(message.contains(path) && message.contains("cannot be read"), "{message}");
        }
    }
    let settings =
        AuthSettings { token_file: Some("/nonexistent/tokens".into()), ..AuthSettings::default() };
    let message = Authenticator::new(settings).unwrap_err().to_string();
    assert!(message.contains("token file /nonexistent/tokens: cannot be read"), "{message}");
}
