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

use hyper::header::HeaderMap;

pub use claims::MAX_EXP;
pub use credentials::MAX_TOKEN_BYTES;
pub use error::{AuthError, CHALLENGE};
pub use jwks::{MAX_JWKS_BYTES, MAX_KEYS};
pub use jwt::MAX_ISSUERS;
pub use keys::MAX_KEY_FILE_BYTES;
pub use secret::Secret;
pub use settings::{Algorithm, AuthSettings, DEFAULT_LEEWAY, JwtSettings, KeySource, MAX_LEEWAY};
pub use setup_error::{AuthSetupError, KeyProblem, TokenFileProblem};

use crate::principal::Principal;
use credentials::BearerToken;
use jwt::Issuer;
use token_file::TokenFile;

/// Knows all keys and tokens; made once, and anew for each reload.
pub struct Authenticator {
    issuers: Vec<Issuer>,
    tokens: Option<TokenFile>,
    access_token_query: bool,
}

impl Authenticator {
    /// Reads and checks all keys and tokens.
    ///
    /// # Errors
    /// The first thing that is wrong, for people to read: which file, what, and how to mend it.
    pub fn new(settings: AuthSettings) -> Result<Self, AuthSetupError> {
        let AuthSettings { jwt, token_file, access_token_query } = settings;
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
        Ok(Self { issuers, tokens, access_token_query })
    }

    /// Who sent a request with these headers and this query (without `?`).
    ///
    /// `None`: the request carries no credential; `Authorization` of another scheme than `Bearer`
    /// is none, and neither is `access_token` in the query unless it is switched on. Wall-clock
    /// time decides about expiry. Takes one hash and at most one signature check per issuer.
    ///
    /// # Errors
    /// A credential that is wrong, also where anonymous clients are admitted.
    pub fn authenticate(
        &self,
        headers: &HeaderMap,
        query: Option<&str>,
    ) -> Result<Option<Principal>, AuthError> {
        let query = query.filter(|_| self.access_token_query);
        let token = credentials::find(headers, query)?;
        token.map(|token| self.verify(&token)).transpose()
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
            .finish()
    }
}
