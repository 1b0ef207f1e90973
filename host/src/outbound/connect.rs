//! From a host that is granted to a connection with one of its addresses. The address that is
//! checked is the one that is connected to: no name is looked up twice.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::address::is_public;
use super::failure::Failure;
use super::network::Network;
use super::{Place, Target};
use crate::config::Networks;

/// Addresses of one host that are tried.
const MAX_TRIES: usize = 4;

/// What HTTP is spoken on.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Connects until `deadline`, with TLS where the target wants it.
pub(super) async fn connect(
    target: &Target,
    private: &Networks,
    network: &Network,
    place: &Arc<Place>,
    deadline: Instant,
) -> Result<Box<dyn Stream>, Failure> {
    let connecting = async {
        let tls = match network {
            Network::System(tls) => tls,
            Network::Script(script) => return script.connect(target, private),
        };
        let addresses = resolve(target, place).await?;
        let stream = open(&admitted(&addresses, private)?, deadline).await?;
        // A request is written in one go.
        let _ = stream.set_nodelay(true);
        let stream: Box<dyn Stream> = match target.tls {
            true => Box::new(tls.connect(&target.host, stream).await?),
            false => Box::new(stream),
        };
        Ok(stream)
    };
    timeout_at(deadline, connecting).await.unwrap_or(Err(Failure::ConnectTimeout))
}

/// All addresses of the host, as the system looks them up.
async fn resolve(target: &Target, place: &Arc<Place>) -> Result<Vec<SocketAddr>, Failure> {
    if let Some(address) = target.address() {
        return Ok(vec![address]);
    }
    let port = target.port;
    // It cannot be cut short: until it is over it keeps its place, so that there are not many.
    let (host, place) = (target.host.clone(), Arc::clone(place));
    let looking = tokio::task::spawn_blocking(move || {
        let _place = place;
        (host.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>)
    });
    match looking.await {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Ok(_) | Err(_)) | Err(_) => Err(Failure::NotFound),
    }
}

/// Those that are public, or that are granted all the same.
pub(super) fn admitted(
    addresses: &[SocketAddr],
    private: &Networks,
) -> Result<Vec<SocketAddr>, Failure> {
    let may = |address: &&SocketAddr| is_public(address.ip()) || private.contains(address.ip());
    let admitted: Vec<SocketAddr> = addresses.iter().filter(may).copied().collect();
    if admitted.is_empty() { Err(Failure::Address) } else { Ok(admitted) }
}

/// Connects to the first that answers; each has its share of the time.
async fn open(addresses: &[SocketAddr], deadline: Instant) -> Result<TcpStream, Failure> {
    let addresses = addresses.get(..MAX_TRIES).unwrap_or(addresses);
    let mut failure = Failure::Connect;
    for (tried, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - tried).unwrap_or(1);
        let now = Instant::now();
        let share = now + deadline.saturating_duration_since(now) / left;
        match timeout_at(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => tracing::debug!(%address, "no connection: {error}"),
            Err(_) => failure = Failure::ConnectTimeout,
        }
    }
    Err(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn of_several_addresses_only_those_that_may_be_called_are() {
        let found = [socket("127.0.0.1:80"), socket("1.1.1.1:80"), socket("[::1]:80")];
        let none = Networks::default();
        assert_eq!(admitted(&found, &none), Ok(vec![found[1]]));
        let loopback = Networks::parse(&["127.0.0.0/8"]).unwrap();
        assert_eq!(admitted(&found, &loopback), Ok(vec![found[0], found[1]]));
        assert_eq!(admitted(&[socket("[::ffff:127.0.0.1]:80")], &none), Err(Failure::Address));
        assert!(admitted(&[socket("[::ffff:127.0.0.1]:80")], &loopback).is_ok());
    }
}
