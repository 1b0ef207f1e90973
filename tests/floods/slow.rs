//! Clients that hold on to what they have and give nothing: that do not read, do not answer a
//! close, and do not answer at all.

use std::time::Instant;

use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::{Flooded, setup};
use crate::support::raw_client::{CLOSE, PING, RawFrame, TEXT, frame};
use crate::support::{Client, PATIENCE, RawClient, token};

/// What waits for a client at most, by default.
const OUTBOX_KIB: u64 = 1 << 10;

/// A client that commands the guest.
async fn commander(flooded: &Flooded) -> Client {
    let url = format!("{}/probe/commander", flooded.serving.url());
    let mut client = Client::connect(&url, Some(&token("alice", &[]))).await.unwrap();
    client.greeting().await;
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_messages_for_a_client_that_does_not_read() {
    let limits = "write_timeout = \"1s\"\nclose_timeout = \"500ms\"";
    let flooded = Flooded::start(setup(limits)).await;
    let round = async || {
        let mut slow = flooded.narrow_client("/probe/room").await;
        let mut sender = commander(&flooded).await;
        let broadcast = json!({"do": "broadcast", "path": "/probe/room", "fill": 900});
        // Few in one call: what a call has recorded is memory too, and none of this client's.
        for _ in 0..500 {
            sender.ok(json!({"do": "repeat", "count": 20, "of": [broadcast]})).await;
        }
        assert_eq!(sender.ok(broadcast).await, 0, "it was closed long ago");
        sender.close().await;
        flooded.all_gone().await;
        // What it finds when it wakes up: a part of what was sent, in order, and the end.
        while let Some(RawFrame { first, payload }) = slow.frame().await {
            match first {
                CLOSE => assert_eq!(payload[..2], 4102_u16.to_be_bytes()),
                _ => assert_eq!(payload.len(), 900),
            }
        }
    };
    flooded.flood(round).await;
    flooded.survived(1, OUTBOX_KIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_ask_and_never_read_the_answers() {
    let limits = "write_timeout = \"1s\"\nclose_timeout = \"500ms\"";
    let flooded = Flooded::start(setup(limits)).await;
    let round = async || {
        let mut clients = Vec::new();
        let asks = frame(TEXT, &[b'x'; 10_000]).repeat(200);
        for _ in 0..10 {
            let mut client = flooded.narrow_client("/echo").await;
            let asks = asks.clone();
            clients.push(tokio::spawn(async move {
                let since = Instant::now();
                while client.try_send(&asks).await {
                    assert!(since.elapsed() < PATIENCE, "it is still taken");
                }
            }));
        }
        for client in clients {
            client.await.unwrap();
        }
    };
    flooded.flood(round).await;
    flooded.survived(10, OUTBOX_KIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_while_it_is_closed() {
    let limits = "write_timeout = \"1s\"\nclose_timeout = \"500ms\"";
    let flooded = Flooded::start(setup(limits)).await;
    let round = async || {
        let mut deaf = Vec::new();
        for _ in 0..10 {
            let mut client = flooded.narrow_client("/probe").await;
            // More than the sockets hold, and a close behind it.
            client.send(&frame(TEXT, br#"{"do":"send","fill":900000}"#)).await;
            client.send(&frame(TEXT, br#"{"do":"close","code":4900,"reason":"go"}"#)).await;
            deaf.push(client);
        }
        // Its window stays shut, its end is open: time alone takes it away.
        flooded.all_gone().await;
    };
    flooded.flood(round).await;
    flooded.survived(10, OUTBOX_KIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_answer_a_close_and_send_on() {
    let flooded = Flooded::start(setup("close_timeout = \"1s\"")).await;
    let round = async || {
        let mut clients = Vec::new();
        for _ in 0..20 {
            let mut client = flooded.client("/probe").await;
            client.send(&frame(TEXT, br#"{"do":"close","code":4900,"reason":"go"}"#)).await;
            assert_eq!(close_code(&mut client).await, 4900);
            clients.push(client);
        }
        let more = frame(TEXT, &[b'x'; 10_000]);
        let since = Instant::now();
        while !clients.is_empty() {
            assert!(since.elapsed() < PATIENCE, "{} may go on for ever", clients.len());
            let mut left = Vec::new();
            for mut client in clients {
                if client.try_send(&more).await {
                    left.push(client);
                }
            }
            clients = left;
        }
    };
    flooded.flood(round).await;
    flooded.survived(20, 0).await;
}

/// The code of the next close frame, whatever comes before it.
async fn close_code(client: &mut RawClient) -> u16 {
    loop {
        let RawFrame { first, payload } = client.frame().await.expect("a close frame");
        if first == CLOSE {
            return u16::from_be_bytes([payload[0], payload[1]]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_whose_cable_is_cut() {
    let limits = "ping_interval = \"1s\"\npong_timeout = \"500ms\"\nclose_timeout = \"500ms\"";
    let flooded = Flooded::start(setup(limits)).await;
    let round = async || {
        let mut silent = Vec::new();
        for _ in 0..50 {
            // Its end stays open, and says nothing any more.
            silent.push(flooded.client("/probe").await);
        }
        flooded.all_gone().await;
        for client in &mut silent {
            assert_eq!(client.frame().await.unwrap().first, PING);
            assert_eq!(client.close_code().await, 4201);
        }
    };
    flooded.flood(round).await;
    flooded.survived(50, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_die_within_a_frame() {
    let limits = "ping_interval = \"1s\"\npong_timeout = \"500ms\"\nclose_timeout = \"500ms\"";
    let flooded = Flooded::start(setup(limits)).await;
    let round = async || {
        let mut halves = Vec::new();
        let half = frame(TEXT, &[b'x'; 60_000]);
        for _ in 0..20 {
            let mut client = flooded.client("/echo").await;
            client.send(&half[..half.len() - 1]).await;
            client.stream().flush().await.unwrap();
            halves.push(client);
        }
        flooded.all_gone().await;
    };
    flooded.flood(round).await;
    flooded.survived(20, 64).await;
}
