//! What a service answers in a conversation: one `[[http]]`.

use super::words::Text;
use crate::config::destination::authority;
use crate::config::section::Section;

/// An answer of a service that is not there: the conversation speaks for it. Its texts have the form
/// that HTTP wants (RFC 9110).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Method of the requests that get it.
    pub method: String,
    /// Their address: absolute, of `http` or `https`.
    pub url: String,
    /// Its status, 200 to 599.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body; each piece is sent by itself.
    pub body: Vec<String>,
    /// The connection breaks after the last piece.
    pub breaks: bool,
}

/// Reads one `[[http]]`; none where something is wrong with it, which is noted.
pub(super) fn read(table: &mut Section<'_, '_>) -> Option<HttpAnswer> {
    let url: Option<Text> = table.required("url", "such as url = \"http://127.0.0.1:9000/tea\"");
    let method = table.read("method", "GET".to_owned());
    let status: u32 = table.read_in("status", 200, 200..=599);
    let headers: Vec<_> = table.texts("headers").into_iter().collect();
    let body: Vec<Text> = table.optional("body", "[]").unwrap_or_default();
    let breaks = table.read("breaks", false);
    // What is written `get` would be another method.
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        table.bad("method", "it must be a method of HTTP in capitals, such as \"POST\"");
    }
    let wrong = headers.iter().find(|(name, value)| !is_token(name) || !is_value(value));
    if let Some((name, _)) = wrong {
        table.bad("headers", format!("{name:?} with its value cannot be sent as a header"));
    }
    let url = url?.0;
    if !is_absolute(&url) {
        table.bad("url", "it must be absolute, such as \"http://127.0.0.1:9000/tea\"");
    }
    let status = u16::try_from(status).ok()?;
    let body = body.into_iter().map(|piece| piece.0).collect();
    Some(HttpAnswer { method, url, status, headers, body, breaks })
}

fn is_absolute(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let (host, path) = rest
        .map_or(("", ""), |rest| rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())));
    let can_be_asked = |byte: u8| byte.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&byte);
    authority(host).is_ok() && !path.starts_with('?') && path.bytes().all(can_be_asked)
}

fn is_token(name: &str) -> bool {
    let may = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(may)
}

fn is_value(value: &str) -> bool {
    value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}
