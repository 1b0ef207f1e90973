//! Payloads that are well signed and say what they must not.

use super::*;

pub(super) fn times() -> Vec<Case> {
    let now = now();
    let mut cases = Vec::new();
    for (claim, value, reason) in [
        ("exp", json!(now - 32), "token_expired"),
        ("exp", json!(0), "token_expired"),
        ("exp", json!(now as f64 - 40.5), "token_expired"),
        ("exp", json!(null), "missing_claim"),
        ("exp", json!((now + 600).to_string()), "missing_claim"),
        ("exp", json!("never"), "missing_claim"),
        ("exp", json!(true), "missing_claim"),
        ("exp", json!(-1), "missing_claim"),
        ("exp", json!(1e300), "missing_claim"),
        ("exp", json!([now + 600]), "malformed_credential"),
        ("exp", json!({"at": now + 600}), "malformed_credential"),
        ("exp", json!(u64::MAX), "invalid_claim"),
        ("exp", json!(1e18), "invalid_claim"),
        ("exp", json!((now + 600) * 1000), "invalid_claim"),
        ("exp", json!(MAX_EXP + 1), "invalid_claim"),
        ("nbf", json!(now + 40), "token_not_yet_valid"),
        ("nbf", json!(u64::MAX), "token_not_yet_valid"),
        ("nbf", json!("tomorrow"), "invalid_claim"),
        ("nbf", json!(1e300), "invalid_claim"),
        ("iat", json!(now + 40), "token_not_yet_valid"),
        ("iat", json!(now + 1_000_000_000), "token_not_yet_valid"),
        ("iat", json!("today"), "invalid_claim"),
        ("iat", json!(null), "invalid_claim"),
    ] {
        let forged = by_secret(&with(claims(SECRET_ISS), claim, value.clone()));
        cases.push(case(format!("{claim} {value}"), forged, reason));
    }
    cases.push(case("no exp", by_secret(&without(claims(SECRET_ISS), "exp")), "missing_claim"));
    cases
}

pub(super) fn registered_claims() -> Vec<Case> {
    let mut cases = Vec::new();
    for (claim, value, reason) in [
        ("iss", json!("https://evil.example"), "wrong_issuer"),
        ("iss", json!("https://secret.example/"), "wrong_issuer"),
        ("iss", json!("HTTPS://SECRET.EXAMPLE"), "wrong_issuer"),
        ("iss", json!(""), "wrong_issuer"),
        ("iss", json!(1), "wrong_issuer"),
        ("iss", json!([SECRET_ISS]), "wrong_issuer"),
        ("iss", json!([SECRET_ISS, RSA_ISS]), "wrong_issuer"),
        ("iss", json!(null), "missing_claim"),
        ("iss", json!(RSA_ISS), "wrong_algorithm"),
        ("aud", json!("other"), "wrong_audience"),
        ("aud", json!("sporegate2"), "wrong_audience"),
        ("aud", json!("Sporegate"), "wrong_audience"),
        ("aud", json!(""), "wrong_audience"),
        ("aud", json!(["other", "another"]), "wrong_audience"),
        ("aud", json!([]), "wrong_audience"),
        ("aud", json!(1), "missing_claim"),
        ("aud", json!(null), "missing_claim"),
        ("aud", json!({"sporegate": true}), "missing_claim"),
        ("aud", json!([["sporegate"]]), "missing_claim"),
    ] {
        let forged = by_secret(&with(claims(SECRET_ISS), claim, value.clone()));
        cases.push(case(format!("{claim} {value}"), forged, reason));
    }
    for claim in ["iss", "aud"] {
        let forged = by_secret(&without(claims(SECRET_ISS), claim));
        cases.push(case(format!("no {claim}"), forged, "missing_claim"));
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
        cases.push(case(format!("{claim} {shown}"), forged, "invalid_claim"));
    }
    for sub in [json!(["ann"]), json!({"name": "ann"})] {
        let forged = by_secret(&with(claims(SECRET_ISS), "sub", sub.clone()));
        cases.push(case(format!("sub {sub}"), forged, "malformed_credential"));
    }
    cases.push(case("no sub", by_secret(&without(claims(SECRET_ISS), "sub")), "missing_claim"));
    cases
}
