//! The opening handshake of RFC 6455, section 4.2.1: what a request must carry to be one.

use hyper::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use hyper::{Method, Request, Version};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::Rejection;

/// The value of `Sec-WebSocket-Accept` that answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptKey(String);

impl AcceptKey {
    /// The header value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a request asks for a WebSocket at all, well-formed or not.
pub(super) fn asks_for_websocket(headers: &HeaderMap) -> bool {
    has_token(headers, UPGRADE, "websocket")
}

/// Checks the handshake and computes the answer to it.
pub(super) fn accept_key<B>(request: &Request<B>) -> Result<AcceptKey, Rejection> {
    let headers = request.headers();
    if !asks_for_websocket(headers) {
        return Err(Rejection::NotAWebSocket);
    }
    let malformed = |what: &str| Err(Rejection::Malformed(what.to_owned()));
    if request.method() != Method::GET {
        return malformed("a WebSocket handshake is a GET request");
    }
    if request.version() != Version::HTTP_11 {
        return malformed("a WebSocket handshake needs HTTP/1.1");
    }
    if single(headers, HOST).is_none() {
        return malformed("a request has one Host header");
    }
    if !has_token(headers, CONNECTION, "upgrade") {
        return malformed("the Connection header must name upgrade");
    }
    if headers.get_all(UPGRADE).iter().count() > 1 {
        return malformed("more than one Upgrade header");
    }
    if headers.contains_key(TRANSFER_ENCODING) || has_body(headers) {
        return malformed("a WebSocket handshake has no body");
    }
    match single(headers, SEC_WEBSOCKET_VERSION) {
        Some("13") => {}
        Some(_) | None => return Err(Rejection::Version),
    }
    match single(headers, SEC_WEBSOCKET_KEY) {
        Some(key) if is_key(key) => Ok(AcceptKey(derive_accept_key(key.as_bytes()))),
        Some(_) | None => malformed("Sec-WebSocket-Key must be 16 bytes in base64, once"),
    }
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_LENGTH).iter().any(|length| length != "0")
}

fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

fn single(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.to_str().ok())?
}

fn is_key(key: &str) -> bool {
    use base64::Engine;
    let decoded = base64::engine::general_purpose::STANDARD.decode(key);
    decoded.is_ok_and(|bytes| bytes.len() == 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> hyper::http::request::Builder {
        Request::builder()
            .uri("/websocket/echo")
            .header(HOST, "sporegate.test")
            .header(UPGRADE, "websocket")
            .header(CONNECTION, "keep-alive, Upgrade")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==")
    }

    #[test]
    fn the_example_of_the_rfc_is_answered_as_the_rfc_says() {
        let accept = accept_key(&request().body(()).unwrap()).unwrap();
        assert_eq!(accept.as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_request_that_is_no_handshake_is_told_to_upgrade() {
        let plain = Request::builder().uri("/websocket/echo").body(()).unwrap();
        assert_eq!(accept_key(&plain).unwrap_err().status(), 426);
    }

    #[test]
    fn another_version_is_told_which_one_is_spoken() {
        let mut old = request().body(()).unwrap();
        old.headers_mut().insert(SEC_WEBSOCKET_VERSION, "8".parse().unwrap());
        assert!(matches!(accept_key(&old), Err(Rejection::Version)));
    }

    #[test]
    fn a_malformed_handshake_is_refused() {
        type Spoil = fn(&mut Request<()>);
        let cases: [(&str, Spoil); 9] = [
            ("method", |r| *r.method_mut() = Method::POST),
            ("version", |r| *r.version_mut() = hyper::Version::HTTP_10),
            ("no host", |r| drop(r.headers_mut().remove(HOST))),
            ("two hosts", |r| {
                r.headers_mut().append(HOST, "other.test".parse().unwrap());
            }),
            ("connection", |r| drop(r.headers_mut().remove(CONNECTION))),
            ("key", |r| drop(r.headers_mut().remove(SEC_WEBSOCKET_KEY))),
            ("short key", |r| {
                r.headers_mut().insert(SEC_WEBSOCKET_KEY, "c2hvcnQ=".parse().unwrap());
            }),
            ("two keys", |r| {
                r.headers_mut()
                    .append(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==".parse().unwrap());
            }),
            ("body", |r| {
                r.headers_mut().insert(CONTENT_LENGTH, "3".parse().unwrap());
            }),
        ];
        for (name, spoil) in cases {
            let mut request = request().body(()).unwrap();
            spoil(&mut request);
            assert_eq!(accept_key(&request).unwrap_err().status(), 400, "{name}");
        }
    }
}
