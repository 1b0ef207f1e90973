//! Whether a silent peer is there at all: pings, pongs, and the time a dead one is noticed in.

use std::time::{Duration, Instant};

use serde_json::json;

use super::limited;
use crate::support::raw_client::{PING, PONG, RawFrame, TEXT, frame};
use crate::support::{RawClient, TestGateway};

const QUICK: &str = "ping_interval = \"1s\"\npong_timeout = \"200ms\"\nclose_timeout = \"200ms\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_answers_no_ping_is_closed_with_4201_in_bounded_time() {
    let gateway = limited(QUICK).start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    // Its library answers pings only while it waits for something.
    let watching = tokio::spawn(async move { watcher.gone().await });
    let mut dead = RawClient::connect(&gateway, "/probe/room").await;
    let since = Instant::now();
    assert_eq!(dead.frame().await.unwrap().first, PING);
    let pinged = since.elapsed();
    assert_eq!(dead.close_code().await, 4201);
    let noticed = since.elapsed();
    // It answers no close either.
    dead.ended().await;
    let ended = since.elapsed();
    let gone = watching.await.unwrap();
    assert_eq!((&gone["code"], &gone["client"]["path"]), (&json!(4201), &json!("/probe/room")));
    assert!(pinged > Duration::from_millis(700), "{pinged:?}");
    assert!(noticed - pinged > Duration::from_millis(150), "{:?}", noticed - pinged);
    assert!(noticed < Duration::from_millis(2500), "{noticed:?}");
    assert!(ended < Duration::from_secs(3), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_answers_its_pings_lives_on() {
    let gateway = limited(QUICK).start().await;
    let mut client = RawClient::connect(&gateway, "/probe/room").await;
    for _ in 0..3 {
        let ping = client.frame().await.unwrap();
        assert_eq!(ping.first, PING);
        client.send(&frame(PONG, &ping.payload)).await;
    }
    client.send(&frame(TEXT, br#"{"do":"count"}"#)).await;
    assert_eq!(client.json().await["ok"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_peer_sends_is_a_sign_of_life() {
    let gateway = limited(QUICK).start().await;
    let mut client = RawClient::connect(&gateway, "/probe/room").await;
    for _ in 0..2 {
        assert_eq!(client.frame().await.unwrap().first, PING);
        client.send(&frame(TEXT, br#"{"do":"count"}"#)).await;
        assert_eq!(client.json().await["ok"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_takes_longer_than_a_pong_is_a_sign_of_life_too() {
    let gateway = limited(QUICK).start().await;
    let mut client = RawClient::connect(&gateway, "/probe/room").await;
    client.stream().set_nodelay(true).unwrap();
    let text = format!(r#"{{"do":"count","text":"{}"}}"#, "x".repeat(400));
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    // No pong can be sent within a frame: it takes two and a half seconds.
    for part in frame(TEXT, text.as_bytes()).chunks(9) {
        pace.tick().await;
        client.send(part).await;
    }
    let answer = loop {
        match client.frame().await.expect("an answer") {
            RawFrame { first: PING, .. } => {}
            answer => break answer,
        }
    };
    let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!(answer["ok"], 1, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_stops_answering_later_is_noticed_then() {
    let gateway = limited(QUICK).start().await;
    let mut client = RawClient::connect(&gateway, "/probe/room").await;
    let ping = client.frame().await.unwrap();
    client.send(&frame(PONG, &ping.payload)).await;
    assert_eq!(client.frame().await.unwrap().first, PING);
    assert_eq!(client.close_code().await, 4201);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ping_of_a_client_is_answered_with_its_bytes() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    for payload in [&b""[..], b"hello", &[0xff; 125]] {
        client.send(&frame(PING, payload)).await;
        let pong = client.frame().await.unwrap();
        assert_eq!((pong.first, &*pong.payload), (PONG, payload));
    }
    // A pong that nobody asked for is no fault.
    client.send(&frame(PONG, b"unasked")).await;
    client.send(&frame(TEXT, b"still here")).await;
    assert_eq!(client.text().await, "still here");
    assert_eq!(gateway.counters().messages_received.get(), 1, "pings are no messages");
}
