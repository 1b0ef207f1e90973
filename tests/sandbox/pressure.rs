//! A busy instance slows down those who send to it; it drops nothing, and nothing piles up.

use std::time::Duration;

use serde_json::json;

use crate::support::{Client, TestGateway};

#[tokio::test(flavor = "multi_thread")]
async fn messages_for_a_busy_instance_all_arrive_in_order() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .sidecar("probe", "[limits]\ncpu = \"1s\"\n")
        .start()
        .await;
    let mut receiver = gateway.client("/probe/receiver").await;
    let to = receiver.id().await;
    let mut busy = gateway.client("/probe/busy").await;
    let mut senders = Vec::new();
    for number in 0..4 {
        senders.push(gateway.client(&format!("/probe/{number}")).await);
    }
    for _ in 0..3 {
        busy.feed(json!({"do": "busy", "count": 20_000_000}).to_string()).await;
    }
    busy.flush().await;
    for (sender, client) in senders.iter_mut().enumerate() {
        for number in 0..250 {
            let text = json!([sender, number]).to_string();
            let send = json!({"do": "send", "to": to, "text": text});
            client.feed(json!({"do": "seq", "of": [send, {"do": "mute"}]}).to_string()).await;
        }
        client.flush().await;
    }
    let mut next = [0; 4];
    for _ in 0..1_000 {
        let message = receiver.json().await;
        let sender = usize::try_from(message[0].as_u64().unwrap()).unwrap();
        assert_eq!(message[1], next[sender], "of sender {sender}");
        next[sender] += 1;
    }
    receiver.settle().await;
    assert_eq!(gateway.counters().calls_ended.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_send_without_end_to_an_instance_that_does_not_take_it() {
    const BYTES: usize = 60_000;
    const STALL: Duration = Duration::from_millis(500);
    let gateway = TestGateway::with()
        .module("sleeper", "sleeper")
        .module("echo", "echo")
        .sidecar("sleeper", "[limits]\ntimeout = \"6s\"\n")
        .start()
        .await;
    let mut sleeping = gateway.client("/sleeper").await;
    sleeping.send(vec![1]).await;
    let mut sender = gateway.client("/sleeper").await;
    let mut sent = 0;
    while send_within(&mut sender, &"x".repeat(BYTES), STALL).await {
        sent += 1;
        assert!(sent * BYTES < 256 << 20, "256 MB are waiting somewhere");
    }
    assert_eq!(gateway.counters().calls_ended.get(), 0, "the test was too slow to see anything");
    gateway.client("/echo").await.echo("others are not held up").await;
    // The one that stalled is still on its way.
    sender.flush().await;
    for _ in 0..=sent {
        assert_eq!(sender.text().await, "awake");
    }
    sender.settle().await;
}

/// Whether a message could be sent in time. If not it stays in the client's buffer.
async fn send_within(client: &mut Client, text: &str, limit: Duration) -> bool {
    tokio::time::timeout(limit, client.send(text)).await.is_ok()
}
