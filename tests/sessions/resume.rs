//! What a client gets that comes back.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use super::{Returning, away, is_silent, send, waiting};
use crate::support::{TestGateway, token, until};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_to_a_client_that_is_away_waits_for_it_in_order() {
    let gateway = waiting("60s").start().await;
    let mut other = gateway.client("/probe/other").await;
    let mut alice = Returning::connect(&gateway, "/probe/room").await;
    assert_eq!(alice.greeting.as_object().unwrap().len(), 2, "nothing was asked for");
    let id = alice.client.id().await;
    alice.client.drop_connection();
    away(&gateway, 1).await;
    for number in 0..50 {
        send(&mut other, &id, &number.to_string()).await;
    }
    // Without a count, as the original's client comes back.
    let mut back =
        Returning::connect(&gateway, &format!("/probe/room?clientId={}", alice.token)).await;
    assert!(back.is_resumed());
    assert_ne!(back.token, alice.token, "each connection has a token of its own");
    for number in 0..50 {
        assert_eq!(back.client.text().await, number.to_string());
    }
    let event = back.client.ok(json!({"do": "whoami"})).await;
    assert_eq!((&event["client"]["id"], &event["sequence"]), (&json!(id), &json!(2)));
    assert!(is_silent(&mut back.client).await);
    assert_eq!(gateway.gateway().server().registry().kept().bytes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_count_exactly_what_was_not_received_comes_again() {
    let gateway = waiting("60s").start().await;
    let mut other = gateway.client("/probe/other").await;
    let mut alice = Returning::connect(&gateway, "/probe/room").await;
    let id = alice.client.id().await;
    // The answer to that was the first message of the session.
    for number in 2..=20 {
        send(&mut other, &id, &number.to_string()).await;
        assert_eq!(alice.client.text().await, number.to_string());
    }
    let mut token = alice.token;
    alice.client.drop_connection();
    // What one has received may be less than what was written, and one may come back many times.
    for received in [7, 7, 13, 13, 19, 20] {
        let path = format!("/probe/room?received={received}&clientId={token}");
        let mut back = Returning::connect(&gateway, &path).await;
        assert!(back.is_resumed());
        for number in received + 1..=20 {
            assert_eq!(back.client.text().await, number.to_string(), "after {received}");
        }
        token = back.token;
        back.client.drop_connection();
    }
    let counters = gateway.counters();
    assert_eq!((counters.resumed.get(), counters.sessions_opened.get()), (6, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dying_socket_swallowed_comes_again() {
    let gateway = waiting("60s").start().await;
    let mut other = gateway.client("/probe/other").await;
    let mut alice = Returning::connect(&gateway, "/probe/room").await;
    let id = alice.client.id().await;
    // It reads nothing of this, and for the gateway all is well.
    for number in 0..10 {
        send(&mut other, &id, &number.to_string()).await;
    }
    let path = format!("/probe/room?clientId={}&received=1", alice.token);
    let mut back = Returning::connect(&gateway, &path).await;
    assert!(back.is_resumed());
    for number in 0..10 {
        assert_eq!(back.client.text().await, number.to_string());
    }
    assert!(is_silent(&mut back.client).await);
    // The one before is told why it is over, after what had been written to it.
    for number in 0..10 {
        assert_eq!(alice.client.text().await, number.to_string());
    }
    assert_eq!(alice.client.closed().await.0, 4009);
    send(&mut other, &id, "goes on").await;
    assert_eq!(back.client.text().await, "goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_arrived_is_not_kept_and_a_pong_shows_it() {
    let setup = waiting("60s").table("[limits]\nping_interval = \"1s\"\nreplay_messages = 16\n");
    let gateway = setup.start().await;
    let mut other = gateway.client("/probe/other").await;
    let mut alice = Returning::connect(&gateway, "/probe/room").await;
    let id = alice.client.id().await;
    let replay = || gateway.counters().path(None).get(sporegate::counters::OfPath::ReplayBytes);
    send(&mut other, &id, &"x".repeat(1_000)).await;
    assert_eq!(alice.client.text().await.len(), 1_000);
    assert!(replay() >= 1_000);
    // The library answers pings while it reads.
    let reading =
        tokio::spawn(async move { while let Some(Ok(_)) = alice.client.frame().await {} });
    until("all is known to have arrived", || replay() < 1_000).await;
    reading.abort();
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_socket_replaces_the_first_whose_late_end_changes_nothing() {
    let gateway = waiting("60s").start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    let mut first = Returning::connect(&gateway, "/probe/room").await;
    let id = first.client.id().await;
    let path = format!("/probe/room?clientId={}&received=1", first.token);
    let mut second = Returning::connect(&gateway, &path).await;
    assert!(second.is_resumed());
    assert_eq!(first.client.closed().await.0, 4009);
    assert_eq!(second.client.id().await, id);
    first.client.drop_connection();
    send(&mut watcher, &id, "to the second").await;
    assert_eq!(second.client.text().await, "to the second");
    assert_eq!(gateway.counters().sessions_ended.get(), 0);
    // One event, when it is over for good.
    second.client.done().await;
    let gone = watcher.gone().await;
    assert_eq!((&gone["client"]["id"], &gone["code"]), (&json!(id), &json!(1000)));
    watcher.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_were_with_a_listener_when_a_socket_was_replaced_are_answered_in_order() {
    let gateway = waiting("60s").start().await;
    let mut first = Returning::connect(&gateway, "/probe/room").await;
    let id = first.client.id().await;
    first.client.send_json(&json!({"do": "busy", "count": 1_000_000})).await;
    let path = format!("/probe/room?clientId={}&received=1", first.token);
    let mut second = Returning::connect(&gateway, &path).await;
    let event = second.client.json().await;
    assert_eq!(event["re"], "busy", "{event}");
    let whoami = second.client.ok(json!({"do": "whoami"})).await;
    assert_eq!((&whoami["client"]["id"], &whoami["sequence"]), (&json!(id), &json!(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_worth_nothing_once_the_next_one_has_arrived() {
    let gateway = waiting("60s").start().await;
    let first = Returning::connect(&gateway, "/probe/room").await;
    first.client.drop_connection();
    let with = |token: &str| format!("/probe/room?clientId={token}&received=0");
    let mut second = Returning::connect(&gateway, &with(&first.token)).await;
    assert!(second.is_resumed());
    // Reading answers the ping that comes behind the greeting.
    let id = second.client.id().await;
    assert_eq!(Returning::connect(&gateway, &with(&first.token)).await.refusal(), "unknown");
    assert_eq!(second.client.id().await, id, "and nobody was replaced");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_counts_until_it_is_known_that_the_next_one_has_arrived() {
    let gateway = waiting("60s").start().await;
    let first = Returning::connect(&gateway, "/probe/room").await;
    let token = first.token.clone();
    first.client.drop_connection();
    // It never reads, and so never learns its new token.
    for _ in 0..5 {
        let path = format!("/probe/room?clientId={token}&received=0");
        let mut unread = gateway.connect(&path, Some(&gateway.token("alice", &[]))).await.unwrap();
        unread.stream().shutdown().await.ok();
        drop(unread);
    }
    let path = format!("/probe/room?clientId={token}&received=0");
    assert!(Returning::connect(&gateway, &path).await.is_resumed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_listener_sends_that_looks_like_a_keep_alive_is_not_counted_and_not_kept() {
    const KEEP_ALIVE: &str = "\"keepalive\"";
    let gateway = waiting("60s").set("keep_alive = false").start().await;
    let mut other = gateway.client("/probe/other").await;
    let mut alice = Returning::connect(&gateway, "/probe/room").await;
    let id = alice.client.id().await;
    for text in [KEEP_ALIVE, "2", KEEP_ALIVE, "3", "4"] {
        send(&mut other, &id, text).await;
        assert_eq!(alice.client.text().await, text, "it gets all of them");
    }
    alice.client.drop_connection();
    away(&gateway, 1).await;
    // What waits has never been on its way to it.
    for text in [KEEP_ALIVE, "5"] {
        send(&mut other, &id, text).await;
    }
    let with = |token: &str, count: &str| format!("/probe/room?clientId={token}{count}");
    let mut token = alice.token;
    for (count, comes) in [
        ("&received=1", &["2", "3", "4", KEEP_ALIVE, "5"][..]),
        ("&received=3", &["4", "5"]),
        ("&received=5", &[]),
        ("", &[]),
    ] {
        let mut back = Returning::connect(&gateway, &with(&token, count)).await;
        assert!(back.is_resumed(), "{count}");
        for text in comes {
            assert_eq!(back.client.text().await, *text, "{count}");
        }
        assert!(is_silent(&mut back.client).await, "{count}");
        token = back.token;
        back.client.drop_connection();
    }
    let back = Returning::connect(&gateway, &with(&token, "&received=6")).await;
    assert_eq!(back.refusal(), "gap", "there were five");
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_alives_are_not_counted_and_not_kept() {
    let setup = waiting("60s").set("keep_alive_interval = \"1s\"");
    let gateway = setup.start().await;
    let mut alice = Returning::connect(&gateway, "/probe/room").await;
    assert_eq!(alice.client.text().await, "\"keepalive\"");
    alice.client.drop_connection();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let path = format!("/probe/room?clientId={}&received=0", alice.token);
    let mut back = Returning::connect(&gateway, &path).await;
    assert!(back.is_resumed());
    assert!(is_silent(&mut back.client).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_needs_no_second_place_where_all_are_taken() {
    for limit in
        ["max_connections = 1", "max_connections_per_user = 1", "max_connections_per_address = 1"]
    {
        let gateway = waiting("60s").set(limit).start().await;
        let mut now = Returning::connect(&gateway, "/probe/room").await;
        let id = now.client.id().await;
        let admitted = || gateway.gateway().server().registry().admitted();
        for _ in 0..5 {
            // For the gateway, the one before is well.
            let path = format!("/probe/room?clientId={}", now.token);
            let mut next = Returning::connect(&gateway, &path).await;
            assert!(next.is_resumed(), "{limit}");
            assert_eq!(next.client.id().await, id);
            assert_eq!(now.client.closed().await.0, 4009, "{limit}");
            assert_eq!(admitted(), 1, "{limit}");
            // There is still none for anybody else, nor for one who only says so.
            let stranger = "/probe/room?clientId=00000000000000000000000000000000";
            for path in ["/probe/room", stranger] {
                let refused = gateway.connect(path, Some(&token("alice", &[]))).await;
                assert!(refused.is_err(), "{limit}: {path}");
            }
            let path = format!("/probe/room?clientId={}", next.token);
            if limit == "max_connections = 1" {
                let thief = gateway.connect(&path, Some(&token("mallory", &[]))).await;
                assert!(thief.is_err(), "{limit}");
            }
            now = next;
        }
        now.client.done().await;
        until("the place is free", || admitted() == 0).await;
        Returning::connect(&gateway, "/probe/room").await.client.done().await;
    }
}

/// Comes back with a token, at the same time as another one. None if that one has replaced it before
/// it had the text that waits, or was so early that the token is used up.
async fn contend(gateway: &TestGateway, path: &str, waits: &str) -> Option<Returning> {
    let mut client = gateway.connect(path, Some(&token("alice", &[]))).await.unwrap();
    let mut texts = Vec::new();
    while texts.len() < 2 {
        match client.frame().await {
            Some(Ok(Message::Text(text))) if text.contains("\"refused\":\"unknown\"") => {
                client.done().await;
                return None;
            }
            Some(Ok(Message::Text(text))) => texts.push(text.to_string()),
            Some(Ok(Message::Close(frame))) => {
                assert_eq!(frame.unwrap().code, 4009.into());
                return None;
            }
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(texts[1], waits);
    let greeting: serde_json::Value = serde_json::from_str(&texts[0]).unwrap();
    let token = greeting["payload"].as_str().unwrap().to_owned();
    let returning = Returning { client, token, greeting };
    assert!(returning.is_resumed());
    Some(returning)
}

/// Two connections at a time want one session; `SPOREGATE_TEST_RACES=5000 tests/run -- sessions::resume`
/// makes ten thousand of them.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_want_a_session_at_once_one_gets_it_with_all_that_waits() {
    let races = std::env::var("SPOREGATE_TEST_RACES").map_or(100, |it| it.parse().unwrap());
    let setup = waiting("60s").set("keep_alive = false");
    let gateway = setup.table("[limits]\nconnect_rate = 0\n").start().await;
    let mut other = gateway.client("/probe/other").await;
    let mut now = Returning::connect(&gateway, "/probe/room").await;
    let id = now.client.id().await;
    for race in 0..races {
        let text = race.to_string();
        send(&mut other, &id, &text).await;
        // It has had the answer with its id, and the text of each race before.
        let path = format!("/probe/room?clientId={}&received={}", now.token, race + 1);
        let contenders =
            tokio::join!(contend(&gateway, &path, &text), contend(&gateway, &path, &text));
        let next = match contenders {
            (Some(mut one), Some(mut two)) => tokio::select! {
                closed = one.client.closed() => {
                    assert_eq!(closed.0, 4009);
                    two
                }
                closed = two.client.closed() => {
                    assert_eq!(closed.0, 4009);
                    one
                }
            },
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => panic!("nobody has it"),
        };
        // It has had the text too, if it was quick.
        let last = match now.client.message().await {
            Message::Text(early) => {
                assert_eq!(early, text);
                now.client.message().await
            }
            last => last,
        };
        assert!(matches!(&last, Message::Close(Some(it)) if it.code == 4009.into()), "{last:?}");
        now = next;
    }
    assert_eq!(now.client.id().await, id);
    let counters = gateway.counters();
    let others = || counters.sessions_opened.get() - counters.sessions_ended.get();
    until("only the refused have ended", || others() == 2).await;
}
