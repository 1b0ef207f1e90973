//! A client that speaks frames by hand: what no library would send, and when none would.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::raw::{Handshake, RawResponse, read_response};
use super::{PATIENCE, TestGateway};

/// First bytes of frames (RFC 6455, section 5.2).
pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const TEXT_BEGINS: u8 = 0x01;
pub const BINARY_BEGINS: u8 = 0x02;
pub const GOES_ON: u8 = 0x00;
pub const ENDS: u8 = 0x80;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A masked frame, whole.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = frame_head(first, payload.len() as u64);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// The beginning of a masked frame that says it has so many bytes.
pub fn frame_head(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..126 => bytes.push(0x80 | length as u8),
        126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes
}

/// A close frame.
pub fn close_frame(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(CLOSE, &[&code.to_be_bytes(), reason].concat())
}

/// A frame from the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFrame {
    pub first: u8,
    pub payload: Vec<u8>,
}

/// A connected client. It answers nothing by itself.
pub struct RawClient {
    stream: TcpStream,
    received: Vec<u8>,
    pub answer: RawResponse,
}

impl RawClient {
    /// A client of user `alice` on a sub path; its greeting is already read.
    pub async fn connect(gateway: &TestGateway, path: &str) -> Self {
        let stream = TcpStream::connect(gateway.address()).await.unwrap();
        Self::greeted(gateway, stream, path).await
    }

    /// As [`RawClient::connect`], with hardly any room for what it does not read.
    pub async fn connect_narrow(gateway: &TestGateway, path: &str) -> Self {
        Self::greeted(gateway, narrow(gateway.address()).await, path).await
    }

    async fn greeted(gateway: &TestGateway, stream: TcpStream, path: &str) -> Self {
        let handshake = Handshake::new(&format!("/websocket{path}"));
        let bytes = handshake.bearer(&gateway.token("alice", &[])).bytes();
        let mut client = Self::open(stream, &bytes).await;
        assert_eq!(client.json().await["type"], "setClientId");
        client
    }

    /// Sends a handshake, and what else is in `bytes`.
    pub async fn open(mut stream: TcpStream, bytes: &[u8]) -> Self {
        stream.write_all(bytes).await.unwrap();
        let mut received = Vec::new();
        let answer = read_response(&mut stream, &mut received).await;
        assert_eq!(answer.status, 101, "{answer:?}");
        Self { stream, received, answer }
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        assert!(self.try_send(bytes).await, "the connection has ended");
    }

    /// Sends; returns whether the connection still took it.
    pub async fn try_send(&mut self, bytes: &[u8]) -> bool {
        let sending = self.stream.write_all(bytes);
        tokio::time::timeout(PATIENCE, sending).await.expect("nobody reads").is_ok()
    }

    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// The next frame; none once the connection has ended.
    pub async fn frame(&mut self) -> Option<RawFrame> {
        let reading = async {
            loop {
                if let Some(frame) = self.take_frame() {
                    return Some(frame);
                }
                let mut chunk = [0; 4096];
                match self.stream.read(&mut chunk).await {
                    Ok(count @ 1..) => self.received.extend_from_slice(&chunk[..count]),
                    Ok(0) | Err(_) => return None,
                }
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("no frame")
    }

    /// The next frame, which is a text message.
    pub async fn text(&mut self) -> String {
        match self.frame().await {
            Some(RawFrame { first: TEXT, payload }) => String::from_utf8(payload).unwrap(),
            other => panic!("expected a text message, got {other:?}"),
        }
    }

    pub async fn json(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }

    /// The next frame, which is a close frame: its code.
    pub async fn close_code(&mut self) -> u16 {
        match self.frame().await {
            Some(RawFrame { first: CLOSE, payload }) if payload.len() >= 2 => {
                u16::from_be_bytes([payload[0], payload[1]])
            }
            other => panic!("expected a close frame with a code, got {other:?}"),
        }
    }

    /// Waits until the gateway lets go of the connection. Panics on any frame.
    pub async fn ended(&mut self) {
        assert_eq!(self.frame().await, None);
    }

    fn take_frame(&mut self) -> Option<RawFrame> {
        let [first, length, rest @ ..] = self.received.as_slice() else { return None };
        assert!(length & 0x80 == 0, "a server does not mask");
        let (length, skip) = match length {
            126 => (u64::from(u16::from_be_bytes(rest.get(..2)?.try_into().ok()?)), 2),
            127 => (u64::from_be_bytes(rest.get(..8)?.try_into().ok()?), 8),
            short => (u64::from(*short), 0),
        };
        let payload = rest.get(skip..skip + length as usize)?.to_vec();
        let first = *first;
        self.received.drain(..2 + skip + payload.len());
        Some(RawFrame { first, payload })
    }
}

/// A connection that takes only a few KiB before its reader reads.
pub async fn narrow(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(address).await.unwrap()
}
