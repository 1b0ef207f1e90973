//! Requests that no client library would send, and the answers to them.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::PATIENCE;

/// The key that the RFC uses as its example, and what answers it.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// An opening handshake, right until it is spoilt.
#[derive(Clone)]
pub struct Handshake {
    line: String,
    headers: Vec<(String, String)>,
}

impl Handshake {
    /// For a path, base path included.
    pub fn new(target: &str) -> Self {
        let headers = [
            ("Host", "sporegate.test"),
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", KEY),
        ];
        let headers = headers.map(|(name, value)| (name.into(), value.into())).into();
        Self { line: format!("GET {target} HTTP/1.1"), headers }
    }

    /// With another request line.
    pub fn line(mut self, line: &str) -> Self {
        line.clone_into(&mut self.line);
        self
    }

    /// With a bearer token.
    pub fn bearer(self, token: &str) -> Self {
        self.and("Authorization", &format!("Bearer {token}"))
    }

    /// With one header more.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With another value of a header.
    pub fn but(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// Without a header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(own, _)| own != name);
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{}\r\n{headers}\r\n", self.line).into_bytes()
    }
}

/// The head of an answer and its body.
#[derive(Debug)]
pub struct RawResponse {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl RawResponse {
    /// A header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The head at the beginning of `bytes`, and where it ends; none before all of it is there.
    pub fn head(bytes: &[u8]) -> Option<(Self, usize)> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((Self { status, head, body: String::new() }, end + 4))
    }
}

/// Sends bytes and reads one HTTP answer.
pub async fn raw_request(address: SocketAddr, bytes: &[u8]) -> RawResponse {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    read_response(&mut stream, &mut Vec::new()).await
}

/// Sends bytes and reads until the other side closes.
pub async fn raw_exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(PATIENCE, exchange).await.expect("the connection stayed open")
}

/// Reads one answer, its body by `content-length`. What follows it stays in `received`.
pub async fn read_response(stream: &mut TcpStream, received: &mut Vec<u8>) -> RawResponse {
    let reading = async {
        loop {
            if let Some(response) = take_response(received) {
                return response;
            }
            let mut chunk = [0; 4096];
            match stream.read(&mut chunk).await {
                Ok(count @ 1..) => received.extend_from_slice(&chunk[..count]),
                end => panic!("{end:?} after {:?}", String::from_utf8_lossy(received)),
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("no answer")
}

fn take_response(received: &mut Vec<u8>) -> Option<RawResponse> {
    let (mut response, start) = RawResponse::head(received)?;
    let length: usize = response.header("content-length").unwrap_or("0").parse().unwrap();
    let body = received.get(start..start + length)?;
    response.body = String::from_utf8_lossy(body).into_owned();
    received.drain(..start + length);
    Some(response)
}
