//! Clients that send too much in too little time: closed, ignored, or told.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sporegate::close::CloseReason;
use sporegate::counters::Closed;

use super::limited;
use crate::support::raw_client::{BINARY, TEXT, frame};
use crate::support::{RawClient, TestGateway, until};

/// A gateway where `/echo` has these limits.
async fn echoing(limits: &str) -> TestGateway {
    TestGateway::with().module("echo", "echo").table(&format!("[limits]\n{limits}")).start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_passes_and_one_message_more_is_4101() {
    // So slow that no time the test takes lets another one pass.
    let gateway = echoing("message_rate = 1\nmessage_burst = 20").await;
    for empty in [false, true] {
        let mut client = RawClient::connect(&gateway, "/echo").await;
        let text: &[u8] = if empty { b"" } else { b"hello" };
        client.send(&frame(TEXT, text).repeat(200)).await;
        for number in 0..20 {
            assert_eq!(client.text().await.as_bytes(), text, "{number}");
        }
        // Perhaps a second has passed.
        let code = loop {
            match client.frame().await.unwrap() {
                frame if frame.first == TEXT => {}
                close => break u16::from_be_bytes([close.payload[0], close.payload[1]]),
            }
        };
        assert_eq!(code, 4101);
        client.ended().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_have_a_rate_of_their_own() {
    let gateway = echoing("message_size = \"1000B\"\nbyte_rate = \"100B\"").await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    client.send(&[frame(BINARY, &[7; 1000]), frame(BINARY, &[7; 1000])].concat()).await;
    assert_eq!(client.frame().await.unwrap().payload.len(), 1000);
    assert_eq!(client.close_code().await, 4101);
    client.ended().await;
    let closed = Closed::from(&CloseReason::BYTE_RATE);
    until("counted", || gateway.counters().closed.of(closed) == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_above_the_rate_of_bytes_are_counted_by_themselves() {
    let limits = "message_size = \"1000B\"\nbyte_rate = \"100B\"\non_message_rate = \"drop\"";
    let gateway = echoing(limits).await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    client.send(&frame(BINARY, &[7; 1000]).repeat(5)).await;
    assert_eq!(client.frame().await.unwrap().payload.len(), 1000);
    let dropped = &gateway.counters().dropped;
    until("counted", || dropped.of("byte-rate") == 4).await;
    assert_eq!(dropped.of("rate"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_can_be_dropped_and_is_counted() {
    let limits = "message_rate = 1\nmessage_burst = 5\non_message_rate = \"drop\"";
    let gateway = echoing(limits).await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    let messages: Vec<u8> =
        (0..100).flat_map(|number| frame(TEXT, number.to_string().as_bytes())).collect();
    client.send(&messages).await;
    for number in 0..5 {
        assert_eq!(client.text().await, number.to_string());
    }
    let dropped = || gateway.counters().dropped.of("rate");
    until("all read", || dropped() + gateway.counters().messages_received.get() == 100).await;
    assert!(dropped() > 80, "{}", dropped());
    // It is still connected.
    client.send(&frame(crate::support::raw_client::PING, b"still")).await;
    loop {
        let frame = client.frame().await.unwrap();
        if frame.payload == b"still" {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_can_be_told_that_it_is_too_fast_once_a_second() {
    let own = "[[paths]]\npattern = \"/echo/told\"\nmessage_rate = 1\nmessage_burst = 5\n\
               on_message_rate = \"reply\"";
    let gateway = TestGateway::with().module("echo", "echo").table(own).start().await;
    let mut client = RawClient::connect(&gateway, "/echo/told").await;
    client.send(&frame(TEXT, b"hello").repeat(60)).await;
    for _ in 0..5 {
        assert_eq!(client.text().await, "hello");
    }
    let told: Value = client.json().await;
    assert_eq!((&told["type"], &told["reason"]), (&json!("error"), &json!("rate")));
    assert_eq!(told["dropped"], 1);
    let wait = told["retryAfterMs"].as_u64().unwrap();
    assert!((1..=1_001).contains(&wait), "{told}");
    let dropped = || gateway.counters().dropped.of("rate");
    until("all read", || dropped() + gateway.counters().messages_received.get() == 60).await;
    assert!(gateway.counters().messages_queued.get() < 10, "answers are not for each message");
    // Another path has no such limit.
    let mut other = RawClient::connect(&gateway, "/echo/free").await;
    other.send(&frame(TEXT, b"hello").repeat(60)).await;
    for _ in 0..60 {
        assert_eq!(other.text().await, "hello");
    }
}

/// Reads what comes until so many messages were either echoed or told as dropped: the echoes, and
/// what each report said and when.
async fn accounted(client: &mut RawClient, messages: u64) -> (u64, Vec<(u64, Instant)>) {
    let (mut echoed, mut told): (u64, Vec<(u64, Instant)>) = (0, Vec::new());
    while echoed + told.iter().map(|(dropped, _)| dropped).sum::<u64>() < messages {
        match client.text().await {
            echo if echo == "hello" => echoed += 1,
            report => {
                let report: Value = serde_json::from_str(&report).unwrap();
                assert_eq!((&report["type"], &report["reason"]), (&json!("error"), &json!("rate")));
                told.push((report["dropped"].as_u64().unwrap(), Instant::now()));
            }
        }
    }
    (echoed, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_drop_is_told_though_the_client_says_nothing_more() {
    let limits = "message_rate = 1\nmessage_burst = 5\non_message_rate = \"reply\"";
    let gateway = echoing(limits).await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    let mut dropped = 0;
    // Once more after all of it was told.
    for _ in 0..2 {
        client.send(&frame(TEXT, b"hello").repeat(60)).await;
        let (echoed, told) = accounted(&mut client, 60).await;
        assert!(echoed < 10, "{echoed}");
        let sum: u64 = told.iter().map(|(dropped, _)| dropped).sum();
        dropped += sum;
        assert_eq!((sum, gateway.counters().dropped.of("rate")), (60 - echoed, dropped));
        for two in told.windows(2) {
            assert!(two[1].1 - two[0].1 > Duration::from_millis(500), "{told:?}");
        }
        assert!((1..5).contains(&told.len()), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drops_are_told_while_a_call_goes_on() {
    let limits = "message_size = \"1000B\"\nbyte_rate = \"100B\"\non_message_rate = \"reply\"";
    let setup = limited(limits).module("sleeper", "sleeper");
    let timeout = "[limits]\ntimeout = \"15s\"\n";
    let gateway = setup.sidecar("sleeper", timeout).start().await;
    let mut client = RawClient::connect(&gateway, "/sleeper").await;
    // The first leaves so little room that of all others only the last passes, which sleeps.
    let large = frame(TEXT, &[b'x'; 500]);
    let all = [frame(TEXT, &[b'x'; 990]), large.repeat(3), frame(BINARY, &[1])].concat();
    client.send(&all).await;
    let since = Instant::now();
    assert_eq!(client.text().await, "awake");
    assert_eq!(client.json().await["dropped"], 1);
    let told = client.json().await;
    assert_eq!(told["dropped"], 2);
    assert!(told["retryAfterMs"].as_u64().unwrap() > 2_000, "{told}");
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    assert_eq!(gateway.counters().dropped.of("byte-rate"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_gathers_while_a_listener_is_busy_is_not_too_much() {
    // The line of the one instance holds each of its messages up.
    let setup = limited("message_rate = 40\nmessage_burst = 4");
    let gateway = setup.start().await;
    let mut client = RawClient::connect(&gateway, "/probe").await;
    let busy = json!({"do": "count"}).to_string();
    let mut pace = tokio::time::interval(Duration::from_millis(30));
    for _ in 0..40 {
        pace.tick().await;
        client.send(&frame(TEXT, busy.as_bytes())).await;
    }
    for _ in 0..40 {
        assert_eq!(client.json().await["ok"], 1);
    }
}
