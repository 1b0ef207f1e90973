//! Headers that try to say where the key is, or what else is to be believed.

use super::*;

pub(super) fn key_ids() -> Vec<Forged> {
    let rsa = Signers::new().rsa;
    let mut forged = Vec::new();
    let mut add = |kid: Value| {
        let header = json!({"alg": "RS256", "kid": kid});
        let token = forge(&header, &claims(SET_ISS), &rsa, Algorithm::RS256);
        forged.push((format!("kid {kid:.40}"), token));
    };
    for kid in [
        "unknown",
        "",
        "RSA-1",
        "rsa-1 ",
        "rsa-1\0",
        "../../../../dev/null",
        "/etc/passwd",
        "keys/rsa-private.pem",
        "file:///dev/null",
        "https://evil.example/key",
        "x' UNION SELECT 'secret",
        "' OR '1'='1",
        "$(reboot)",
        "| sleep 9",
        "0",
        &"k".repeat(4_000),
        &"k".repeat(1 << 20),
    ] {
        add(kid.into());
    }
    for kid in [json!(1), json!(["rsa-1"]), json!({"kid": "rsa-1"}), json!(true)] {
        add(kid);
    }
    forged
}

pub(super) fn members() -> Vec<Forged> {
    let key = Signers::new();
    let own = jsonwebtoken::jwk::Jwk::from_encoding_key(&key.rsa_other, Algorithm::RS256).unwrap();
    let mut forged = Vec::new();
    for (member, value) in [
        ("jwk", serde_json::to_value(own).unwrap()),
        ("jku", json!("http://127.0.0.1:1/jwks.json")),
        ("x5u", json!("http://127.0.0.1:1/cert.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let header = with(json!({"alg": "RS256", "kid": "rsa-1"}), member, value);
        for iss in [SET_ISS, RSA_ISS] {
            let token = forge(&header, &claims(iss), &key.rsa_other, Algorithm::RS256);
            forged.push((format!("a stranger's key by {member} for {iss}"), token));
        }
    }
    for (member, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("enc", json!("A256GCM")),
        ("zip", json!("DEF")),
        ("typ", json!("logout+jwt")),
        ("typ", json!(7)),
    ] {
        let header = with(json!({"alg": "HS256"}), member, value.clone());
        let token = forge(&header, &claims(SECRET_ISS), &key.secret, Algorithm::HS256);
        forged.push((format!("{member} {value}"), token));
    }
    forged
}
