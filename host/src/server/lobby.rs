//! Room for connections that are no clients yet: so many in all, and so many of one address, so
//! that nobody who connects and says nothing keeps all others out. It is about TCP peers: nothing
//! has been read of them that could name another address.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::admission::{AddressKey, Tally};
use crate::config::Networks;

/// The room of one server.
#[derive(Debug)]
pub(super) struct Lobby {
    places: Arc<Semaphore>,
    per_address: usize,
    addresses: Arc<Tally<AddressKey>>,
    /// Who stands for many clients has no share.
    proxies: Networks,
}

/// One place, given back on drop.
#[derive(Debug)]
pub(super) struct Place {
    _place: OwnedSemaphorePermit,
    share: Option<Share>,
}

/// What counts against the share of an address.
#[derive(Debug)]
struct Share {
    addresses: Arc<Tally<AddressKey>>,
    address: AddressKey,
}

/// What there is no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// Any more connections.
    Server,
    /// More of this address.
    Address,
}

impl Lobby {
    /// Room for `places` connections, of which one address but a proxy's has `per_address`.
    pub(super) fn new(places: usize, per_address: usize, proxies: Networks) -> Self {
        let places = Arc::new(Semaphore::new(places));
        Self { places, per_address, addresses: Arc::default(), proxies }
    }

    /// Takes a place for a connection.
    pub(super) fn admit(&self, peer: IpAddr) -> Result<Place, NoPlace> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| NoPlace::Server)?;
        if self.proxies.contains(peer.to_canonical()) {
            return Ok(Place { _place: place, share: None });
        }
        let address = AddressKey::from(peer);
        self.addresses.take(&address, self.per_address).ok_or(NoPlace::Address)?;
        let share = Share { addresses: Arc::clone(&self.addresses), address };
        Ok(Place { _place: place, share: Some(share) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(Share { addresses, address }) = &self.share {
            addresses.give_back(address);
        }
    }
}

impl NoPlace {
    /// All there are.
    pub(super) const ALL: [Self; 2] = [Self::Server, Self::Address];

    /// Stable name, for logs and metrics.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Server => "handshakes",
            Self::Address => "address-handshakes",
        }
    }

    /// The status of the answer.
    pub(super) fn status(self) -> u16 {
        match self {
            Self::Server => 503,
            Self::Address => 429,
        }
    }

    /// The answer; nothing of the connection is read.
    pub(super) fn reply(self) -> &'static [u8] {
        match self {
            Self::Server => {
                b"HTTP/1.1 503 Service Unavailable\r\n\
                content-type: text/plain; charset=utf-8\r\ncontent-length: 54\r\nretry-after: 5\r\n\
                connection: close\r\n\r\n503 too many connections are in their handshake; retry"
            }
            Self::Address => {
                b"HTTP/1.1 429 Too Many Requests\r\n\
                content-type: text/plain; charset=utf-8\r\ncontent-length: 70\r\nretry-after: 5\r\n\
                connection: close\r\n\r\n\
                429 too many connections of this address are in their handshake; retry"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_share_and_a_proxy_all_there_is() {
        let proxies = Networks::parse(&["10.0.0.0/8"]).unwrap();
        let lobby = Lobby::new(5, 2, proxies);
        let one = lobby.admit(address("2001:db8::1")).unwrap();
        let _two = lobby.admit(address("2001:db8::2")).unwrap();
        assert_eq!(lobby.admit(address("2001:db8::3")).err(), Some(NoPlace::Address));
        let proxied: Vec<_> =
            (0..3).map(|_| lobby.admit(address("::ffff:10.0.0.1")).unwrap()).collect();
        assert_eq!(lobby.admit(address("192.0.2.1")).err(), Some(NoPlace::Server));
        drop(proxied);
        drop(one);
        let _again = lobby.admit(address("2001:db8::3")).unwrap();
        assert_eq!(lobby.admit(address("2001:db8::1")).err(), Some(NoPlace::Address));
    }

    #[test]
    fn the_answers_have_the_status_and_the_length_that_they_say() {
        for no_place in NoPlace::ALL {
            let text = std::str::from_utf8(no_place.reply()).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {} ", no_place.status())), "{head}");
            let length = format!("content-length: {}\r\n", body.len());
            assert!(head.contains(&length), "{length} {head}");
        }
    }
}
