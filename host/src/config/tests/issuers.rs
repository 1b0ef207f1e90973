//! Issuers of tokens.

use super::*;

#[test]
fn issuers_are_read_with_their_defaults() {
    let config = load(
        "[auth]
        access_token_query = true
        [[auth.jwt]]
        name = \"main\"
        public_key = \"k.pem\"
        algorithms = [\"ES256\", \"EdDSA\"]
        issuer = \"https://i\"
        audience = \"gate\"
        leeway = \"0s\"
        username_claim = \"/a~1b/~0c\"
        roles_claim = \"/realm/roles\"
        [[auth.jwt]]
        name = \"dev\"
        secret_env = \"DEV_SECRET\"
        audience = [\"a\", \"b\"]
        ",
    )
    .unwrap();
    assert_eq!(
        config.auth.jwt,
        [
            JwtConfig {
                name: "main".to_owned(),
                key: JwtKey::PublicKey("conf/k.pem".into()),
                algorithms: Some(vec![JwtAlgorithm::Es256, JwtAlgorithm::EdDsa]),
                issuer: Some("https://i".to_owned()),
                audience: vec!["gate".to_owned()],
                leeway: Duration::ZERO,
                username_claim: "/a~1b/~0c".to_owned(),
                roles_claim: "/realm/roles".to_owned(),
            },
            JwtConfig {
                name: "dev".to_owned(),
                key: JwtKey::SecretEnv("DEV_SECRET".to_owned()),
                algorithms: None,
                issuer: None,
                audience: vec!["a".to_owned(), "b".to_owned()],
                leeway: Duration::from_secs(30),
                username_claim: "/sub".to_owned(),
                roles_claim: "/roles".to_owned(),
            },
        ]
    );
    assert_eq!(JwtAlgorithm::EdDsa.as_str(), "EdDSA");
}

#[test]
fn a_mistake_in_an_issuer_is_told_without_its_values() {
    let entry = |rest: &str| format!("[[auth.jwt]]\nname = \"a\"\n{rest}");
    for (text, error) in [
        (
            "[[auth.jwt]]\njwks = \"a\"".to_owned(),
            "1:1: `name` is missing in [auth.jwt]; give the issuer a name for logs: name = \"main\"",
        ),
        (
            entry(""),
            "1:1: `secret_file` is missing in [auth.jwt]; give it one of secret_file, secret_env, \
             public_key or jwks",
        ),
        (
            entry("secret_env = \"A\"\njwks = \"a\""),
            "3:14: secret_file, secret_env, public_key and jwks exclude each other; keep one, and \
             make an [[auth.jwt]] of its own for another key",
        ),
        (
            entry("secret_env = \"canary canary\""),
            "3:14: `auth.jwt.secret_env`: it must be the name of a variable that holds the \
             secret, of letters, digits and `_`, not the secret itself",
        ),
        (
            entry("secret = \"canary\"\njwks = \"a\""),
            "3:1: unknown key `secret` in [auth.jwt]; known here: name, secret_file, secret_env, \
             public_key, jwks, algorithms, issuer, audience, leeway, username_claim, roles_claim",
        ),
        (
            entry("jwks = \"a\"\nleeway = \"61s\""),
            "4:10: `auth.jwt.leeway` is 61s; it must be from 0s to 1m",
        ),
        (
            entry("jwks = \"a\"\nleeway = \"1500ms\""),
            "4:10: `auth.jwt.leeway`: it must be a whole number of seconds",
        ),
        (
            entry("jwks = \"a\"\nusername_claim = \"sub\""),
            "4:18: `auth.jwt.username_claim` cannot be `sub`: a JSON pointer starts with `/`, as \
             in `/sub`",
        ),
        (
            entry("jwks = \"a\"\nroles_claim = \"/a~b\""),
            "4:15: `auth.jwt.roles_claim` cannot be `/a~b`: in a JSON pointer `~` is written \
             `~0`, `/` `~1`",
        ),
        (
            entry("jwks = \"a\"\naudience = 1"),
            "4:12: `auth.jwt.audience` must be a string or a list of strings, not an integer",
        ),
        (
            entry("jwks = \"a\"\nalgorithms = [\"ES265\"]"),
            "4:15: `auth.jwt.algorithms` cannot be `ES265`: did you mean `ES256`?",
        ),
        (
            entry("jwks = \"a\"\nalgorithms = [\"none\"]"),
            "4:15: `auth.jwt.algorithms` cannot be `none`: known here: HS256, HS384, HS512, \
             RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA",
        ),
        (
            entry("jwks = \"a\"\nalgorithms = []"),
            "4:14: `auth.jwt.algorithms`: it must name at least one; leave it out for those of \
             the key",
        ),
        (
            entry("public_key = \"a\"\nalgorithms = [\"ES256\", \"HS256\"]"),
            "4:14: `auth.jwt.algorithms`: HS256, HS384 and HS512 need a secret, not a public key",
        ),
        (
            entry("secret_file = \"a\"\nalgorithms = [\"RS256\"]"),
            "4:14: `auth.jwt.algorithms`: a secret allows HS256, HS384 and HS512 only",
        ),
        (
            "[[auth.jwt]]\nname = \"A b\"\njwks = \"a\"".to_owned(),
            "2:8: `auth.jwt.name` cannot be `A b`: it must be 1 to 64 of a-z, 0-9, `_` and `-`, \
             and start with a letter or digit",
        ),
        (
            entry(&format!("jwks = \"a\"\n{}", entry("jwks = \"b\""))),
            "5:8: `auth.jwt.name`: another [[auth.jwt]] has this name; names must differ",
        ),
    ] {
        let given = refused(&text);
        assert_eq!(given, format!("conf/sporegate.toml:{error}"), "{text}");
        assert!(!given.contains("canary"));
    }
}
