//! How connections end, and that listeners hear of it once: by either side, by accident, or with
//! a peer that will not finish.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::limited;
use crate::support::raw_client::{CLOSE, TEXT, close_frame, frame};
use crate::support::{RawClient, TestGateway, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_is_told_as_1006_once() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let mut watcher = gateway.client("/probe/watch").await;
    // A reset, the end of the stream, and both in the middle of a frame.
    for (reset, bytes) in [(true, 0), (false, 0), (true, 5), (false, 5)] {
        let mut client = RawClient::connect(&gateway, "/probe").await;
        client.send(&frame(TEXT, br#"{"do":"whoami"}"#)).await;
        let id = client.json().await["ok"]["client"]["id"].take();
        client.send(&frame(TEXT, b"half a frame")[..bytes]).await;
        match reset {
            true => client.stream().set_zero_linger().unwrap(),
            false => client.stream().shutdown().await.unwrap(),
        }
        if reset {
            drop(client);
        } else {
            client.ended().await;
        }
        let gone = watcher.gone().await;
        assert_eq!((&gone["code"], &gone["client"]["id"]), (&json!(1006), &id), "{reset} {bytes}");
        assert_eq!(gone["known"], false);
    }
    assert_eq!(watcher.ok(json!({"do": "count"})).await, 1);
    assert_eq!(gateway.gateway().server().registry().all().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_never_answers_a_close_is_dropped_after_the_close_timeout() {
    let gateway = limited("close_timeout = \"300ms\"").start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    let mut client = RawClient::connect(&gateway, "/probe").await;
    client.send(&frame(TEXT, br#"{"do":"close","code":4900,"reason":"go"}"#)).await;
    let close = loop {
        let frame = client.frame().await.unwrap();
        if frame.first == CLOSE {
            break frame;
        }
    };
    assert_eq!(close.payload, [&4900_u16.to_be_bytes()[..], b"go"].concat());
    let since = Instant::now();
    client.ended().await;
    let took = since.elapsed();
    assert!(took > Duration::from_millis(200) && took < Duration::from_secs(3), "{took:?}");
    assert_eq!(watcher.gone().await["code"], 4900);
    assert_eq!(gateway.counters().close_timeouts.get(), 1);
    watcher.close().await;
    assert_eq!(gateway.counters().close_timeouts.get(), 1, "whoever answers is in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_sends_on_instead_of_answering_is_dropped_as_well() {
    let gateway = limited("close_timeout = \"300ms\"").start().await;
    let mut client = RawClient::connect(&gateway, "/probe").await;
    client.send(&frame(TEXT, br#"{"do":"close","code":4900,"reason":""}"#)).await;
    let more = frame(TEXT, &[b'x'; 1000]);
    let since = Instant::now();
    while client.try_send(&more).await {
        assert!(since.elapsed() < Duration::from_secs(5), "it may go on for ever");
    }
    until("gone", || gateway.gateway().server().registry().all().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_answers_a_close_is_let_go_at_once() {
    let gateway = limited("close_timeout = \"10m\"").start().await;
    let mut client = RawClient::connect(&gateway, "/probe").await;
    client.send(&frame(TEXT, br#"{"do":"close","code":4900,"reason":""}"#)).await;
    while client.frame().await.unwrap().first != CLOSE {}
    client.send(&close_frame(4900, b"")).await;
    client.ended().await;
    until("gone", || gateway.gateway().server().registry().all().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_over_at_once_even_if_the_peer_stays() {
    let gateway = limited("close_timeout = \"300ms\"").start().await;
    let mut client = RawClient::connect(&gateway, "/probe").await;
    let since = Instant::now();
    client.send(&frame(0x83, b"")).await;
    assert_eq!(client.close_code().await, 1002);
    client.ended().await;
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    // This side is still open; the gateway forgets it all the same.
    until("gone", || gateway.gateway().server().registry().all().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closing_client_can_be_sent_nothing_more() {
    let gateway = limited("close_timeout = \"10m\"").start().await;
    let mut client = RawClient::connect(&gateway, "/probe/stubborn").await;
    client.send(&frame(TEXT, br#"{"do":"whoami"}"#)).await;
    let id = client.json().await["ok"]["client"]["id"].take();
    let mut other = gateway.client("/probe").await;
    other.ok(json!({"do": "close", "to": id, "code": 4901, "reason": "out"})).await;
    assert_eq!(client.close_code().await, 4901);
    let (code, _) = other.refused(json!({"do": "send", "to": id, "text": "too late"})).await;
    assert_eq!(code, "closed");
    let (code, _) = other.refused(json!({"do": "close", "to": id, "code": 4902})).await;
    assert_eq!(code, "closed", "the first reason holds");
    let reached = json!({"do": "broadcast", "path": "/probe/stubborn", "text": "too late"});
    assert_eq!(other.ok(reached).await, 0);
    client.send(&close_frame(4901, b"")).await;
    client.ended().await;
}
