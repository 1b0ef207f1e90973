//! A module that keeps failing pauses, and the others notice nothing. The times are those of
//! `modules::breaker`, whose own tests go through all of them.

use super::*;
use crate::support::until;

#[tokio::test]
async fn a_module_that_keeps_trapping_is_not_called_for_a_while_and_comes_back() {
    let gateway = TestGateway::with()
        .file("tally.wasm", &tally("traps-on-demand"))
        .module("echo", "echo")
        .sidecar("tally", "[run]\nbreaker_failures = 2\n")
        .start()
        .await;
    let mut client = gateway.client("/tally").await;
    let mut other = gateway.client("/echo").await;
    let calls = || gateway.counters().calls.get();
    for _ in 0..2 {
        client.send("trap").await;
        client.settle().await;
    }
    let before = calls();
    assert!(status(&gateway, "tally").await.unwrap().pauses);
    // Refused without a call, and nothing else is any different.
    client.send("x").await;
    client.settle().await;
    assert_eq!(calls(), before);
    other.echo("unharmed").await;
    let modules = gateway.gateway().modules().modules();
    let failures = &modules[1].counters().failures;
    assert_eq!((failures.of("trap"), failures.of("unavailable")), (2, 1));
    // What was not made ended no instance.
    assert_eq!(status(&gateway, "tally").await.unwrap().traps, 2);
    // After its pause a call finds out that it is well again.
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    assert_eq!(say(&mut client, "x").await, by("traps-on-demand", 1, 1));
    assert!(!status(&gateway, "tally").await.unwrap().pauses);
}

#[tokio::test]
async fn where_failures_close_a_client_of_a_module_that_pauses_is_closed_with_4103() {
    let gateway = TestGateway::with()
        .file("tally.wasm", &tally("traps"))
        .sidecar("tally", "[run]\nbreaker_failures = 1\n")
        .table("[[paths]]\npattern = \"/*\"\non_failure = \"close\"")
        .start()
        .await;
    let mut first = gateway.client("/tally").await;
    let mut second = gateway.client("/tally").await;
    first.send("x").await;
    assert_eq!(first.closed().await.0, 1011);
    second.send("x").await;
    assert_eq!(second.closed().await.0, 4103);
    // Who goes is told of all the same.
    until("both have gone", || gateway.counters().calls.get() == 3).await;
    let closed = gateway.counters().closed.all();
    assert!(closed.iter().any(|(why, count)| why.reason == "unavailable" && *count == 1));
}
