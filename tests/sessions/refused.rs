//! Who does not get a session back, and what it is told.

use std::time::Duration;

use serde_json::json;

use super::{Returning, send, waiting};
use crate::support::{Handshake, TestGateway, raw_request, token, until};

async fn again(gateway: &TestGateway, token: &str, received: u64) -> Returning {
    let path = format!("/probe/room?clientId={token}&received={received}");
    Returning::connect(gateway, &path).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_another_user_is_as_one_that_does_not_exist() {
    let gateway = waiting("60s").start().await;
    let mut alice = Returning::connect(&gateway, "/probe/room").await;
    let id = alice.client.id().await;
    let stolen = format!("/probe/room?clientId={}&received=0", alice.token);
    let made_up = format!("/probe/room?clientId={}&received=0", "0".repeat(32));
    let mut told = Vec::new();
    for path in [&stolen, &made_up] {
        let mut mallory = Returning::connect_as(&gateway, "mallory", &[], path).await;
        told.push(mallory.refusal().to_owned());
        let event = mallory.client.ok(json!({"do": "whoami"})).await;
        assert_ne!(event["client"]["id"], json!(id));
        assert_eq!(event["sequence"], 1, "a session of its own");
    }
    assert_eq!(told, ["unknown", "unknown"]);
    assert_eq!(alice.client.id().await, id, "nobody was replaced");
    let refused = &gateway.counters().resumes_refused;
    let count = |reason| refused.all().iter().find(|(name, _)| *name == reason).unwrap().1;
    assert_eq!((count("other-user"), count("unknown")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_roles_and_another_path_are_another_session() {
    let gateway = waiting("60s").start().await;
    let mut alice = Returning::connect_as(&gateway, "alice", &["staff"], "/probe/room").await;
    alice.client.id().await;
    let asking = format!("?clientId={}&received=1", alice.token);
    for (roles, path) in [
        (vec![], "/probe/room"),
        (vec!["staff", "admin"], "/probe/room"),
        (vec!["staff"], "/probe/other"),
        (vec!["staff"], "/probe/room/1"),
    ] {
        let path = format!("{path}{asking}");
        let other = Returning::connect_as(&gateway, "alice", &roles, &path).await;
        assert_eq!(other.refusal(), "principal", "{roles:?} {path}");
    }
    let path = format!("/probe/room{asking}");
    assert!(Returning::connect_as(&gateway, "alice", &["staff"], &path).await.is_resumed());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stays_away_for_too_long_is_told_so_and_nobody_else_is() {
    let gateway = waiting("50ms").start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    let alice = Returning::connect(&gateway, "/probe/room").await;
    alice.client.drop_connection();
    assert_eq!(watcher.gone().await["code"], 1006);
    let path = format!("/probe/room?clientId={}&received=0", alice.token);
    let mallory = Returning::connect_as(&gateway, "mallory", &[], &path).await;
    assert_eq!(mallory.refusal(), "unknown");
    assert_eq!(again(&gateway, &alice.token, 0).await.refusal(), "expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_told_and_never_passed_over() {
    let setup = waiting("60s").table("[limits]\nreplay_messages = 3\n");
    let gateway = setup.start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    for (received, whole) in [(1, false), (2, true), (5, true), (6, false), (u64::MAX, false)] {
        let mut alice = Returning::connect(&gateway, "/probe/room").await;
        let id = alice.client.id().await;
        for number in 2..=5 {
            send(&mut watcher, &id, &number.to_string()).await;
            assert_eq!(alice.client.text().await, number.to_string());
        }
        alice.client.drop_connection();
        let mut back = again(&gateway, &alice.token, received).await;
        if whole {
            assert!(back.is_resumed(), "{received}");
            for number in received + 1..=5 {
                assert_eq!(back.client.text().await, number.to_string());
            }
            back.client.done().await;
            assert_eq!(watcher.gone().await["client"]["id"], json!(id));
            continue;
        }
        assert_eq!(back.refusal(), "gap", "{received}");
        // Its session is over: nobody can have all of it any more.
        let gone = watcher.gone().await;
        assert_eq!((&gone["client"]["id"], &gone["code"]), (&json!(id), &json!(1006)));
        assert_ne!(back.client.id().await, id);
        assert_eq!(again(&gateway, &alice.token, 5).await.refusal(), "gap");
        back.client.done().await;
        watcher.gone().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_first_is_given_up_where_too_many_are_away() {
    let gateway = waiting("60s").set("reconnect_sessions = 2").start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    let mut tokens = Vec::new();
    for number in 1..=3 {
        let alice = Returning::connect(&gateway, "/probe/room").await;
        alice.client.drop_connection();
        let registry = gateway.gateway().server().registry();
        until("it is away", || registry.kept().sessions() >= number.min(2)).await;
        tokens.push(alice.token);
    }
    assert_eq!(watcher.gone().await["code"], 1006);
    let mut answers = Vec::new();
    for token in &tokens {
        let back = again(&gateway, token, 0).await;
        answers.push(if back.greeting["resumed"] == true { "resumed" } else { "refused" });
        if answers.last() == Some(&"refused") {
            assert_eq!(back.refusal(), "evicted");
            back.client.done().await;
            watcher.gone().await;
        }
    }
    assert_eq!(answers, ["refused", "resumed", "resumed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_first_is_given_up_where_too_much_is_kept() {
    let gateway = waiting("60s").set("reconnect_memory = \"64KiB\"").start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    let mut away = Vec::new();
    for number in 1..=2 {
        let mut alice = Returning::connect(&gateway, "/probe/room").await;
        let id = alice.client.id().await;
        alice.client.drop_connection();
        super::away(&gateway, number).await;
        away.push((id, alice.token));
    }
    for (id, _) in &away {
        send(&mut watcher, id, &"x".repeat(40_000)).await;
    }
    let gone = watcher.gone().await;
    assert_eq!(gone["client"]["id"], json!(away[0].0));
    assert_eq!(again(&gateway, &away[0].1, 1).await.refusal(), "evicted");
    let mut second = again(&gateway, &away[1].1, 1).await;
    assert!(second.is_resumed());
    assert_eq!(second.client.text().await.len(), 40_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_any_other_form_is_that_of_no_session() {
    let gateway = waiting("60s").start().await;
    let long = "a".repeat(4_000);
    let upper = "A".repeat(32);
    for odd in [
        "",
        "1",
        "../../etc/passwd",
        "%2e%2e%2f",
        "6f1c2f6a-4b1c-4c55-9ad3-1f0f0f0f0f0f",
        &long,
        &upper,
        "CON",
        "a_b",
    ] {
        let client = Returning::connect(&gateway, &format!("/probe/room?clientId={odd}")).await;
        assert_eq!(client.refusal(), "unknown", "{odd}");
        client.client.done().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_none_is_a_bad_request_that_says_so() {
    let gateway = waiting("60s").start().await;
    let id = "0".repeat(32);
    for query in [
        "received=-1",
        "received=x",
        "received=1.5",
        "received=",
        "received=1&received=1",
        "received=99999999999999999999999",
        "clientId=1",
    ] {
        let target = format!("/websocket/probe?clientId={id}&{query}");
        let handshake = Handshake::new(&target).bearer(&token("alice", &[]));
        let answer = raw_request(gateway.address(), &handshake.bytes()).await;
        assert_eq!(answer.status, 400, "{query}");
    }
    let handshake = Handshake::new("/websocket/probe?received=0").bearer(&token("alice", &[]));
    let answer = raw_request(gateway.address(), &handshake.bytes()).await;
    assert_eq!(answer.status, 101, "a client may say at once that it counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_greeting_or_with_no_time_nothing_waits() {
    for lines in ["greeting = false\nreconnect_timeout = \"5s\"", "reconnectTimeoutSec = 0"] {
        let setup = TestGateway::with().set(lines).module("probe", "probe");
        let gateway = setup.start().await;
        let token = gateway.token("alice", &[]);
        let mut watcher = gateway.connect("/probe/watch", Some(&token)).await.unwrap();
        if !lines.contains("greeting") {
            watcher.greeting().await;
        }
        watcher.ok(json!({"do": "whoami"})).await;
        let leaving = gateway.connect("/probe/room", Some(&token)).await.unwrap();
        leaving.drop_connection();
        let gone = tokio::time::timeout(Duration::from_secs(4), watcher.gone()).await.unwrap();
        assert_eq!(gone["code"], 1006);
    }
}
