//! Requests that no client library would send.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::PATIENCE;

/// The head of an answer, and whatever followed until the other side was quiet or closed.
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
}

/// Sends bytes and reads one HTTP answer.
pub async fn raw_request(address: SocketAddr, bytes: &[u8]) -> RawResponse {
    let asking = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        loop {
            if let Some(response) = parse(&answer) {
                return response;
            }
            let mut chunk = [0; 4096];
            match stream.read(&mut chunk).await {
                Ok(0) | Err(_) => panic!("closed after {:?}", String::from_utf8_lossy(&answer)),
                Ok(count) => answer.extend_from_slice(&chunk[..count]),
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("no answer")
}

/// A whole answer, its body by `content-length`.
fn parse(answer: &[u8]) -> Option<RawResponse> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let response = RawResponse { status, head: head.to_owned(), body: body.to_owned() };
    let length: usize = response.header("content-length").unwrap_or("0").parse().ok()?;
    (body.len() >= length).then_some(response)
}
