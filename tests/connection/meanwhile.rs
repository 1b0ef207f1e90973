//! While a message waits for a listener or is with one: its client may read or not, live or not,
//! and nobody else depends on it.

use std::time::{Duration, Instant};

use serde_json::json;

use super::limited;
use crate::support::raw_client::{BINARY, PING, PONG, RawFrame, TEXT, frame};
use crate::support::{Client, RawClient, Setup, TestGateway, until};

/// Far less than the default time for a stalled write, which others used to wait for.
const SOON: Duration = Duration::from_secs(6);

/// A listener that sleeps until its time is up, one that answers, and these `[limits]`.
fn with_sleeper(timeout: &str, limits: &str) -> Setup {
    limited(limits)
        .module("sleeper", "sleeper")
        .sidecar("sleeper", &format!("[limits]\ntimeout = \"{timeout}\"\n"))
}

/// Keeps the one instance of the sleeper busy until its time is up.
async fn keep_busy(gateway: &TestGateway) -> RawClient {
    let mut client = RawClient::connect(gateway, "/sleeper/busy").await;
    let before = gateway.counters().calls.get();
    client.send(&frame(BINARY, &[1])).await;
    until("the call", || gateway.counters().calls.get() > before).await;
    client
}

/// Nothing of the sleeper's for the probe, but that it may send there.
async fn probe_that_listens_elsewhere(gateway: &TestGateway) -> Client {
    let mut probe = gateway.client("/probe/a").await;
    let only_here = json!({"path": "/probe/*"});
    probe.ok(json!({"do": "add-listener", "name": "probe", "matcher": only_here})).await;
    probe
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_what_a_call_flushes_holds_up_nobody() {
    // On a stack of its own, and in steps: between them its connection is asked to write.
    let setup = limited("").sidecar("probe", "[limits]\ncpu = \"5s\"\n");
    let gateway = setup.start().await;
    let mut other = gateway.client("/probe/other").await;
    other.ok(json!({"do": "remember", "key": "k", "value": "kept"})).await;
    let mut deaf = RawClient::connect_narrow(&gateway, "/probe/deaf").await;
    let step = [
        json!({"do": "send", "fill": 900_000}),
        json!({"do": "flush"}),
        json!({"do": "busy", "count": 3_000_000}),
    ];
    let before = gateway.counters().calls.get();
    let steps = json!({"do": "seq", "of": step.iter().cycle().take(36).collect::<Vec<_>>()});
    deaf.send(&frame(TEXT, steps.to_string().as_bytes())).await;
    until("the call", || gateway.counters().calls.get() > before).await;
    let since = Instant::now();
    other.ok(json!({"do": "count"})).await;
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    assert_eq!(other.ok(json!({"do": "recall", "key": "k"})).await, "kept");
    assert_eq!(gateway.counters().calls_ended.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_in_line_and_does_not_read_holds_up_nobody_behind_it() {
    let grants = "paths = [\"/sleeper/*\", \"/probe/*\"]\n";
    let gateway = with_sleeper("1s", "").sidecar("probe", grants).start().await;
    let mut probe = probe_that_listens_elsewhere(&gateway).await;
    let mut deaf = RawClient::connect_narrow(&gateway, "/sleeper/deaf").await;
    let query = json!({"do": "clients-on-path", "path": "/sleeper/deaf", "limit": 1});
    let id = probe.ok(query).await["clients"][0]["id"].as_str().unwrap().to_owned();
    let mut behind = RawClient::connect(&gateway, "/sleeper/behind").await;
    let _busy = keep_busy(&gateway).await;
    deaf.send(&frame(TEXT, b"x")).await;
    let send = json!({"do": "send", "to": id, "fill": 60_000});
    let full = json!({"do": "repeat", "count": 200, "of": [send]});
    until("the message is in line", || gateway.counters().messages_received.get() >= 4).await;
    assert!(probe.ok(full).await["queue-full"].as_u64().unwrap() > 0);
    let since = Instant::now();
    behind.send(&frame(TEXT, b"are you there?")).await;
    assert_eq!(behind.text().await, "awake");
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
}

const QUICK: &str = "ping_interval = \"1s\"\npong_timeout = \"500ms\"\nclose_timeout = \"200ms\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_peer_is_noticed_while_its_message_waits_in_line() {
    let gateway = with_sleeper("15s", QUICK).start().await;
    let _busy = keep_busy(&gateway).await;
    let mut dead = RawClient::connect(&gateway, "/sleeper/dead").await;
    dead.send(&frame(TEXT, b"x")).await;
    let since = Instant::now();
    assert_eq!(dead.frame().await.unwrap().first, PING);
    assert_eq!(dead.close_code().await, 4201);
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_answers_pings_lives_on_while_its_message_waits() {
    let gateway = with_sleeper("4s", QUICK).start().await;
    let _busy = keep_busy(&gateway).await;
    let mut client = RawClient::connect(&gateway, "/sleeper/alive").await;
    client.send(&frame(TEXT, b"x")).await;
    let mut pings = 0;
    loop {
        match client.frame().await.unwrap() {
            RawFrame { first: PING, payload } => {
                pings += 1;
                client.send(&frame(PONG, &payload)).await;
            }
            answer => break assert_eq!((answer.first, &*answer.payload), (TEXT, &b"awake"[..])),
        }
    }
    assert!(pings >= 2, "{pings} pings");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_connection_does_not_wait_for_the_line() {
    let limits = "lifetime = \"1s\"\nclose_timeout = \"200ms\"";
    let gateway = with_sleeper("15s", limits).start().await;
    let mut busy = keep_busy(&gateway).await;
    let mut waiting = RawClient::connect(&gateway, "/sleeper/waiting").await;
    waiting.send(&frame(TEXT, b"x")).await;
    let since = Instant::now();
    assert_eq!(waiting.close_code().await, 4203);
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    // A call that has begun is not cut off for it: others may depend on its instance.
    assert_eq!(gateway.counters().calls_ended.get(), 0);
    assert_eq!(busy.close_code().await, 4203);
    assert_eq!(gateway.counters().calls_ended.get(), 1, "at the end of its own time");
}
