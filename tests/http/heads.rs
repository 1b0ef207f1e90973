//! Requests that are too large, too slow or too many: each has a limit.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::raw_client::narrow;
use crate::support::{Handshake, PATIENCE, TestGateway, raw_exchange, raw_request, read_response};

#[tokio::test(flavor = "multi_thread")]
async fn a_head_above_the_limits_gets_431_and_one_below_is_served() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let good = Handshake::new("/websocket/echo").bearer(&gateway.token("alice", &[]));
    let fits = good.clone().and("Cookie", &"c".repeat(15 << 10));
    assert_eq!(raw_request(gateway.address(), &fits.bytes()).await.status, 101);
    let count = |more: usize| {
        (0..more).fold(good.clone(), |request, number| request.and(&format!("X-{number}"), "1"))
    };
    // The handshake has six headers of its own.
    assert_eq!(raw_request(gateway.address(), &count(94).bytes()).await.status, 101);
    for (what, request) in [
        ("17 KiB", good.clone().and("Cookie", &"c".repeat(17 << 10))),
        ("64 KiB", good.clone().and("Cookie", &"c".repeat(64 << 10))),
        ("101 headers", count(95)),
        ("300 headers", count(294)),
        (
            "a long address",
            good.clone().line(&format!("GET /websocket/echo?{} HTTP/1.1", "q".repeat(17 << 10))),
        ),
    ] {
        assert_eq!(raw_request(gateway.address(), &request.bytes()).await.status, 431, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_no_head_may_have_gets_414() {
    let setup = TestGateway::with().table("[limits]\nheader_size = \"1MiB\"");
    let gateway = setup.start().await;
    let line = format!("GET /websocket/echo?{} HTTP/1.1", "q".repeat(70_000));
    let bytes = Handshake::new("").line(&line).bytes();
    assert_eq!(raw_request(gateway.address(), &bytes).await.status, 414);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_takes_too_long_is_cut_off_however_it_trickles() {
    let setup = TestGateway::with().table("[limits]\nhandshake_timeout = \"300ms\"");
    let gateway = setup.start().await;
    let head = Handshake::new("/websocket/echo").and("X", &"x".repeat(4096)).bytes();
    for (what, sent) in [("nothing", 0), ("half a head", 60)] {
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        stream.write_all(&head[..sent]).await.unwrap();
        let since = Instant::now();
        assert!(!answered_or_open(&mut stream, PATIENCE).await, "{what}");
        assert!(since.elapsed() >= Duration::from_millis(250), "{what}: cut off at once");
    }
    // One byte every few milliseconds would take half a minute.
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let mut bytes = head.iter();
    while answered_or_open(&mut stream, Duration::from_millis(8)).await {
        let byte = *bytes.next().expect("the whole head was taken");
        if stream.write_all(&[byte]).await.is_err() {
            break;
        }
    }
}

/// Whether a connection is still open after this time. Panics where it was answered: a head
/// that never ends has no answer but the end.
async fn answered_or_open(stream: &mut TcpStream, within: Duration) -> bool {
    let mut bytes = [0; 512];
    match tokio::time::timeout(within, stream.read(&mut bytes)).await {
        Err(_) => true,
        Ok(Ok(0) | Err(_)) => false,
        Ok(Ok(count)) => {
            let answer = String::from_utf8_lossy(&bytes[..count]);
            assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_asks_no_more_is_closed_and_a_client_is_not() {
    let setup = TestGateway::with().module("echo", "echo").set("keepAliveIntervalSec = 1");
    let gateway = setup.table("[limits]\nhandshake_timeout = \"300ms\"").start().await;
    let mut client = gateway.client("/echo").await;
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(read_response(&mut stream, &mut Vec::new()).await.status, 200);
    assert!(!answered_or_open(&mut stream, PATIENCE).await);
    // Comes after a second: the client outlived the time for its handshake.
    assert_eq!(client.text().await, "\"keepalive\"");
    client.echo("still here").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_one_packet_are_answered_in_order() {
    let gateway = TestGateway::with().start().await;
    let request = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n");
    let bytes = [
        request("/healthz", ""),
        request("/nowhere", ""),
        request("/websocket/echo", ""),
        request("/readyz", "Connection: close\r\n"),
        request("/healthz", ""),
    ]
    .concat();
    let answer = raw_exchange(gateway.address(), bytes.as_bytes()).await;
    let statuses: Vec<_> = answer
        .match_indices("HTTP/1.1 ")
        .map(|(at, text)| &answer[at + text.len()..][..3])
        .collect();
    assert_eq!(statuses, ["200", "404", "426", "200"], "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_a_client_that_reads_no_answers_are_not_taken_without_end() {
    let gateway = TestGateway::with().start().await;
    let mut stream = narrow(gateway.address()).await;
    let many = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2_000);
    let most = 64 << 20;
    let mut sent = 0;
    let stalled = loop {
        let write = tokio::time::timeout(Duration::from_secs(1), stream.write(&many));
        match write.await {
            Ok(Ok(count)) => sent += count,
            Ok(Err(error)) => panic!("closed after {sent} bytes: {error}"),
            Err(_) => break true,
        }
        if sent > most {
            break false;
        }
    };
    assert!(stalled, "{sent} bytes of requests were taken, and no answer was read");
    let healthy = raw_request(gateway.address(), b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(healthy.status, 200, "others notice nothing");
}
