//! Clients that read slowly where their path says which messages they can do without: no send to
//! them fails, none of them is closed, and what arrives is in order.

use serde_json::{Value, json};

use crate::support::raw_client::{CLOSE, TEXT, frame};
use crate::support::{Client, RawClient, TestGateway, until};

/// The bytes of each message. One is more than a socket of this client holds.
const FILL: usize = 60_000;

/// A gateway where clients on `/probe/slow` lose messages by this policy.
async fn losing(policy: &str) -> TestGateway {
    let limits = "[limits]\nwrite_timeout = \"10m\"\nclose_timeout = \"300ms\"\n\
                  message_size = \"256KiB\"\n[[paths]]\npattern = \"/probe/slow\"\n\
                  outbox_messages = 8\noutbox_size = \"1MiB\"\nslow_client_key = \"/topic\"";
    let table = format!("{limits}\nslow_client = \"{policy}\"");
    TestGateway::with().module("probe", "probe").table(&table).start().await
}

/// A client that reads nothing yet, and its id.
async fn deaf(gateway: &TestGateway) -> (RawClient, String) {
    let mut client = RawClient::connect_narrow(gateway, "/probe/slow").await;
    client.send(&frame(TEXT, br#"{"do":"whoami"}"#)).await;
    let id = client.json().await["ok"]["client"]["id"].as_str().unwrap().to_owned();
    (client, id)
}

/// A message to the client; topics go round.
fn numbered(number: usize, topics: usize) -> String {
    let topic = number % topics;
    json!({"n": number, "topic": topic, "fill": "x".repeat(FILL)}).to_string()
}

/// Sends so many messages, each of which is taken; returns when they have been dealt with.
async fn flood(sender: &mut Client, id: &str, numbers: std::ops::Range<usize>, topics: usize) {
    for number in numbers {
        sender.ok(json!({"do": "send", "to": id, "text": numbered(number, topics)})).await;
    }
}

/// Reads until the last message; the numbers in the order in which they came.
async fn numbers(client: &mut RawClient, last: &str) -> Vec<u64> {
    let mut numbers = Vec::new();
    loop {
        let frame = client.frame().await.expect("the last message");
        assert_eq!(frame.first, TEXT, "{frame:?}");
        let text = String::from_utf8(frame.payload).unwrap();
        if text == last {
            return numbers;
        }
        let value: Value = serde_json::from_str(&text).unwrap();
        numbers.extend(value["n"].as_u64());
    }
}

fn in_order(numbers: &[u64]) -> bool {
    numbers.windows(2).all(|pair| pair[0] < pair[1])
}

const COUNT: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_longest_can_make_room() {
    let gateway = losing("drop-oldest").await;
    let (mut slow, id) = deaf(&gateway).await;
    let mut sender = gateway.client("/probe/sender").await;
    flood(&mut sender, &id, 0..COUNT, 4).await;
    sender.ok(json!({"do": "send", "to": id, "text": "last"})).await;
    let received = numbers(&mut slow, "last").await;
    assert!(in_order(&received), "{received:?}");
    // The newest are all there: with the last and one that was being written they are eight.
    let newest: Vec<u64> = (COUNT as u64 - 6..COUNT as u64).collect();
    assert!(received.ends_with(&newest), "{received:?}");
    let dropped = || gateway.counters().dropped.of("outbox-oldest");
    let lost = (COUNT - received.len()) as u64;
    assert!(lost > 50, "{lost}");
    until("counted", || dropped() == lost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_last_can_be_what_is_dropped() {
    let gateway = losing("drop-newest").await;
    let (mut slow, id) = deaf(&gateway).await;
    let mut sender = gateway.client("/probe/sender").await;
    flood(&mut sender, &id, 0..COUNT, 4).await;
    // Once it reads again there is room again.
    let reading = tokio::spawn(async move {
        let received = numbers(&mut slow, "last").await;
        (slow, received)
    });
    let dropped = || gateway.counters().dropped.of("outbox-newest");
    let room = || gateway.gateway().server().registry().all();
    until("room", || room().iter().all(|session| session.outbox().waiting_bytes() == 0)).await;
    sender.ok(json!({"do": "send", "to": id, "text": "last"})).await;
    let (_slow, received) = reading.await.unwrap();
    let lost = (COUNT - received.len()) as u64;
    assert!(lost > 50, "{lost}");
    assert_eq!(received, (0..received.len() as u64).collect::<Vec<_>>(), "the first ones");
    until("counted", || dropped() == lost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_each_key_the_latest_can_be_what_stays() {
    let gateway = losing("latest").await;
    let (mut slow, id) = deaf(&gateway).await;
    let mut sender = gateway.client("/probe/sender").await;
    flood(&mut sender, &id, 0..COUNT, 4).await;
    sender.ok(json!({"do": "send", "to": id, "text": "last"})).await;
    let received = numbers(&mut slow, "last").await;
    assert!(in_order(&received), "{received:?}");
    // At the end there is one of each topic, the last one.
    let newest: Vec<u64> = (COUNT as u64 - 4..COUNT as u64).collect();
    assert!(received.ends_with(&newest), "{received:?}");
    let lost = (COUNT - received.len()) as u64;
    assert!(lost > 50, "{lost}");
    let counters = gateway.counters();
    until("counted", || counters.dropped.of("outbox-replaced") == lost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_does_not_close_a_client_that_may_lose_messages() {
    let gateway = losing("drop-oldest").await;
    let (mut slow, id) = deaf(&gateway).await;
    let mut sender = gateway.client("/probe/sender").await;
    for number in 0..COUNT {
        let text = numbered(number, 4);
        let reached = sender.ok(json!({"do": "broadcast", "path": "/probe/slow", "text": text}));
        assert_eq!(reached.await, 1);
    }
    // A close is never dropped, and comes after what waits.
    sender.ok(json!({"do": "close", "to": id, "code": 4900, "reason": "done"})).await;
    let mut last = None;
    let close = loop {
        let frame = slow.frame().await.unwrap();
        match frame.first {
            CLOSE => break frame.payload,
            _ => last = serde_json::from_slice::<Value>(&frame.payload).unwrap()["n"].as_u64(),
        }
    };
    assert_eq!(close[..2], 4900_u16.to_be_bytes());
    assert_eq!(last, Some(COUNT as u64 - 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_fails_drops_nothing() {
    let gateway = losing("drop-oldest").await;
    let mut client = gateway.client("/probe/slow").await;
    // The answers of one call wait until it ends: eight fit, and none gives way to those of a
    // call that fails.
    let many = json!({"do": "repeat", "count": 100, "of": [{"do": "send", "text": "lost"}]});
    let failing = json!({"do": "seq", "of": [many, {"do": "trap"}]});
    client.send_json(&failing).await;
    client.handled().await;
    assert_eq!(gateway.counters().dropped.get(), 0);
}
