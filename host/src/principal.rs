//! Who a client is: user name, roles, and what an authenticator vouched for.
//!
//! Invariant: plain words. Nothing here reads, verifies or stores a credential, and a
//! [`Principal`] that exists has passed the rules for names below.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

/// Longest user name or role, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 256;

/// Most roles that one principal may have.
pub const MAX_ROLES: usize = 256;

/// An authenticated user, or an anonymous client.
///
/// One pointer wide; a clone shares everything. `Debug` never prints the claims.
#[derive(Clone)]
pub struct Principal(Arc<Checked>);

/// The name of the authenticator of anonymous clients, see [`Principal::authenticator`].
pub const ANONYMOUS: &str = "anonymous";

/// What an authenticator found out about a user, not yet checked: see [`Principal::user`].
pub struct Identity {
    /// User name: 1 to [`MAX_NAME_BYTES`] bytes, no control characters.
    pub username: String,
    /// Roles in any order, at most [`MAX_ROLES`]; each follows the rule for user names.
    pub roles: Vec<String>,
    /// JSON object text that the authenticator vouched for.
    pub claims: Option<String>,
    /// From when on the credential is refused; `None`: never.
    pub expires_at: Option<SystemTime>,
    /// Name of the authenticator, from the configuration.
    pub authenticator: Arc<str>,
}

/// Why an [`Identity`] is not a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalError {
    /// The user name breaks the rule.
    #[error("the user name {0}")]
    Username(NameProblem),
    /// A role breaks the rule for names.
    #[error("a role {0}")]
    Role(NameProblem),
    /// More than [`MAX_ROLES`].
    #[error("there are {0} roles, at most {MAX_ROLES} are allowed")]
    TooManyRoles(usize),
}

/// Which rule for names is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// More than [`MAX_NAME_BYTES`].
    #[error("has {0} bytes, at most {MAX_NAME_BYTES} are allowed")]
    TooLong(usize),
    /// A control character, as in Unicode's category Cc.
    #[error("contains a control character")]
    ControlCharacter,
}

struct Checked {
    username: Option<Arc<str>>,
    roles: Arc<[Arc<str>]>,
    claims: Option<Arc<str>>,
    expires_at: Option<SystemTime>,
    authenticator: Arc<str>,
}

impl Principal {
    /// A client without a user name, roles or claims, that never expires.
    pub fn anonymous() -> Self {
        static SHARED: LazyLock<Principal> = LazyLock::new(|| {
            Principal(Arc::new(Checked {
                username: None,
                roles: Arc::new([]),
                claims: None,
                expires_at: None,
                authenticator: ANONYMOUS.into(),
            }))
        });
        SHARED.clone()
    }

    /// Checks an identity and sorts its roles; equal roles become one.
    ///
    /// # Errors
    /// [`PrincipalError`]; the text of a name is never part of it.
    pub fn user(identity: Identity) -> Result<Self, PrincipalError> {
        let Identity { username, mut roles, claims, expires_at, authenticator } = identity;
        check_name(&username).map_err(PrincipalError::Username)?;
        if roles.len() > MAX_ROLES {
            return Err(PrincipalError::TooManyRoles(roles.len()));
        }
        roles.iter().try_for_each(|role| check_name(role)).map_err(PrincipalError::Role)?;
        roles.sort_unstable();
        roles.dedup();
        Ok(Self(Arc::new(Checked {
            username: Some(username.into()),
            roles: roles.into_iter().map(Arc::from).collect(),
            claims: claims.map(Arc::from),
            expires_at,
            authenticator,
        })))
    }

    /// The user name; `None` for an anonymous client.
    pub fn username(&self) -> Option<&Arc<str>> {
        self.0.username.as_ref()
    }

    /// Sorted, no duplicates.
    pub fn roles(&self) -> &Arc<[Arc<str>]> {
        &self.0.roles
    }

    /// Whether it has at least one of these roles; of an empty list it has none.
    pub fn has_any_role<R: AsRef<str>>(&self, any_of: &[R]) -> bool {
        any_of.iter().any(|role| self.has_role(role.as_ref()))
    }

    /// JSON object text that the authenticator vouched for.
    pub fn claims(&self) -> Option<&Arc<str>> {
        self.0.claims.as_ref()
    }

    /// From when on the credential is refused; `None`: never.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at
    }

    /// Who vouched: the configured name of an issuer, of the token file, or [`ANONYMOUS`].
    pub fn authenticator(&self) -> &Arc<str> {
        &self.0.authenticator
    }

    fn has_role(&self, role: &str) -> bool {
        self.0.roles.binary_search_by(|own| (**own).cmp(role)).is_ok()
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("username", &self.0.username)
            .field("roles", &self.0.roles)
            .field("expires_at", &self.0.expires_at)
            .field("authenticator", &self.0.authenticator)
            .finish_non_exhaustive()
    }
}

/// Whether a text may be a user name or a role.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_name(name: &str) -> Result<(), NameProblem> {
    if name.is_empty() {
        Err(NameProblem::Empty)
    } else if name.len() > MAX_NAME_BYTES {
        Err(NameProblem::TooLong(name.len()))
    } else if name.chars().any(char::is_control) {
        Err(NameProblem::ControlCharacter)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(username: &str, roles: &[&str]) -> Identity {
        Identity {
            username: username.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            claims: Some(r#"{"sub":"ann","pet":"canary"}"#.to_owned()),
            expires_at: None,
            authenticator: "main".into(),
        }
    }

    #[test]
    fn roles_are_sorted_without_duplicates_and_found() {
        let ann = Principal::user(identity("ann", &["writer", "admin", "writer"])).unwrap();
        assert_eq!(ann.roles().iter().map(|r| &**r).collect::<Vec<_>>(), ["admin", "writer"]);
        assert!(ann.has_any_role(&["reader", "writer"]));
        assert!(!ann.has_any_role(&["write", "Admin", ""]));
        assert!(!ann.has_any_role::<&str>(&[]));
    }

    #[test]
    fn an_anonymous_client_has_no_name_role_or_claim() {
        let nobody = Principal::anonymous();
        assert!(nobody.username().is_none() && nobody.claims().is_none());
        assert!(nobody.roles().is_empty() && nobody.expires_at().is_none());
        assert!(!nobody.has_any_role(&["anonymous", ""]));
        assert_eq!(&**nobody.authenticator(), ANONYMOUS);
    }

    #[test]
    fn names_that_break_a_rule_are_refused() {
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        for (name, problem) in [
            ("", NameProblem::Empty),
            (long.as_str(), NameProblem::TooLong(MAX_NAME_BYTES + 1)),
            ("ann\n", NameProblem::ControlCharacter),
            ("\u{1b}[31mann", NameProblem::ControlCharacter),
            ("ann\u{85}", NameProblem::ControlCharacter),
            ("ann\0", NameProblem::ControlCharacter),
        ] {
            let as_user = Principal::user(identity(name, &[])).unwrap_err();
            assert_eq!(as_user, PrincipalError::Username(problem));
            let as_role = Principal::user(identity("ann", &[name])).unwrap_err();
            assert_eq!(as_role, PrincipalError::Role(problem));
        }
        assert!(Principal::user(identity(&"x".repeat(MAX_NAME_BYTES), &[])).is_ok());
        assert!(Principal::user(identity("José Ünï", &["ä b"])).is_ok());
    }

    #[test]
    fn roles_are_counted() {
        let names: Vec<String> = (0..=MAX_ROLES).map(|n| format!("r{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(Principal::user(identity("ann", &names[1..])).is_ok());
        let refused = Principal::user(identity("ann", &names)).unwrap_err();
        assert_eq!(refused, PrincipalError::TooManyRoles(MAX_ROLES + 1));
    }

    #[test]
    fn debug_does_not_print_claims_and_a_principal_is_one_pointer() {
        let ann = Principal::user(identity("ann", &["admin"])).unwrap();
        let text = format!("{ann:?}");
        assert!(text.contains("ann") && text.contains("admin") && !text.contains("canary"));
        assert_eq!(size_of::<Option<Principal>>(), size_of::<usize>());
    }
}
