//! Claims that are well signed and say what they must not.

use super::*;

fn each(cases: &[(&str, Value)]) -> Vec<Forged> {
    let token = |(claim, value): &(&str, Value)| {
        let token = by_secret(&with(claims(SECRET_ISS), claim, value.clone()));
        (format!("{claim} {:.60}", value.to_string()), token)
    };
    cases.iter().map(token).collect()
}

fn absent(claim: &str) -> Forged {
    (format!("no {claim}"), by_secret(&without(claims(SECRET_ISS), claim)))
}

/// The gateway forgives 30 s.
pub(super) fn times() -> Vec<Forged> {
    let now = now();
    let mut forged = each(&[
        ("exp", json!(now - 31)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!(now as f64 - 40.5)),
        ("exp", json!((now + 600) as f64 * 1e6)),
        ("exp", json!(1e300)),
        ("exp", json!(u64::MAX)),
        ("exp", json!((now + 600) * 1000)),
        ("exp", json!((now + 600).to_string())),
        ("exp", json!("never")),
        ("exp", json!(null)),
        ("exp", json!(true)),
        ("exp", json!([now + 600])),
        ("exp", json!({"at": now + 600})),
        ("nbf", json!(now + 400)),
        ("nbf", json!(u64::MAX)),
        ("nbf", json!("tomorrow")),
        ("iat", json!(now + 400)),
        ("iat", json!(now + 1_000_000_000)),
        ("iat", json!("today")),
        ("iat", json!(null)),
    ]);
    forged.push(absent("exp"));
    forged
}

pub(super) fn parties() -> Vec<Forged> {
    let mut forged = each(&[
        ("iss", json!("https://evil.example")),
        ("iss", json!("https://secret.example/")),
        ("iss", json!("HTTPS://SECRET.EXAMPLE")),
        ("iss", json!("")),
        ("iss", json!(1)),
        ("iss", json!(null)),
        ("iss", json!([SECRET_ISS])),
        ("iss", json!([SECRET_ISS, RSA_ISS])),
        ("aud", json!("other")),
        ("aud", json!("gate2")),
        ("aud", json!("Gate")),
        ("aud", json!("")),
        ("aud", json!(["other", "another"])),
        ("aud", json!([])),
        ("aud", json!([["gate"]])),
        ("aud", json!({"gate": true})),
        ("aud", json!(1)),
        ("aud", json!(null)),
    ]);
    forged.extend([absent("iss"), absent("aud")]);
    forged
}

pub(super) fn identities() -> Vec<Forged> {
    let ten_thousand: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
    let many: Vec<String> = (0..257).map(|n| n.to_string()).collect();
    let mut forged = each(&[
        ("sub", json!("")),
        ("sub", json!(1)),
        ("sub", json!(null)),
        ("sub", json!(["ann"])),
        ("sub", json!("ann\r\nX-Admin: 1")),
        ("sub", json!("ann\u{0}")),
        ("sub", json!("x".repeat(257))),
        ("roles", json!(1)),
        ("roles", json!({"admin": true})),
        ("roles", json!(["admin", 1])),
        ("roles", json!([["admin"]])),
        ("roles", json!(["admin", ""])),
        ("roles", json!(["x".repeat(257)])),
        ("roles", json!(many)),
        ("roles", json!(ten_thousand)),
    ]);
    forged.push(absent("sub"));
    forged
}
