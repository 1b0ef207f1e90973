//! Headers with members that attack, and texts that are no token.

use super::*;

pub(super) fn headers() -> Vec<Case> {
    let key = Signers::new();
    let mut cases = Vec::new();
    for kid in [
        "unknown",
        "",
        "RSA-1",
        "rsa-1 ",
        "rsa-1\0",
        "../../../../dev/null",
        "/etc/passwd",
        "file:///dev/null",
        "https://evil.example/key",
        "x' UNION SELECT 'secret",
        "| sleep 9",
        "0",
        &"k".repeat(4000),
    ] {
        let header = json!({"alg": "RS256", "kid": kid});
        let forged = token(&header, &claims(SET_ISS), &key.rsa, Algorithm::RS256);
        let shown: String = kid.chars().take(24).collect();
        cases.push(case(format!("kid {shown:?}"), forged, "unknown-key"));
    }
    for kid in [json!(1), json!(["rsa-1"]), json!({"kid": "rsa-1"}), json!(true)] {
        let header = json!({"alg": "RS256", "kid": kid});
        let forged = token(&header, &claims(SET_ISS), &key.rsa, Algorithm::RS256);
        cases.push(case(format!("kid {kid}"), forged, "malformed-credential"));
    }
    let attacker =
        jsonwebtoken::jwk::Jwk::from_encoding_key(&key.rsa_other, Algorithm::RS256).unwrap();
    let attacker = serde_json::to_value(attacker).unwrap();
    for (member, value) in [
        ("jwk", attacker),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
    ] {
        let header = with(json!({"alg": "RS256", "kid": "rsa-1"}), member, value);
        let forged = token(&header, &claims(SET_ISS), &key.rsa_other, Algorithm::RS256);
        cases.push(case(format!("attacker's key by {member}"), forged, "bad-signature"));
        let forged = token(&header, &claims(RSA_ISS), &key.rsa_other, Algorithm::RS256);
        cases.push(case(format!("attacker's key by {member}, PEM"), forged, "bad-signature"));
    }
    for (member, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("enc", json!("A256GCM")),
        ("zip", json!("DEF")),
        ("typ", json!("logout+jwt")),
        ("typ", json!("dpop+jwt")),
        ("typ", json!("secevent+jwt")),
        ("typ", json!(7)),
    ] {
        let header = with(json!({"alg": "HS256"}), member, value.clone());
        let forged = token(&header, &claims(SECRET_ISS), &key.secret, Algorithm::HS256);
        cases.push(case(format!("{member} {value}"), forged, "malformed-credential"));
    }
    cases
}

pub(super) fn shapes() -> Vec<Case> {
    let secret = Signers::new().secret;
    let good = by_secret(&claims(SECRET_ISS));
    let parts: Vec<&str> = good.split('.').collect();
    let (header, body, signature) = (parts[0], parts[1], parts[2]);
    let mut cases: Vec<Case> = [
        "x".to_owned(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "a.b.c".to_owned(),
        "canary-opaque-token".to_owned(),
        format!("{header}.{body}"),
        format!("{body}.{signature}"),
        format!(".{body}.{signature}"),
        format!("{header}..{signature}"),
        format!("{good}.{signature}"),
        format!("{header}.a.b.c.{signature}"),
        format!("{header}.{body}.{signature}.{signature}.{signature}"),
        format!("{header} .{body}.{signature}"),
        format!("{good},{good}"),
        format!("{header}=.{body}.{signature}"),
        format!("{header}.{body}A.{signature}"),
        format!("{good} extra"),
        good.replace('.', "%2e"),
        json!({"protected": header, "payload": body, "signature": signature}).to_string(),
        "bearer".to_owned(),
        "null".to_owned(),
    ]
    .into_iter()
    .map(|token| case(format!("shape {token:.20}"), token, "malformed-credential"))
    .collect();
    let deep = format!(r#"{{"iss":"{SECRET_ISS}","x":{}{}}}"#, "[".repeat(1500), "]".repeat(1500));
    let twice = |claim: &str| {
        format!(
            r#"{{"iss":"{SECRET_ISS}","aud":"sporegate","sub":"ann","exp":{0},{claim}}}"#,
            now() + 600
        )
    };
    for body in [
        "[]",
        "null",
        "1",
        r#""ann""#,
        "",
        "{",
        "ann",
        "{}{}",
        "{\"sub\":\"ann\",}",
        "\u{feff}{}",
        &deep,
        &twice(r#""exp":1"#),
        &twice(r#""sub":"admin""#),
        &twice(r#""iss":"x""#),
        &twice(r#""aud":"x""#),
        &twice(r#""x":1e999"#),
        &twice(r#""x":NaN"#),
        &twice(r#""x":"\ud800""#),
    ] {
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(body));
        let forged = signed(&message, &secret, Algorithm::HS256);
        cases.push(case(format!("payload {body:.60}"), forged, "malformed-credential"));
    }
    let not_utf8 = twice(r#""x":"?""#).replace('?', "\u{1}").into_bytes();
    let not_utf8: Vec<u8> = not_utf8.into_iter().map(|b| if b == 1 { 0xff } else { b }).collect();
    for bytes in [&b"\xff\xfe"[..], b"\x1f\x8b\x08", &not_utf8] {
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(bytes));
        let forged = signed(&message, &secret, Algorithm::HS256);
        cases.push(case(format!("payload {bytes:?}"), forged, "malformed-credential"));
    }
    for text in ["[]", "null", "\"HS256\"", "", "{", "alg=HS256"] {
        let message = format!("{}.{body}", URL_SAFE_NO_PAD.encode(text));
        let forged = signed(&message, &secret, Algorithm::HS256);
        cases.push(case(format!("header {text}"), forged, "malformed-credential"));
    }
    let large = by_secret(&with(claims(SECRET_ISS), "x", json!("x".repeat(MAX_TOKEN_BYTES))));
    cases.push(case("more than 8 KiB, well signed", large, "token-too-large"));
    cases.push(case("8 KiB and one byte", "x".repeat(MAX_TOKEN_BYTES + 1), "token-too-large"));
    cases
}
