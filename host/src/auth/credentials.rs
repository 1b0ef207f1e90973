//! Finds the one bearer token of a request.
//!
//! Invariant: a [`BearerToken`] is not larger than [`MAX_TOKEN_BYTES`] and has only bytes that
//! RFC 6750 allows; nothing here knows what it means.

use std::borrow::Cow;
use std::fmt;

use hyper::header::{AUTHORIZATION, COOKIE, HeaderMap};

use super::error::AuthError;
use super::subprotocol;

/// Largest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

const QUERY_PARAMETER: &str = "access_token";

/// A token as it came. `Debug` does not show it.
pub(super) struct BearerToken<'a>(Cow<'a, str>);

impl<'a> BearerToken<'a> {
    /// `b64token` of RFC 6750 section 2.1.
    fn new(text: Cow<'a, str>) -> Result<Self, AuthError> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::TooLarge);
        }
        let unpadded = text.trim_end_matches('=');
        if unpadded.is_empty() || !unpadded.bytes().all(is_token_byte) {
            return Err(AuthError::Malformed(
                "the bearer token is empty or has bytes no token has",
            ));
        }
        Ok(Self(text))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BearerToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(redacted)")
    }
}

/// Where to look besides `Authorization` and `Sec-WebSocket-Protocol`.
#[derive(Clone, Copy, Default)]
pub(super) struct Places<'a> {
    /// The query, for its `access_token`.
    pub(super) query: Option<&'a str>,
    /// Name of a cookie.
    pub(super) cookie: Option<&'a str>,
}

/// Looks in `Authorization`, `Sec-WebSocket-Protocol` and these places. Other schemes in
/// `Authorization` are not for the gateway, and passed over.
pub(super) fn find<'a>(
    headers: &'a HeaderMap,
    places: Places<'a>,
) -> Result<Option<BearerToken<'a>>, AuthError> {
    let mut found: Vec<Cow<'a, str>> = Vec::new();
    for value in headers.get_all(AUTHORIZATION) {
        found.extend(after_scheme(value.as_bytes())?.map(Cow::Borrowed));
    }
    let offered = subprotocol::split(headers)
        .map_err(|_| AuthError::Malformed("`Sec-WebSocket-Protocol` is not a list of tokens"))?;
    found.extend(offered.bearer.into_iter().map(Cow::Borrowed));
    for value in places.query.into_iter().flat_map(query_values) {
        found.push(percent_decode(value)?);
    }
    if let Some(name) = places.cookie {
        for value in cookie_values(headers, name) {
            let text = std::str::from_utf8(value)
                .map_err(|_| AuthError::Malformed("the cookie is not ASCII text"))?;
            found.push(Cow::Borrowed(text));
        }
    }
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(token), None) => BearerToken::new(token).map(Some),
        (Some(_), Some(_)) => Err(AuthError::SeveralCredentials),
    }
}

/// The text after `Bearer`, whose case does not matter (RFC 9110 section 11.1).
fn after_scheme(value: &[u8]) -> Result<Option<&str>, AuthError> {
    const SCHEME: &[u8] = b"bearer";
    let end = value.iter().position(|byte| b" \t".contains(byte)).unwrap_or(value.len());
    let (scheme, rest) = value.split_at_checked(end).unwrap_or((value, &[]));
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return Ok(None);
    }
    let text = std::str::from_utf8(rest)
        .map_err(|_| AuthError::Malformed("`Authorization` is not ASCII text"))?;
    Ok(Some(text.trim_matches(' ')))
}

/// The values of all cookies of a name, over all `Cookie` headers (RFC 6265 section 4.2.1). The
/// other cookies are not ours and may be anything.
fn cookie_values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a [u8]> {
    let pairs =
        headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|b| *b == b';'));
    pairs.filter_map(move |pair| {
        let pair = pair.trim_ascii();
        let own = pair.strip_prefix(name.as_bytes())?.trim_ascii_start();
        Some(unquoted(own.strip_prefix(b"=")?.trim_ascii_start()))
    })
}

fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value)
}

fn query_values(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter_map(|pair| match pair.split_once('=') {
        Some((name, value)) => (name == QUERY_PARAMETER).then_some(value),
        None => (pair == QUERY_PARAMETER).then_some(""),
    })
}

fn percent_decode(text: &str) -> Result<Cow<'_, str>, AuthError> {
    const BAD: AuthError = AuthError::Malformed("`access_token` is not percent-encoded ASCII");
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoded = String::with_capacity(text.len());
    let mut pieces = text.split('%');
    decoded.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (hex, rest) = piece.split_at_checked(2).ok_or(BAD)?;
        if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(BAD);
        }
        let byte = u8::from_str_radix(hex, 16).map_err(|_| BAD)?;
        if !byte.is_ascii() {
            return Err(BAD);
        }
        decoded.push(char::from(byte));
        decoded.push_str(rest);
    }
    Ok(Cow::Owned(decoded))
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte)
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};

    use super::*;

    /// Header lines `A: ` (Authorization), `P: ` (Sec-WebSocket-Protocol) and `C: ` (Cookie, of
    /// which `session` counts).
    fn look(lines: &[&str], query: Option<&str>) -> Result<Option<String>, &'static str> {
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            let name = match name {
                "A" => AUTHORIZATION,
                "C" => COOKIE,
                _ => SEC_WEBSOCKET_PROTOCOL,
            };
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        find(&headers, Places { query, cookie: Some("session") })
            .map(|token| token.map(|token| token.expose().to_owned()))
            .map_err(|error| error.reason())
    }

    #[test]
    fn a_token_is_found_where_it_may_come() {
        for (lines, query) in [
            (&["A: Bearer a.b-c"][..], None),
            (&["A: bearer a.b-c"], None),
            (&["A: BEARER   a.b-c "], None),
            (&["P: sporegate, bearer.a.b-c"], None),
            (&["P: sporegate", "P: bearer.a.b-c"], None),
            (&[], Some("access_token=a.b-c")),
            (&[], Some("x=1&access_token=a%2Eb%2dc&y=2")),
            (&["A: Basic YW5uOnB3"], Some("access_token=a.b-c")),
            (&["C: session=a.b-c"], None),
            (&["C: session=\"a.b-c\""], None),
            (&["C: theme=dark; session=a.b-c; xsession=x; Session=y; session2=z"], None),
            (&["C: theme=d\u{e4}rk;session=a.b-c"], None),
            (&["C: theme=dark", "C: session=a.b-c"], None),
            (&["C:  ;; session = a.b-c ; =x; y"], None),
        ] {
            assert_eq!(look(lines, query), Ok(Some("a.b-c".to_owned())), "{lines:?} {query:?}");
        }
    }

    #[test]
    fn without_a_credential_there_is_none() {
        for (lines, query) in [
            (&[][..], None),
            (&["A: Basic YW5uOnB3"], None),
            (&["A: Bearerx y"], None),
            (&["P: sporegate"], Some("clientId=1")),
            (&["C: theme=dark; Session=a; sessio=b; xsession=c; session; session2=d"], None),
            (&["C: x=session=a", "C: \"session\"=a", "C: $session=a"], None),
            (&[], Some("xaccess_token=a&ACCESS_TOKEN=b&access_token2=c&%61ccess_token=d")),
        ] {
            assert_eq!(look(lines, query), Ok(None), "{lines:?} {query:?}");
        }
    }

    #[test]
    fn more_than_one_credential_is_refused_even_if_they_are_equal() {
        for (lines, query) in [
            (&["A: Bearer a", "A: Bearer a"][..], None),
            (&["A: Bearer a", "P: bearer.a"], None),
            (&["A: Bearer a"], Some("access_token=a")),
            (&["P: bearer.a, bearer.b"], None),
            (&["P: bearer.a", "P: bearer.a"], None),
            (&[], Some("access_token=a&access_token=a")),
            (&["C: session=a; session=a"], None),
            (&["C: session=a", "C: session=b"], None),
            (&["C: session=; session=a"], None),
            (&["C: session=a", "A: Bearer a"], None),
            (&["C: session=a", "P: bearer.a"], None),
            (&["C: session=a"], Some("access_token=a")),
        ] {
            assert_eq!(look(lines, query), Err("several-credentials"), "{lines:?} {query:?}");
        }
    }

    #[test]
    fn malformed_credentials_are_refused() {
        for (lines, query) in [
            (&["A: Bearer"][..], None),
            (&["A: Bearer  "], None),
            (&["A: Bearer a b"], None),
            (&["A: Bearer\ta"], None),
            (&["A: Bearer a,b"], None),
            (&["A: Bearer \"a\""], None),
            (&["A: Bearer ="], None),
            (&["A: Bearer a=b"], None),
            (&["A: Bearer caf\u{e9}"], None),
            (&["P: bearer."], None),
            (&["P: a b"], None),
            (&[], Some("access_token=")),
            (&[], Some("access_token")),
            (&[], Some("access_token=%")),
            (&[], Some("access_token=%4")),
            (&[], Some("access_token=%+1")),
            (&[], Some("access_token=%ff")),
            (&[], Some("access_token=%00a")),
            (&[], Some("access_token=a%20b")),
            (&[], Some("access_token=%é")),
            (&["C: session="], None),
            (&["C: session=\"\""], None),
            (&["C: session=\"a"], None),
            (&["C: session=a\""], None),
            (&["C: session=a b"], None),
            (&["C: session=a,b"], None),
            (&["C: session=a%2Eb"], None),
            (&["C: session=caf\u{e9}"], None),
        ] {
            assert_eq!(look(lines, query), Err("malformed-credential"), "{lines:?} {query:?}");
        }
    }

    #[test]
    fn a_token_over_the_limit_is_refused() {
        let fits = "x".repeat(MAX_TOKEN_BYTES);
        assert!(look(&[&format!("A: Bearer {fits}")], None).is_ok());
        assert_eq!(look(&[&format!("A: Bearer {fits}x")], None), Err("token-too-large"));
        assert_eq!(look(&[&format!("P: bearer.{fits}x")], None), Err("token-too-large"));
        assert_eq!(look(&[&format!("C: session={fits}x")], None), Err("token-too-large"));
        let query = format!("access_token={fits}x");
        assert_eq!(look(&[], Some(&query)), Err("token-too-large"));
    }
}
