//! Hosts that a module may call: entries of `[http] hosts` in its sidecar.

use std::fmt;

use super::origin::{OriginError, parse_authority};
use super::value::{Fault, Raw, Value};

/// A host, or all hosts below a domain, with or without a port. Kept in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    host: String,
    /// `*.example.org`: what is below `host`, not `host` itself.
    below: bool,
    port: Option<u16>,
}

/// Why a text is no destination.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// No host and port.
    #[error(
        "it must be a host, with or without a port, such as `api.example.com:8443`, without scheme and path; write international names as `xn--...`"
    )]
    NotAHost,
    /// The port is none.
    #[error("the port must be a number from 1 to 65535")]
    Port,
    /// A star in another place.
    #[error("`*` stands only at the beginning, for all names below a domain: `*.example.org`")]
    Wildcard,
}

impl Destination {
    /// Reads `api.example.com`, `*.example.org:8443`, `192.0.2.1` or `[2001:db8::1]:8080`.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, DestinationError> {
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (host, port) = authority(rest)?;
        let is_address = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
        if below && (is_address || !host.contains('.')) {
            // `*.com` and `*.1.2.3.4` are slips.
            return Err(DestinationError::Wildcard);
        }
        Ok(Self { host, below, port })
    }

    /// Whether this host, in lower case and without a dot at its end, may be called at a port.
    /// Without a port in the setting only the `usual` one of the scheme may.
    pub fn admits(&self, host: &str, port: u16, usual: u16) -> bool {
        let named = match self.below {
            false => host == self.host,
            true => host
                .strip_suffix(&*self.host)
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|labels| !labels.is_empty()),
        };
        named && port == self.port.unwrap_or(usual)
    }
}

/// Host and port of a URL's authority, the host in lower case and without a dot at its end: names of
/// letters, digits, `-` and `_`, or an IP address in its one plain spelling. No user, no other
/// spelling of an address.
///
/// # Errors
/// Anything else.
pub fn authority(text: &str) -> Result<(String, Option<u16>), DestinationError> {
    let (mut host, mut tail) = (text, "");
    if !text.ends_with(']')
        && let Some((before, _)) = text.rsplit_once(':')
    {
        (host, tail) = text.split_at(before.len());
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    // Resolvers read it as an address.
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.starts_with("0x") || last.starts_with("0X") {
        return Err(DestinationError::NotAHost);
    }
    parse_authority(&format!("{host}{tail}")).map_err(|error| match error {
        OriginError::Wildcard => DestinationError::Wildcard,
        OriginError::Port => DestinationError::Port,
        _ => DestinationError::NotAHost,
    })
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.below { "*." } else { "" };
        write!(f, "{star}{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Value for Destination {
    const EXPECTED: &'static str = "a host such as \"api.example.com\"";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        Self::parse(text).map_err(|error| Fault::refuse(text, error))
    }

    fn text(&self) -> String {
        format!("\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_granted_or_not() {
        for (granted, called, port, usual, admitted) in [
            ("api.example.com", "api.example.com", 443, 443, true),
            ("API.example.com", "api.example.com", 80, 80, true),
            ("api.example.com.", "api.example.com", 443, 443, true),
            ("api.example.com", "api.example.com", 8443, 443, false),
            ("api.example.com", "api.example.com", 80, 443, false),
            ("api.example.com:8443", "api.example.com", 8443, 443, true),
            ("api.example.com:8443", "api.example.com", 443, 443, false),
            ("api.example.com", "api.example.com.evil", 443, 443, false),
            ("api.example.com", "evil-api.example.com", 443, 443, false),
            ("api.example.com", "sub.api.example.com", 443, 443, false),
            ("*.example.org", "a.example.org", 443, 443, true),
            ("*.example.org", "a.b.example.org", 443, 443, true),
            ("*.example.org", "example.org", 443, 443, false),
            ("*.example.org", ".example.org", 443, 443, false),
            ("*.example.org", "badexample.org", 443, 443, false),
            ("*.example.org:81", "a.example.org", 81, 80, true),
            ("127.0.0.1:9000", "127.0.0.1", 9000, 80, true),
            ("[::1]:9000", "[::1]", 9000, 80, true),
            ("[0:0::1]", "[::1]", 80, 80, true),
        ] {
            let destination = Destination::parse(granted).unwrap();
            assert_eq!(destination.admits(called, port, usual), admitted, "{granted}: {called}");
        }
    }

    #[test]
    fn one_host_has_one_spelling() {
        for (text, host, port) in [
            ("Example.COM", "example.com", None),
            ("example.com.", "example.com", None),
            ("example.com.:8080", "example.com", Some(8080)),
            ("[0:0:0:0:0:0:0:1]:1", "[::1]", Some(1)),
            ("[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]", None),
        ] {
            assert_eq!(authority(text), Ok((host.to_owned(), port)), "{text}");
        }
    }

    #[test]
    fn other_spellings_of_an_address_and_what_is_no_host_are_refused() {
        for text in [
            "",
            ".",
            "127.1",
            "127.0.0.01",
            "0177.0.0.1",
            "0x7f.0.0.1",
            "0x7f000001",
            "2130706433",
            "127.0.0.1.",
            "127.0.0.1..",
            "user@example.com",
            "user:pw@example.com",
            "example.com:",
            "example.com:0",
            "example.com:65536",
            "example.com:+80",
            "example..com",
            "ex%61mple.com",
            "b\u{fc}cher.example",
            "[::1",
            "[::1%25eth0]",
            "::1",
            "example.com/",
            "example.com#",
            "a b",
        ] {
            let refused = authority(text).is_err();
            // With a dot at its end, an address is the address.
            assert_eq!(refused, text != "127.0.0.1.", "{text}");
        }
    }

    #[test]
    fn a_star_stands_for_names_below_a_domain_only() {
        for text in ["*", "*.", "*.com", "a.*.com", "a*.example.org", "*.*.org", "*.192.0.2.1"] {
            assert!(Destination::parse(text).is_err(), "{text}");
        }
        assert_eq!(Destination::parse("*.Example.org:1").unwrap().to_string(), "*.example.org:1");
    }
}
