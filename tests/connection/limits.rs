//! What one client may do, and what happens at each limit: fragments, times, floods.

use std::time::{Duration, Instant};

use serde_json::json;
use sporegate::counters::ClosedCode;
use tokio::io::AsyncWriteExt;

use super::limited;
use crate::support::raw_client::{
    CLOSE, ENDS, GOES_ON, PING, PONG, RawFrame, TEXT, TEXT_BEGINS, frame, frame_head,
};
use crate::support::{RawClient, TestGateway, until};

/// Waits for the close frame, whatever comes before it; returns code and reason.
async fn close_of(client: &mut RawClient) -> (u16, String) {
    loop {
        let frame = client.frame().await.expect("a close frame");
        if let RawFrame { first: CLOSE, payload } = frame {
            let (code, reason) = payload.split_at(2);
            let code = u16::from_be_bytes(code.try_into().unwrap());
            return (code, String::from_utf8(reason.to_vec()).unwrap());
        }
    }
}

/// How often a connection was closed for this reason.
fn closed(gateway: &TestGateway, code: u16) -> u64 {
    let all = gateway.counters().closed.all();
    all.iter()
        .filter(|(label, _)| label.code == ClosedCode::Exactly(code))
        .map(|(_, count)| count)
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_as_many_fragments_as_allowed_passes_and_one_more_is_1008() {
    let setup = TestGateway::with().module("echo", "echo").table("[limits]\nfragments = 5");
    let gateway = setup.start().await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    let ping = frame(PING, b"");
    for _ in 0..3 {
        let middle = [frame(GOES_ON, b"b"), ping.clone()].concat().repeat(3);
        client.send(&[frame(TEXT_BEGINS, b"a"), middle, frame(ENDS, b"c")].concat()).await;
        let text = loop {
            match client.frame().await.unwrap() {
                RawFrame { first: PONG, .. } => {}
                text => break text,
            }
        };
        assert_eq!(text, RawFrame { first: TEXT, payload: b"abbbc".to_vec() });
    }
    // What came before in the same packet is still answered.
    let bytes = [frame(TEXT, b"before"), frame(TEXT_BEGINS, b""), frame(GOES_ON, b"").repeat(5)];
    client.send(&bytes.concat()).await;
    assert_eq!(client.text().await, "before");
    assert_eq!(client.close_code().await, 1008);
    client.ended().await;
    until("counted", || closed(&gateway, 1008) == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_empty_fragments_is_over_at_once() {
    let gateway = limited("").start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    let mut client = RawClient::connect(&gateway, "/probe").await;
    let since = Instant::now();
    client.send(&frame(TEXT_BEGINS, b"")).await;
    let flood = frame(GOES_ON, b"").repeat(10_000);
    for _ in 0..100 {
        if !client.try_send(&flood).await {
            break;
        }
    }
    assert_eq!(close_of(&mut client).await, (1008, "message in too many fragments".to_owned()));
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    drop(client);
    assert_eq!(watcher.gone().await["code"], 1008);
    assert_eq!(gateway.counters().messages_received.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_message_has_its_time_and_then_it_is_1008() {
    let setup = limited("message_time = \"300ms\"\nping_interval = \"1h\"");
    let gateway = setup.start().await;
    for (what, bytes) in [
        ("half a header", vec![TEXT]),
        ("half a payload", [frame_head(TEXT, 10), b"x".to_vec()].concat()),
        ("a fragment", frame(TEXT_BEGINS, b"x")),
        ("half a ping", frame(PING, b"1234")[..5].to_vec()),
        ("half a message after a whole one", {
            let whole = frame(TEXT, br#"{"do":"remember","key":"k","value":1}"#);
            [whole, frame(TEXT_BEGINS, b"x")].concat()
        }),
    ] {
        let mut client = RawClient::connect(&gateway, "/probe").await;
        let since = Instant::now();
        client.send(&bytes).await;
        let (code, reason) = close_of(&mut client).await;
        assert_eq!((code, &*reason), (1008, "message took too long to arrive"), "{what}");
        let took = since.elapsed();
        assert!(
            took > Duration::from_millis(250) && took < Duration::from_secs(5),
            "{what}: {took:?}"
        );
        client.ended().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_message_has_a_time_of_its_own_and_between_them_there_is_none() {
    let setup = TestGateway::with().module("echo", "echo");
    let gateway = setup.table("[limits]\nmessage_time = \"1s\"").start().await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    client.stream().set_nodelay(true).unwrap();
    let mut pace = tokio::time::interval(Duration::from_millis(300));
    pace.tick().await;
    let since = Instant::now();
    // Nearly always within a message, and for longer than one may take.
    client.send(&frame(TEXT, b"hello")[..3]).await;
    for _ in 0..6 {
        pace.tick().await;
        let text = frame(TEXT, b"hello");
        client.send(&[&text[3..], &text[..3]].concat()).await;
        assert_eq!(client.text().await, "hello");
    }
    client.send(&frame(TEXT, b"hello")[3..]).await;
    assert_eq!(client.text().await, "hello");
    assert!(since.elapsed() > Duration::from_millis(1_500), "{:?}", since.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_pings_and_pongs_than_the_limit_are_1008() {
    let gateway = limited("control_rate = 50").start().await;
    for kind in [PING, PONG] {
        let mut client = RawClient::connect(&gateway, "/probe").await;
        // As many as may come at once.
        client.send(&frame(kind, b"x").repeat(50)).await;
        client.send(&frame(TEXT, br#"{"do":"base-path"}"#)).await;
        let answer = loop {
            match client.frame().await.unwrap() {
                RawFrame { first: PONG, .. } => {}
                answer => break answer,
            }
        };
        assert_eq!(answer.first, TEXT);
        for _ in 0..100 {
            if !client.try_send(&frame(kind, b"x").repeat(100)).await {
                break;
            }
        }
        let close = close_of(&mut client).await;
        assert_eq!(close, (1008, "too many pings or pongs".to_owned()));
    }
    until("counted", || closed(&gateway, 1008) == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_no_message_is_4202_although_it_answers_pings() {
    let limits = "idle_timeout = \"1500ms\"\nping_interval = \"1s\"\npong_timeout = \"10s\"";
    let gateway = limited(limits).start().await;
    let mut client = RawClient::connect(&gateway, "/probe").await;
    let since = Instant::now();
    let mut pings = 0;
    let close = loop {
        match client.frame().await.unwrap() {
            RawFrame { first: PING, payload } => {
                pings += 1;
                client.send(&frame(PONG, &payload)).await;
            }
            RawFrame { first: CLOSE, payload } => break payload,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(close[..2], 4202_u16.to_be_bytes());
    assert!(pings >= 1);
    assert!(since.elapsed() > Duration::from_millis(1_300), "{:?}", since.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_puts_idleness_off() {
    let setup = TestGateway::with().module("echo", "echo");
    let gateway = setup.table("[limits]\nidle_timeout = \"1s\"").start().await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    let mut pace = tokio::time::interval(Duration::from_millis(300));
    let since = Instant::now();
    while since.elapsed() < Duration::from_millis(2_500) {
        pace.tick().await;
        client.send(&frame(TEXT, b"here")).await;
        assert_eq!(client.text().await, "here");
    }
    assert_eq!(client.close_code().await, 4202);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_its_greatest_age_a_connection_is_4203_however_busy() {
    let setup = TestGateway::with().module("echo", "echo");
    let own = "[[paths]]\npattern = \"/echo/short\"\nlifetime = \"1s\"";
    let gateway = setup.table(own).start().await;
    let mut other = gateway.client("/echo/long").await;
    let mut client = RawClient::connect(&gateway, "/echo/short").await;
    let since = Instant::now();
    let close = loop {
        client.try_send(&frame(TEXT, b"busy")).await;
        match client.frame().await.unwrap() {
            RawFrame { first: CLOSE, payload } => break payload,
            RawFrame { payload, .. } => assert_eq!(payload, b"busy"),
        }
    };
    assert_eq!(close[..2], 4203_u16.to_be_bytes());
    assert!(since.elapsed() > Duration::from_millis(800), "{:?}", since.elapsed());
    other.echo("still here").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_token_expires_is_closed_with_4401_within_seconds() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let mut watcher = gateway.client("/probe/watch").await;
    let short = crate::support::token_for("alice", &[], Duration::from_secs(2));
    let mut client = gateway.connect("/probe", Some(&short)).await.unwrap();
    client.greeting().await;
    client.ok(json!({"do": "base-path"})).await;
    let since = Instant::now();
    let (code, reason) = client.closed().await;
    assert_eq!((code, &*reason), (4401, "the credentials have expired"));
    assert!(since.elapsed() < Duration::from_secs(7), "{:?}", since.elapsed());
    client.close().await;
    assert_eq!(watcher.gone().await["code"], 4401);
    // And it cannot come back with it.
    let refused = gateway.connect("/probe", Some(&short)).await.err().unwrap();
    assert_eq!(refused.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_pauses_cannot_put_off_the_end_of_its_time() {
    let setup = limited("lifetime = \"2s\"").module("echo", "echo");
    let gateway = setup.start().await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    let burst = frame(TEXT, b"on and on").repeat(20_000);
    let (mut reading, mut writing) = client.stream().split();
    let (mut sink, mut sent) = (tokio::io::sink(), 0);
    let send = async {
        while writing.write_all(&burst).await.is_ok() {
            sent += 1;
        }
    };
    // Both end when the gateway ends the connection.
    let both = async { tokio::join!(send, tokio::io::copy(&mut reading, &mut sink)) };
    tokio::time::timeout(Duration::from_secs(20), both).await.expect("it goes on for ever").1.ok();
    assert!(sent > 0);
    until("counted", || closed(&gateway, 4203) == 1).await;
}
