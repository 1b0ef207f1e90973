//! Wrong algorithms, keys used for what they are not for, and signatures that are none.

use super::*;

use Algorithm::{ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, RS256, RS384};

pub(super) fn algorithms() -> Vec<Forged> {
    let secret = Signers::new().secret;
    let body = part(&claims(SECRET_ISS));
    let mut forged = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "HS1", "ES512", "ES256K"] {
        let header = json!({"alg": alg});
        forged.push((format!("{alg:?}, no signature"), format!("{}.{body}.", part(&header))));
        let signed = forge(&header, &claims(SECRET_ISS), &secret, HS256);
        forged.push((format!("{alg:?}, signed"), signed));
    }
    for alg in [json!(null), json!(256), json!(["HS256"]), json!({"HS256": 1})] {
        let token = forge(&json!({"alg": alg}), &claims(SECRET_ISS), &secret, HS256);
        forged.push((format!("alg {alg}"), token));
    }
    for header in
        [r#"{"typ":"JWT"}"#, r#"{"alg":"HS256","alg":"none"}"#, r#"{"alg":"none","alg":"HS256"}"#]
    {
        let message = format!("{}.{body}", URL_SAFE_NO_PAD.encode(header));
        forged.push((header.to_owned(), signed(&message, &secret, HS256)));
    }
    forged
}

pub(super) fn confused() -> Vec<Forged> {
    let key = Signers::new();
    let public = String::from_utf8(pem("rsa-public.pem")).unwrap();
    let der: String = public.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(der).unwrap();
    let set: Value = serde_json::from_slice(&pem("jwks.json")).unwrap();
    let modulus = set["keys"][0]["n"].as_str().unwrap();
    let mut forged = Vec::new();
    // Whoever has the public key has these "secrets".
    let public_keys: [(&str, &[u8]); 7] = [
        ("the PEM", public.as_bytes()),
        ("the PEM, trimmed", public.trim_end().as_bytes()),
        ("the PEM with CRLF", &public.replace('\n', "\r\n").into_bytes()),
        ("the DER", &der),
        ("the modulus", &URL_SAFE_NO_PAD.decode(modulus).unwrap()),
        ("the modulus as text", modulus.as_bytes()),
        ("nothing", b""),
    ];
    for (what, bytes) in public_keys {
        let secret = EncodingKey::from_secret(bytes);
        for (alg, algorithm) in [("HS256", HS256), ("HS384", HS384), ("HS512", HS512)] {
            for (iss, kid) in [(RSA_ISS, None), (SET_ISS, Some("rsa-1"))] {
                let header = json!({"alg": alg, "kid": kid});
                let token = forge(&header, &claims(iss), &secret, algorithm);
                forged.push((format!("{alg} by {what} for {iss}"), token));
            }
        }
    }
    for (what, alg, kid, iss, signer, algorithm) in [
        ("RS256 for a secret", "RS256", None, SECRET_ISS, &key.rsa, RS256),
        ("RS256 by HMAC", "RS256", None, RSA_ISS, &key.secret, HS256),
        ("HS512 where HS256 is", "HS512", None, SECRET_ISS, &key.secret, HS512),
        ("HS256 by HS512", "HS256", None, SECRET_ISS, &key.secret, HS512),
        ("PS256 where RS256 is", "PS256", None, RSA_ISS, &key.rsa, PS256),
        ("RS256 by PS256", "RS256", None, RSA_ISS, &key.rsa, PS256),
        ("RS384 where RS256 is", "RS384", Some("rsa-1"), SET_ISS, &key.rsa, RS384),
        ("ES384 for P-256", "ES384", Some("p256"), SET_ISS, &key.p384, ES384),
        ("ES256 for P-384", "ES256", Some("p384"), SET_ISS, &key.p256, ES256),
        ("ES256 by P-384", "ES256", Some("p256"), SET_ISS, &key.p384, ES384),
        ("EdDSA for P-256", "EdDSA", Some("p256"), SET_ISS, &key.ed25519, EdDSA),
        ("RS256 for Ed25519", "RS256", Some("ed-1"), SET_ISS, &key.rsa, RS256),
        ("the id of another key", "RS256", Some("p256"), SET_ISS, &key.rsa, RS256),
        ("a stranger's key", "RS256", None, RSA_ISS, &key.rsa_other, RS256),
        ("a stranger's key with an id", "RS256", Some("rsa-1"), SET_ISS, &key.rsa_other, RS256),
        ("another issuer's secret", "HS256", None, RSA_ISS, &key.secret, HS256),
        ("another issuer's P-256", "ES256", Some("p256"), RSA_ISS, &key.p256, ES256),
        ("another issuer's Ed25519", "EdDSA", Some("ed-1"), SECRET_ISS, &key.ed25519, EdDSA),
    ] {
        let token = forge(&json!({"alg": alg, "kid": kid}), &claims(iss), signer, algorithm);
        forged.push((what.to_owned(), token));
    }
    let close = EncodingKey::from_secret(SECRET.replace("the", "The").as_bytes());
    let token = forge(&json!({"alg": "HS256"}), &claims(SECRET_ISS), &close, HS256);
    forged.push(("another secret".to_owned(), token));
    forged
}

pub(super) fn signatures() -> Vec<Forged> {
    let key = Signers::new();
    let mut forged = Vec::new();
    for (alg, kid, bytes, byte) in [
        ("ES256", "p256", 64, 0),
        ("ES256", "p256", 64, 0xff),
        ("ES256", "p256", 0, 0),
        ("ES384", "p384", 96, 0),
        ("EdDSA", "ed-1", 64, 0),
        ("RS256", "rsa-1", 256, 0),
        ("RS256", "rsa-1", 256, 1),
    ] {
        let header = json!({"alg": alg, "kid": kid});
        let signature = URL_SAFE_NO_PAD.encode(vec![byte; bytes]);
        let token = format!("{}.{}.{signature}", part(&header), part(&claims(SET_ISS)));
        forged.push((format!("{alg}, {bytes} bytes of {byte}"), token));
    }
    let header = json!({"alg": "ES256", "kid": "p256"});
    let token = forge(&header, &claims(SET_ISS), &key.p256, ES256);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let integer = |half: &[u8]| [&[2, 33, 0], half].concat();
    let der = [&[0x30, 70][..], &integer(&raw[..32]), &integer(&raw[32..])].concat();
    let der = format!("{message}.{}", URL_SAFE_NO_PAD.encode(der));
    forged.push(("an ECDSA signature as DER".to_owned(), der));
    let long = format!("{message}.{}", URL_SAFE_NO_PAD.encode([&raw[..], &[0]].concat()));
    forged.push(("an ECDSA signature and a byte".to_owned(), long));
    forged
}
