//! One connection: its greeting, keep-alive messages, and what is read and written on it.

mod closing;
mod drain;
mod frames;
mod kinds;
mod limits;
mod liveness;
mod meanwhile;
mod messages;
mod overflow;
mod rate;
mod slow;
mod stop;

use std::time::Duration;

use serde_json::json;

use crate::support::raw_client::PING;
use crate::support::{RawClient, Setup, TestGateway};

/// A gateway with the probe, and these `[limits]`.
fn limited(limits: &str) -> Setup {
    TestGateway::with().module("probe", "probe").table(&format!("[limits]\n{limits}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_greeting_is_a_secret_of_its_client() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let token = gateway.token("alice", &[]);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..3 {
        let mut client = gateway.connect("/probe", Some(&token)).await.unwrap();
        let greeting = client.text().await;
        let id = serde_json::from_str::<serde_json::Value>(&greeting).unwrap()["payload"].take();
        let id = id.as_str().unwrap().to_owned();
        assert_eq!(greeting, format!(r#"{{"type":"setClientId","payload":"{id}"}}"#));
        assert!(id.len() >= 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
        let public = client.id().await;
        assert_ne!(id, public, "listeners see another id");
        assert!(seen.insert(id.clone()) && seen.insert(public), "never the same twice");
        // Nor can a listener use it, for any client.
        for command in [
            json!({"do": "send", "to": id, "text": "x"}),
            json!({"do": "close", "to": id, "code": 4900}),
        ] {
            assert_eq!(client.refused(command).await.0, "not-found");
        }
        assert_eq!(client.ok(json!({"do": "get-client", "to": id})).await, json!(null));
        client.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_smallest_outbox_has_room_for_the_greeting() {
    let smallest = "message_size = \"1B\"\noutbox_messages = 1\noutbox_size = \"1KiB\"";
    let gateway = limited(smallest).start().await;
    gateway.client("/probe").await.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_greeting_can_be_switched_off() {
    let gateway = TestGateway::with().set("greeting = false").module("echo", "echo");
    let gateway = gateway.start().await;
    let token = gateway.token("alice", &[]);
    let mut client = gateway.connect("/echo", Some(&token)).await.unwrap();
    client.echo("the first message").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keep_alive_is_a_json_string_at_its_interval() {
    let setup = TestGateway::with().set("keepAliveIntervalSec = 1").module("echo", "echo");
    let gateway = setup.start().await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    let since = tokio::time::Instant::now();
    assert_eq!(client.text().await, "\"keepalive\"");
    let first = since.elapsed();
    assert_eq!(client.text().await, "\"keepalive\"");
    let second = since.elapsed();
    for (took, seconds) in [(first, 1), (second, 2)] {
        assert!(took > Duration::from_millis(seconds * 1000 - 300), "{took:?}");
        assert!(took < Duration::from_millis(seconds * 1000 + 900), "{took:?}");
    }
    assert_eq!(gateway.counters().messages_queued.get(), 0, "no listener's message");
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_alive_messages_can_be_switched_off() {
    let setup = TestGateway::with().set("enableKeepAlive = false\nkeepAliveIntervalSec = 1");
    let gateway = setup.table("[limits]\nping_interval = \"1s\"").start().await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    let stay = async |client: &mut RawClient| {
        let ping = client.frame().await.unwrap();
        assert_eq!(ping.first, PING, "{ping:?}");
        let pong = crate::support::raw_client::frame(0x8a, &ping.payload);
        client.send(&pong).await;
    };
    stay(&mut client).await;
    stay(&mut client).await;
}
