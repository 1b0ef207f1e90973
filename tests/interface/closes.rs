//! `close`: by which codes, with which reasons, and what the others get to know of it.

use serde_json::{Value, json};

use super::{NO_IDS, NOBODY, probing, receiver, until_count};
use crate::support::{TestGateway, error};

#[tokio::test(flavor = "multi_thread")]
async fn a_module_closes_with_its_own_codes_and_the_client_is_told_the_reason() {
    let gateway = probing().await;
    let mut alice = gateway.client("/probe").await;
    let longest = "x".repeat(123);
    for (code, reason) in
        [(1000, "bye"), (1000, ""), (4900, "se\u{e7}und"), (4950, &*longest), (4999, "last")]
    {
        let (mut bob, id) = receiver(&gateway, "/probe/b").await;
        let close = json!({"do": "close", "to": id, "code": code, "reason": reason});
        assert_eq!(alice.ok(close).await, Value::Null);
        assert_eq!(bob.closed().await, (code, reason.to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_codes_and_longer_reasons_are_refused_and_the_client_stays() {
    let gateway = probing().await;
    let mut alice = gateway.client("/probe").await;
    let (mut bob, id) = receiver(&gateway, "/probe/b").await;
    for code in [0, 999, 1001, 1005, 1006, 1011, 1015, 3000, 4000, 4401, 4899, 5000, u16::MAX] {
        let (error, detail) = alice.refused(json!({"do": "close", "to": id, "code": code})).await;
        assert_eq!(error, "invalid-argument", "{code}");
        assert!(detail.starts_with("code") && detail.contains(&code.to_string()), "{detail}");
    }
    // 123 bytes are the limit, not characters.
    for reason in ["x".repeat(124), "\u{e9}".repeat(62)] {
        let close = json!({"do": "close", "to": id, "code": 1000, "reason": reason});
        let (error, detail) = alice.refused(close).await;
        assert_eq!(error, "invalid-argument");
        assert!(detail.starts_with("reason") && detail.contains("124"), "{detail}");
    }
    assert_eq!(bob.id().await, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_cannot_be_closed() {
    let gateway = probing().await;
    let mut alice = gateway.client("/probe").await;
    for id in NO_IDS.into_iter().chain([NOBODY]) {
        let refused = alice.refused(json!({"do": "close", "to": id, "code": 4900})).await;
        assert_eq!(refused.0, "not-found", "{id:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_close_wins_and_the_second_gives_closed() {
    let gateway = probing().await;
    let mut alice = gateway.client("/probe").await;
    let (mut bob, id) = receiver(&gateway, "/probe/b").await;
    let close = |code| json!({"do": "close", "to": id, "code": code, "reason": "first"});
    let both = alice.ok(json!({"do": "seq", "of": [close(4901), close(4902)]})).await;
    assert_eq!(error(&both[0]), None);
    assert_eq!(error(&both[1]).unwrap().0, "closed");
    assert_eq!(alice.refused(close(4903)).await.0, "closed", "in a later call");
    assert_eq!(bob.closed().await, (4901, "first".to_owned()));
    bob.close().await;
    until_count(&mut alice, 1).await;
    assert_eq!(alice.refused(close(4904)).await.0, "not-found", "after its end");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_before_a_close_arrives_before_it() {
    let gateway = probing().await;
    let mut bob = gateway.client("/probe").await;
    let mut of: Vec<Value> =
        (0..100).map(|number| json!({"do": "send", "text": number.to_string()})).collect();
    of.push(json!({"do": "close", "code": 4900, "reason": "done"}));
    of.push(json!({"do": "mute"}));
    bob.send_json(&json!({"do": "seq", "of": of})).await;
    for number in 0..100 {
        assert_eq!(bob.text().await, number.to_string());
    }
    assert_eq!(bob.closed().await, (4900, "done".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_closed_by_a_module_is_reported_once_with_code_and_reason() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .table("[limits]\nclose_timeout = \"10ms\"\n")
        .start()
        .await;
    let mut watcher = gateway.client("/probe/watch").await;
    let (mut polite, polite_id) = receiver(&gateway, "/probe/b").await;
    let (silent, silent_id) = receiver(&gateway, "/probe/c").await;
    let (mut rude, rude_id) = receiver(&gateway, "/probe/d").await;
    for (id, code) in [(&polite_id, 4901), (&silent_id, 4902), (&rude_id, 4903)] {
        let close = json!({"do": "close", "to": id, "code": code, "reason": "enough"});
        watcher.send_json(&json!({"do": "seq", "of": [close, {"do": "mute"}]})).await;
    }
    // One answers the close frame, one breaks off, one never answers.
    assert_eq!(polite.closed().await.0, 4901);
    assert!(polite.frame().await.is_none());
    assert_eq!(rude.closed().await.0, 4903);
    rude.drop_connection();
    let mut told = Vec::new();
    for _ in 0..3 {
        let gone = watcher.gone().await;
        assert_eq!(gone["reason"], "enough");
        told.push((gone["code"].clone(), gone["client"]["id"].clone()));
    }
    told.sort_by_key(|(code, _)| code.as_u64());
    let all = [(4901, polite_id), (4902, silent_id), (4903, rude_id)];
    assert_eq!(told, all.map(|(code, id)| (json!(code), json!(id))));
    // Nobody is reported again.
    until_count(&mut watcher, 1).await;
    drop(silent);
    watcher.id().await;
}
