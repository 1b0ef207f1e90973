//! Forged and broken tokens against a gate with a secret, a PEM, a key set and static tokens.

mod keys;
mod payloads;
mod shapes;

use super::*;

const SECRET_ISS: &str = "https://secret.example";
const RSA_ISS: &str = "https://rsa.example";
const SET_ISS: &str = "https://set.example";

/// What it is, the token, and the reason of its refusal.
type Case = (String, String, &'static str);

fn strict_gate() -> Authenticator {
    let issuer = |name: &str, iss: &str, key| JwtSettings {
        issuer: Some(iss.to_owned()),
        audience: vec!["sporegate".to_owned(), "other-name".to_owned()],
        ..JwtSettings::new(name, key)
    };
    Authenticator::new(AuthSettings {
        jwt: vec![
            issuer("secret", SECRET_ISS, KeySource::Secret(Secret::new(SECRET))),
            issuer("rsa", RSA_ISS, KeySource::PublicKeyPem(fixture("rsa-public.pem"))),
            issuer("set", SET_ISS, KeySource::JwksFile(fixture("jwks.json"))),
        ],
        ..AuthSettings::default()
    })
    .unwrap()
}

fn claims(iss: &str) -> Value {
    with(with(payload(), "iss", json!(iss)), "aud", json!("sporegate"))
}

fn case(what: impl Into<String>, token: String, reason: &'static str) -> Case {
    (what.into(), token, reason)
}

/// `HS256`, right secret and issuer: only the payload is wrong.
fn by_secret(payload: &Value) -> String {
    token(&json!({"alg": "HS256"}), payload, &Signers::new().secret, Algorithm::HS256)
}

#[test]
fn the_untouched_tokens_are_accepted() {
    let (gate, key) = (strict_gate(), Signers::new());
    let good = [
        by_secret(&claims(SECRET_ISS)),
        token(&json!({"alg": "RS256"}), &claims(RSA_ISS), &key.rsa, Algorithm::RS256),
        token(&json!({"alg": "ES256"}), &claims(SET_ISS), &key.p256, Algorithm::ES256),
        token(
            &json!({"alg": "EdDSA", "kid": "ed-1"}),
            &claims(SET_ISS),
            &key.ed25519,
            Algorithm::EdDSA,
        ),
    ];
    for token in good {
        assert_eq!(&**ask(&gate, &token).unwrap().username().unwrap(), "ann");
    }
}

#[test]
fn no_forged_or_broken_token_is_accepted_and_none_shows_in_an_error() {
    let gate = strict_gate();
    let mut cases = keys::algorithms();
    cases.extend(keys::confused_keys());
    cases.extend(keys::signatures());
    cases.extend(shapes::headers());
    cases.extend(payloads::times());
    cases.extend(payloads::registered_claims());
    cases.extend(payloads::identities());
    cases.extend(shapes::shapes());
    assert!(cases.len() >= 60, "{} cases", cases.len());
    for (what, token, reason) in cases {
        let refusal = ask(&gate, &token).expect_err(&what);
        assert_eq!(refusal.reason(), reason, "{what}: {refusal}");
        let shown = format!("{refusal} {refusal:?} {:#?} {}", gate, refusal.www_authenticate());
        assert!(!shown.contains("canary") && !shown.contains("eyJ"), "{what}: {shown}");
        let own_words = token.split(['.', ' ']).filter(|word| word.len() > 12);
        assert!(!own_words.clone().any(|word| shown.contains(word)), "{what}: {shown}");
    }
}
