//! Web origins as browsers send them. Two origins are compared as parsed values, never as texts
//! or by their beginnings (RFC 6454).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::value::{Fault, Raw, Value};

/// Scheme, host and port of a page: `https://app.example.org`, `http://localhost:3000`.
///
/// Scheme and host are kept in lower case; the usual port of `http` and `https` is filled in, so
/// that `https://a` equals `https://a:443`. The opaque origin `null` is no `WebOrigin`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebOrigin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl WebOrigin {
    /// Longest origin, in bytes.
    pub const MOST: usize = 512;

    /// Reads an origin, from a setting or from an `Origin` header.
    ///
    /// # Errors
    /// Anything but `scheme://host` or `scheme://host:port`, in ASCII.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        if text.len() > Self::MOST {
            return Err(OriginError::TooLong);
        }
        let (scheme, rest) = text.split_once("://").ok_or(OriginError::NoScheme)?;
        let scheme = scheme.to_ascii_lowercase();
        let first = scheme.chars().next().is_some_and(|c| c.is_ascii_lowercase());
        let tail = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+.-".contains(c);
        if !first || !scheme.chars().all(tail) {
            return Err(OriginError::NoScheme);
        }
        let (host, port) = parse_authority(rest)?;
        let usual = match scheme.as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        Ok(Self { host, port: port.or(usual), scheme })
    }

    /// The scheme, in lower case.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }
}

/// Host, in lower case, and port, if one is given.
pub(super) fn parse_authority(text: &str) -> Result<(String, Option<u16>), OriginError> {
    if text.len() > WebOrigin::MOST {
        return Err(OriginError::TooLong);
    }
    if text.contains(['/', '?', '#']) {
        return Err(OriginError::Path);
    }
    let (host, port) = match text.rsplit_once(':') {
        // The colons of `[::1]` are not followed by a port.
        Some((host, port)) if !port.ends_with(']') => (host, Some(parse_port(port)?)),
        _ => (text, None),
    };
    Ok((parse_host(host)?, port))
}

fn parse_port(text: &str) -> Result<u16, OriginError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0).ok_or(OriginError::Port)
}

fn parse_host(text: &str) -> Result<String, OriginError> {
    if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let address: Ipv6Addr = inner.parse().map_err(|_| OriginError::Host)?;
        return Ok(format!("[{address}]"));
    }
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let number =
        text.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    match text {
        _ if text.contains('*') => Err(OriginError::Wildcard),
        _ if !text.split('.').all(label) => Err(OriginError::Host),
        // What ends in a number is an address in every browser.
        _ if number && text.parse::<Ipv4Addr>().is_err() => Err(OriginError::Host),
        _ => Ok(text.to_ascii_lowercase()),
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port } = self;
        match (scheme.as_str(), port) {
            ("http", Some(80)) | ("https", Some(443)) | (_, None) => write!(f, "{scheme}://{host}"),
            (_, Some(port)) => write!(f, "{scheme}://{host}:{port}"),
        }
    }
}

/// Why a text is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// No scheme, or not one.
    #[error(
        "it must be `scheme://host` or `scheme://host:port`, such as `https://app.example.org`"
    )]
    NoScheme,
    /// Something follows host and port.
    #[error("an origin has no path: it ends after the host and port, without a slash")]
    Path,
    /// Not a port.
    #[error("the port must be a number from 1 to 65535")]
    Port,
    /// Not a host.
    #[error("the host must be a name or an IP address; write international names as `xn--...`")]
    Host,
    /// A wildcard.
    #[error("part of an origin cannot be `*`; list each origin, or allow all with `*` alone")]
    Wildcard,
    /// Too long.
    #[error("it is longer than {} bytes", WebOrigin::MOST)]
    TooLong,
}

/// An entry of `allowed_origins`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AllowedOrigin {
    /// `*`: pages of any origin may connect.
    Any,
    /// Pages of this origin may connect.
    Exactly(WebOrigin),
}

impl Value for AllowedOrigin {
    const EXPECTED: &'static str = "an origin such as \"https://app.example.org\"";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        match raw.string(Self::EXPECTED)? {
            "*" => Ok(Self::Any),
            text => WebOrigin::parse(text)
                .map(Self::Exactly)
                .map_err(|error| Fault::refuse(text, error)),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Any => "\"*\"".to_owned(),
            Self::Exactly(origin) => format!("\"{origin}\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_origins_have_many_spellings() {
        for (left, right) in [
            ("https://app.example.org", "https://app.example.org:443"),
            ("HTTPS://App.Example.ORG", "https://app.example.org"),
            ("http://127.0.0.1", "http://127.0.0.1:80"),
            ("http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            assert_eq!(WebOrigin::parse(left), WebOrigin::parse(right), "{left}");
            assert!(WebOrigin::parse(left).is_ok(), "{left}");
        }
    }

    #[test]
    fn different_origins_are_never_equal() {
        let good = WebOrigin::parse("https://good.example").unwrap();
        for other in [
            "http://good.example",
            "https://good.example:8443",
            "https://good.example.evil",
            "https://evil-good.example",
            "https://sub.good.example",
            "app://good.example",
        ] {
            assert_ne!(WebOrigin::parse(other).unwrap(), good, "{other}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_with_the_reason() {
        for (text, error) in [
            ("", OriginError::NoScheme),
            ("null", OriginError::NoScheme),
            ("app.example.org", OriginError::NoScheme),
            ("://host", OriginError::NoScheme),
            ("1http://host", OriginError::NoScheme),
            ("ht tp://host", OriginError::NoScheme),
            ("https://host/", OriginError::Path),
            ("https://host?x", OriginError::Path),
            ("https://host/https://good", OriginError::Path),
            ("https://host:", OriginError::Port),
            ("https://host:0", OriginError::Port),
            ("https://host:65536", OriginError::Port),
            ("https://host:+80", OriginError::Port),
            ("https://user@host", OriginError::Host),
            ("https://user:pw@host", OriginError::Port),
            ("https://", OriginError::Host),
            ("https://a..b", OriginError::Host),
            ("https://[::zz]", OriginError::Host),
            ("https://::1", OriginError::Host),
            ("http://127.1", OriginError::Host),
            ("https://b\u{fc}cher.example", OriginError::Host),
            ("https://a b", OriginError::Host),
            ("https://*.example.org", OriginError::Wildcard),
        ] {
            assert_eq!(WebOrigin::parse(text), Err(error), "{text}");
        }
        let long = format!("https://{}", "a".repeat(WebOrigin::MOST));
        assert_eq!(WebOrigin::parse(&long), Err(OriginError::TooLong));
    }

    #[test]
    fn what_is_printed_is_the_same_origin() {
        for text in ["https://a.example", "http://a:3000", "https://[::1]:8443", "app://x"] {
            assert_eq!(WebOrigin::parse(text).unwrap().to_string(), text);
        }
    }
}
