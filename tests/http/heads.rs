//! Requests that are too large, too slow or too many: each has a limit.

use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::raw_client::narrow;
use crate::support::{
    Handshake, PATIENCE, TestGateway, raw_exchange, raw_request, read_response, until,
};

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
        ("1 MiB", good.clone().and("Cookie", &"c".repeat(1 << 20))),
    ] {
        assert_eq!(refused(&gateway, &request.bytes()).await, 431, "{what}");
    }
    let refusals = || gateway.counters().rejected.of("head-size");
    until("counted", || refusals() == 5).await;
}

/// The status of an answer that may come before everything was sent.
async fn refused(gateway: &TestGateway, bytes: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    // The end that is not read any more may be refused by the kernel.
    let _ = stream.write_all(bytes).await;
    read_response(&mut stream, &mut Vec::new()).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_above_the_limit_gets_414_however_long_it_is() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let good = Handshake::new("/websocket/echo").bearer(&gateway.token("alice", &[]));
    let asking = |bytes: usize| {
        let target = format!("/websocket/echo?{}", "q".repeat(bytes - "/websocket/echo?".len()));
        good.clone().line(&format!("GET {target} HTTP/1.1")).bytes()
    };
    assert_eq!(raw_request(gateway.address(), &asking(8 << 10)).await.status, 101);
    for bytes in [(8 << 10) + 1, 9 << 10, 17 << 10, 64 << 10, 1 << 20] {
        assert_eq!(refused(&gateway, &asking(bytes)).await, 414, "{bytes} bytes");
    }
    // Line ends before a request are no part of it.
    for before in ["\r\n", "\n", "\r\n\r\n"] {
        let late = [before.as_bytes(), &asking(17 << 10)].concat();
        assert_eq!(refused(&gateway, &late).await, 414, "{before:?}");
    }
    // Also on a connection that has asked before, as long as the head fits.
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let mut received = Vec::new();
    for (request, status) in
        [(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 200), (asking(9 << 10), 414)]
    {
        stream.write_all(&request).await.unwrap();
        assert_eq!(read_response(&mut stream, &mut received).await.status, status);
    }
    until("counted", || gateway.counters().rejected.of("address-length") == 9).await;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"", "the connection ends with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_takes_too_long_is_cut_off_however_it_trickles() {
    let setup = TestGateway::with().table("[limits]\nhandshake_timeout = \"300ms\"");
    let gateway = setup.start().await;
    let head = Handshake::new("/websocket/echo").and("X", &"x".repeat(4096)).bytes();
    for (what, sent, answer) in [
        ("nothing", 0, ""),
        ("half a line", 10, "HTTP/1.1 408 Request Timeout"),
        ("half a head", 60, "HTTP/1.1 408 Request Timeout"),
    ] {
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        stream.write_all(&head[..sent]).await.unwrap();
        let since = Instant::now();
        assert_eq!(first_line(&mut stream).await, answer, "{what}");
        assert!(since.elapsed() >= Duration::from_millis(250), "{what}: cut off at once");
    }
    // One byte every few milliseconds would take half a minute.
    let (mut reader, mut writer) =
        TcpStream::connect(gateway.address()).await.unwrap().into_split();
    let trickle = tokio::spawn(async move {
        for byte in head {
            if writer.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(8)).await;
        }
        panic!("the whole head was taken");
    });
    assert_eq!(first_line(&mut reader).await, "HTTP/1.1 408 Request Timeout");
    trickle.await.unwrap();
    until("counted", || gateway.counters().rejected.of("handshake-timeout") == 3).await;
    // The one that said nothing.
    assert_eq!(gateway.counters().rejected.of("handshake-silent"), 1);
}

/// Reads until the connection ends, and returns the first line.
async fn first_line(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let reading = stream.read_to_end(&mut bytes);
    // However it ends.
    let _ = tokio::time::timeout(PATIENCE, reading).await.expect("the connection stayed open");
    String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_slow_heads_all_end_and_a_client_notices_nothing() {
    let setup = TestGateway::with().module("echo", "echo");
    let gateway = setup.table("[limits]\nhandshake_timeout = \"500ms\"").start().await;
    let mut client = gateway.client("/echo").await;
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        stream.write_all(b"GET /websocket/echo HTTP/1.1\r\nHost: x\r\nX-A: ").await.unwrap();
        slow.push(stream);
    }
    client.echo("not disturbed").await;
    for mut stream in slow {
        assert_eq!(first_line(&mut stream).await, "HTTP/1.1 408 Request Timeout");
    }
    until("gone", || gateway.counters().http_connections.get() == 0).await;
    client.echo("still there").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_to_the_upgrade_is_not_prolonged_by_other_requests() {
    let gateway = TestGateway::with().table("[limits]\nhandshake_timeout = \"300ms\"");
    let gateway = gateway.start().await;
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let mut received = Vec::new();
    let asking = async {
        loop {
            let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
            if stream.write_all(request).await.is_err() {
                return;
            }
            let mut bytes = [0; 512];
            match stream.read(&mut bytes).await {
                Ok(count @ 1..) => received.extend_from_slice(&bytes[..count]),
                Ok(0) | Err(_) => return,
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("it may ask for ever");
    assert!(String::from_utf8_lossy(&received).starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_by_one_who_asks_without_a_pause() {
    let gateway = TestGateway::with().table("[limits]\nhandshake_timeout = \"500ms\"");
    let gateway = gateway.start().await;
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let many = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(5_000);
    let (mut reading, mut writing) = stream.split();
    let ask = async { while writing.write_all(&many).await.is_ok() {} };
    let mut sink = tokio::io::sink();
    let both = async { tokio::join!(ask, tokio::io::copy(&mut reading, &mut sink)) };
    tokio::time::timeout(PATIENCE, both).await.expect("it may ask for ever").1.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_no_answers_is_cut_off() {
    let gateway = TestGateway::with().table("[limits]\nhandshake_timeout = \"500ms\"");
    let gateway = gateway.start().await;
    let mut stream = narrow(gateway.address()).await;
    let many = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2_000);
    let sending = async { while stream.write_all(&many).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, sending).await.expect("its requests are taken for ever");
    until("gone", || gateway.counters().http_connections.get() == 0).await;
    assert_eq!(gateway.counters().rejected.of("answer-unread"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_connections_may_be_in_their_handshake_and_one_more_gets_503() {
    let setup = TestGateway::with().module("echo", "echo");
    let gateway = setup.table("[limits]\nhandshakes = 3\nhandshakes_per_address = 3").start().await;
    // Clients do not count.
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(gateway.client("/echo").await);
    }
    until("no more in a handshake", || gateway.counters().http_connections.get() == 0).await;
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(TcpStream::connect(gateway.address()).await.unwrap());
    }
    until("accepted", || gateway.counters().http_connections.get() == 3).await;
    let mut refused = TcpStream::connect(gateway.address()).await.unwrap();
    let answer = read_response(&mut refused, &mut Vec::new()).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(gateway.counters().rejected.of("handshakes"), 1);
    for client in &mut clients {
        client.echo("not disturbed").await;
    }
    drop(waiting.pop());
    until("room", || gateway.counters().http_connections.get() == 2).await;
    gateway.client("/echo").await.echo("in").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_of_one_address_leave_room_for_others() {
    let setup = TestGateway::with().module("echo", "echo");
    let gateway = setup.table("[limits]\nhandshakes = 8").start().await;
    let mut silent = Vec::new();
    // A quarter, unless it is said otherwise.
    for _ in 0..2 {
        silent.push(TcpStream::connect(gateway.address()).await.unwrap());
    }
    until("accepted", || gateway.counters().http_connections.get() == 2).await;
    for _ in 0..20 {
        let mut refused = TcpStream::connect(gateway.address()).await.unwrap();
        let answer = read_response(&mut refused, &mut Vec::new()).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("5")));
        assert_eq!(answer.header("connection"), Some("close"));
    }
    assert_eq!(gateway.counters().rejected.of("address-handshakes"), 20);
    let other = TcpSocket::new_v4().unwrap();
    other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = other.connect(gateway.address()).await.unwrap();
    let handshake = Handshake::new("/websocket/echo").bearer(&gateway.token("alice", &[]));
    other.write_all(&handshake.bytes()).await.unwrap();
    assert_eq!(read_response(&mut other, &mut Vec::new()).await.status, 101);
    drop(silent);
    until("room", || gateway.counters().http_connections.get() == 0).await;
    gateway.client("/echo").await.echo("in").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_has_no_share_of_its_own() {
    let setup = TestGateway::with().set("proxies = [\"127.0.0.1\"]");
    let gateway = setup.table("[limits]\nhandshakes = 8").start().await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(gateway.address()).await.unwrap());
    }
    until("accepted", || gateway.counters().http_connections.get() == 8).await;
    let mut refused = TcpStream::connect(gateway.address()).await.unwrap();
    assert_eq!(read_response(&mut refused, &mut Vec::new()).await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_asks_no_more_is_closed_and_a_client_is_not() {
    let setup = TestGateway::with().module("echo", "echo").set("keepAliveIntervalSec = 1");
    let gateway = setup.table("[limits]\nhandshake_timeout = \"300ms\"").start().await;
    let mut client = gateway.client("/echo").await;
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(read_response(&mut stream, &mut Vec::new()).await.status, 200);
    assert_eq!(first_line(&mut stream).await, "");
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
