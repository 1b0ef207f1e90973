//! Sub-protocols that a client offers, and the token that browsers can only send among them.
//!
//! Invariant: a bearer entry is never among the names, so that it cannot be echoed.

use std::fmt;
use std::sync::Arc;

use hyper::header::{HeaderMap, SEC_WEBSOCKET_PROTOCOL};

use crate::config::{Subprotocols, is_token_byte};

/// The gateway's own sub-protocol: what a client offers beside `bearer.<token>`, and what the
/// answer names.
pub const SPOREGATE: &str = "sporegate";

const BEARER_PREFIX: &str = "bearer.";

/// What `Sec-WebSocket-Protocol` offers (RFC 6455 section 4.1).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Offered<'a> {
    /// Protocol names in the client's order of preference. Each may be echoed.
    pub names: Vec<&'a str>,
    /// The text after `bearer.`, once per such entry; more than one is refused by
    /// [`super::Authenticator::authenticate`]. Secret.
    pub bearer: Vec<&'a str>,
}

/// A path requires a sub-protocol and the client offers none of them: answer 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this path requires a subprotocol, and the client offers none that is spoken here")]
pub struct NoneFits;

/// The header is not a list of tokens (RFC 9110 section 5.6.2): answer 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the header `Sec-WebSocket-Protocol` is not a comma-separated list of tokens")]
pub struct MalformedOffer;

impl Offered<'_> {
    /// Whether the client offers this protocol; the answer may then name it.
    pub fn offers(&self, name: &str) -> bool {
        self.names.contains(&name)
    }

    /// What the answer names: the first of the names of the path, in the gateway's order, that the
    /// client offers; else the gateway's own where it is offered.
    ///
    /// # Errors
    /// [`NoneFits`] where the path requires one of its names.
    pub fn choose(&self, spoken: &Subprotocols) -> Result<Option<Arc<str>>, NoneFits> {
        match spoken.names.iter().find(|name| self.offers(name)) {
            Some(name) => Ok(Some(Arc::clone(name))),
            None if spoken.required => Err(NoneFits),
            None => Ok(self.offers(SPOREGATE).then(|| SPOREGATE.into())),
        }
    }
}

impl fmt::Debug for Offered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offered")
            .field("names", &self.names)
            .field("bearer", &format_args!("{} redacted", self.bearer.len()))
            .finish()
    }
}

/// Separates names from bearer entries, over all headers of that name. Names compare with case.
///
/// # Errors
/// [`MalformedOffer`] where an entry is not a token, or empty.
pub fn split(headers: &HeaderMap) -> Result<Offered<'_>, MalformedOffer> {
    let mut offered = Offered::default();
    for value in headers.get_all(SEC_WEBSOCKET_PROTOCOL) {
        let list = value.to_str().map_err(|_| MalformedOffer)?;
        for entry in list.split(',') {
            let entry = entry.trim_matches([' ', '\t']);
            if entry.is_empty() || !entry.bytes().all(is_token_byte) {
                return Err(MalformedOffer);
            }
            match strip_bearer(entry) {
                Some(token) => offered.bearer.push(token),
                None => offered.names.push(entry),
            }
        }
    }
    Ok(offered)
}

/// Ignores case: `Bearer.<token>` must not become a name that is echoed.
fn strip_bearer(entry: &str) -> Option<&str> {
    let (prefix, token) = entry.split_at_checked(BEARER_PREFIX.len())?;
    prefix.eq_ignore_ascii_case(BEARER_PREFIX).then_some(token)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn names_and_bearer_are_separated() {
        for (values, names, bearer) in [
            (&[][..], &[][..], &[][..]),
            (&["sporegate"], &["sporegate"], &[]),
            (&["sporegate, bearer.a.b-c_d"], &["sporegate"], &["a.b-c_d"]),
            (&["chat,\tbearer.x ,sporegate"], &["chat", "sporegate"], &["x"]),
            (&["chat", "Bearer.x"], &["chat"], &["x"]),
            (&["bearer.x", "BEARER.y"], &[], &["x", "y"]),
            (&["bearer."], &[], &[""]),
            (&["bearer"], &["bearer"], &[]),
            (&["bearerx.y"], &["bearerx.y"], &[]),
        ] {
            let headers = headers(values);
            let offered = split(&headers).unwrap();
            assert_eq!((&*offered.names, &*offered.bearer), (names, bearer), "{values:?}");
        }
    }

    #[test]
    fn what_is_not_a_list_of_tokens_is_refused() {
        for value in ["", " ", "a,", ",a", "a,,b", "a b", "a/b", "a=b", "\"a\"", "a;b", "a@b"] {
            assert_eq!(split(&headers(&[value])), Err(MalformedOffer), "{value:?}");
        }
        let mut latin = HeaderMap::new();
        latin.append(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_bytes(b"caf\xe9").unwrap());
        assert_eq!(split(&latin), Err(MalformedOffer));
    }

    #[test]
    fn the_gateway_s_order_decides_and_its_own_name_comes_last() {
        let spoken = |names: &[&str], required| Subprotocols {
            names: names.iter().map(|name| Arc::from(*name)).collect(),
            required,
        };
        for (offer, names, chosen) in [
            ("chat.v1, chat.v2", &["chat.v2", "chat.v1"][..], Some("chat.v2")),
            ("sporegate, chat.v1", &["chat.v2", "chat.v1"], Some("chat.v1")),
            ("sporegate, chat.v3, bearer.x", &["chat.v2"], Some("sporegate")),
            ("chat.v2, sporegate", &["sporegate", "chat.v2"], Some("sporegate")),
            ("Chat.v2", &["chat.v2"], None),
            ("chat.v2", &[], None),
        ] {
            let headers = headers(&[offer]);
            let offered = split(&headers).unwrap();
            let free = offered.choose(&spoken(names, false)).unwrap();
            assert_eq!(free.as_deref(), chosen, "{offer}");
            let required = offered.choose(&spoken(names, true));
            let own = chosen.filter(|name| names.contains(name));
            assert_eq!(required.ok().flatten().as_deref(), own, "{offer}");
        }
    }

    #[test]
    fn debug_hides_the_bearer() {
        let headers = headers(&["sporegate, bearer.canary"]);
        let offered = split(&headers).unwrap();
        assert!(offered.offers(SPOREGATE) && !offered.offers("canary"));
        assert!(!format!("{offered:?}").contains("canary"));
    }
}
