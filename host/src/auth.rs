//! Authentication: from the headers of a request to a [`Principal`], or a refusal.
//!
//! Invariant: no token leaves this module, neither in an error, nor in `Debug`, nor in a log.

mod claims;
mod credentials;
pub mod dev_token;
mod error;
mod jwks;
mod jwt;
mod keys;
mod proxy;
mod secret;
mod settings;
mod setup_error;
pub mod subprotocol;
#[cfg(test)]
mod tests;
pub mod token_file;
mod token_file_toml;
mod unverified;

use std::fmt;
use std::net::IpAddr;

use hyper::header::HeaderMap;

pub use claims::MAX_EXP;
pub use credentials::MAX_TOKEN_BYTES;
pub use error::{AuthError, CHALLENGE};
pub use jwks::{MAX_JWKS_BYTES, MAX_KEYS};
pub use jwt::MAX_ISSUERS;
pub use keys::MAX_KEY_FILE_BYTES;
pub use proxy::{PROXY_AUTHENTICATOR, Vouched};
pub use secret::Secret;
pub use settings::{
    Algorithm, AuthSettings, DEFAULT_LEEWAY, JwtSettings, KeySource, MAX_LEEWAY, ProxySettings,
};
pub use setup_error::{AuthSetupError, KeyProblem, TokenFileProblem};

use crate::principal::Principal;
use credentials::{BearerToken, Places};
use jwt::Issuer;
use proxy::ProxyHeaders;
use token_file::TokenFile;

/// Knows all keys and tokens; made once, and anew for each reload.
pub struct Authenticator {
    issuers: Vec<Issuer>,
    tokens: Option<TokenFile>,
    access_token_query: bool,
    cookie: Option<String>,
    proxy: Option<ProxyHeaders>,
    insecure: bool,
}

/// What of a request may say who sent it.
#[derive(Clone, Copy)]
pub struct Presented<'r> {
    /// All headers.
    pub headers: &'r HeaderMap,
    /// The query, without `?`.
    pub query: Option<&'r str>,
    /// What [`Authenticator::take_vouched`] found.
    pub vouched: &'r Vouched,
    /// What it comes from.
    pub sender: Sender,
}

/// What a request comes from, by its `Origin`. A cookie, and what a proxy makes of one, goes with
/// the requests of every page that a browser shows, also of one that means harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// No page: it has no need of a cookie, so cookies do not count.
    Program,
    /// A page of the gateway's own origin or of one that is listed.
    OwnPage,
    /// Any other page: neither cookies nor proxies speak for its user.
    OtherPage,
}

impl Authenticator {
    /// Reads and checks all keys and tokens.
    ///
    /// # Errors
    /// The first thing that is wrong, for people to read: which file, what, and how to mend it.
    pub fn new(settings: AuthSettings) -> Result<Self, AuthSetupError> {
        let AuthSettings { jwt, token_file, access_token_query, cookie, proxy, insecure } =
            settings;
        if jwt.len() > jwt::MAX_ISSUERS {
            return Err(AuthSetupError::TooManyIssuers(jwt.len()));
        }
        let mut issuers: Vec<Issuer> = Vec::with_capacity(jwt.len());
        for settings in jwt {
            if issuers.iter().any(|issuer| issuer.name() == settings.name) {
                return Err(AuthSetupError::DuplicateIssuer(settings.name));
            }
            issuers.push(Issuer::new(settings)?);
        }
        let tokens = token_file.as_deref().map(TokenFile::load).transpose()?;
        let proxy = proxy.map(ProxyHeaders::new).transpose()?;
        Ok(Self { issuers, tokens, access_token_query, cookie, proxy, insecure })
    }

    /// Whether clients without credentials are admitted everywhere. To be shown wherever the state
    /// of the gateway is.
    pub fn is_insecure(&self) -> bool {
        self.insecure
    }

    /// Takes out of a request the headers that only a proxy may send, and keeps what they say if
    /// `peer`, the other end of the TCP connection, is one. To be called before anything else sees
    /// the headers.
    pub fn take_vouched(&self, headers: &mut HeaderMap, peer: IpAddr) -> Vouched {
        self.proxy.as_ref().map(|proxy| proxy.take(headers, peer)).unwrap_or_default()
    }

    /// Who sent a request.
    ///
    /// `None`: the request carries no credential. `Authorization` of another scheme than `Bearer`
    /// is none, neither is `access_token` in the query unless it is switched on, nor what does not
    /// count for the [`Sender`]. Wall-clock time decides about expiry. Takes one hash and at most one
    /// signature check per issuer.
    ///
    /// # Errors
    /// A credential that is wrong, also where anonymous clients are admitted.
    pub fn authenticate(&self, presented: Presented<'_>) -> Result<Option<Principal>, AuthError> {
        let Presented { headers, query, vouched, sender } = presented;
        let places = Places {
            query: query.filter(|_| self.access_token_query),
            cookie: self.cookie.as_deref().filter(|_| sender == Sender::OwnPage),
        };
        let token = credentials::find(headers, places)?;
        let named = match (&self.proxy, sender) {
            (Some(proxy), Sender::Program | Sender::OwnPage) => proxy.principal(vouched)?,
            (Some(_), Sender::OtherPage) | (None, _) => None,
        };
        match (token, named) {
            (None, named) => Ok(named),
            (Some(token), None) => self.verify(&token).map(Some),
            (Some(_), Some(_)) => Err(AuthError::SeveralCredentials),
        }
    }

    /// Static tokens may look like anything, also like a JWT.
    fn verify(&self, token: &BearerToken<'_>) -> Result<Principal, AuthError> {
        let token = token.expose();
        let unknown = match &self.tokens {
            Some(tokens) => match tokens.authenticate(token) {
                Err(AuthError::UnknownToken) => token.contains('.'),
                known => return known,
            },
            None => true,
        };
        if unknown && !self.issuers.is_empty() {
            jwt::authenticate(&self.issuers, token)
        } else {
            Err(AuthError::UnknownToken)
        }
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("issuers", &self.issuers.iter().map(Issuer::name).collect::<Vec<_>>())
            .field("token_file", &self.tokens.is_some())
            .field("access_token_query", &self.access_token_query)
            .field("cookie", &self.cookie)
            .field("proxy", &self.proxy.is_some())
            .field("insecure", &self.insecure)
            .finish()
    }
}
