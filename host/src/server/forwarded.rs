//! Who a request comes from, where proxies stand in front of the gateway. A proxy's word counts
//! only if the proxy is a configured one, and of several addresses the last one that no configured
//! proxy has: everything before it is hearsay.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{FORWARDED, HeaderMap, HeaderName};

use crate::config::{ForwardedHeader, Networks};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Most entries that are looked at: there are never so many proxies in a row.
const MAX_HOPS: usize = 32;

/// The address of the client behind `peer`. Without proxies, or where the header is not right,
/// the peer's own.
pub(super) fn client(
    peer: IpAddr,
    headers: &HeaderMap,
    proxies: &Networks,
    header: ForwardedHeader,
) -> IpAddr {
    let peer = peer.to_canonical();
    if !proxies.contains(peer) {
        return peer;
    }
    named(headers, proxies, header).unwrap_or(peer)
}

/// The last address that is no proxy's, or the first one where all are; none where there is none,
/// or one in between that cannot be read.
fn named(headers: &HeaderMap, proxies: &Networks, header: ForwardedHeader) -> Option<IpAddr> {
    let name = match header {
        ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
        ForwardedHeader::Forwarded => FORWARDED,
    };
    let mut last = None;
    // Several headers are one list (RFC 9110, section 5.3).
    for value in headers.get_all(name).iter().rev() {
        for entry in value.to_str().ok()?.rsplit(',').take(MAX_HOPS) {
            let address = match header {
                ForwardedHeader::XForwardedFor => address(entry.trim())?,
                ForwardedHeader::Forwarded => address(forwarded_for(entry)?)?,
            };
            if !proxies.contains(address) {
                return Some(address);
            }
            last = Some(address);
        }
    }
    last
}

/// The `for` of an element of `Forwarded` (RFC 7239, section 4). No value that matters here has a
/// comma or semicolon in its quotes.
fn forwarded_for(element: &str) -> Option<&str> {
    let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    let (_, value) = named.next()?;
    let value = value.trim();
    match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"'),
        None => Some(value),
    }
}

/// An address with or without a port; IPv6 with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let parsed = bare.parse().ok().or_else(|| {
        let socket: SocketAddr = text.parse().ok()?;
        Some(socket.ip())
    });
    parsed.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(peer: &str, header: ForwardedHeader, values: &[&str]) -> String {
        let proxies = Networks::parse(&["10.0.0.0/8", "fd00::/8"]).unwrap();
        let name = match header {
            ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
            ForwardedHeader::Forwarded => FORWARDED,
        };
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), value.parse().unwrap());
        }
        client(peer.parse().unwrap(), &headers, &proxies, header).to_string()
    }

    #[test]
    fn the_last_address_that_is_no_proxys_is_the_clients() {
        let x = ForwardedHeader::XForwardedFor;
        for (peer, values, expected) in [
            ("10.0.0.1", vec!["203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", vec!["203.0.113.7, 10.1.1.1"], "203.0.113.7"),
            ("10.0.0.1", vec!["1.1.1.1, 203.0.113.7 , 10.1.1.1"], "203.0.113.7"),
            ("10.0.0.1", vec!["1.1.1.1", "203.0.113.7", "10.1.1.1"], "203.0.113.7"),
            ("::ffff:10.0.0.1", vec!["203.0.113.7"], "203.0.113.7"),
            ("fd00::1", vec!["2001:db8::7"], "2001:db8::7"),
            ("10.0.0.1", vec!["[2001:db8::7]:443"], "2001:db8::7"),
            ("10.0.0.1", vec!["203.0.113.7:55555"], "203.0.113.7"),
            ("10.0.0.1", vec!["::ffff:203.0.113.7"], "203.0.113.7"),
            // All are proxies: the first is as far as anybody knows.
            ("10.0.0.1", vec!["10.2.2.2, 10.1.1.1"], "10.2.2.2"),
            // Hearsay before what is known may be anything.
            ("10.0.0.1", vec!["<script>, 203.0.113.7"], "203.0.113.7"),
            // A peer that is no proxy is not believed.
            ("203.0.113.9", vec!["1.1.1.1"], "203.0.113.9"),
            ("203.0.113.9", vec!["10.0.0.1"], "203.0.113.9"),
            // What cannot be read counts for nothing.
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec![""], "10.0.0.1"),
            ("10.0.0.1", vec!["unknown"], "10.0.0.1"),
            ("10.0.0.1", vec!["1.1.1.1, "], "10.0.0.1"),
            ("10.0.0.1", vec!["1.1.1.1, proxy.example"], "10.0.0.1"),
            ("10.0.0.1", vec!["1.1.1.1, 999.1.1.1, 10.1.1.1"], "10.0.0.1"),
        ] {
            assert_eq!(found(peer, x, &values), expected, "{peer} {values:?}");
        }
    }

    #[test]
    fn the_forwarded_header_is_read_as_the_rfc_says() {
        let header = ForwardedHeader::Forwarded;
        for (value, expected) in [
            ("for=203.0.113.7", "203.0.113.7"),
            ("For=\"[2001:db8::7]:4711\"", "2001:db8::7"),
            ("proto=https; for=203.0.113.7;by=10.0.0.1", "203.0.113.7"),
            ("for=1.1.1.1, for=203.0.113.7, for=10.1.1.1", "203.0.113.7"),
            ("for=unknown", "10.0.0.1"),
            ("for=_hidden", "10.0.0.1"),
            ("for=\"203.0.113.7", "10.0.0.1"),
            ("by=203.0.113.7", "10.0.0.1"),
        ] {
            assert_eq!(found("10.0.0.1", header, &[value]), expected, "{value}");
        }
    }

    #[test]
    fn only_the_configured_header_is_read() {
        let proxies = Networks::parse(&["10.0.0.1"]).unwrap();
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED, "for=6.6.6.6".parse().unwrap());
        let peer = "10.0.0.1".parse().unwrap();
        let x = ForwardedHeader::XForwardedFor;
        assert_eq!(client(peer, &headers, &proxies, x), peer);
    }
}
