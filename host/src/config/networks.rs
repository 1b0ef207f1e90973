//! Lists of IP networks: whose word about a client counts. An address belongs to a network or it
//! does not; host names are never looked up.

use std::net::IpAddr;

use ipnet::IpNet;

use super::value::{Fault, Raw, Value};

/// IP networks, such as those of the proxies in front of the gateway. Written as a list of
/// `10.0.0.0/8`, `fd00::/8` (CIDR, RFC 4632) or single addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Reads networks from their texts.
    ///
    /// # Errors
    /// The first that is none.
    pub fn parse(texts: &[&str]) -> Result<Self, NetworkError> {
        texts.iter().map(|text| parse(text)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether an address lies in one of them. An IPv4 address that came through an IPv6 socket
    /// (`::ffff:10.0.0.1`) is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether there are none: nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a single one of them holds every address of a family.
    pub fn has_everybody(&self) -> bool {
        self.0.iter().any(|network| network.prefix_len() == 0)
    }
}

impl Value for Networks {
    const EXPECTED: &'static str = "a list of networks such as \"10.0.0.0/8\"";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let networks: Vec<Network> = Vec::read(raw)?;
        Ok(Self(networks.into_iter().map(|network| network.0).collect()))
    }

    fn text(&self) -> String {
        self.0.iter().copied().map(Network).collect::<Vec<_>>().text()
    }
}

/// One of them.
struct Network(IpNet);

impl Value for Network {
    const EXPECTED: &'static str = "a network such as \"10.0.0.0/8\", or an IP address";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        parse(text).map(Self).map_err(|error| Fault::refuse(text, error))
    }

    fn text(&self) -> String {
        let single = self.0.prefix_len() == self.0.max_prefix_len();
        if single { format!("\"{}\"", self.0.addr()) } else { format!("\"{}\"", self.0) }
    }
}

/// Why a text is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// Neither address nor network.
    #[error(
        "it must be a network such as `10.0.0.0/8` or `fd00::/8`, or an IP address; host names are \
         not looked up"
    )]
    NotANetwork,
    /// Most likely one of the two is a slip.
    #[error(
        "the address has bits beyond the prefix; write `{0}` for the network, or the address alone"
    )]
    BitsBeyondPrefix(IpNet),
    /// Addresses are compared in their IPv4 form, so it would never hold.
    #[error("write an IPv4 network as such, without `::ffff:`")]
    MappedIpv4,
}

fn parse(text: &str) -> Result<IpNet, NetworkError> {
    let not_a_network = |_| NetworkError::NotANetwork;
    let network = if text.contains('/') {
        text.parse().map_err(|_| NetworkError::NotANetwork)?
    } else {
        IpNet::from(text.parse::<IpAddr>().map_err(not_a_network)?)
    };
    if network.addr() != network.network() {
        return Err(NetworkError::BitsBeyondPrefix(network.trunc()));
    }
    match network {
        IpNet::V6(inner) if inner.addr().to_ipv4_mapped().is_some() => {
            Err(NetworkError::MappedIpv4)
        }
        _ => Ok(network),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Networks {
        Networks::parse(texts).unwrap()
    }

    #[test]
    fn an_address_is_in_a_network_or_not() {
        let ours =
            networks(&["10.0.0.0/8", "192.0.2.7", "fd00::/8", "2001:db8::1", "172.16.0.0/12"]);
        for inside in [
            "10.0.0.0",
            "10.255.255.255",
            "192.0.2.7",
            "172.31.255.255",
            "fdff:ffff::1",
            "2001:db8::1",
            "::ffff:10.1.2.3",
            "::ffff:192.0.2.7",
        ] {
            assert!(ours.contains(inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "11.0.0.0",
            "9.255.255.255",
            "192.0.2.8",
            "172.32.0.0",
            "fe00::1",
            "2001:db8::2",
            "::ffff:11.0.0.1",
            // Another way to write IPv4 in IPv6, and another address.
            "::10.0.0.1",
            "64:ff9b::10.0.0.1",
        ] {
            assert!(!ours.contains(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn nobody_is_in_no_network_and_everybody_of_a_family_in_its_whole() {
        let none = Networks::default();
        assert!(none.is_empty() && !none.has_everybody());
        assert!(!none.contains("127.0.0.1".parse().unwrap()));
        let all = networks(&["0.0.0.0/0"]);
        assert!(all.has_everybody() && all.contains("198.51.100.1".parse().unwrap()));
        assert!(!all.contains("2001:db8::1".parse().unwrap()), "the other family");
        assert!(!networks(&["10.0.0.0/8"]).has_everybody());
    }

    #[test]
    fn what_is_no_network_is_refused_with_the_reason() {
        for text in [
            "",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0/8",
            "10.0.0.0/8/8",
            "10.0.0.0/255.0.0.0",
            "fd00::/129",
            "010.0.0.1",
            "10.0.0.1 ",
            "[::1]",
            "127.0.0.1:80",
            "localhost",
            "*",
            "fe80::1%eth0",
            "0x7f.0.0.1",
        ] {
            assert_eq!(parse(text), Err(NetworkError::NotANetwork), "{text}");
        }
        let network = parse("10.0.0.0/8").unwrap();
        assert_eq!(parse("10.1.0.0/8"), Err(NetworkError::BitsBeyondPrefix(network)));
        assert!(matches!(parse("fd00::1/8"), Err(NetworkError::BitsBeyondPrefix(_))));
        assert_eq!(parse("::ffff:10.0.0.0/104"), Err(NetworkError::MappedIpv4));
        assert_eq!(parse("::ffff:10.0.0.1"), Err(NetworkError::MappedIpv4));
    }

    #[test]
    fn what_is_printed_is_the_same_list() {
        assert_eq!(networks(&["10.0.0.0/8", "::1"]).text(), "[\"10.0.0.0/8\", \"::1\"]");
        assert_eq!(networks(&["127.0.0.1/32"]).text(), "[\"127.0.0.1\"]");
        assert_eq!(Networks::default().text(), "[]");
    }

    proptest::proptest! {
        #[test]
        fn an_address_is_in_the_network_that_has_its_first_bits(
            address in proptest::prelude::any::<IpAddr>(),
            bits in 0..=32_u8,
        ) {
            let network = IpNet::new(address, bits).unwrap().trunc();
            let ours = Networks(vec![network]);
            // Canonical: an IPv4 address in IPv6 form is in no IPv6 network.
            if address == address.to_canonical() {
                proptest::prop_assert!(ours.contains(address));
                let text = network.to_string();
                proptest::prop_assert_eq!(Networks::parse(&[&text]), Ok(ours));
            }
        }
    }
}
