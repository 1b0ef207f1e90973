//! User and roles from the headers of a proxy that has authenticated the client itself.
//!
//! Invariant: these headers are believed only of a request whose TCP peer is one of the proxies.
//! They are taken out of every other request too, so that nothing behind takes them for anything.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::error::AuthError;
use super::settings::ProxySettings;
use super::setup_error::AuthSetupError;
use crate::config::Networks;
use crate::principal::{Identity, Principal, PrincipalError};

/// The name of this authenticator in principals.
pub const PROXY_AUTHENTICATOR: &str = "proxy";

/// Which headers count, and of whom.
pub(super) struct ProxyHeaders {
    proxies: Networks,
    user: HeaderName,
    roles: HeaderName,
    separator: char,
    authenticator: Arc<str>,
}

/// What a proxy says of a client, taken out of the request and not yet looked at. Empty where no
/// proxy is believed.
#[derive(Default)]
pub struct Vouched {
    user: Vec<HeaderValue>,
    roles: Vec<HeaderValue>,
}

impl ProxyHeaders {
    pub(super) fn new(settings: ProxySettings) -> Result<Self, AuthSetupError> {
        let ProxySettings { proxies, user_header, roles_header, roles_separator } = settings;
        let name = |text: String| {
            HeaderName::try_from(&text).map_err(|_| AuthSetupError::BadHeaderName(text))
        };
        Ok(Self {
            proxies,
            user: name(user_header)?,
            roles: name(roles_header)?,
            separator: roles_separator,
            authenticator: PROXY_AUTHENTICATOR.into(),
        })
    }

    /// Takes the headers out of a request, whoever sent it, and keeps those of a proxy.
    pub(super) fn take(&self, headers: &mut HeaderMap, peer: IpAddr) -> Vouched {
        let (user, roles) = (take_all(headers, &self.user), take_all(headers, &self.roles));
        if self.proxies.contains(peer) { Vouched { user, roles } } else { Vouched::default() }
    }

    /// Whom the proxy names; nobody where it names nobody.
    pub(super) fn principal(&self, vouched: &Vouched) -> Result<Option<Principal>, AuthError> {
        let (user, roles) = match (vouched.user.as_slice(), vouched.roles.as_slice()) {
            ([], []) => return Ok(None),
            ([], _) => return Err(AuthError::Malformed("the proxy names roles and no user")),
            ([user], []) => (user, ""),
            ([user], [roles]) => (user, text(roles)?),
            (_, _) => {
                return Err(AuthError::Malformed("a header of the proxy comes more than once"));
            }
        };
        let roles = roles.split(self.separator).map(str::trim).filter(|role| !role.is_empty());
        let identity = Identity {
            username: text(user)?.trim().to_owned(),
            roles: roles.map(str::to_owned).collect(),
            claims: None,
            // The proxy knows until when, and does not say.
            expires_at: None,
            authenticator: Arc::clone(&self.authenticator),
        };
        Principal::user(identity).map(Some).map_err(|error| {
            AuthError::Malformed(match error {
                PrincipalError::Username(_) => "the user that the proxy names cannot be one",
                PrincipalError::Role(_) => "a role that the proxy names cannot be one",
                PrincipalError::TooManyRoles(_) => "the proxy names too many roles",
            })
        })
    }
}

fn take_all(headers: &mut HeaderMap, name: &HeaderName) -> Vec<HeaderValue> {
    let all = headers.get_all(name).iter().cloned().collect();
    headers.remove(name);
    all
}

fn text(value: &HeaderValue) -> Result<&str, AuthError> {
    std::str::from_utf8(value.as_bytes())
        .map_err(|_| AuthError::Malformed("a header of the proxy is not UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.1.2.3";
    const STRANGER: &str = "192.0.2.1";

    fn proxy() -> ProxyHeaders {
        ProxyHeaders::new(ProxySettings {
            proxies: Networks::parse(&["10.0.0.0/8"]).unwrap(),
            user_header: "X-Forwarded-User".to_owned(),
            roles_header: "X-Forwarded-Groups".to_owned(),
            roles_separator: ',',
        })
        .unwrap()
    }

    /// Lines `U: ` (user), `R: ` (roles), or any header.
    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            let colon = line.iter().position(|byte| *byte == b':').unwrap();
            let name = match &line[..colon] {
                b"U" => &b"x-forwarded-user"[..],
                b"R" => b"x-forwarded-groups",
                other => other,
            };
            let name = HeaderName::from_bytes(name).unwrap();
            headers.append(name, HeaderValue::from_bytes(&line[colon + 2..]).unwrap());
        }
        headers
    }

    fn ask(lines: &[&[u8]], peer: &str) -> Result<Option<Principal>, AuthError> {
        let (proxy, mut headers) = (proxy(), headers(lines));
        let vouched = proxy.take(&mut headers, peer.parse().unwrap());
        proxy.principal(&vouched)
    }

    #[test]
    fn a_proxy_names_user_and_roles() {
        let named = ask(&[b"U: ann", b"R: writer, reader,,reader , "], PROXY).unwrap().unwrap();
        assert_eq!(&**named.username().unwrap(), "ann");
        assert_eq!(named.roles().iter().map(|r| &**r).collect::<Vec<_>>(), ["reader", "writer"]);
        assert_eq!(&**named.authenticator(), PROXY_AUTHENTICATOR);
        assert!(named.expires_at().is_none() && named.claims().is_none());
        let named = ask(&["U: Jos\u{e9}".as_bytes()], "::ffff:10.9.9.9").unwrap().unwrap();
        assert_eq!(&**named.username().unwrap(), "Jos\u{e9}");
        assert!(named.roles().is_empty());
        assert!(ask(&[], PROXY).unwrap().is_none(), "it need not name anybody");
    }

    #[test]
    fn of_all_others_the_headers_are_taken_away_and_not_believed() {
        for peer in [PROXY, STRANGER, "11.0.0.1", "::1", "::10.1.2.3"] {
            let mut headers = headers(&[b"U: root", b"U: ann", b"R: admin", b"Accept: x"]);
            let vouched = proxy().take(&mut headers, peer.parse().unwrap());
            assert_eq!(headers.len(), 1, "{headers:?}");
            assert_eq!(vouched.user.len(), if peer == PROXY { 2 } else { 0 }, "{peer}");
        }
        for lines in [&[&b"U: root"[..], b"R: admin"][..], &[b"R: admin"], &[b"U: \xff"]] {
            assert!(ask(lines, STRANGER).unwrap().is_none());
        }
    }

    #[test]
    fn what_a_proxy_says_unclearly_is_refused() {
        let long = format!("U: {}", "x".repeat(257));
        let many: Vec<String> = (0..257).map(|n| n.to_string()).collect();
        let many = format!("R: {}", many.join(","));
        let cases: [&[&[u8]]; 10] = [
            &[b"U: ann", b"U: ann"],
            &[b"U: ann", b"R: a", b"R: a"],
            &[b"U: ann", b"U: bob", b"R: a"],
            &[b"R: admin"],
            &[b"U: "],
            &[b"U:  \t "],
            &[b"U: caf\xe9"],
            &[b"U: ann", b"R: caf\xe9"],
            &[long.as_bytes()],
            &[b"U: ann", many.as_bytes()],
        ];
        for lines in cases {
            let refusal = ask(lines, PROXY).unwrap_err();
            assert_eq!(refusal.reason(), "malformed-credential", "{lines:?}");
        }
    }
}
