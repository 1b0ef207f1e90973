//! Names that the gateway is known by. A request for another host was sent here by mistake, or by
//! a page whose name was made to lead here (DNS rebinding).

use std::fmt;
use std::net::IpAddr;

use super::origin::{OriginError, parse_authority};
use super::value::{Fault, Raw, Value};

/// An entry of `hosts`: a host, with or without a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KnownHost {
    host: String,
    port: Option<u16>,
}

impl KnownHost {
    /// Reads `gateway.example.org`, `gateway.example.org:8443`, `192.0.2.1` or `[::1]:8080`, from a
    /// setting or from a `Host` header.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        parse_authority(text).map(|(host, port)| Self { host, port })
    }

    /// Whether a request with this `Host` is meant. Without a port in the setting any will do;
    /// without one in the request it is that of `http` or `https`.
    pub fn is_meant_by(&self, requested: &Self) -> bool {
        let port = match (self.port, requested.port) {
            (None, _) => true,
            (Some(own), Some(other)) => own == other,
            (Some(own), None) => matches!(own, 80 | 443),
        };
        port && self.host == requested.host
    }

    /// The names of this machine for itself, at any port.
    pub(super) fn loopback(listen: IpAddr) -> Vec<Self> {
        let own = match listen.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "[::1]".to_owned()];
        if !names.contains(&own) {
            names.push(own);
        }
        names.into_iter().map(|host| Self { host, port: None }).collect()
    }
}

impl fmt::Display for KnownHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            None => f.write_str(&self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
        }
    }
}

impl Value for KnownHost {
    const EXPECTED: &'static str = "a host such as \"gateway.example.org\"";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        Self::parse(text).map_err(|error| match error {
            OriginError::Path => Fault::refuse(
                text,
                "it must be a host, with or without a port, such as `gateway.example.org`",
            ),
            OriginError::Wildcard => {
                Fault::refuse(text, "list each host; `*` stands for nothing here")
            }
            error => Fault::refuse(text, error),
        })
    }

    fn text(&self) -> String {
        format!("\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_meant_or_not() {
        for (known, requested, meant) in [
            ("gate.example", "gate.example", true),
            ("gate.example", "GATE.example", true),
            ("Gate.Example", "gate.example:8443", true),
            ("gate.example:8443", "gate.example:8443", true),
            ("gate.example:443", "gate.example", true),
            ("gate.example:80", "gate.example", true),
            ("[::1]:8080", "[0:0:0:0:0:0:0:1]:8080", true),
            ("192.0.2.1", "192.0.2.1:80", true),
            ("gate.example:8443", "gate.example", false),
            ("gate.example:8443", "gate.example:844", false),
            ("gate.example", "sub.gate.example", false),
            ("gate.example", "gate.example.evil", false),
            ("gate.example", "evil-gate.example", false),
            ("gate.example", "gate.exampl", false),
            ("192.0.2.1", "192.0.2.10", false),
        ] {
            let [known, requested] = [known, requested].map(|text| KnownHost::parse(text).unwrap());
            assert_eq!(known.is_meant_by(&requested), meant, "{known} for {requested}");
        }
    }

    #[test]
    fn this_machine_has_names_for_itself_each_once() {
        let names = |listen: &str| -> Vec<String> {
            KnownHost::loopback(listen.parse().unwrap()).iter().map(ToString::to_string).collect()
        };
        assert_eq!(names("127.0.0.1"), ["localhost", "127.0.0.1", "[::1]"]);
        assert_eq!(names("::1"), names("127.0.0.1"));
        assert_eq!(names("::ffff:127.0.0.1"), names("127.0.0.1"));
        assert_eq!(names("127.1.2.3"), ["localhost", "127.0.0.1", "[::1]", "127.1.2.3"]);
    }

    proptest::proptest! {
        #[test]
        fn what_is_printed_is_the_same_host(text in "[a-z0-9.:\\[\\]@*-]{0,24}") {
            if let Ok(host) = KnownHost::parse(&text) {
                proptest::prop_assert_eq!(KnownHost::parse(&host.to_string()), Ok(host));
            }
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            "https://gate.example",
            "gate.example/",
            "gate.example:",
            "gate.example:0",
            "a b",
            "user@gate.example",
            "*.example",
            "127.1",
            "gate.example.:x",
            "[::1",
            "::1",
            "a?b",
            "a#b",
        ] {
            assert!(KnownHost::parse(text).is_err(), "{text}");
        }
    }
}
