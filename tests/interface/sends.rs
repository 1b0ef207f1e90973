//! `send-message`: what arrives, and each error instead of it.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{NO_IDS, NOBODY, mark, probing, receiver};
use crate::support::{Client, TestGateway, error};

/// As many sends of a text to a client as there are numbers.
fn sends(to: &str, numbers: std::ops::Range<usize>) -> Value {
    let send = |number| json!({"do": "send", "to": to, "text": number_text(number)});
    json!({"do": "seq", "of": numbers.map(send).collect::<Vec<_>>()})
}

fn number_text(number: usize) -> String {
    format!("number {number}")
}

/// `ok` or the error's code, for each command of a `seq`.
fn codes(answers: &Value) -> Vec<String> {
    let code = |answer| error(answer).map_or("ok".to_owned(), |(code, _)| code);
    answers.as_array().unwrap().iter().map(code).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn text_and_binary_arrive_as_they_were_sent() {
    let gateway = probing().await;
    let mut alice = gateway.client("/probe").await;
    let (mut bob, id) = receiver(&gateway, "/probe/b").await;
    for text in ["", "hello", "snowman \u{2603}, NUL \0, and \"quotes\""] {
        assert_eq!(
            alice.ok(json!({"do": "send", "to": id, "text": text})).await,
            Value::Null,
            "{text:?}"
        );
        assert_eq!(bob.message().await, Message::text(text));
    }
    for bytes in [vec![], vec![0, 159, 146, 150], vec![b'"'; 300]] {
        alice.ok(json!({"do": "send", "to": id, "binary": bytes})).await;
        assert_eq!(bob.message().await, Message::binary(bytes));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_to_nobody_gives_not_found() {
    let gateway = probing().await;
    let mut alice = gateway.client("/probe").await;
    let (bob, gone) = receiver(&gateway, "/probe").await;
    bob.close().await;
    super::until_count(&mut alice, 1).await;
    for id in NO_IDS.into_iter().chain([NOBODY, &gone]) {
        let refused = alice.refused(json!({"do": "send", "to": id, "text": "ghost"})).await;
        assert_eq!(refused, ("not-found".to_owned(), String::new()), "{id:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_closing_gives_closed() {
    let gateway = probing().await;
    let mut alice = gateway.client("/probe").await;
    let (mut bob, id) = receiver(&gateway, "/probe").await;
    let in_one_call = alice
        .ok(json!({"do": "seq", "of": [
            {"do": "send", "to": id, "text": "before"},
            {"do": "close", "to": id, "code": 4900, "reason": "enough"},
            {"do": "send", "to": id, "text": "after"},
        ]}))
        .await;
    assert_eq!(codes(&in_one_call), ["ok", "ok", "closed"]);
    // He does not read, so he has not answered the close frame yet.
    let later = alice.refused(json!({"do": "send", "to": id, "text": "later"})).await;
    assert_eq!(later.0, "closed");
    assert_eq!(bob.text().await, "before");
    assert_eq!(bob.closed().await, (4900, "enough".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_cannot_queue_more_messages_than_the_outbox_holds() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .table("[limits]\noutbox_messages = 3\n")
        .start()
        .await;
    let mut alice = gateway.client("/probe").await;
    let (mut bob, id) = receiver(&gateway, "/probe/b").await;
    for _ in 0..2 {
        let answers = alice.ok(sends(&id, 0..5)).await;
        assert_eq!(codes(&answers), ["ok", "ok", "ok", "queue-full", "queue-full"]);
        for number in 0..3 {
            assert_eq!(bob.text().await, number_text(number));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_cannot_queue_more_bytes_than_the_outbox_holds() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .table("[limits]\noutbox_size = \"64KiB\"\n")
        .start()
        .await;
    let mut alice = gateway.client("/probe").await;
    let (mut bob, id) = receiver(&gateway, "/probe/b").await;
    let send = |bytes: usize| json!({"do": "send", "to": id, "fill": bytes});
    let halves = json!({"do": "seq", "of": [send(32 << 10), send(32 << 10), send(1), send(0)]});
    assert_eq!(codes(&alice.ok(halves).await), ["ok", "ok", "queue-full", "ok"]);
    for bytes in [32 << 10, 32 << 10, 0] {
        assert_eq!(bob.text().await.len(), bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_fills_its_queue_and_loses_nothing_that_was_queued() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .table("[limits]\noutbox_messages = 4\n")
        .start()
        .await;
    let mut alice = gateway.client("/probe").await;
    let (mut bob, id) = receiver(&gateway, "/probe/b").await;
    // The system's own buffers take some megabytes before the outbox fills.
    let bytes = 256 << 10;
    let mut queued = 0;
    let refusal = loop {
        let answer = alice.ask(json!({"do": "send", "to": id, "fill": bytes})).await;
        match error(&answer) {
            None => queued += 1,
            Some((code, _)) => break code,
        }
        assert!(queued < 1_000, "256 MB are waiting somewhere");
    };
    assert_eq!(refusal, "queue-full");
    assert!(queued >= 4, "{queued}");
    for _ in 0..queued {
        assert_eq!(bob.text().await.len(), bytes);
    }
    // There is room again, and nothing came between.
    mark(&mut alice, &id, "room").await;
    assert_eq!(bob.text().await, "room");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_no_outbox_could_hold_is_too_large() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .table("[limits]\nmessage_size = \"1KiB\"\noutbox_size = \"2KiB\"\n")
        .start()
        .await;
    let mut alice = gateway.client("/probe").await;
    let (mut bob, id) = receiver(&gateway, "/probe/b").await;
    for command in [
        json!({"do": "send", "to": id, "fill": 2_049}),
        json!({"do": "broadcast", "path": "/probe/b", "fill": 2_049}),
    ] {
        assert_eq!(alice.refused(command).await, ("too-large".to_owned(), "2048".to_owned()));
    }
    alice.ok(json!({"do": "send", "to": id, "fill": 2_048})).await;
    assert_eq!(bob.text().await.len(), 2_048);
}

/// Has commands obeyed in one call without an answer, and returns what the answers would be.
async fn noted(client: &mut Client, of: Value) -> Value {
    let note = json!({"do": "note", "key": "answers", "of": of});
    client.send_json(&json!({"do": "seq", "of": [note, {"do": "mute"}]})).await;
    client.ok(json!({"do": "recall", "key": "answers"})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_broadcasts_and_closes_of_one_call_share_a_quota_that_the_next_call_has_again() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .sidecar("probe", "[limits]\nsends = 3\n")
        .start()
        .await;
    let mut alice = gateway.client("/probe").await;
    let (mut bob, bob_id) = receiver(&gateway, "/probe/b").await;
    let (mut carol, carol_id) = receiver(&gateway, "/probe/c").await;
    for round in ["first", "second"] {
        let answers = noted(
            &mut alice,
            json!([
                {"do": "send", "to": NOBODY, "text": "an error uses nothing up"},
                {"do": "send", "to": bob_id, "text": round},
                {"do": "flush"},
                {"do": "broadcast", "ids": [bob_id], "text": round},
                {"do": "close", "to": carol_id, "code": 999},
                {"do": "send", "to": bob_id, "text": round},
                {"do": "send", "to": bob_id, "text": "one too many"},
                {"do": "broadcast", "ids": [bob_id], "text": "one too many"},
                {"do": "close", "to": carol_id, "code": 4900},
            ]),
        )
        .await;
        let expected = ["not-found", "ok", "ok", "ok", "invalid-argument", "ok"];
        assert_eq!(codes(&answers)[..6], expected, "{round}");
        for refused in &answers.as_array().unwrap()[6..] {
            let (code, quota) = error(refused).unwrap();
            assert_eq!((&*code, &*quota), ("limit-exceeded", "sends per call"), "{round}");
        }
        for _ in 0..3 {
            assert_eq!(bob.text().await, round);
        }
    }
    assert_eq!(carol.id().await, carol_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bytes_of_one_call_are_limited_and_a_broadcast_counts_once() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .sidecar("probe", "[limits]\nsend_bytes = \"1KiB\"\n")
        .start()
        .await;
    let mut alice = gateway.client("/probe").await;
    let (mut bob, bob_id) = receiver(&gateway, "/probe/b").await;
    let (mut carol, carol_id) = receiver(&gateway, "/probe/c").await;
    let answers = noted(
        &mut alice,
        json!([
            {"do": "broadcast", "ids": [bob_id, carol_id], "fill": 1_000},
            {"do": "send", "to": bob_id, "fill": 25},
            {"do": "broadcast", "ids": [bob_id], "fill": 25},
            {"do": "send", "to": bob_id, "fill": 24},
        ]),
    )
    .await;
    assert_eq!(codes(&answers), ["ok", "limit-exceeded", "limit-exceeded", "ok"]);
    assert_eq!(answers[1]["error"]["detail"], "bytes sent per call");
    assert_eq!(bob.text().await.len(), 1_000);
    assert_eq!(bob.text().await.len(), 24);
    assert_eq!(carol.text().await.len(), 1_000);
}
