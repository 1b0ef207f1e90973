//! All or nothing: what a failing call asked for has not happened, except what it flushed.

use serde_json::{Value, json};

use super::{mark, receiver};
use crate::support::{TestGateway, until};

/// How a call can end badly, and the sidecar that makes it end soon.
const BAD_ENDS: [(&str, &str); 5] = [
    ("fail", ""),
    ("trap", ""),
    ("spin", "cpu = \"20ms\"\n"),
    ("recurse", ""),
    ("host-calls", "host_calls = 50\n"),
];

/// A gateway whose outboxes hold four messages.
async fn gateway(limits: &str) -> TestGateway {
    TestGateway::with()
        .module("probe", "probe")
        .sidecar("probe", &format!("[limits]\n{limits}"))
        .table("[limits]\noutbox_messages = 4\n")
        .start()
        .await
}

fn failed_calls(gateway: &TestGateway) -> u64 {
    gateway.counters().calls_refused.get() + gateway.counters().calls_ended.get()
}

fn end_badly(how: &str) -> Value {
    json!({"do": how, "text": "told to", "count": 1_000})
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_failed_call_happens_and_the_room_it_took_is_free_again() {
    for (how, limits) in BAD_ENDS {
        let gateway = gateway(limits).await;
        let mut alice = gateway.client("/probe").await;
        let (mut bob, bob_id) = receiver(&gateway, "/probe/b").await;
        let (mut carol, carol_id) = receiver(&gateway, "/probe/c").await;
        let send = json!({"do": "send", "to": bob_id, "text": "ghost"});
        let close = json!({"do": "close", "to": carol_id, "code": 4900});
        let broadcast = json!({"do": "broadcast", "path": "/probe/*", "text": "ghost"});
        let listen = json!({"do": "add-listener", "name": "ghost", "priority": 9});
        let repeat = json!({"do": "repeat", "count": 4, "of": [send]});
        let of = json!([repeat, close, broadcast, listen, end_badly(how)]);
        alice.send_json(&json!({"do": "seq", "of": of})).await;
        until(how, || failed_calls(&gateway) == 1).await;
        // All four places of his outbox are free.
        let real = json!({"do": "send", "to": bob_id, "text": "real"});
        let counts = alice.ok(json!({"do": "repeat", "count": 4, "of": [real]})).await;
        assert_eq!(counts, json!({"ok": 4}), "{how}");
        for _ in 0..4 {
            assert_eq!(bob.text().await, "real", "{how}");
        }
        assert_eq!(carol.id().await, carol_id, "{how}: she was not closed");
        let unheard = alice.refused(json!({"do": "remove-listener", "name": "ghost"})).await;
        assert_eq!(unheard.0, "not-found", "{how}");
        assert_eq!(failed_calls(&gateway), 1, "{how}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_flushed_has_happened_even_if_the_call_then_fails() {
    for (how, limits) in BAD_ENDS {
        let gateway = gateway(limits).await;
        let mut alice = gateway.client("/probe").await;
        let (mut bob, bob_id) = receiver(&gateway, "/probe/b").await;
        let (mut carol, carol_id) = receiver(&gateway, "/probe/c").await;
        let send = |text| json!({"do": "send", "to": bob_id, "text": text});
        let of = json!([
            send("kept"),
            {"do": "close", "to": carol_id, "code": 4900, "reason": "kept"},
            {"do": "flush"},
            send("kept, too"),
            {"do": "flush"},
            send("lost"),
            end_badly(how),
        ]);
        alice.send_json(&json!({"do": "seq", "of": of})).await;
        assert_eq!(bob.text().await, "kept", "{how}");
        assert_eq!(bob.text().await, "kept, too", "{how}");
        assert_eq!(carol.closed().await, (4900, "kept".to_owned()), "{how}");
        until(how, || failed_calls(&gateway) == 1).await;
        mark(&mut alice, &bob_id, "next").await;
        assert_eq!(bob.text().await, "next", "{how}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_flush_is_fine_and_flushing_does_not_end_the_call() {
    let gateway = gateway("").await;
    let mut alice = gateway.client("/probe").await;
    let flushes = json!({"do": "repeat", "count": 3, "of": [{"do": "flush"}]});
    assert_eq!(alice.ok(flushes).await, json!({"ok": 3}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_flushed_leaves_while_the_call_goes_on() {
    let gateway = gateway("cpu = \"3s\"\n").await;
    let mut alice = gateway.client("/probe").await;
    let (mut bob, bob_id) = receiver(&gateway, "/probe/b").await;
    let ended = || gateway.counters().calls_ended.get();
    for round in 0..2 {
        let of = json!([
            {"do": "send", "text": "to herself"},
            {"do": "send", "to": bob_id, "text": "to him"},
            {"do": "flush"},
            {"do": "spin"},
        ]);
        alice.send_json(&json!({"do": "seq", "of": of})).await;
        assert_eq!(bob.text().await, "to him", "round {round}");
        assert_eq!(alice.text().await, "to herself", "round {round}");
        assert_eq!(ended(), round, "round {round}: it came after the end of the call");
        until("the end", || ended() == round + 1).await;
    }
}
