//! The line between a client and the gateway, which breaks as lines do.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, copy};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// How a line ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Break {
    /// As if the client had closed its socket.
    Shut,
    /// With a reset.
    Reset,
    /// Nothing gets through for so long, and nobody is told; then it is gone.
    Silent(Duration),
}

/// A relay from memory to a socket. Without a [`Break`] it ends with either side.
pub(super) struct Line {
    breaking: oneshot::Sender<Break>,
}

impl Line {
    /// A line to the gateway, and the client's end of it; none if nobody listens.
    pub(super) async fn connect(address: SocketAddr) -> Option<(Self, DuplexStream)> {
        let far = TcpStream::connect(address).await.ok()?;
        far.set_nodelay(true).ok()?;
        let (client, near) = tokio::io::duplex(64 * 1024);
        let (breaking, broken) = oneshot::channel();
        tokio::spawn(relay(near, far, broken));
        Some((Self { breaking }, client))
    }

    pub(super) fn cut(self, how: Break) {
        // It may have ended by itself.
        self.breaking.send(how).ok();
    }
}

async fn relay(near: DuplexStream, mut far: TcpStream, broken: oneshot::Receiver<Break>) {
    let (mut from_client, mut to_client) = tokio::io::split(near);
    let how = {
        let (mut from_gateway, mut to_gateway) = far.split();
        let there = async {
            copy(&mut from_client, &mut to_gateway).await.ok();
            to_gateway.shutdown().await.ok();
        };
        let back = async {
            copy(&mut from_gateway, &mut to_client).await.ok();
            to_client.shutdown().await.ok();
        };
        tokio::select! {
            biased;
            how = broken => how.unwrap_or(Break::Shut),
            _ = async { tokio::join!(there, back) } => return,
        }
    };
    match how {
        Break::Shut => far.shutdown().await.unwrap_or_default(),
        Break::Reset => far.set_zero_linger().unwrap_or_default(),
        Break::Silent(time) => {
            tokio::time::timeout(time, swallow(&mut far, from_client, to_client)).await.ok();
        }
    }
}

/// The gateway writes and nobody gets it.
async fn swallow(
    far: &mut TcpStream,
    from_client: ReadHalf<DuplexStream>,
    to_client: WriteHalf<DuplexStream>,
) {
    let mut nowhere = vec![0; 64 * 1024];
    while far.read(&mut nowhere).await.is_ok_and(|bytes| bytes > 0) {}
    drop((from_client, to_client));
}
