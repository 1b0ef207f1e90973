//! Conformance to RFC 6455, byte by byte on a raw socket, through a gateway with the WASM echo
//! listener in between: text comes back as text, binary as binary, and every fault gets its code.
//!
//! The cases cover those of the public WebSocket conformance suite; by its groups:
//!
//! | group | here |
//! |---|---|
//! | 1 framing, 2 pings and pongs | [`framing`] |
//! | 3 reserved bits, 4 reserved opcodes | [`reserved`] |
//! | 5 fragmentation | [`fragments`] |
//! | 6 UTF-8 | [`text`] |
//! | 7 closing | [`closing`] |
//! | 9 large messages, many messages; 10 automatic fragmentation | [`large`] |
//!
//! Groups 12 and 13 are compression, which is never negotiated. `tests/conformance/suite` runs the
//! public suite itself where there is Python 2.7, for which it is written.

mod closing;
mod fragments;
mod framing;
mod large;
mod reserved;
mod text;

use tokio::net::TcpStream;

use crate::support::raw_client::{CLOSE, RawFrame, close_frame};
use crate::support::{Handshake, RawClient, TestGateway};

/// How bytes may be cut on their way: it makes no difference.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// Everything in one write.
    Whole,
    /// A write for each frame.
    Frames,
    /// A write for each byte.
    Bytes,
}

const CUTS: [Cut; 3] = [Cut::Whole, Cut::Frames, Cut::Bytes];

/// How a conversation ends.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// The client closes with 1000, and nothing else was sent to it.
    Open,
    /// The gateway fails the connection with this code.
    Failed(u16),
    /// The close frame of the client is answered with one that has this payload.
    Answered(Vec<u8>),
}

/// A gateway that echoes what comes, large as it may be, and says nothing by itself.
async fn echoing() -> TestGateway {
    let limits = "[limits]\nmessage_size = \"64MiB\"\noutbox_size = \"128MiB\"\n\
                  fragments = 100000\nmessage_time = \"10m\"\ncontrol_rate = 1000000";
    let module = "[limits]\nmemory = \"512MiB\"\ncpu = \"60s\"\ntimeout = \"60s\"\n\
                  send_bytes = \"64MiB\"";
    let setup = TestGateway::with().set("greeting = false\nkeep_alive = false").table(limits);
    setup.module("echo", "echo").sidecar("echo", module).start().await
}

async fn connect(gateway: &TestGateway) -> RawClient {
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let handshake = Handshake::new("/websocket/echo").bearer(&gateway.token("alice", &[]));
    RawClient::open(stream, &handshake.bytes()).await
}

/// Sends frames on a connection of their own, expects exactly these back, and then this end.
async fn talk(
    gateway: &TestGateway,
    what: &str,
    frames: &[Vec<u8>],
    cut: Cut,
    expected: &[RawFrame],
    end: &End,
) {
    let mut client = connect(gateway).await;
    let all = frames.concat();
    let writes: Vec<&[u8]> = match cut {
        Cut::Whole => vec![&all],
        Cut::Frames => frames.iter().map(Vec::as_slice).collect(),
        Cut::Bytes => all.chunks(1).collect(),
    };
    for bytes in writes {
        // Once the gateway has failed the connection it need not take the rest.
        let taken = client.try_send(bytes).await;
        assert!(taken || *end != End::Open, "{what}, {cut:?}: the connection has ended");
    }
    for frame in expected {
        let got = client.frame().await;
        assert_eq!(got.as_ref(), Some(frame), "{what}, {cut:?}");
    }
    if *end == End::Open {
        client.send(&close_frame(1000, b"")).await;
    }
    let close = client.frame().await.unwrap_or_else(|| panic!("{what}, {cut:?}: no close frame"));
    assert_eq!(close.first, CLOSE, "{what}, {cut:?}: {close:?}");
    match end {
        End::Open => assert_eq!(close.payload, 1000_u16.to_be_bytes(), "{what}, {cut:?}"),
        End::Answered(payload) => assert_eq!(&close.payload, payload, "{what}, {cut:?}"),
        End::Failed(code) => {
            let (sent, reason) = close.payload.split_at(2);
            assert_eq!(sent, code.to_be_bytes(), "{what}, {cut:?}: {close:?}");
            assert!(reason.len() <= 123 && std::str::from_utf8(reason).is_ok(), "{close:?}");
        }
    }
    // And TCP is closed, after nothing else.
    assert_eq!(client.frame().await, None, "{what}, {cut:?}");
}

/// [`talk`], however the frames are cut.
async fn talk_however_cut(
    gateway: &TestGateway,
    what: &str,
    frames: &[Vec<u8>],
    expected: &[RawFrame],
    end: &End,
) {
    for cut in CUTS {
        talk(gateway, what, frames, cut, expected, end).await;
    }
}

/// A frame of the gateway.
fn sent(first: u8, payload: impl Into<Vec<u8>>) -> RawFrame {
    RawFrame { first, payload: payload.into() }
}
