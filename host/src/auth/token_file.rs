//! Static tokens for development and machines: a TOML file of users, roles and token hashes.
//!
//! Invariant: the gateway never has a token in store, only its SHA-256. A presented token is
//! hashed and compared with every entry, in a time that does not depend on which one fits.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::error::AuthError;
use super::secret::Secret;
use super::setup_error::AuthSetupError;
use super::token_file_toml;
use crate::principal::{NameProblem, Principal, check_name};

/// Largest file, in bytes.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Most tokens in a file. Each request compares with all of them: about 20 µs at this number.
pub const MAX_TOKENS: usize = 1000;

/// The name of this authenticator in principals.
pub const AUTHENTICATOR: &str = "token-file";

/// Before the hexadecimal digits of a hash.
pub(super) const HASH_PREFIX: &str = "sha256:";

/// The tokens of a file.
pub(super) struct TokenFile(Vec<StaticToken>);

/// One entry, checked.
pub(super) struct StaticToken {
    pub(super) hash: [u8; 32],
    pub(super) principal: Principal,
}

impl TokenFile {
    pub(super) fn load(path: &Path) -> Result<Self, AuthSetupError> {
        token_file_toml::load(path).map(Self).map_err(|(line, problem)| AuthSetupError::TokenFile {
            path: path.to_owned(),
            line,
            problem,
        })
    }

    pub(super) fn authenticate(&self, token: &str) -> Result<Principal, AuthError> {
        let principal = self.find(token).ok_or(AuthError::UnknownToken)?;
        if principal.expires_at().is_some_and(|end| end <= SystemTime::now()) {
            return Err(AuthError::Expired);
        }
        Ok(principal.clone())
    }

    fn find(&self, token: &str) -> Option<&Principal> {
        let hash = sha256(token);
        let mut found = u32::MAX;
        for (index, entry) in (0u32..).zip(&self.0) {
            let equal: Choice = entry.hash.ct_eq(&hash);
            found.conditional_assign(&index, equal);
        }
        let found = usize::try_from(found).ok()?;
        self.0.get(found).map(|entry| &entry.principal)
    }
}

/// A new token and what belongs into the file for it.
#[derive(Debug)]
pub struct NewToken {
    /// To be given to the client, and nowhere else.
    pub token: Secret,
    /// TOML text of one `[[token]]` entry, to be appended to the file.
    pub entry: String,
}

/// Why there is no new token.
#[derive(Debug, thiserror::Error)]
pub enum NewTokenError {
    /// The gateway would refuse this user name.
    #[error("the user name {0}")]
    User(NameProblem),
    /// The gateway would refuse this role.
    #[error("a role {0}")]
    Role(NameProblem),
    /// The operating system gives no randomness.
    #[error("no random numbers from the operating system")]
    Random(#[from] getrandom::Error),
}

/// Makes a random token of 256 bits for a user.
///
/// # Errors
/// A name that the gateway would refuse, or no randomness.
pub fn new_token(user: &str, roles: &[String]) -> Result<NewToken, NewTokenError> {
    check_name(user).map_err(NewTokenError::User)?;
    roles.iter().try_for_each(|role| check_name(role)).map_err(NewTokenError::Role)?;
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    // The prefix lets secret scanners find tokens that were published by mistake.
    let token = format!("sporegate_{}", URL_SAFE_NO_PAD.encode(random));
    let roles: toml::Value = roles.iter().map(String::as_str).collect::<Vec<_>>().into();
    let entry = format!(
        "[[token]]\nuser = {user}\nroles = {roles}\nhash = \"{HASH_PREFIX}{hash}\"\n",
        user = toml::Value::from(user),
        hash = hex(&sha256(&token)),
    );
    Ok(NewToken { token: Secret::new(token), entry })
}

fn sha256(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Shared by all principals of token files.
pub(super) fn authenticator() -> Arc<str> {
    Arc::from(AUTHENTICATOR)
}
