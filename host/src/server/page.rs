//! The test page: its files, no external resources, and a policy under which a browser runs
//! nothing else. It connects with the client of the examples, in the very file that they have.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::HeaderValue;

use super::http::Reply;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const CLIENT: &str = include_str!("../../../examples/client/sporegate-client.js");

/// One file of the page.
#[derive(Clone, Copy)]
pub(super) struct File {
    content: &'static str,
    content_type: &'static str,
}

/// The file at a path below the base path.
pub(super) fn file(below: &str) -> Option<File> {
    let (content, content_type) = match below {
        "/test" => (include_str!("page/index.html"), "text/html; charset=utf-8"),
        "/test/page.css" => (include_str!("page/page.css"), "text/css; charset=utf-8"),
        "/test/page.js" => (include_str!("page/page.js"), "text/javascript; charset=utf-8"),
        "/test/reasons.js" => (include_str!("page/reasons.js"), "text/javascript; charset=utf-8"),
        "/test/sporegate-client.js" => (CLIENT, "text/javascript; charset=utf-8"),
        "/test/icon.svg" => (include_str!("page/icon.svg"), "image/svg+xml"),
        _ => return None,
    };
    Some(File { content, content_type })
}

/// The answer that carries a file.
pub(super) fn reply(file: File) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from_static(file.content.as_bytes())));
    let headers: [(HeaderName, &'static str); 5] = [
        (CONTENT_TYPE, file.content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in headers {
        reply.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    reply
}
