//! What is accepted, and what becomes of it.

use std::time::Duration;

use super::*;

use Algorithm::{ES256, ES384, EdDSA, HS256, HS384, HS512};
use Algorithm::{PS256, PS384, PS512, RS256, RS384, RS512};

fn pem(name: &str) -> KeySource {
    KeySource::PublicKeyPem(fixture(name))
}

fn name_of(algorithm: Algorithm) -> String {
    format!("{algorithm:?}")
}

#[test]
fn every_algorithm_is_accepted_with_its_key() {
    let key = Signers::new();
    let secret = || KeySource::Secret(Secret::new(SECRET));
    let set = || KeySource::JwksFile(fixture("jwks.json"));
    let configured = |algorithm| Some(vec![algorithm]);
    for (source, algorithms, signer, algorithm) in [
        (secret(), None, &key.secret, HS256),
        (secret(), configured(HS384), &key.secret, HS384),
        (secret(), configured(HS512), &key.secret, HS512),
        (pem("rsa-public.pem"), None, &key.rsa, RS256),
        (pem("rsa-public-pkcs1.pem"), None, &key.rsa, RS256),
        (pem("rsa-public.pem"), configured(RS384), &key.rsa, RS384),
        (pem("rsa-public.pem"), configured(RS512), &key.rsa, RS512),
        (pem("rsa-public.pem"), configured(PS256), &key.rsa, PS256),
        (pem("rsa-public.pem"), configured(PS384), &key.rsa, PS384),
        (pem("rsa-public.pem"), configured(PS512), &key.rsa, PS512),
        (pem("rsa-public.pem"), Some(vec![RS256, PS256]), &key.rsa, PS256),
        (pem("ec-p256-public.pem"), None, &key.p256, ES256),
        (pem("ec-p384-public.pem"), None, &key.p384, ES384),
        (pem("ed25519-public.pem"), None, &key.ed25519, EdDSA),
        (set(), None, &key.rsa, RS256),
        (set(), None, &key.p256, ES256),
        (set(), None, &key.p384, ES384),
        (set(), None, &key.ed25519, EdDSA),
        (set(), Some(vec![HS256, ES256]), &key.p256, ES256),
    ] {
        let what = format!("{algorithm:?} from {source:?}, algorithms {algorithms:?}");
        let gate = gate(vec![JwtSettings { algorithms, ..JwtSettings::new("x", source) }]);
        let token = token(&json!({"alg": name_of(algorithm)}), &payload(), signer, algorithm);
        let principal = ask(&gate, &token).expect(&what);
        assert_eq!(&**principal.username().unwrap(), "ann", "{what}");
    }
}

#[test]
fn only_configured_algorithms_of_a_set_are_accepted() {
    let key = Signers::new();
    let settings = JwtSettings {
        algorithms: Some(vec![ES256]),
        ..JwtSettings::new("set", KeySource::JwksFile(fixture("jwks.json")))
    };
    let gate = gate(vec![settings]);
    let header = json!({"alg": "RS256", "kid": "rsa-1"});
    let refused = ask(&gate, &token(&header, &payload(), &key.rsa, RS256));
    assert_eq!(refused.unwrap_err(), AuthError::UnknownKey);
}

#[test]
fn without_a_kid_two_fitting_keys_of_a_set_are_one_too_many() {
    let key = Signers::new();
    let jwk = |key: &EncodingKey, kid: &str| {
        let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(key, RS256).unwrap();
        with(serde_json::to_value(jwk).unwrap(), "kid", json!(kid))
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    let set = json!({"keys": [jwk(&key.rsa, "one"), jwk(&key.rsa_other, "two")]});
    std::fs::write(file.path(), set.to_string()).unwrap();
    let gate = gate(vec![JwtSettings::new("set", KeySource::JwksFile(file.path().to_owned()))]);
    let sign =
        |kid: Value, key| token(&json!({"alg": "RS256", "kid": kid}), &payload(), key, RS256);
    assert!(ask(&gate, &sign(json!("one"), &key.rsa)).is_ok());
    assert!(ask(&gate, &sign(json!("two"), &key.rsa_other)).is_ok());
    let crossed = ask(&gate, &sign(json!("two"), &key.rsa));
    assert_eq!(crossed.unwrap_err(), AuthError::BadSignature);
    let unnamed = ask(&gate, &sign(json!(null), &key.rsa));
    assert_eq!(unnamed.unwrap_err(), AuthError::UnknownKey);
}

#[test]
fn the_principal_has_what_the_payload_says() {
    let key = Signers::new();
    let settings = JwtSettings {
        username_claim: "/user/name".to_owned(),
        roles_claim: "/realm_access/roles".to_owned(),
        leeway: Duration::from_secs(7),
        ..secret_issuer()
    };
    let exp = now() + 600;
    let payload = json!({
        "user": {"name": "Åsa"}, "realm_access": {"roles": ["b", "a", "b"]}, "exp": exp,
    });
    let token = token(&json!({"alg": "HS256", "typ": "at+JWT"}), &payload, &key.secret, HS256);
    let principal = ask(&gate(vec![settings]), &token).unwrap();
    assert_eq!(&**principal.username().unwrap(), "Åsa");
    assert_eq!(principal.roles().iter().map(|role| &**role).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(serde_json::from_str::<Value>(principal.claims().unwrap()).unwrap(), payload);
    assert_eq!(principal.expires_at(), Some(UNIX_EPOCH + Duration::from_secs(exp)));
    assert_eq!(&**principal.authenticator(), "secret");
}

#[test]
fn only_who_comes_with_an_expired_token_has_the_leeway() {
    let key = Signers::new();
    let settings = JwtSettings { leeway: Duration::from_secs(60), ..secret_issuer() };
    for (exp, expires_at) in [(now() + 5, now() + 5), (now() - 5, now() + 55)] {
        let payload = json!({"sub": "a", "exp": exp});
        let token = token(&json!({"alg": "HS256"}), &payload, &key.secret, HS256);
        let principal = ask(&gate(vec![settings.clone()]), &token).unwrap();
        let end = principal.expires_at().unwrap().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!(end.abs_diff(expires_at) <= 1, "{end} is not {expires_at}");
    }
}

#[test]
fn harmless_variations_are_accepted() {
    let key = Signers::new();
    let settings = JwtSettings {
        audience: vec!["sporegate".to_owned()],
        issuer: Some("me".to_owned()),
        ..secret_issuer()
    };
    let gate = gate(vec![settings]);
    let base = || with(with(payload(), "iss", json!("me")), "aud", json!("sporegate"));
    for (claim, value) in [
        ("aud", json!(["other", "sporegate"])),
        ("exp", json!(now() as f64 + 600.5)),
        ("exp", json!(now() - 10)),
        ("exp", json!(MAX_EXP)),
        ("nbf", json!(now() + 10)),
        ("nbf", json!(0)),
        ("iat", json!(now() + 10)),
        ("iat", json!(now() as f64 - 0.25)),
        ("roles", json!(null)),
        ("roles", json!("")),
        ("roles", json!((0..256).map(|n| n.to_string()).collect::<Vec<_>>())),
        ("sub", json!("x".repeat(256))),
    ] {
        let token = token(
            &json!({"alg": "HS256", "kid": "any"}),
            &with(base(), claim, value.clone()),
            &key.secret,
            HS256,
        );
        assert!(ask(&gate, &token).is_ok(), "{claim} {value}");
    }
    let roleless = token(&json!({"alg": "HS256"}), &without(base(), "roles"), &key.secret, HS256);
    assert!(ask(&gate, &roleless).unwrap().roles().is_empty());
}

#[test]
fn a_token_for_somebody_is_refused_where_no_audience_is_configured() {
    let key = Signers::new();
    let gate = gate(vec![secret_issuer()]);
    for aud in [json!("sporegate"), json!(["sporegate"]), json!([]), json!(1), json!({})] {
        let token = token(
            &json!({"alg": "HS256"}),
            &with(payload(), "aud", aud.clone()),
            &key.secret,
            HS256,
        );
        assert_eq!(ask(&gate, &token).unwrap_err(), AuthError::WrongAudience, "{aud}");
    }
}

#[test]
fn several_issuers_are_told_apart_by_iss_and_by_key() {
    let key = Signers::new();
    let named = |name: &str, issuer: Option<&str>, source| JwtSettings {
        issuer: issuer.map(str::to_owned),
        ..JwtSettings::new(name, source)
    };
    let gate = gate(vec![
        named("a", Some("a"), pem("rsa-public.pem")),
        named("b", Some("b"), pem("ec-p256-public.pem")),
        named("b2", Some("b"), pem("rsa-public.pem")),
        named("any", None, KeySource::Secret(Secret::new(SECRET))),
    ]);
    let from = |iss: &str| with(payload(), "iss", json!(iss));
    let rs = |iss| token(&json!({"alg": "RS256"}), &from(iss), &key.rsa, RS256);
    let es = |iss| token(&json!({"alg": "ES256"}), &from(iss), &key.p256, ES256);
    let hs = |iss| token(&json!({"alg": "HS256"}), &from(iss), &key.secret, HS256);
    for (token, authenticator) in
        [(rs("a"), "a"), (es("b"), "b"), (rs("b"), "b2"), (hs("a"), "any"), (hs("c"), "any")]
    {
        assert_eq!(&**ask(&gate, &token).unwrap().authenticator(), authenticator);
    }
    assert_eq!(ask(&gate, &es("a")).unwrap_err(), AuthError::WrongAlgorithm);
    let expired = with(from("b"), "exp", json!(1));
    let expired = token(&json!({"alg": "RS256"}), &expired, &key.rsa, RS256);
    assert_eq!(ask(&gate, &expired).unwrap_err(), AuthError::Expired);
}

#[test]
fn a_query_token_counts_only_where_it_is_switched_on() {
    let key = Signers::new();
    let token = token(&json!({"alg": "HS256"}), &payload(), &key.secret, HS256);
    let query = format!("clientId=1&access_token={token}");
    for switched_on in [false, true] {
        let settings = AuthSettings {
            jwt: vec![secret_issuer()],
            access_token_query: switched_on,
            ..AuthSettings::default()
        };
        let gate = Authenticator::new(settings).unwrap();
        let asked = present(&gate, &HeaderMap::new(), Some(&query)).unwrap();
        assert_eq!(asked.is_some(), switched_on);
    }
}

#[test]
fn static_tokens_and_jwts_are_accepted_side_by_side_and_from_a_subprotocol() {
    let new = token_file::new_token("machine", &[]).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &new.entry).unwrap();
    let settings = AuthSettings {
        jwt: vec![secret_issuer()],
        token_file: Some(file.path().to_owned()),
        ..AuthSettings::default()
    };
    let gate = Authenticator::new(settings).unwrap();
    let jwt = token(&json!({"alg": "HS256"}), &payload(), &Signers::new().secret, HS256);
    for (token, user) in [(new.token.expose(), "machine"), (jwt.as_str(), "ann")] {
        let mut headers = HeaderMap::new();
        let offer = HeaderValue::from_str(&format!("sporegate, bearer.{token}")).unwrap();
        headers.insert(hyper::header::SEC_WEBSOCKET_PROTOCOL, offer);
        let principal = present(&gate, &headers, None).unwrap().unwrap();
        assert_eq!(&**principal.username().unwrap(), user);
    }
    assert_eq!(ask(&gate, "another").unwrap_err(), AuthError::UnknownToken);
    assert_eq!(ask(&gate, "an.other").unwrap_err().reason(), "malformed-credential");
}

#[test]
fn without_issuers_and_tokens_nobody_is_known() {
    let gate = Authenticator::new(AuthSettings::default()).unwrap();
    assert!(present(&gate, &HeaderMap::new(), None).unwrap().is_none());
    let jwt = token(&json!({"alg": "HS256"}), &payload(), &Signers::new().secret, HS256);
    for token in ["x", "a.b.c", &jwt] {
        assert_eq!(ask(&gate, token).unwrap_err(), AuthError::UnknownToken);
    }
}

#[test]
fn a_development_token_is_accepted_by_the_gate_that_has_its_secret() {
    let secret = dev_token::random_secret().unwrap();
    let claims = dev_token::DevClaims {
        user: "dev".to_owned(),
        roles: vec!["admin".to_owned()],
        ttl: Duration::from_secs(60),
        issuer: Some("me".to_owned()),
        audience: Some("sporegate".to_owned()),
    };
    let token = dev_token::sign(&secret, &claims).unwrap();
    let settings = |secret: Secret| JwtSettings {
        issuer: Some("me".to_owned()),
        audience: vec!["sporegate".to_owned()],
        ..JwtSettings::new("dev", KeySource::Secret(secret))
    };
    let principal = ask(&gate(vec![settings(secret)]), &token).unwrap();
    assert_eq!(&**principal.username().unwrap(), "dev");
    assert!(principal.has_any_role(&["admin"]));
    let other = dev_token::random_secret().unwrap();
    let refused = ask(&gate(vec![settings(other)]), &token).unwrap_err();
    assert_eq!(refused, AuthError::BadSignature);
}

#[test]
fn a_development_token_that_would_be_refused_is_not_made() {
    let secret = dev_token::random_secret().unwrap();
    let claims = dev_token::DevClaims {
        user: "dev".to_owned(),
        roles: Vec::new(),
        ttl: Duration::from_secs(60),
        issuer: None,
        audience: None,
    };
    let make = |secret: &Secret, claims| dev_token::sign(secret, &claims).unwrap_err().to_string();
    let short = make(&Secret::new("short"), claims.clone());
    assert!(short.contains("needs a secret of at least 32"), "{short}");
    let nobody = make(&secret, dev_token::DevClaims { user: String::new(), ..claims.clone() });
    assert_eq!(nobody, "the user name is empty");
    let role =
        make(&secret, dev_token::DevClaims { roles: vec!["\n".to_owned()], ..claims.clone() });
    assert_eq!(role, "a role contains a control character");
    let forever = make(&secret, dev_token::DevClaims { ttl: Duration::MAX, ..claims });
    assert!(forever.contains("too long"), "{forever}");
}
