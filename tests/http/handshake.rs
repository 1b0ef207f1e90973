//! The opening handshake: what is refused, and what becomes of the bytes around it.

use tokio::net::TcpStream;

use crate::support::raw_client::{TEXT, frame};
use crate::support::{
    ACCEPT, Handshake, KEY, RawClient, TestGateway, raw_exchange, raw_request, read_response,
};

const TARGET: &str = "/websocket/echo";

fn handshake(gateway: &TestGateway) -> Handshake {
    Handshake::new(TARGET).bearer(&gateway.token("alice", &[]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_is_answered_as_the_rfc_says() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let good = handshake(&gateway);
    for handshake in [
        good.clone(),
        good.clone().but("Upgrade", "WebSocket"),
        good.clone().but("Connection", "keep-alive, upgrade"),
        good.clone().and("Content-Length", "0"),
        good.clone().and("Origin", "http://sporegate.test"),
        good.line(&format!("GET http://sporegate.test{TARGET} HTTP/1.1")),
    ] {
        let answer = raw_request(gateway.address(), &handshake.bytes()).await;
        assert_eq!(answer.status, 101, "{answer:?}");
        assert_eq!(answer.header("sec-websocket-accept"), Some(ACCEPT));
        assert_eq!(answer.header("upgrade"), Some("websocket"));
        assert!(answer.header("connection").unwrap().eq_ignore_ascii_case("upgrade"));
        assert_eq!(answer.header("sec-websocket-protocol"), None);
        assert_eq!(answer.header("sec-websocket-extensions"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_handshake_gets_400_and_the_connection_is_closed() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let good = handshake(&gateway);
    let key = "Sec-WebSocket-Key";
    for (what, handshake) in [
        ("POST", good.clone().line(&format!("POST {TARGET} HTTP/1.1"))),
        ("CONNECT", good.clone().line(&format!("PUT {TARGET} HTTP/1.1"))),
        ("HTTP/1.0", good.clone().line(&format!("GET {TARGET} HTTP/1.0"))),
        ("no Host", good.clone().without("Host")),
        ("two Hosts", good.clone().and("Host", "other.test")),
        ("no Connection", good.clone().without("Connection")),
        ("Connection without upgrade", good.clone().but("Connection", "keep-alive")),
        ("upgrade as part of a word", good.clone().but("Connection", "upgrades")),
        ("two Upgrades", good.clone().and("Upgrade", "websocket")),
        ("two Upgrades, one foreign", good.clone().and("Upgrade", "h2c")),
        ("no key", good.clone().without(key)),
        ("empty key", good.clone().but(key, "")),
        ("short key", good.clone().but(key, "c2hvcnQ=")),
        ("long key", good.clone().but(key, "dGhpcyBpcyBtb3JlIHRoYW4gMTYgYnl0ZXM=")),
        ("key without padding", good.clone().but(key, KEY.trim_end_matches('='))),
        ("key that is no base64", good.clone().but(key, "dGhlIHNhbXBsZSBub25jZ!==")),
        ("two keys", good.clone().and(key, KEY)),
        ("body", good.clone().and("Content-Length", "3")),
        ("body of unknown length", good.clone().and("Transfer-Encoding", "chunked")),
        ("lengths that differ", good.clone().and("Content-Length", "0").and("Content-Length", "5")),
        ("length that is none", good.clone().and("Content-Length", "+0")),
        ("length and encoding", {
            good.clone().and("Content-Length", "0").and("Transfer-Encoding", "chunked")
        }),
        ("protocols that are no list", good.clone().and("Sec-WebSocket-Protocol", "a b")),
        ("empty protocols", good.clone().and("Sec-WebSocket-Protocol", "")),
        ("header name with a space", good.clone().and("X Y", "1")),
        ("folded header", good.clone().and("X", "1\r\n 2")),
        ("NUL in a header", good.clone().and("X", "\0")),
        ("no path", good.clone().line("GET HTTP/1.1")),
        ("GET in small letters", good.clone().line(&format!("get {TARGET} HTTP/1.1"))),
        ("HTTP/2.0", good.clone().line(&format!("GET {TARGET} HTTP/2.0"))),
        ("HTTP/1.2", good.clone().line(&format!("GET {TARGET} HTTP/1.2"))),
        ("encoding that is none", good.clone().and("Transfer-Encoding", "identity")),
        ("two encodings", good.clone().and("Transfer-Encoding", "gzip, chunked")),
        ("a length twice", good.clone().and("Content-Length", "5").and("Content-Length", "5")),
        ("negative length", good.clone().and("Content-Length", "-1")),
        ("length beyond all", good.clone().and("Content-Length", "99999999999999999999")),
        ("header without a colon", good.clone().and("X", "1\r\nbroken")),
        ("space before the colon", good.clone().and("X ", "1")),
        ("key with a space", good.clone().but(key, "dGhl IHNhbXBsZSBub25jZQ==")),
        ("no HTTP", good.clone().line("\u{16}\u{3}\u{1}")),
    ] {
        let answer = raw_exchange(gateway.address(), &handshake.bytes()).await;
        let statuses: Vec<_> = answer.match_indices(" Bad Request\r\n").collect();
        assert_eq!(statuses.len(), 1, "{what}: {answer}");
        assert!(!answer.contains(" Switching Protocols"), "{what}: {answer}");
    }
    assert_eq!(gateway.counters().accepted.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_is_told_which_one_is_spoken() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let good = handshake(&gateway);
    let version = "Sec-WebSocket-Version";
    for handshake in [
        good.clone().but(version, "8"),
        good.clone().but(version, "14"),
        good.clone().but(version, "13, 8"),
        good.clone().but(version, "013"),
        good.clone().without(version),
        good.clone().and(version, "13"),
    ] {
        let answer = raw_request(gateway.address(), &handshake.bytes()).await;
        assert_eq!(answer.status, 426, "{answer:?}");
        assert_eq!(answer.header(version), Some("13"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_of_extensions_are_passed_over_however_odd() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let many = vec!["permessage-deflate"; 500].join(", ");
    for offer in [
        "permessage-deflate",
        "permessage-deflate; server_max_window_bits=0",
        "permessage-deflate; client_max_window_bits=\"9x\"",
        "permessage-deflate; server_max_window_bits=16; server_max_window_bits=7",
        ";;;,,,===\"",
        &many,
    ] {
        let bytes = handshake(&gateway).and("Sec-WebSocket-Extensions", offer).bytes();
        let stream = TcpStream::connect(gateway.address()).await.unwrap();
        let mut client = RawClient::open(stream, &bytes).await;
        assert_eq!(client.answer.header("sec-websocket-extensions"), None, "{offer}");
        client.json().await;
        client.send(&frame(TEXT, b"plain")).await;
        assert_eq!(client.text().await, "plain", "{offer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_gateways_own_subprotocol_is_answered() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let token = gateway.token("alice", &[]);
    let bearer = format!("bearer.{token}");
    for (offer, answer) in [
        (format!("sporegate, {bearer}"), Some("sporegate")),
        (format!("{bearer},sporegate"), Some("sporegate")),
        (format!("chat, sporegate, {bearer}"), Some("sporegate")),
        (bearer.clone(), None),
        (format!("chat, {bearer}"), None),
        (format!("Sporegate, {bearer}"), None),
        (format!("sporegate, Bearer.{token}"), Some("sporegate")),
    ] {
        let bytes = Handshake::new(TARGET).and("Sec-WebSocket-Protocol", &offer).bytes();
        let response = raw_request(gateway.address(), &bytes).await;
        assert_eq!(response.status, 101, "{offer}");
        assert_eq!(response.header("sec-websocket-protocol"), answer, "{offer}");
        assert!(!response.head.contains(&token), "{}", response.head);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_come_with_the_handshake_are_delivered_once() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let mut bytes = handshake(&gateway).bytes();
    bytes.extend(frame(TEXT, b"first"));
    bytes.extend(frame(TEXT, b"second"));
    let third = frame(TEXT, b"third");
    bytes.extend(&third[..5]);
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    let mut client = RawClient::open(stream, &bytes).await;
    assert_eq!(client.json().await["type"], "setClientId");
    assert_eq!(client.text().await, "first");
    assert_eq!(client.text().await, "second");
    client.send(&third[5..]).await;
    assert_eq!(client.text().await, "third");
    client.send(&frame(TEXT, b"fourth")).await;
    assert_eq!(client.text().await, "fourth");
    assert_eq!(gateway.counters().messages_received.get(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_behind_a_handshake_is_no_request_any_more() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let mut bytes = handshake(&gateway).bytes();
    bytes.extend(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    let mut client = RawClient::open(stream, &bytes).await;
    client.json().await;
    assert_eq!(client.close_code().await, 1002);
    client.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_refused_handshake_is_no_frame() {
    let gateway = TestGateway::serving(&["echo"]).await;
    for refused in [Handshake::new(TARGET), handshake(&gateway).and("Content-Length", "9")] {
        let mut bytes = refused.bytes();
        bytes.extend(frame(TEXT, b"sneaked in"));
        let answer = raw_exchange(gateway.address(), &bytes).await;
        assert!(!answer.contains("sneaked in"), "{answer}");
        assert!(!answer.contains(" 101 "), "{answer}");
    }
    assert_eq!(gateway.counters().messages_received.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_body_of_a_handshake_is_no_request() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let hidden = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let length = hidden.len().to_string();
    let spoilt = handshake(&gateway).and("Content-Length", &length).bytes();
    let answer = raw_exchange(gateway.address(), &[&spoilt, hidden.as_bytes()].concat()).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    let chunked = handshake(&gateway).and("Transfer-Encoding", "chunked").bytes();
    let body = format!("{:x}\r\n{hidden}\r\n0\r\n\r\n{hidden}", hidden.len());
    let answer = raw_exchange(gateway.address(), &[&chunked, body.as_bytes()].concat()).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_client_may_try_again_on_the_same_connection() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let mut received = Vec::new();
    for (request, status) in [
        (Handshake::new(TARGET), 401),
        (handshake(&gateway).but("Sec-WebSocket-Version", "8"), 426),
        (handshake(&gateway).line("GET /nowhere HTTP/1.1"), 404),
    ] {
        tokio::io::AsyncWriteExt::write_all(&mut stream, &request.bytes()).await.unwrap();
        let answer = read_response(&mut stream, &mut received).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let mut client = RawClient::open(stream, &handshake(&gateway).bytes()).await;
    client.json().await;
    client.send(&frame(TEXT, b"at last")).await;
    assert_eq!(client.text().await, "at last");
}
