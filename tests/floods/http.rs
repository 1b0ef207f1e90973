//! Floods before the upgrade: requests that never end, that are never read, and very many of them.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Flooded, setup};
use crate::support::{Handshake, PATIENCE, token};

/// Request line and headers, by default.
const HEADERS_KIB: u64 = 16;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_requests_that_come_a_byte_at_a_time_and_never_end() {
    let flooded = Flooded::start(setup("connect_rate = 100\nhandshake_timeout = \"2s\"")).await;
    let address = flooded.serving.address();
    let round = async || {
        let since = Instant::now();
        let mut slow = Vec::new();
        for _ in 0..100 {
            let request = Handshake::new("/websocket/echo").bearer(&token("mallory", &[])).bytes();
            slow.push(tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let mut pace = tokio::time::interval(Duration::from_millis(100));
                for byte in request.iter().take(request.len() - 2) {
                    pace.tick().await;
                    if stream.write_all(&[*byte]).await.is_err() {
                        return;
                    }
                }
                panic!("it may go on for ever");
            }));
        }
        for client in slow {
            client.await.unwrap();
        }
        assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    };
    flooded.flood(round).await;
    flooded.survived(100, HEADERS_KIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_requests_of_a_client_that_never_reads() {
    let flooded = Flooded::start(setup("connect_rate = 100\nhandshake_timeout = \"2s\"")).await;
    let round = async || {
        let mut stream = TcpStream::connect(flooded.serving.address()).await.unwrap();
        let many = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1_000);
        let mut written = 0;
        let since = Instant::now();
        while written < 100 * many.len() {
            assert!(since.elapsed() < PATIENCE, "{written} bytes");
            match tokio::time::timeout(Duration::from_millis(500), stream.write(&many)).await {
                Ok(Ok(count)) => written += count,
                // It is not read while it does not read: what TCP is for.
                Ok(Err(_)) | Err(_) => break,
            }
        }
        drop(stream);
    };
    flooded.flood(round).await;
    flooded.survived(1, HEADERS_KIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_connections_without_credentials() {
    let flooded = Flooded::start(setup("connect_rate = 100")).await;
    let address = flooded.serving.address();
    let round = async || {
        let mut tasks = Vec::new();
        for task in 0..10_u32 {
            tasks.push(tokio::spawn(async move {
                let mut not_looked_at = 0;
                for number in 0..1_000_u32 {
                    // Whom it is said to come from counts for nothing here.
                    let forged = format!("10.{task}.0.{}", number % 250);
                    let request = Handshake::new("/websocket/echo").bearer("no.such.token");
                    let request =
                        request.and("X-Forwarded-For", &forged).and("Forwarded", "for=::1");
                    let mut stream = TcpStream::connect(address).await.unwrap();
                    stream.write_all(&request.bytes()).await.unwrap();
                    let mut head = [0; 12];
                    let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut head)).await;
                    read.expect("an answer").unwrap();
                    match &head {
                        b"HTTP/1.1 401" => {}
                        b"HTTP/1.1 429" => not_looked_at += 1,
                        other => panic!("{}", String::from_utf8_lossy(other)),
                    }
                }
                not_looked_at
            }));
        }
        let mut not_looked_at = 0;
        for task in tasks {
            not_looked_at += task.await.unwrap();
        }
        // The limit of bad credentials is 300 a minute, all of them from one address.
        assert!(not_looked_at > 5_000, "{not_looked_at} of 10,000 were not looked at");
    };
    flooded.flood(round).await;
    flooded.survived(10, HEADERS_KIB).await;
}
