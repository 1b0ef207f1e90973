//! JSON Web Tokens: every family of keys, forgeries of each, and what listeners learn.

use super::*;
use crate::support::Setup;

/// A gateway with an issuer of each family, each with a name of its own in `iss`.
fn setup() -> Setup {
    let issuer = |name: &str, key: String| {
        format!("[[auth.jwt]]\nname = {name:?}\nissuer = {name:?}\nleeway = \"0s\"\n{key}\n")
    };
    let public = |name: &str, file: &str| issuer(name, format!("public_key = {:?}", key(file)));
    let jwks = issuer("jwks", format!("jwks = {:?}", key("jwks.json")));
    TestGateway::with()
        .module("probe", "probe")
        .table(&public("rsa", "rsa-public.pem"))
        .table(&public("ec", "ec-p256-public.pem"))
        .table(&public("ed", "ed25519-public.pem"))
        .table(&jwks)
}

fn from(issuer: &str) -> Value {
    let mut claims = claims();
    claims["iss"] = issuer.into();
    claims
}

fn rsa() -> EncodingKey {
    EncodingKey::from_rsa_pem(&pem("rsa-private.pem")).unwrap()
}

fn p256() -> EncodingKey {
    EncodingKey::from_ec_pem(&pem("ec-p256-private.pem")).unwrap()
}

fn ed25519() -> EncodingKey {
    EncodingKey::from_ed_pem(&pem("ed25519-private.pem")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_every_family_gets_in_as_who_it_names() {
    let gateway = setup().start().await;
    for (issuer, algorithm, key_id, key) in [
        ("rsa", Algorithm::RS256, None, rsa()),
        ("ec", Algorithm::ES256, None, p256()),
        ("ed", Algorithm::EdDSA, None, ed25519()),
        ("jwks", Algorithm::RS256, Some("rsa-1"), rsa()),
        ("jwks", Algorithm::ES256, Some("p256"), p256()),
        ("jwks", Algorithm::EdDSA, Some("ed-1"), ed25519()),
    ] {
        let client = seen(&gateway, &sign(algorithm, key_id, &from(issuer), &key)).await;
        assert_eq!(client["username"], "ann", "{issuer} {algorithm:?}");
        assert_eq!(client["roles"], json!(["reader", "writer"]));
    }
    assert_eq!(seen(&gateway, &gateway.token("bob", &["x"])).await["username"], "bob", "HS256");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_does_not_hold_gets_401_and_a_challenge() {
    let gateway = setup().start().await;
    let good = sign(Algorithm::RS256, None, &from("rsa"), &rsa());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let other = sign(
        Algorithm::RS256,
        None,
        &{
            let mut claims = from("rsa");
            claims["sub"] = "root".into();
            claims
        },
        &rsa(),
    );
    let other_payload = other.split('.').nth(1).unwrap();
    let unsigned = {
        use base64::Engine;
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        format!("{header}.{payload}.")
    };
    let stranger = EncodingKey::from_rsa_pem(&pem("rsa-other-private.pem")).unwrap();
    let confused = EncodingKey::from_secret(&pem("rsa-public.pem"));
    for (what, token) in [
        ("nothing", String::new()),
        ("no JWT", "abc".to_owned()),
        ("two parts", signed.to_owned()),
        ("another payload", format!("{header}.{other_payload}.{signature}")),
        ("no signature", format!("{signed}.")),
        ("alg none", unsigned),
        ("a stranger's key", sign(Algorithm::RS256, None, &from("rsa"), &stranger)),
        ("the public key as a secret", sign(Algorithm::HS256, None, &from("rsa"), &confused)),
        ("another family", sign(Algorithm::ES256, None, &from("rsa"), &p256())),
        ("an unknown issuer", sign(Algorithm::RS256, None, &from("nobody"), &rsa())),
        ("an unknown key id", sign(Algorithm::RS256, Some("rsa-2"), &from("jwks"), &rsa())),
        ("the id of another key", sign(Algorithm::RS256, Some("p256"), &from("jwks"), &rsa())),
        ("too large", format!("{signed}.{}", "A".repeat(9 << 10))),
    ] {
        let answer = answer(&gateway, "/probe", &token).await;
        assert_unauthorized(&answer, Some("error=\"invalid_token\""));
        assert!(!answer.body.contains("101"), "{what}");
    }
    assert_eq!(gateway.counters().accepted.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn time_and_audience_of_a_token_count() {
    let gateway = setup().start().await;
    let with = |claim: &str, value: Value| {
        let mut claims = from("rsa");
        claims[claim] = value;
        sign(Algorithm::RS256, None, &claims, &rsa())
    };
    let expired = answer(&gateway, "/probe", &with("exp", (now() - 2).into())).await;
    assert_unauthorized(&expired, Some("the token has expired"));
    for (claim, value) in [
        ("exp", Value::Null),
        ("exp", json!("tomorrow")),
        ("nbf", json!(now() + 30)),
        ("aud", json!("somebody else")),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("roles", json!({"admin": true})),
        ("roles", json!([7])),
    ] {
        let answer = answer(&gateway, "/probe", &with(claim, value.clone())).await;
        assert_unauthorized(&answer, Some("error=\"invalid_token\""));
    }
    assert_eq!(answer(&gateway, "/probe", &with("nbf", (now() - 2).into())).await.status, 101);
    // As OAuth writes scopes.
    let scopes = seen(&gateway, &with("roles", json!("write read"))).await;
    assert_eq!(scopes["roles"], json!(["read", "write"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_roles_come_from_where_the_issuer_keeps_them() {
    let table = format!(
        "[[auth.jwt]]\nname = \"sso\"\npublic_key = {:?}\nissuer = \"sso\"\naudience = [\"gate\", \"old\"]\n\
         algorithms = [\"ES256\"]\nusername_claim = \"/preferred_username\"\nroles_claim = \"/realm_access/roles\"",
        key("ec-p256-public.pem")
    );
    let gateway = TestGateway::with().module("probe", "probe").table(&table).start().await;
    let claims = json!({
        "iss": "sso", "aud": ["other", "gate"], "exp": now() + 60, "sub": "4711",
        "preferred_username": "../../\u{fc}nal", "roles": ["not", "these"],
        "realm_access": {"roles": ["b", "a", "b"]},
    });
    let token = sign(Algorithm::ES256, None, &claims, &p256());
    let client = seen(&gateway, &token).await;
    assert_eq!(client["username"], "../../\u{fc}nal");
    assert_eq!(client["roles"], json!(["a", "b"]), "sorted, each once");
    let mut client = gateway.connect("/probe", Some(&token)).await.unwrap();
    client.greeting().await;
    assert_eq!(client.ok(json!({"do": "claims"})).await, claims);
    let mut elsewhere = claims;
    elsewhere["aud"] = "elsewhere".into();
    let token = sign(Algorithm::ES256, None, &elsewhere, &p256());
    assert_unauthorized(&answer(&gateway, "/probe", &token).await, Some("invalid_token"));
}
