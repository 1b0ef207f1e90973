//! Disconnect listeners: told once for each session and listener, with code and reason.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::{probing, receiver, until_count};
use crate::support::{Client, TestGateway, until};

async fn watcher(gateway: &TestGateway) -> Client {
    gateway.client_as("watcher", &[], "/probe/watch").await
}

fn close_frame(code: u16, reason: &str) -> Message {
    Message::Close(Some(CloseFrame { code: code.into(), reason: reason.to_owned().into() }))
}

#[tokio::test(flavor = "multi_thread")]
async fn code_and_reason_are_those_of_the_close_frame() {
    let gateway = probing().await;
    let mut watcher = watcher(&gateway).await;
    for (frame, code, reason) in [
        (close_frame(1000, "bye"), 1000, "bye"),
        (close_frame(1000, ""), 1000, ""),
        (close_frame(1001, "tab closed"), 1001, "tab closed"),
        (close_frame(3999, "\u{e9}"), 3999, "\u{e9}"),
        (close_frame(4999, "own"), 4999, "own"),
        (Message::Close(None), 1005, ""),
    ] {
        let (mut bob, id) = receiver(&gateway, "/probe/b").await;
        bob.send(frame).await;
        let gone = watcher.gone().await;
        assert_eq!(gone["client"]["id"], id);
        assert_eq!((&gone["code"], &gone["reason"]), (&json!(code), &json!(reason)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_1006() {
    let gateway = probing().await;
    let mut watcher = watcher(&gateway).await;
    let (bob, id) = receiver(&gateway, "/probe/b").await;
    bob.drop_connection();
    let gone = watcher.gone().await;
    assert_eq!((&gone["client"]["id"], &gone["code"]), (&json!(id), &json!(1006)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_breaks_a_rule_is_reported_with_the_code_it_got() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .table("[limits]\nmessage_size = \"1KiB\"\n")
        .start()
        .await;
    let mut watcher = watcher(&gateway).await;
    let (mut bob, id) = receiver(&gateway, "/probe/b").await;
    bob.send("x".repeat(1_025)).await;
    let (code, reason) = bob.closed().await;
    assert_eq!(code, 1009);
    let gone = watcher.gone().await;
    assert_eq!(gone["client"]["id"], id);
    assert_eq!((&gone["code"], &gone["reason"]), (&json!(code), &json!(reason)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_has_left_every_query_and_sending_to_it_gives_closed() {
    let gateway = probing().await;
    let mut watcher = watcher(&gateway).await;
    let mut bob = gateway.client_as("bob", &["b", "a"], "/probe/b").await;
    let expected =
        json!({"id": bob.id().await, "path": "/probe/b", "username": "bob", "roles": ["a", "b"]});
    bob.drop_connection();
    let gone = watcher.gone().await;
    assert_eq!(gone["client"], expected);
    assert_eq!(gone["listener"], "gone");
    assert_eq!(gone["known"], false);
    assert_eq!(gone["sending"], "closed");
    assert_eq!(watcher.ok(json!({"do": "count"})).await, 1);
    let on_path = json!({"do": "clients-on-path", "path": "/probe/b", "limit": 9});
    assert_eq!(watcher.ok(on_path).await["clients"], json!([]));
    let of_user = json!({"do": "clients-of-user", "user": "bob", "limit": 9});
    assert_eq!(watcher.ok(of_user).await["clients"], json!([]));
    assert_eq!(watcher.ok(json!({"do": "broadcast", "role": "a", "text": "x"})).await, 0);
    assert_eq!(watcher.ok(json!({"do": "claims", "to": expected["id"]})).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_farewell_comes_after_the_last_message() {
    let gateway = probing().await;
    let mut watcher = watcher(&gateway).await;
    let to = watcher.id().await;
    let (mut bob, _) = receiver(&gateway, "/probe/b").await;
    for number in 0..100 {
        let send = json!({"do": "send", "to": to, "text": number.to_string()});
        bob.feed(json!({"do": "seq", "of": [send, {"do": "mute"}]}).to_string()).await;
    }
    bob.feed(close_frame(1000, "done")).await;
    bob.flush().await;
    for number in 0..100 {
        assert_eq!(watcher.text().await, number.to_string());
    }
    assert_eq!(watcher.gone().await["reason"], "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_listener_whose_path_fits_is_told_once() {
    let gateway = probing().await;
    let mut watcher = watcher(&gateway).await;
    for (name, path) in [
        ("a-room", json!("/probe/rooms/{room}")),
        ("below", json!("/probe/rooms/*")),
        ("exact", json!("/probe/rooms/1")),
        ("wide", json!("/*")),
        ("everywhere", Value::Null),
    ] {
        watcher.ok(json!({"do": "add-disconnect", "name": name, "path": path})).await;
    }
    for (path, listeners) in [
        ("/probe/rooms/1", vec!["a-room", "below", "everywhere", "exact", "gone", "wide"]),
        ("/probe/rooms/2", vec!["a-room", "below", "everywhere", "gone", "wide"]),
        ("/probe/rooms", vec!["below", "everywhere", "gone", "wide"]),
        ("/probe", vec!["everywhere", "gone", "wide"]),
    ] {
        let (bob, id) = receiver(&gateway, path).await;
        bob.close().await;
        let mut told = Vec::new();
        for _ in 0..listeners.len() {
            let gone = watcher.gone().await;
            assert_eq!(gone["client"]["id"], id);
            told.push(gone["listener"].as_str().unwrap().to_owned());
        }
        assert_eq!(told, listeners, "{path}");
        watcher.settle().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn adding_one_again_is_no_second_one_and_a_removed_one_is_told_nothing() {
    let gateway = probing().await;
    let mut watcher = watcher(&gateway).await;
    let add = json!({"do": "add-disconnect", "name": "twice"});
    watcher.ok(add.clone()).await;
    watcher.ok(add).await;
    let (bob, _) = receiver(&gateway, "/probe/b").await;
    bob.close().await;
    assert_eq!(watcher.gone().await["listener"], "gone");
    assert_eq!(watcher.gone().await["listener"], "twice");
    // Replaced: another path now.
    watcher.ok(json!({"do": "add-disconnect", "name": "twice", "path": "/probe/x"})).await;
    watcher.ok(json!({"do": "remove-disconnect", "name": "gone"})).await;
    for path in ["/probe/b", "/probe/x"] {
        let (bob, _) = receiver(&gateway, path).await;
        bob.close().await;
    }
    let gone = watcher.gone().await;
    assert_eq!((&gone["listener"], &gone["client"]["path"]), (&json!("twice"), &json!("/probe/x")));
    until_count(&mut watcher, 1).await;
    watcher.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_other_modules_leave_unnoticed() {
    let gateway = TestGateway::serving(&["probe", "echo"]).await;
    let mut watcher = watcher(&gateway).await;
    watcher.ok(json!({"do": "add-disconnect", "name": "wide", "path": "/*"})).await;
    let calls = gateway.counters().calls.get();
    gateway.client("/echo").await.close().await;
    gateway.client("/elsewhere").await.close().await;
    let registry = gateway.gateway().server().registry();
    until("one left", || registry.admitted() == 1).await;
    watcher.settle().await;
    assert_eq!(gateway.counters().calls.get(), calls);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_disconnect_listener_costs_only_its_own_call() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .module("second", "probe")
        .sidecar("second", "paths = [\"/second\", \"/probe/*\"]\n")
        .start()
        .await;
    // Commands go to one module each; farewells of `/probe/b` to both.
    let mut second = gateway.client("/second").await;
    let own = json!({"do": "add-listener", "name": "probe", "matcher": {"path": "/second"}});
    second.ok(own).await;
    let mut watcher = watcher(&gateway).await;
    for then in ["fail", "trap"] {
        second.ok(json!({"do": "when-gone", "then": then})).await;
        let (bob, id) = receiver(&gateway, "/probe/b").await;
        bob.close().await;
        assert_eq!(watcher.gone().await["client"]["id"], id, "{then}");
        let counters = gateway.counters();
        until(then, || match then {
            "fail" => counters.calls_refused.get() == 1,
            _ => counters.calls_ended.get() == 1,
        })
        .await;
        watcher.settle().await;
    }
    // After the trap there is a fresh instance, which says farewell again.
    let (bob, id) = receiver(&gateway, "/probe/b").await;
    bob.close().await;
    for _ in 0..2 {
        assert_eq!(watcher.gone().await["client"]["id"], id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_session_is_told_of_when_the_gateway_stops() {
    let gateway = probing().await;
    let mut clients = Vec::new();
    for number in 0..20 {
        clients.push(gateway.client(&format!("/probe/{number}")).await);
    }
    let counters = Arc::clone(gateway.gateway().server().counters());
    let reading = tokio::spawn(async move {
        for client in &mut clients {
            let (code, _) = client.closed().await;
            assert_eq!(code, 1001);
            assert!(client.frame().await.is_none());
        }
    });
    assert!(gateway.stop().await);
    reading.await.unwrap();
    assert_eq!(counters.calls.get(), 20);
    assert_eq!(counters.calls_refused.get() + counters.calls_ended.get(), 0);
}
