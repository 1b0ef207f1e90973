//! What the log says of connections: who is meant, and never more than so many lines.

use serde_json::Value;
use tokio::net::TcpStream;

use crate::support::raw_client::{TEXT, frame};
use crate::support::{Handshake, RawClient, Serving, TestGateway, raw_request, token, until};

fn lines(serving: &Serving, message: &str) -> Vec<Value> {
    let log = serving.stderr();
    let all = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    all.filter(|line| line["message"] == message).collect()
}

async fn client(serving: &Serving) -> RawClient {
    let stream = TcpStream::connect(serving.address()).await.unwrap();
    let handshake = Handshake::new("/websocket/echo").bearer(&token("alice", &[]));
    let mut client = RawClient::open(stream, &handshake.bytes()).await;
    client.json().await;
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_about_a_connection_carry_its_number_from_its_begin_to_its_end() {
    let setup = TestGateway::with().module("echo", "echo");
    let serving = Serving::start(setup, &["--log-level", "debug", "--log-format", "json"]).await;
    let mut first = client(&serving).await;
    let mut second = client(&serving).await;
    first.send(&frame(TEXT, b"hello")).await;
    assert_eq!(first.text().await, "hello");
    // A close frame without a code, and a frame without a mask.
    first.send(&frame(0x88, b"")).await;
    while first.frame().await.is_some() {}
    second.send(b"\x81\x01a").await;
    assert_eq!(second.close_code().await, 1002);
    drop(second);
    until("both ended", || lines(&serving, "disconnected").len() == 2).await;

    let connected = lines(&serving, "connected");
    let ended = lines(&serving, "disconnected");
    assert_eq!(connected.len(), 2);
    for begin in &connected {
        assert!(begin["connection"].is_u64() && begin["client"].is_string(), "{begin}");
        assert_eq!(ended.iter().filter(|end| end["connection"] == begin["connection"]).count(), 1);
        let end = ended.iter().find(|end| end["connection"] == begin["connection"]).unwrap();
        assert_eq!(begin["client"], end["client"]);
    }
    assert_ne!(connected[0]["connection"], connected[1]["connection"]);
    let polite = ended.iter().find(|end| end["connection"] == connected[0]["connection"]).unwrap();
    assert_eq!((&polite["code"], &polite["reason"]), (&1005.into(), &"client".into()));
    assert_eq!((&polite["initiator"], &polite["level"]), (&"client".into(), &"DEBUG".into()));
    assert_eq!(polite["messages_received"], 1);
    assert_eq!(polite["bytes_received"], 5);
    // The greeting and the echo.
    assert_eq!(polite["messages_sent"], 2);
    assert!(polite["bytes_sent"].as_u64().unwrap() > 5 && polite["seconds"].is_number());
    let rude = ended.iter().find(|end| end["connection"] == connected[1]["connection"]).unwrap();
    assert_eq!((&rude["code"], &rude["reason"]), (&1002.into(), &"protocol".into()));
    assert_eq!((&rude["initiator"], &rude["level"]), (&"gateway".into(), &"INFO".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_one_kind_fills_no_log_and_hides_no_other_kind() {
    let setup = TestGateway::with().module("echo", "echo");
    let serving = Serving::start(setup, &["--log-format", "json"]).await;
    let began = std::time::Instant::now();
    for _ in 0..300 {
        let nobody = Handshake::new("/websocket/echo").bytes();
        assert_eq!(raw_request(serving.address(), &nobody).await.status, 401);
        let nowhere = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n";
        assert_eq!(raw_request(serving.address(), nowhere).await.status, 404);
        let mut rude = client(&serving).await;
        rude.send(b"\x81\x01a").await;
        assert_eq!(rude.close_code().await, 1002);
    }
    let seconds = began.elapsed().as_secs() as usize + 2;
    until("told", || !lines(&serving, "disconnected").is_empty()).await;
    let rejected = lines(&serving, "rejected");
    for reason in ["no-credentials", "no-such-path"] {
        let of = rejected.iter().filter(|line| line["reason"] == reason).count();
        assert!((1..=seconds).contains(&of), "{of} lines about {reason} in {seconds} s");
    }
    let ended = lines(&serving, "disconnected").len();
    assert!(ended <= seconds, "{ended} lines in {seconds} s");
    let all = rejected.iter().all(|line| line["connection"].is_u64() && line["more"].is_u64());
    assert!(all, "{rejected:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_one_address_hides_no_other_address() {
    let setup = TestGateway::with().set("proxies = [\"127.0.0.1\"]");
    let serving = Serving::start(setup, &["--log-format", "json"]).await;
    let from = |address: &str| {
        let nobody = Handshake::new("/websocket/echo").and("X-Forwarded-For", address);
        nobody.bytes()
    };
    // All within a second, or at most two.
    for _ in 0..50 {
        let flood = raw_request(serving.address(), &from("203.0.113.7")).await;
        assert_eq!(flood.status, 401);
    }
    assert_eq!(raw_request(serving.address(), &from("203.0.113.8")).await.status, 401);
    let of = |address: &str| {
        let rejected = lines(&serving, "rejected");
        rejected.iter().filter(|line| line["address"] == address).count()
    };
    until("told", || of("203.0.113.8") == 1).await;
    assert!((1..25).contains(&of("203.0.113.7")));
}
