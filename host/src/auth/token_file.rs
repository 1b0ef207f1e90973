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

/// Most tokens in a file. Each presented token is compared with all of them.
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(text: &str) -> TokenFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        TokenFile::load(file.path()).unwrap()
    }

    #[test]
    fn a_new_token_is_accepted_by_a_file_with_its_entry() {
        let ann = new_token("ann \"the\" \\ admin", &["a".to_owned(), "b\"c".to_owned()]).unwrap();
        let bob = new_token("bob", &[]).unwrap();
        let tokens = file(&format!("{}\n{}", ann.entry, bob.entry));
        let principal = tokens.authenticate(ann.token.expose()).unwrap();
        assert_eq!(&**principal.username().unwrap(), "ann \"the\" \\ admin");
        assert!(principal.has_any_role(&["b\"c"]));
        assert_eq!(&**principal.authenticator(), AUTHENTICATOR);
        let principal = tokens.authenticate(bob.token.expose()).unwrap();
        assert_eq!(&**principal.username().unwrap(), "bob");
    }

    #[test]
    fn a_new_token_stays_secret_and_is_never_the_same() {
        let (one, two) = (new_token("a", &[]).unwrap(), new_token("a", &[]).unwrap());
        assert_ne!(one.token, two.token);
        assert_eq!(one.token.expose().len(), "sporegate_".len() + 43);
        assert!(!format!("{one:?}").contains(one.token.expose()));
        assert!(!one.entry.contains(one.token.expose()));
    }

    #[test]
    fn other_tokens_are_unknown() {
        let new = new_token("ann", &[]).unwrap();
        let tokens = file(&new.entry);
        let hash = new.entry.split('"').nth(3).unwrap();
        for other in ["", "x", &new.token.expose()[1..], hash, &hash[HASH_PREFIX.len()..]] {
            assert_eq!(tokens.authenticate(other).unwrap_err(), AuthError::UnknownToken, "{other}");
        }
        assert_eq!(file("").authenticate("x").unwrap_err(), AuthError::UnknownToken);
    }

    #[test]
    fn a_token_expires() {
        let new = new_token("ann", &[]).unwrap();
        let past = file(&format!("{}expires = 2001-01-01T00:00:00Z\n", new.entry));
        assert_eq!(past.authenticate(new.token.expose()).unwrap_err(), AuthError::Expired);
        let future = file(&format!("{}expires = 9999-01-01T00:00:00Z\n", new.entry));
        assert!(future.authenticate(new.token.expose()).unwrap().expires_at().is_some());
    }

    #[test]
    fn names_that_would_be_refused_get_no_token() {
        assert!(matches!(new_token("", &[]), Err(NewTokenError::User(NameProblem::Empty))));
        let role = ["a\n".to_owned()];
        assert!(matches!(new_token("a", &role), Err(NewTokenError::Role(_))));
    }

    #[test]
    fn a_file_may_not_be_larger_than_its_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "#".repeat(MAX_FILE_BYTES + 1)).unwrap();
        let message = TokenFile::load(file.path()).err().unwrap().to_string();
        assert!(message.contains("larger than 1048576 bytes"), "{message}");
        fs::write(file.path(), b"\xff").unwrap();
        let message = TokenFile::load(file.path()).err().unwrap().to_string();
        assert!(message.contains("not UTF-8"), "{message}");
    }
}
