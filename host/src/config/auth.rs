//! How clients prove who they are. Names where secrets are kept, never a secret.

mod proxy;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use proxy::ProxyConfig;

use super::error::Place;
use super::module_name::is_plain_name;
use super::section::Section;
use super::value::{Fault, Raw, Value, Word, Written};

/// The `[auth]` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthConfig {
    /// File of static tokens.
    pub token_file: Option<PathBuf>,
    /// Whether a token may come as the query parameter `access_token`.
    pub access_token_query: bool,
    /// Name of a cookie that may hold a token; none: cookies are not looked at.
    pub cookie: Option<String>,
    /// Whether clients without credentials may connect everywhere.
    pub insecure: bool,
    /// Whether they may even where other machines can reach the gateway.
    pub insecure_public: bool,
    /// Proxies that name their clients' users.
    pub proxy: ProxyConfig,
    /// Issuers of JWTs, asked in this order; their names differ.
    pub jwt: Vec<JwtConfig>,
}

impl AuthConfig {
    /// Whether there is any credential that would be accepted.
    pub(super) fn knows_anybody(&self) -> bool {
        self.token_file.is_some() || !self.jwt.is_empty() || !self.proxy.addresses.is_empty()
    }
}

/// Most `[[auth.jwt]]` entries.
pub const MAX_JWT: usize = 16;

/// An `[[auth.jwt]]` entry: one issuer of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtConfig {
    /// Name for logs and counters.
    pub name: String,
    /// What tokens are verified with.
    pub key: JwtKey,
    /// Algorithms allowed, all of a family that fits the key; none: those that the key allows.
    pub algorithms: Option<Vec<JwtAlgorithm>>,
    /// Value that the claim `iss` must have.
    pub issuer: Option<String>,
    /// Values of which the claim `aud` must have one; empty: none is expected.
    pub audience: Vec<String>,
    /// Difference of clocks that is forgiven, whole seconds, at most 60.
    pub leeway: Duration,
    /// JSON pointer to the user name in the claims.
    pub username_claim: String,
    /// JSON pointer to the roles in the claims.
    pub roles_claim: String,
}

/// Where a verification key is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwtKey {
    /// File with an HMAC secret.
    SecretFile(PathBuf),
    /// Environment variable with an HMAC secret.
    SecretEnv(String),
    /// PEM file with a public key.
    PublicKey(PathBuf),
    /// File with a JSON Web Key set.
    Jwks(PathBuf),
}

/// A signature algorithm of RFC 7518 or RFC 8037.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the RFCs")]
pub enum JwtAlgorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl JwtAlgorithm {
    /// The value of `alg` in a token's header.
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }

    /// Verified with a shared secret.
    pub fn is_hmac(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
}

impl Word for JwtAlgorithm {
    const CHOICE: &'static str = "the name of an algorithm, such as \"ES256\"";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("HS256", Self::Hs256),
        ("HS384", Self::Hs384),
        ("HS512", Self::Hs512),
        ("RS256", Self::Rs256),
        ("RS384", Self::Rs384),
        ("RS512", Self::Rs512),
        ("PS256", Self::Ps256),
        ("PS384", Self::Ps384),
        ("PS512", Self::Ps512),
        ("ES256", Self::Es256),
        ("ES384", Self::Es384),
        ("EdDSA", Self::EdDsa),
    ];
}

/// `listen` is where the gateway can be reached.
pub(super) fn read(auth: &mut Section<'_, '_>, listen: IpAddr) -> AuthConfig {
    let token_file = auth.optional("token_file", "none");
    let access_token_query = auth.read("access_token_query", false);
    let cookie = auth.optional("cookie", "none").map(|CookieName(name)| name);
    let insecure = auth.read("insecure", false);
    let insecure_public = auth.read("insecure_public", false);
    if insecure && !insecure_public && !listen.to_canonical().is_loopback() {
        auth.conflict(
            &["insecure"],
            format!(
                "`auth.insecure` admits everybody, and `listen` ({listen}) can be reached from \
                 other machines; listen on 127.0.0.1, or set `auth.insecure_public` = true as \
                 well if everybody out there shall be admitted"
            ),
        );
    }
    let proxy = auth.section("proxy", proxy::read);
    let mut names: Vec<String> = Vec::new();
    let jwt = auth.tables("jwt", MAX_JWT, |entry| {
        let jwt = read_jwt(entry)?;
        if names.contains(&jwt.name) {
            entry.bad("name", "another [[auth.jwt]] has this name; names must differ");
        }
        names.push(jwt.name.clone());
        Some(jwt)
    });
    let jwt = jwt.into_iter().flatten().collect();
    AuthConfig { token_file, access_token_query, cookie, insecure, insecure_public, proxy, jwt }
}

fn read_jwt(entry: &mut Section<'_, '_>) -> Option<JwtConfig> {
    let name = entry.required("name", "give the issuer a name for logs: name = \"main\"");
    let key = read_key(entry);
    let algorithms: Option<Vec<JwtAlgorithm>> = entry.optional("algorithms", "those of the key");
    if let (Some(key), Some(algorithms)) = (&key, &algorithms) {
        check_algorithms(entry, key, algorithms);
    }
    let issuer = entry.optional("issuer", "none");
    let audience: Option<Audience> = entry.optional("audience", "none");
    let (least, most) = (Duration::ZERO, Duration::from_secs(60));
    let leeway = entry.read_in("leeway", Duration::from_secs(30), least..=most);
    if leeway.subsec_millis() != 0 {
        entry.bad("leeway", "it must be a whole number of seconds");
    }
    let username_claim = entry.read("username_claim", Pointer("/sub".to_owned())).0;
    let roles_claim = entry.read("roles_claim", Pointer("/roles".to_owned())).0;
    let name = name.map(|Name(name)| name);
    let audience = audience.map_or_else(Vec::new, |audience| audience.0);
    let (name, key) = (name?, key?);
    Some(JwtConfig { name, key, algorithms, issuer, audience, leeway, username_claim, roles_claim })
}

const KEYS: [&str; 4] = ["secret_file", "secret_env", "public_key", "jwks"];

fn read_key(entry: &mut Section<'_, '_>) -> Option<JwtKey> {
    let [secret_file, secret_env, public_key, jwks] = KEYS;
    let keys = [
        entry.optional(secret_file, "none").map(JwtKey::SecretFile),
        entry.optional(secret_env, "none").map(|VariableName(name)| JwtKey::SecretEnv(name)),
        entry.optional(public_key, "none").map(JwtKey::PublicKey),
        entry.optional(jwks, "none").map(JwtKey::Jwks),
    ];
    let given: Vec<&Place> = KEYS.iter().filter_map(|key| entry.place_of(key)).collect();
    match given.as_slice() {
        [_] => {}
        [] => entry
            .missing("secret_file", "give it one of secret_file, secret_env, public_key or jwks"),
        [..] => entry.conflict(
            &KEYS,
            "secret_file, secret_env, public_key and jwks exclude each other; keep one, and make \
             an [[auth.jwt]] of its own for another key",
        ),
    }
    let key = keys.into_iter().flatten().next();
    if let Some(JwtKey::SecretEnv(name)) = &key {
        entry.foreign_variable(name);
    }
    key
}

/// A token's header must not choose what the key is taken for (RFC 8725 section 3.1).
fn check_algorithms(entry: &mut Section<'_, '_>, key: &JwtKey, algorithms: &[JwtAlgorithm]) {
    let secret = matches!(key, JwtKey::SecretFile(_) | JwtKey::SecretEnv(_));
    match algorithms {
        [] => {
            entry.bad("algorithms", "it must name at least one; leave it out for those of the key")
        }
        _ if secret && !algorithms.iter().all(|algorithm| algorithm.is_hmac()) => {
            entry.bad("algorithms", "a secret allows HS256, HS384 and HS512 only");
        }
        _ if !secret && algorithms.iter().any(|algorithm| algorithm.is_hmac()) => {
            entry.bad("algorithms", "HS256, HS384 and HS512 need a secret, not a public key");
        }
        _ => {}
    }
}

/// Name of an issuer.
struct Name(String);

impl Value for Name {
    const EXPECTED: &'static str = "a name, as a string";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        if !is_plain_name(text) {
            return Err(Fault::refuse(
                text,
                "it must be 1 to 64 of a-z, 0-9, `_` and `-`, and start with a letter or digit",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    fn text(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

/// Name of a cookie (RFC 6265 section 4.1.1).
struct CookieName(String);

impl Value for CookieName {
    const EXPECTED: &'static str = "the name of a cookie, as a string";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        if !proxy::is_token(text) {
            return Err(Fault::refuse(text, "it must be the name of a cookie, as in `session`"));
        }
        Ok(Self(text.to_owned()))
    }

    fn text(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

/// Name of a variable. Not repeated in errors: it may be the secret itself, put in the wrong place.
struct VariableName(String);

impl Value for VariableName {
    const EXPECTED: &'static str = "the name of an environment variable";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if !first || !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(Fault::bad(
                "it must be the name of a variable that holds the secret, of letters, digits and \
                 `_`, not the secret itself",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    fn text(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

/// One string, or a list of them.
struct Audience(Vec<String>);

impl Value for Audience {
    const EXPECTED: &'static str = "a string or a list of strings";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        match raw.written {
            Written::Toml(toml::de::DeValue::String(_)) => Ok(Self(vec![String::read(raw)?])),
            Written::Toml(toml::de::DeValue::Array(_)) | Written::Text(_) => {
                Vec::read(raw).map(Self)
            }
            Written::Toml(_) => Err(raw.wrong_type(Self::EXPECTED)),
        }
    }

    fn text(&self) -> String {
        self.0.text()
    }
}

/// A JSON pointer to a claim (RFC 6901), not to the whole.
struct Pointer(String);

impl Value for Pointer {
    const EXPECTED: &'static str = "a JSON pointer such as \"/sub\"";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        raw.string(Self::EXPECTED)?;
        let text = String::read(raw)?;
        if !text.starts_with('/') {
            return Err(Fault::refuse(&text, "a JSON pointer starts with `/`, as in `/sub`"));
        }
        if text.split('~').skip(1).any(|after| !after.starts_with(['0', '1'])) {
            return Err(Fault::refuse(&text, "in a JSON pointer `~` is written `~0`, `/` `~1`"));
        }
        Ok(Self(text))
    }

    fn text(&self) -> String {
        format!("\"{}\"", self.0)
    }
}
