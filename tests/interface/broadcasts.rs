//! `broadcast`: who is reached, who is not, and how many the module is told.

use serde_json::{Value, json};

use super::{MALFORMED, NO_IDS, NOBODY, probing, receiver};
use crate::support::{Client, TestGateway, error, until};

/// Clients of several users, roles and paths, with their ids. The first is alice on `/probe`.
async fn crowd(gateway: &TestGateway) -> Vec<(Client, String)> {
    let mut crowd = Vec::new();
    for (user, role, path) in [
        ("alice", "admin", "/probe"),
        ("bob", "guest", "/probe/rooms/1"),
        ("bob", "guest", "/probe/rooms/2"),
        ("carol", "admin", "/probe/rooms/1"),
        ("dave", "guest", "/probe/rooms/1/below"),
    ] {
        let mut client = gateway.client_as(user, &["all", role], path).await;
        let id = client.id().await;
        crowd.push((client, id));
    }
    crowd
}

#[tokio::test(flavor = "multi_thread")]
async fn each_audience_is_reached_wholly_once_and_nobody_else() {
    let gateway = probing().await;
    let mut crowd = crowd(&gateway).await;
    let ids: Vec<String> = crowd.iter().map(|(_, id)| id.clone()).collect();
    let strangers: Vec<&str> = NO_IDS.into_iter().chain([NOBODY]).collect();
    let cases = [
        (json!({"ids": [ids[3], ids[1]]}), vec![1, 3]),
        (json!({"ids": [ids[1], ids[1], ids[1]]}), vec![1]),
        (json!({"ids": [ids[2], strangers[0], strangers[1], NOBODY]}), vec![2]),
        (json!({"ids": strangers}), vec![]),
        (json!({"ids": []}), vec![]),
        (json!({"path": "/probe/rooms/1"}), vec![1, 3]),
        (json!({"path": "/probe/rooms/{room}"}), vec![1, 2, 3]),
        (json!({"path": "/probe/rooms/*"}), vec![1, 2, 3, 4]),
        (json!({"path": "/*"}), vec![0, 1, 2, 3, 4]),
        (json!({"path": "/probe/rooms/3"}), vec![]),
        (json!({"user": "bob"}), vec![1, 2]),
        (json!({"user": "bo"}), vec![]),
        (json!({"role": "guest"}), vec![1, 2, 4]),
        (json!({"role": "all"}), vec![0, 1, 2, 3, 4]),
        (json!({"role": ""}), vec![]),
        (json!({"role": "all", "except": [ids[0], ids[2], "nobody", NOBODY]}), vec![1, 3, 4]),
        (json!({"ids": ids, "except": ids}), vec![]),
        (json!({"path": "/probe/rooms/1", "except": [ids[1], ids[1]]}), vec![3]),
        (json!({"user": "bob", "except": [ids[1]]}), vec![2]),
    ];
    for (number, (audience, reached)) in cases.into_iter().enumerate() {
        let mut command = audience.clone();
        (command["do"], command["text"]) = ("broadcast".into(), format!("round {number}").into());
        crowd[0].0.send_json(&command).await;
        for (index, (client, _)) in crowd.iter_mut().enumerate() {
            if reached.contains(&index) {
                assert_eq!(client.text().await, format!("round {number}"), "{audience} {index}");
            }
        }
        let answer = crowd[0].0.json().await;
        assert_eq!(answer["ok"], reached.len(), "{audience}: {answer}");
    }
    // Nobody got more than that.
    for (client, id) in &mut crowd {
        assert_eq!(client.id().await, *id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_broadcast_stays_binary() {
    let gateway = probing().await;
    let mut alice = gateway.client("/probe").await;
    let (mut bob, id) = receiver(&gateway, "/probe/b").await;
    alice.ok(json!({"do": "broadcast", "ids": [id], "binary": [0, 255]})).await;
    assert_eq!(bob.message().await.into_data().as_ref(), [0, 255]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_of_others_is_denied_and_a_malformed_one_is_named() {
    let gateway = TestGateway::serving(&["probe", "echo"]).await;
    let mut echoing = gateway.client("/echo").await;
    let mut alice = gateway.client("/probe").await;
    for path in ["/echo", "/echo/*", "/", "/probed"] {
        let refused = alice.refused(json!({"do": "broadcast", "path": path, "text": "x"})).await;
        assert_eq!(refused.0, "denied", "{path}");
        assert!(refused.1.contains(path), "{path}: {}", refused.1);
    }
    for path in MALFORMED {
        let refused = alice.refused(json!({"do": "broadcast", "path": path, "text": "x"})).await;
        assert_eq!(refused.0, "invalid-argument", "{path:?}");
        assert!(refused.1.starts_with("path"), "{path:?}: {}", refused.1);
    }
    echoing.echo("nothing came before").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_closing_is_not_counted() {
    let gateway = probing().await;
    let mut alice = gateway.client("/probe").await;
    let (mut bob, bob_id) = receiver(&gateway, "/probe/b").await;
    let (mut carol, carol_id) = receiver(&gateway, "/probe/b").await;
    let close = json!({"do": "close", "to": bob_id, "code": 1000});
    let broadcast = json!({"do": "broadcast", "path": "/probe/b", "text": "who is left?"});
    let answers = alice.ok(json!({"do": "seq", "of": [close, broadcast]})).await;
    assert_eq!(answers[1]["ok"], 1, "in the call that closes");
    assert_eq!(alice.ok(broadcast).await, 1, "in a later call");
    assert_eq!(bob.closed().await.0, 1000);
    assert_eq!([carol.text().await, carol.text().await], ["who is left?", "who is left?"]);
    assert_eq!(carol.id().await, carol_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_too_slow_for_a_broadcast_is_closed_and_the_others_have_it() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .table("[limits]\noutbox_messages = 4\n")
        .start()
        .await;
    let mut alice = gateway.client("/probe").await;
    let (mut slow, slow_id) = receiver(&gateway, "/probe/b").await;
    let (mut quick, _) = receiver(&gateway, "/probe/b").await;
    let mut watcher = gateway.client("/probe/watch").await;
    let mut queued = 0;
    let refusal = loop {
        let answer = alice.ask(json!({"do": "send", "to": slow_id, "fill": 256 << 10})).await;
        match error(&answer) {
            None => queued += 1,
            Some((code, _)) => break code,
        }
        assert!(queued < 1_000, "256 MB are waiting somewhere");
    };
    assert_eq!(refusal, "queue-full");
    alice.ok(json!({"do": "broadcast", "path": "/probe/b", "text": "news"})).await;
    assert_eq!(quick.text().await, "news");
    for _ in 0..queued {
        assert_eq!(slow.text().await.len(), 256 << 10);
    }
    assert_eq!(slow.closed().await.0, 4102);
    let gone = watcher.gone().await;
    assert_eq!((&gone["client"]["id"], &gone["code"]), (&json!(slow_id), &json!(4102)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_does_not_name_too_many_ids() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .table("[limits]\nmessage_size = \"1MiB\"\n")
        .sidecar("probe", "[limits]\ncpu = \"5s\"\n")
        .start()
        .await;
    let mut alice = gateway.client("/probe").await;
    let many = vec![""; 10_001];
    for (argument, command) in [
        ("ids", json!({"do": "broadcast", "ids": many, "text": "x"})),
        ("except", json!({"do": "broadcast", "role": "all", "except": many, "text": "x"})),
    ] {
        let (code, detail) = alice.refused(command).await;
        assert_eq!(code, "invalid-argument");
        assert!(detail.starts_with(argument), "{detail}");
    }
    let most = json!({"do": "broadcast", "ids": many[1..], "except": many[1..], "text": "x"});
    assert_eq!(alice.ok(most).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_queued_is_counted() {
    let gateway = probing().await;
    let mut crowd = crowd(&gateway).await;
    let queued = || gateway.counters().messages_queued.get();
    let before = queued();
    let (alice, _) = &mut crowd[0];
    alice.ok(json!({"do": "broadcast", "role": "guest", "text": "x"})).await;
    assert_eq!(queued() - before, 4, "three and the answer");
    let flushed = json!({"do": "seq", "of": [
        {"do": "broadcast", "role": "guest", "text": "x"}, {"do": "flush"},
    ]});
    assert_eq!(alice.ok(flushed).await[0]["ok"], 3);
    assert_eq!(queued() - before, 8, "what was flushed counts too");
    let nothing: Value = json!({"do": "seq", "of": [
        {"do": "broadcast", "role": "guest", "text": "x"}, {"do": "fail", "text": "no"},
    ]});
    alice.send_json(&nothing).await;
    until("refused", || gateway.counters().calls_refused.get() == 1).await;
    assert_eq!(queued() - before, 8);
}
