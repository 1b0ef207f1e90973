//! Payloads that are well signed and say what they must not.

use super::*;

pub(super) fn times() -> Vec<Case> {
    let now = now();
    let mut cases = Vec::new();
    for (claim, value, reason) in [
        ("exp", json!(now - 32), "token-expired"),
        ("exp", json!(0), "token-expired"),
        ("exp", json!(now as f64 - 40.5), "token-expired"),
        ("exp", json!(null), "missing-claim"),
        ("exp", json!((now + 600).to_string()), "missing-claim"),
        ("exp", json!("never"), "missing-claim"),
        ("exp", json!(true), "missing-claim"),
        ("exp", json!(-1), "missing-claim"),
        ("exp", json!(1e300), "missing-claim"),
        ("exp", json!([now + 600]), "malformed-credential"),
        ("exp", json!({"at": now + 600}), "malformed-credential"),
        ("exp", json!(u64::MAX), "invalid-claim"),
        ("exp", json!(1e18), "invalid-claim"),
        ("exp", json!((now + 600) * 1000), "invalid-claim"),
        ("exp", json!(MAX_EXP + 1), "invalid-claim"),
        ("nbf", json!(now + 40), "token-not-yet-valid"),
        ("nbf", json!(u64::MAX), "token-not-yet-valid"),
        ("nbf", json!("tomorrow"), "invalid-claim"),
        ("nbf", json!(1e300), "invalid-claim"),
        ("iat", json!(now + 40), "token-not-yet-valid"),
        ("iat", json!(now + 1_000_000_000), "token-not-yet-valid"),
        ("iat", json!("today"), "invalid-claim"),
        ("iat", json!(null), "invalid-claim"),
    ] {
        let forged = by_secret(&with(claims(SECRET_ISS), claim, value.clone()));
        cases.push(case(format!("{claim} {value}"), forged, reason));
    }
    cases.push(case("no exp", by_secret(&without(claims(SECRET_ISS), "exp")), "missing-claim"));
    cases
}

pub(super) fn registered_claims() -> Vec<Case> {
    let mut cases = Vec::new();
    for (claim, value, reason) in [
        ("iss", json!("https://evil.example"), "wrong-issuer"),
        ("iss", json!("https://secret.example/"), "wrong-issuer"),
        ("iss", json!("HTTPS://SECRET.EXAMPLE"), "wrong-issuer"),
        ("iss", json!(""), "wrong-issuer"),
        ("iss", json!(1), "wrong-issuer"),
        ("iss", json!([SECRET_ISS]), "wrong-issuer"),
        ("iss", json!([SECRET_ISS, RSA_ISS]), "wrong-issuer"),
        ("iss", json!(null), "missing-claim"),
        ("iss", json!(RSA_ISS), "wrong-algorithm"),
        ("aud", json!("other"), "wrong-audience"),
        ("aud", json!("sporegate2"), "wrong-audience"),
        ("aud", json!("Sporegate"), "wrong-audience"),
        ("aud", json!(""), "wrong-audience"),
        ("aud", json!(["other", "another"]), "wrong-audience"),
        ("aud", json!([]), "wrong-audience"),
        ("aud", json!(1), "missing-claim"),
        ("aud", json!(null), "missing-claim"),
        ("aud", json!({"sporegate": true}), "missing-claim"),
        ("aud", json!([["sporegate"]]), "missing-claim"),
    ] {
        let forged = by_secret(&with(claims(SECRET_ISS), claim, value.clone()));
        cases.push(case(format!("{claim} {value}"), forged, reason));
    }
    for claim in ["iss", "aud"] {
        let forged = by_secret(&without(claims(SECRET_ISS), claim));
        cases.push(case(format!("no {claim}"), forged, "missing-claim"));
    }
    cases
}

pub(super) fn identities() -> Vec<Case> {
    let many: Vec<String> = (0..257).map(|n| n.to_string()).collect();
    let mut cases = Vec::new();
    for (claim, value) in [
        ("sub", json!("")),
        ("sub", json!(1)),
        ("sub", json!(null)),
        ("sub", json!("ann\r\nX-Admin: 1")),
        ("sub", json!("ann\u{0}")),
        ("sub", json!("\u{1b}[2J")),
        ("sub", json!("x".repeat(257))),
        ("roles", json!(1)),
        ("roles", json!({"admin": true})),
        ("roles", json!(["user", 1])),
        ("roles", json!([["admin"]])),
        ("roles", json!(["user", null])),
        ("roles", json!(["user", ""])),
        ("roles", json!(["user\n"])),
        ("roles", json!("user\nadmin")),
        ("roles", json!(["x".repeat(257)])),
        ("roles", json!(many)),
        ("roles", json!(many.join(" "))),
    ] {
        let forged = by_secret(&with(claims(SECRET_ISS), claim, value.clone()));
        let shown: String = value.to_string().chars().take(40).collect();
        cases.push(case(format!("{claim} {shown}"), forged, "invalid-claim"));
    }
    for sub in [json!(["ann"]), json!({"name": "ann"})] {
        let forged = by_secret(&with(claims(SECRET_ISS), "sub", sub.clone()));
        cases.push(case(format!("sub {sub}"), forged, "malformed-credential"));
    }
    cases.push(case("no sub", by_secret(&without(claims(SECRET_ISS), "sub")), "missing-claim"));
    cases
}
