//! Why authentication cannot be set up: which file or setting, what is wrong, how to mend it.
//!
//! Invariant: no secret, key or token is part of a message, even one at the wrong place.

use std::io;
use std::path::PathBuf;

use super::settings::{Algorithm, MAX_LEEWAY};
use super::{jwks, jwt, token_file};

/// Stops the start, or leaves the old authentication in force on a reload.
#[derive(Debug, thiserror::Error)]
pub enum AuthSetupError {
    /// Two issuers of one name.
    #[error("two JWT issuers are named `{0}`; give each its own name")]
    DuplicateIssuer(String),
    /// More than [`super::MAX_ISSUERS`].
    #[error("{0} JWT issuers are configured, at most {max} are allowed", max = jwt::MAX_ISSUERS)]
    TooManyIssuers(usize),
    /// More than [`MAX_LEEWAY`].
    #[error(
        "JWT issuer `{issuer}`: a leeway of {seconds} s forgives too much; at most {max} s are allowed",
        max = MAX_LEEWAY.as_secs()
    )]
    LeewayTooLong {
        /// Name of the issuer.
        issuer: String,
        /// What is configured.
        seconds: u64,
    },
    /// A claim is not given as an RFC 6901 pointer.
    #[error(
        "JWT issuer `{issuer}`: the claim `{pointer}` is not a JSON pointer; write it like `/sub` \
         or `/realm_access/roles`"
    )]
    BadClaimPointer {
        /// Name of the issuer.
        issuer: String,
        /// What is configured.
        pointer: String,
    },
    /// A header of proxies has a name that no header has.
    #[error("`{0}` is not the name of a header; write it like `X-Forwarded-User`")]
    BadHeaderName(String),
    /// The key of an issuer cannot be used.
    #[error("JWT issuer `{issuer}`: {origin} {problem}")]
    Key {
        /// Name of the issuer.
        issuer: String,
        /// Which file or setting.
        origin: String,
        /// What is wrong with it.
        problem: KeyProblem,
    },
    /// The file of static tokens cannot be used.
    #[error("token file {path}{at}: {problem}", path = path.display(), at = at_line(*line))]
    TokenFile {
        /// Which file.
        path: PathBuf,
        /// Where in it, from 1.
        line: Option<usize>,
        /// What is wrong there.
        problem: TokenFileProblem,
    },
}

fn at_line(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

/// What is wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyProblem {
    /// The file cannot be opened or read.
    #[error("cannot be read ({0}); give a file that the gateway may read")]
    Unreadable(io::Error),
    /// A PEM or a secret of more than [`super::MAX_KEY_FILE_BYTES`], or a key set of more than
    /// [`super::MAX_JWKS_BYTES`].
    #[error("is larger than {limit} bytes, so it is not what it should be; check the path")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// No byte of secret.
    #[error("is empty; make a secret with `openssl rand -base64 48`")]
    EmptySecret,
    /// RFC 7518 section 3.2: at least as long as the hash.
    #[error(
        "has {bytes} bytes, but {algorithm:?} needs a secret of at least {needed} (RFC 7518); make \
         one with `openssl rand -base64 {needed}`"
    )]
    ShortSecret {
        /// Its length.
        bytes: usize,
        /// Least length.
        needed: usize,
        /// For which algorithm.
        algorithm: Algorithm,
    },
    /// Whoever knows a public key that serves as a secret can sign.
    #[error("holds a PEM key, not a secret; configure it as a public key instead")]
    SecretIsPem,
    /// No PEM block, or one that is damaged.
    #[error(
        "is not a public key in PEM form (`-----BEGIN PUBLIC KEY-----`); for a JSON key set \
         configure a JWKS file, for a shared secret a secret file"
    )]
    NotPem,
    /// A PEM file with several blocks.
    #[error("holds {0} PEM blocks, one is allowed; for several keys use a JWKS file")]
    SeveralPemBlocks(usize),
    /// A private key has no business in a gateway that only verifies.
    #[error(
        "holds a private key, and the gateway must not have it; give the public key only \
         (`openssl pkey -in private.pem -pubout`)"
    )]
    PrivateKey,
    /// A certificate instead of a key.
    #[error("holds a certificate; take its key with `openssl x509 -in cert.pem -pubkey -noout`")]
    Certificate,
    /// Not a kind of key that can be used.
    #[error("holds a kind of key that is not supported; use RSA, EC P-256 or P-384, or Ed25519")]
    UnsupportedKey,
    /// RSA of fewer than 2,048 bits, more than 8,192, or a public exponent that is even or 1.
    #[error("holds an RSA key that is not safe; use 2048 to 8192 bits and the exponent 65537")]
    UnsafeRsa,
    /// Damaged key material.
    #[error("holds a key that is damaged: {0}")]
    Damaged(&'static str),
    /// `algorithms` has one that the key cannot serve.
    #[error("holds a key that cannot be used with {algorithm:?}; it can be with {possible:?}")]
    AlgorithmNotForKey {
        /// The configured one.
        algorithm: Algorithm,
        /// What the key is for.
        possible: Vec<Algorithm>,
    },
    /// `algorithms` is an empty list.
    #[error("can never be used: the list of algorithms is empty; leave it out for the default")]
    NoAlgorithm,
    /// Not JSON, or not the JSON of a key set.
    #[error("is not a JSON Web Key set (`{{\"keys\": [...]}}`) at line {line}, column {column}")]
    NotJwks {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A key of a set is wrong.
    #[error("has a problem in its key number {number}: it {problem}")]
    Jwk {
        /// From 1.
        number: usize,
        /// What is wrong with it.
        problem: Box<KeyProblem>,
    },
    /// Two keys with one `kid`, of which one would be hidden.
    #[error("has two keys with the kid `{0}`; each needs its own")]
    DuplicateKid(String),
    /// More than [`super::MAX_KEYS`].
    #[error("has {0} keys, at most {max} are allowed", max = jwks::MAX_KEYS)]
    TooManyKeys(usize),
    /// Nothing in the set can verify a token.
    #[error(
        "has no key to verify signatures with: {skipped} are for encryption, of an unsupported \
         kind, or for an algorithm that is not configured"
    )]
    NoUsableKey {
        /// How many there are.
        skipped: usize,
    },
}

/// What is wrong with a file of static tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileProblem {
    /// The file cannot be opened or read.
    #[error("cannot be read ({0}); give a file that the gateway may read")]
    Unreadable(io::Error),
    /// More than [`token_file::MAX_FILE_BYTES`].
    #[error("larger than {max} bytes; check the path", max = token_file::MAX_FILE_BYTES)]
    TooLarge,
    /// More than [`token_file::MAX_TOKENS`].
    #[error("{0} tokens, at most {max} are allowed", max = token_file::MAX_TOKENS)]
    TooManyTokens(usize),
    /// Not TOML.
    #[error("not valid TOML: {0}")]
    Syntax(String),
    /// A key that means nothing here.
    #[error("unknown key `{key}`; known here: {known}")]
    UnknownKey {
        /// As written.
        key: String,
        /// What may stand there.
        known: String,
    },
    /// A value of the wrong type.
    #[error("`{key}` must be {expected}")]
    WrongType {
        /// Which key.
        key: &'static str,
        /// What may stand there.
        expected: &'static str,
    },
    /// A key that every token needs.
    #[error("a token needs the key `{0}`")]
    MissingKey(&'static str),
    /// Not `sha256:` and 64 hexadecimal digits.
    #[error(
        "`hash` must be `sha256:` and 64 hexadecimal digits; `sporegate token --static` makes an \
         entry, and the token itself does not belong into this file"
    )]
    BadHash,
    /// The same token twice.
    #[error("the same hash as on line {first}; each token may stand here once")]
    DuplicateHash {
        /// Line of the other one.
        first: usize,
    },
    /// User name or roles break the rules.
    #[error("{0}")]
    BadPrincipal(#[from] crate::principal::PrincipalError),
}
