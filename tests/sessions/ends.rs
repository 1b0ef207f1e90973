//! When a session is over, and that listeners are told once.

use serde_json::json;

use super::{Returning, away, send, waiting};
use crate::support::until;

#[tokio::test(flavor = "multi_thread")]
async fn one_event_comes_after_the_wait_with_the_reason_of_the_last_connection() {
    let gateway = waiting("100ms").start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    let mut alice = Returning::connect(&gateway, "/probe/room").await;
    let id = alice.client.id().await;
    // Away, it is found in every query and can be sent to.
    alice.client.drop_connection();
    away(&gateway, 1).await;
    let query = json!({"do": "clients-on-path", "path": "/probe/room", "limit": 9});
    assert_eq!(watcher.ok(query.clone()).await["clients"][0]["id"], json!(id));
    let gone = watcher.gone().await;
    assert_eq!((&gone["client"]["id"], &gone["code"]), (&json!(id), &json!(1006)));
    assert_eq!((&gone["known"], &gone["sending"]), (&json!(false), &json!("closed")));
    assert_eq!(watcher.ok(query).await["clients"], json!([]));
    watcher.settle().await;
    until("it is counted", || gateway.counters().sessions_ended.get() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_that_it_is_done_is_not_waited_for() {
    let gateway = waiting("60s").start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    let alice = Returning::connect(&gateway, "/probe/room").await;
    alice.client.done().await;
    assert_eq!(watcher.gone().await["code"], 1000);
    let path = format!("/probe/room?clientId={}", alice.token);
    assert_eq!(Returning::connect(&gateway, &path).await.refusal(), "unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_ends_the_session_of_a_client_that_is_away_at_once() {
    let gateway = waiting("60s").start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    let mut alice = Returning::connect(&gateway, "/probe/room").await;
    let id = alice.client.id().await;
    alice.client.drop_connection();
    away(&gateway, 1).await;
    watcher.ok(json!({"do": "close", "to": id, "code": 4900, "reason": "enough"})).await;
    let gone = watcher.gone().await;
    assert_eq!((&gone["code"], &gone["reason"]), (&json!(4900), &json!("enough")));
    let path = format!("/probe/room?clientId={}", alice.token);
    assert_eq!(Returning::connect(&gateway, &path).await.refusal(), "unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_outbox_of_a_client_that_is_away_refuses_sends_and_a_broadcast_ends_the_session() {
    let setup = waiting("60s").table("[limits]\noutbox_messages = 3\n");
    let gateway = setup.start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    let mut alice = Returning::connect(&gateway, "/probe/room").await;
    let id = alice.client.id().await;
    alice.client.drop_connection();
    away(&gateway, 1).await;
    for text in ["1", "2", "3"] {
        send(&mut watcher, &id, text).await;
    }
    let (code, _) = watcher.refused(json!({"do": "send", "to": id, "text": "4"})).await;
    assert_eq!(code, "queue-full");
    watcher.ok(json!({"do": "broadcast", "path": "/probe/room", "text": "5"})).await;
    assert_eq!(watcher.gone().await["code"], 4102);
    let path = format!("/probe/room?clientId={}&received=1", alice.token);
    assert_eq!(Returning::connect(&gateway, &path).await.refusal(), "gap");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_stops_tells_of_all_who_are_away() {
    let gateway = waiting("60s").start().await;
    let alice = Returning::connect(&gateway, "/probe/room").await;
    let bob = Returning::connect_as(&gateway, "bob", &[], "/probe/room").await;
    alice.client.drop_connection();
    let server = gateway.gateway().server().clone();
    until("one is away", || server.registry().kept().sessions() == 1).await;
    let stopping = tokio::spawn(gateway.stop());
    let mut bob = bob.client;
    assert_eq!(bob.closed().await.0, 1001);
    drop(bob);
    assert!(stopping.await.unwrap());
    assert_eq!(server.counters().sessions_opened.get(), server.counters().sessions_ended.get());
    assert_eq!(server.registry().all().len(), 0);
}
