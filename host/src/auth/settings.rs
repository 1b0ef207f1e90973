//! What authentication can be told to do: plain values, with no file read yet.

use std::path::PathBuf;
use std::time::Duration;

pub use jsonwebtoken::Algorithm;

use super::secret::Secret;
use crate::config::Networks;

/// Everything [`super::Authenticator::new`] needs. The default admits nobody.
#[derive(Debug, Clone, Default)]
pub struct AuthSettings {
    /// Who may issue JWTs, at most [`super::MAX_ISSUERS`], asked in this order.
    pub jwt: Vec<JwtSettings>,
    /// Static tokens, see [`super::token_file`].
    pub token_file: Option<PathBuf>,
    /// Whether a token may come as `?access_token=`. Off by default, because addresses end in
    /// the logs of proxies and in browser histories (RFC 6750 section 2.3).
    pub access_token_query: bool,
    /// The cookie in which a token may come; `None`: in none. It counts only for pages whose origin
    /// was checked: see [`super::Sender`].
    pub cookie: Option<String>,
    /// Proxies whose headers name user and roles.
    pub proxy: Option<ProxySettings>,
    /// Whether clients without credentials are admitted everywhere.
    pub insecure: bool,
}

/// Proxies in front of the gateway that authenticate clients themselves.
#[derive(Debug, Clone)]
pub struct ProxySettings {
    /// TCP peers whose headers are believed. They must replace what clients send in them.
    pub proxies: Networks,
    /// Header with the user name.
    pub user_header: String,
    /// Header with the roles; it may be absent.
    pub roles_header: String,
    /// What stands between roles.
    pub roles_separator: char,
}

/// One issuer of JWTs.
#[derive(Debug, Clone)]
pub struct JwtSettings {
    /// Name for logs, and of the principals' authenticator. Unique.
    pub name: String,
    /// What its tokens are verified with.
    pub key: KeySource,
    /// Which algorithms may be used. `None`: the one that the key declares (JWK `alg`), else
    /// HS256, RS256, ES256, ES384 or EdDSA by the kind of key.
    pub algorithms: Option<Vec<Algorithm>>,
    /// The `iss` that tokens must have. `None`: `iss` is not looked at.
    pub issuer: Option<String>,
    /// A token must name one of these in `aud`. Empty: tokens must have no `aud` at all, because
    /// one that is meant for somebody else must be refused (RFC 7519 section 4.1.3).
    pub audience: Vec<String>,
    /// Clock difference to forgive for `exp`, `nbf` and `iat`, in whole seconds; at most
    /// [`MAX_LEEWAY`].
    pub leeway: Duration,
    /// JSON pointer (RFC 6901) to the user name, a string.
    pub username_claim: String,
    /// JSON pointer to the roles: an array of strings, or one string with spaces between.
    pub roles_claim: String,
}

/// Largest leeway that may be configured.
pub const MAX_LEEWAY: Duration = Duration::from_secs(60);

/// Leeway where nothing is configured.
pub const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);

/// Where a verification key comes from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// HMAC secret: the bytes of this file, less one line end at the end.
    SecretFile(PathBuf),
    /// HMAC secret.
    Secret(Secret),
    /// One public key: RSA (2,048 to 8,192 bits), EC P-256 or P-384, or Ed25519.
    PublicKeyPem(PathBuf),
    /// JSON Web Key set (RFC 7517) of at most 1 MiB.
    JwksFile(PathBuf),
}

impl JwtSettings {
    /// An issuer with the defaults: no `iss` and no `aud`, 30 s leeway, `/sub` and `/roles`.
    pub fn new(name: impl Into<String>, key: KeySource) -> Self {
        Self {
            name: name.into(),
            key,
            algorithms: None,
            issuer: None,
            audience: Vec::new(),
            leeway: DEFAULT_LEEWAY,
            username_claim: "/sub".to_owned(),
            roles_claim: "/roles".to_owned(),
        }
    }
}
