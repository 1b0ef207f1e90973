//! Wrong algorithms, wrong keys and wrong signatures.

use super::*;

pub(super) fn algorithms() -> Vec<Case> {
    let key = Signers::new();
    let body = part(&claims(SECRET_ISS));
    let mut cases = Vec::new();
    for alg in
        ["none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "HS1", "ES512", "ES256K", "Ed448"]
    {
        let header = json!({"alg": alg, "typ": "JWT"});
        let unsigned = format!("{}.{body}.", part(&header));
        cases.push(case(format!("alg {alg:?} unsigned"), unsigned, "wrong-algorithm"));
        let signed = token(&header, &claims(SECRET_ISS), &key.secret, Algorithm::HS256);
        cases.push(case(format!("alg {alg:?} signed"), signed, "wrong-algorithm"));
    }
    for alg in [json!(null), json!(256), json!(["HS256"]), json!({"HS256": 1})] {
        let forged =
            token(&json!({"alg": alg}), &claims(SECRET_ISS), &key.secret, Algorithm::HS256);
        cases.push(case(format!("alg {alg}"), forged, "malformed-credential"));
    }
    for header in
        [r#"{"typ":"JWT"}"#, r#"{"alg":"HS256","alg":"none"}"#, r#"{"alg":"none","alg":"HS256"}"#]
    {
        let message = format!("{}.{body}", URL_SAFE_NO_PAD.encode(header));
        let forged = signed(&message, &key.secret, Algorithm::HS256);
        cases.push(case(header, forged, "malformed-credential"));
    }
    cases
}

/// Keys used for what they are not for.
pub(super) fn confused_keys() -> Vec<Case> {
    let key = Signers::new();
    let pem = fixture_bytes("rsa-public.pem");
    let text = String::from_utf8(pem.clone()).unwrap();
    let ec_pem = fixture_bytes("ec-p256-public.pem");
    let set = String::from_utf8(fixture_bytes("jwks.json")).unwrap();
    let modulus = serde_json::from_str::<Value>(&set).unwrap()["keys"][0]["n"].clone();
    let modulus = modulus.as_str().unwrap().to_owned();
    let mut cases = Vec::new();
    let public_keys: [(&str, &[u8]); 6] = [
        ("the PEM", &pem),
        ("the PEM without its last line end", text.trim_end().as_bytes()),
        ("the PEM with CRLF", &text.replace('\n', "\r\n").into_bytes()),
        ("the EC PEM", &ec_pem),
        ("the modulus", modulus.as_bytes()),
        ("nothing", b""),
    ];
    for (what, bytes) in public_keys {
        let secret = EncodingKey::from_secret(bytes);
        for (iss, kid) in [(RSA_ISS, None), (SET_ISS, Some("rsa-1")), (SET_ISS, Some("p256"))] {
            for (alg, name) in [(Algorithm::HS256, "HS256"), (Algorithm::HS512, "HS512")] {
                let header = json!({"alg": name, "kid": kid});
                let forged = token(&header, &claims(iss), &secret, alg);
                cases.push(case(
                    format!("{name} with {what} for {iss}"),
                    forged,
                    "wrong-algorithm",
                ));
            }
        }
    }
    use Algorithm::*;
    for (what, alg, kid, iss, signer, signed_as, reason) in [
        ("RS256 for a secret", "RS256", None, SECRET_ISS, &key.rsa, RS256, "wrong-algorithm"),
        ("RS256 by HMAC", "RS256", None, RSA_ISS, &key.secret, HS256, "bad-signature"),
        ("HS512 where HS256 is", "HS512", None, SECRET_ISS, &key.secret, HS512, "wrong-algorithm"),
        ("HS256 by HS512", "HS256", None, SECRET_ISS, &key.secret, HS512, "bad-signature"),
        ("PS256 where RS256 is", "PS256", None, RSA_ISS, &key.rsa, PS256, "wrong-algorithm"),
        ("RS512 where RS256 is", "RS512", None, RSA_ISS, &key.rsa, RS512, "wrong-algorithm"),
        ("RS256 by PS256", "RS256", None, RSA_ISS, &key.rsa, PS256, "bad-signature"),
        ("RS256 by RS384", "RS256", Some("rsa-1"), SET_ISS, &key.rsa, RS384, "bad-signature"),
        ("ES384 for P-256", "ES384", Some("p256"), SET_ISS, &key.p384, ES384, "wrong-algorithm"),
        ("ES256 for P-384", "ES256", Some("p384"), SET_ISS, &key.p256, ES256, "wrong-algorithm"),
        ("EdDSA for P-256", "EdDSA", Some("p256"), SET_ISS, &key.ed25519, EdDSA, "wrong-algorithm"),
        ("RS256 for Ed25519", "RS256", Some("ed-1"), SET_ISS, &key.rsa, RS256, "wrong-algorithm"),
        ("ES256 by P-384", "ES256", Some("p256"), SET_ISS, &key.p384, ES384, "bad-signature"),
        ("PS256 in a set", "PS256", None, SET_ISS, &key.rsa, PS256, "wrong-algorithm"),
        ("another RSA key", "RS256", None, RSA_ISS, &key.rsa_other, RS256, "bad-signature"),
        (
            "another key, kid",
            "RS256",
            Some("rsa-1"),
            SET_ISS,
            &key.rsa_other,
            RS256,
            "bad-signature",
        ),
        ("a secret's token for RSA", "HS256", None, RSA_ISS, &key.secret, HS256, "wrong-algorithm"),
    ] {
        let forged = token(&json!({"alg": alg, "kid": kid}), &claims(iss), signer, signed_as);
        cases.push(case(what, forged, reason));
    }
    let other = EncodingKey::from_secret(SECRET.replace("test", "best").as_bytes());
    let forged = token(&json!({"alg": "HS256"}), &claims(SECRET_ISS), &other, HS256);
    cases.push(case("another secret", forged, "bad-signature"));
    cases
}

pub(super) fn signatures() -> Vec<Case> {
    let key = Signers::new();
    let good = by_secret(&claims(SECRET_ISS));
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, body) = message.split_once('.').unwrap();
    let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[31] ^= 1;
    let richer = part(&with(claims(SECRET_ISS), "roles", json!(["admin"])));
    let mut cases = Vec::new();
    for (what, forged, reason) in [
        ("no signature", format!("{message}."), "bad-signature"),
        ("a short signature", format!("{message}.{}", &signature[..40]), "bad-signature"),
        ("a long signature", format!("{message}.{signature}AAAA"), "bad-signature"),
        (
            "a flipped bit",
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(&flipped)),
            "bad-signature",
        ),
        ("more roles", format!("{header}.{richer}.{signature}"), "bad-signature"),
        (
            "another header",
            format!("{}.{body}.{signature}", part(&json!({"alg":"HS256","x":1}))),
            "bad-signature",
        ),
        ("a padded signature", format!("{message}.{signature}="), "malformed-credential"),
        (
            "a signature that is not base64url",
            format!("{message}.{}+", &signature[..40]),
            "malformed-credential",
        ),
        ("signature bits that count for nothing", non_canonical(&good), "malformed-credential"),
    ] {
        cases.push(case(what, forged, reason));
    }
    for (alg, kid, bytes, byte) in [
        ("ES256", "p256", 64, 0),
        ("ES256", "p256", 64, 0xff),
        ("ES384", "p384", 96, 0),
        ("EdDSA", "ed-1", 64, 0),
        ("RS256", "rsa-1", 256, 0),
        ("RS256", "rsa-1", 256, 1),
        ("ES256", "p256", 0, 0),
    ] {
        let message =
            format!("{}.{}", part(&json!({"alg": alg, "kid": kid})), part(&claims(SET_ISS)));
        let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(vec![byte; bytes]));
        cases.push(case(format!("{alg}, {bytes} bytes of {byte}"), forged, "bad-signature"));
    }
    let ec = token(&json!({"alg": "ES256"}), &claims(SET_ISS), &key.p256, Algorithm::ES256);
    let (message, signature) = ec.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let der = URL_SAFE_NO_PAD.encode(der_signature(&raw));
    cases.push(case("an ECDSA signature as DER", format!("{message}.{der}"), "bad-signature"));
    cases
}

/// The same signature, spelt with a last character whose unused bits are set.
fn non_canonical(token: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (start, last) = token.split_at(token.len() - 1);
    let at = ALPHABET.find(last).unwrap();
    format!("{start}{}", &ALPHABET[at + 1..at + 2])
}

fn der_signature(raw: &[u8]) -> Vec<u8> {
    let mut integers = Vec::new();
    for half in raw.chunks(32) {
        integers.extend([0x02, 33, 0]);
        integers.extend(half);
    }
    [&[0x30, u8::try_from(integers.len()).unwrap()], integers.as_slice()].concat()
}
