//! What the old revision leaves to the new one, and who answers when.

use super::*;

#[tokio::test]
async fn the_state_goes_over_and_no_client_is_closed() {
    let gateway = setup().start().await;
    let (mut a, mut b) = (gateway.client("/tally").await, gateway.client("/tally/b").await);
    assert_eq!(say(&mut a, "x").await, by("first", 1, 1));
    assert_eq!(say(&mut b, "x").await, by("first", 1, 2));
    let status = swap(&gateway, "second").await;
    assert_eq!((&status.state, status.on_probation), (&State::Active, true));
    assert_eq!(say(&mut a, "x").await, by("second", 2, 3));
    assert_eq!(say(&mut b, "x").await, by("second", 2, 4));
    swap(&gateway, "third").await;
    assert_eq!(say(&mut a, "x").await, by("third", 3, 5));
    let (counters, pauses) = (gateway.counters(), gateway.counters().swap_pause.snapshot());
    assert_eq!((counters.swaps.of("swapped"), pauses.count), (2, 2));
    assert!(gateway.stop().await);
}

#[tokio::test]
async fn a_large_state_goes_over_whole() {
    let gateway = setup().file("tally.wasm", &tally("large-state")).start().await;
    let mut client = gateway.client("/tally").await;
    say(&mut client, "x").await;
    swap(&gateway, "second").await;
    assert_eq!(say(&mut client, "x").await, by("second", 2, 2));
    // And on, with what the second has of the first.
    swap(&gateway, "third").await;
    assert_eq!(say(&mut client, "x").await, by("third", 3, 3));
}

#[tokio::test]
async fn a_module_that_hands_nothing_over_begins_anew() {
    let gateway = TestGateway::with().module("echo", "echo").start().await;
    let mut client = gateway.client("/echo").await;
    client.echo("before").await;
    put(&gateway, "echo.wasm", &guest("json-echo"));
    assert_eq!(looked(&gateway, "echo").await.unwrap().state, State::Active);
    let echo = json!({"type": "echo", "payload": {"text": "a", "number": 1}});
    assert_eq!(client.ask(echo.clone()).await, echo);
}

#[tokio::test]
async fn a_state_above_the_limit_gives_the_swap_up_and_the_old_one_goes_on() {
    let gateway = setup()
        .file("tally.wasm", &tally("large-state"))
        .sidecar("tally", "[limits]\nstate = \"1KiB\"\n")
        .start()
        .await;
    let mut client = gateway.client("/tally").await;
    say(&mut client, "x").await;
    let reason = rejected(&swap(&gateway, "second").await);
    assert!(reason.contains("limits.state"), "{reason}");
    assert_eq!(say(&mut client, "x").await, by("large-state", 2, 2));
}

#[tokio::test]
async fn listeners_of_the_old_revision_end_with_it() {
    let gateway = TestGateway::with().module("m", "probe").sidecar("m", "paths = [\"/*\"]").start();
    let gateway = gateway.await;
    let mut client = gateway.client("/x").await;
    let added =
        client.ask(json!({"do": "add-listener", "name": "more", "outcome": "proceed"})).await;
    assert!(added["error"].is_null(), "{added}");
    put(&gateway, "m.wasm", &guest("echo"));
    assert_eq!(looked(&gateway, "m").await.unwrap().state, State::Active);
    client.echo("once").await;
    client.settle().await;
}
