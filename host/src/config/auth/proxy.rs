//! `[auth.proxy]`: proxies that authenticate clients and name them in headers.

use crate::config::networks::Networks;
use crate::config::section::Section;
use crate::config::value::{Fault, Raw, Value};

/// The `[auth.proxy]` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyConfig {
    /// TCP peers whose headers are believed; none: nobody's.
    pub addresses: Networks,
    /// Header with the user name.
    pub user_header: String,
    /// Header with the roles.
    pub roles_header: String,
    /// What stands between two roles.
    pub roles_separator: char,
}

pub(super) fn read(proxy: &mut Section<'_, '_>) -> ProxyConfig {
    let addresses: Networks = proxy.read("addresses", Networks::default());
    if addresses.has_everybody() {
        proxy.bad(
            "addresses",
            "a network of prefix 0 is everybody, and then anybody can name any user; list the \
             addresses of the proxies",
        );
    }
    let header = |name: &str| HeaderName(name.to_owned());
    let user_header = proxy.read("user_header", header("X-Forwarded-User")).0;
    let roles_header = proxy.read("roles_header", header("X-Forwarded-Groups")).0;
    if user_header.eq_ignore_ascii_case(&roles_header) {
        proxy.conflict(
            &["roles_header", "user_header"],
            "`user_header` and `roles_header` must differ; each has a header of its own",
        );
    }
    let roles_separator = proxy.read("roles_separator", Separator(',')).0;
    ProxyConfig { addresses, user_header, roles_header, roles_separator }
}

/// Headers that have a meaning of their own; taken out of requests, they would be missed.
const TAKEN: [&str; 10] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "forwarded",
    "host",
    "origin",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
];

/// Name of a header (RFC 9110 section 5.1).
struct HeaderName(String);

impl Value for HeaderName {
    const EXPECTED: &'static str = "the name of a header, as a string";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        let lower = text.to_ascii_lowercase();
        if !is_token(text) {
            return Err(Fault::refuse(text, "it must be the name of a header, as in `X-User`"));
        }
        if TAKEN.contains(&lower.as_str()) || lower.starts_with("sec-") {
            return Err(Fault::refuse(
                text,
                "this header has a meaning of its own; let the proxy use another",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    fn text(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

/// A token of RFC 9110 section 5.6.2, of at most 64 bytes.
pub(super) fn is_token(text: &str) -> bool {
    let byte = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    (1..=64).contains(&text.len()) && text.bytes().all(byte)
}

/// A single character.
#[derive(Clone, Copy)]
struct Separator(char);

impl Value for Separator {
    const EXPECTED: &'static str = "one character, such as \",\"";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(one), None) if one.is_ascii_punctuation() || one == ' ' => Ok(Self(one)),
            _ => Err(Fault::refuse(text, "it must be one of `,`, `;`, `|`, a space, or such")),
        }
    }

    fn text(&self) -> String {
        format!("\"{}\"", self.0)
    }
}
