//! Texts that are no token, or one that was cut, stretched, turned or put together.

use super::*;

/// Pieces of genuine tokens, put together wrongly.
pub(super) fn parts() -> Vec<Forged> {
    let good = by_secret(&claims(SECRET_ISS));
    let other = by_secret(&with(claims(SECRET_ISS), "sub", json!("canary-root")));
    let split = |token: &str| -> Vec<String> { token.split('.').map(str::to_owned).collect() };
    let (own, others) = (split(&good), split(&other));
    let (header, body, signature) = (&own[0], &own[1], &own[2]);
    let mut forged: Vec<Forged> = [
        ("another's payload", format!("{header}.{}.{signature}", others[1])),
        ("another's signature", format!("{header}.{body}.{}", others[2])),
        ("another header", format!("{}.{body}.{signature}", part(&json!({"alg":"HS256","x":1})))),
        ("no signature", format!("{header}.{body}.")),
        ("no signature and no point", format!("{header}.{body}")),
        ("no payload", format!("{header}..{signature}")),
        ("no header", format!(".{body}.{signature}")),
        ("no first part", format!("{body}.{signature}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts, as encrypted ones", format!("{header}.a.b.c.{signature}")),
        ("five parts of two tokens", format!("{good}.{body}.{signature}")),
        ("a longer signature", format!("{good}AAAA")),
        ("parts in another order", format!("{body}.{header}.{signature}")),
        ("a padded header", format!("{header}=.{body}.{signature}")),
        ("a padded signature", format!("{good}=")),
        ("a twice padded signature", format!("{good}==")),
        ("base64 of the other kind", format!("{header}.{body}.{}+/", &signature[..41])),
        ("unused bits set", non_canonical(&good)),
        ("a space inside", format!("{header} .{body}.{signature}")),
        ("more behind a space", format!("{good} extra")),
        ("in quotes inside", format!("{header}.\"{body}\".{signature}")),
        ("percent-encoded points", good.replace('.', "%2e")),
        (
            "as JSON",
            json!({"protected": header, "payload": body, "signature": signature}).to_string(),
        ),
        ("with a scheme", format!("Bearer.{good}")),
        ("backwards", good.chars().rev().collect()),
        ("in capitals", good.to_uppercase()),
    ]
    .map(|(what, token)| (what.to_owned(), token))
    .into();
    for eighth in 1..8 {
        let cut = good[..good.len() * eighth / 8].to_owned();
        forged.push((format!("{eighth}/8 of a token"), cut));
    }
    forged.push(("all but the last character".to_owned(), good[..good.len() - 1].to_owned()));
    for (number, name) in ["header", "payload", "signature"].iter().enumerate() {
        let bytes = URL_SAFE_NO_PAD.decode(&own[number]).unwrap();
        for at in [0, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
            for bit in [0x01, 0x20] {
                let mut flipped = bytes.clone();
                flipped[at] ^= bit;
                let mut parts = own.clone();
                parts[number] = URL_SAFE_NO_PAD.encode(flipped);
                forged.push((format!("bit {bit:#x} of {name} byte {at}"), parts.join(".")));
            }
        }
    }
    forged
}

/// The same signature, spelt with a last character whose unused bits are set.
fn non_canonical(token: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (start, last) = token.split_at(token.len() - 1);
    let at = ALPHABET.find(last).unwrap();
    format!("{start}{}", &ALPHABET[at + 1..at + 2])
}

pub(super) fn texts() -> Vec<Forged> {
    let large = by_secret(&with(claims(SECRET_ISS), "x", json!("x".repeat(7_000))));
    assert!((8 << 10..15 << 10).contains(&large.len()), "{}", large.len());
    let texts =
        ["", ".", "..", "...", "a.b.c", "null", "undefined", "canary-opaque-token", "=", "a=b"];
    let mut forged: Vec<Forged> =
        texts.iter().map(|text| (format!("{text:?}"), (*text).to_owned())).collect();
    forged.push(("more than 8 KiB, well signed".to_owned(), large));
    forged.push(("8 KiB and one byte".to_owned(), "x".repeat((8 << 10) + 1)));
    forged.push(("beyond ASCII".to_owned(), "caf\u{e9}.\u{20ac}.x".to_owned()));
    forged
}

/// Payloads that are well signed and not the JSON that a token has.
pub(super) fn payloads() -> Vec<Forged> {
    let secret = Signers::new().secret;
    let header = part(&json!({"alg": "HS256"}));
    let good = claims(SECRET_ISS).to_string();
    let with = |member: &str| good.replacen('{', &format!("{{{member},"), 1);
    let mut texts: Vec<Vec<u8>> = [
        "[]".to_owned(),
        "null".to_owned(),
        "1".to_owned(),
        String::new(),
        "{".to_owned(),
        format!("[{good}]"),
        format!("{good}{good}"),
        format!("\u{feff}{good}"),
        good.replace('"', "'"),
        with(r#""exp":1"#),
        with(r#""sub":"root""#),
        with(r#""iss":"x""#),
        with(r#""aud":"x""#),
        with(r#""x":1e999"#),
        with(r#""x":NaN"#),
        with(r#""x":"\ud800""#),
        with(&format!(r#""x":{}{}"#, "[".repeat(1_500), "]".repeat(1_500))),
    ]
    .map(String::into_bytes)
    .into();
    texts.push(b"\x1f\x8b\x08".to_vec());
    texts.push(good.encode_utf16().flat_map(u16::to_le_bytes).collect());
    texts.push(with(r#""x":"?""#).replace('?', "\u{1}").into_bytes());
    if let Some(text) = texts.last_mut() {
        text.iter_mut().filter(|byte| **byte == 1).for_each(|byte| *byte = 0xff);
    }
    let token = |text: Vec<u8>| {
        let what = format!("payload {:.60}", String::from_utf8_lossy(&text));
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(text));
        (what, signed(&message, &secret, Algorithm::HS256))
    };
    texts.into_iter().map(token).collect()
}
