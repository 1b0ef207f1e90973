//! `chat`: rooms by path, presence, and a farewell.

use serde_json::{Value, json};

use crate::support::{Client, TestGateway};

async fn chat() -> TestGateway {
    TestGateway::with()
        .module("chat", "chat")
        .table("[[paths]]\npattern = \"/chat/lobby\"\nanonymous = true\n")
        .start()
        .await
}

async fn join(gateway: &TestGateway, who: &str, room: &str) -> Client {
    gateway.client_as(who, &[], &format!("/chat/{room}")).await
}

async fn all_get(clients: &mut [&mut Client], expected: Value) {
    for client in clients {
        assert_eq!(client.json().await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_in_the_room_hears_who_joins_and_what_is_said_and_nobody_else_does() {
    let gateway = chat().await;
    let mut alice = join(&gateway, "alice", "tea").await;
    let mut bob = join(&gateway, "bob", "tea").await;
    let mut carol = join(&gateway, "carol", "coffee").await;
    bob.send_json(&json!({"type": "join"})).await;
    let joined = json!({"type": "joined", "who": "bob", "room": "tea"});
    all_get(&mut [&mut alice, &mut bob], joined).await;
    let text = "\u{1F375}? \"now\"\n<b>";
    alice.send_json(&json!({"type": "say", "text": text})).await;
    all_get(&mut [&mut alice, &mut bob], json!({"type": "said", "who": "alice", "text": text}))
        .await;
    carol.send_json(&json!({"type": "say", "text": "alone"})).await;
    // The first that she hears is what she says herself.
    all_get(&mut [&mut carol], json!({"type": "said", "who": "carol", "text": "alone"})).await;
    alice.settle().await;
    bob.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_there_is_told_to_the_one_who_asks() {
    let gateway = chat().await;
    let mut alice = join(&gateway, "alice", "lobby").await;
    let mut bob = join(&gateway, "bob", "lobby").await;
    let _carol = join(&gateway, "carol", "elsewhere").await;
    let mut somebody = gateway.connect("/chat/lobby", None).await.unwrap();
    somebody.greeting().await;
    let present = alice.ask(json!({"type": "who"})).await;
    assert_eq!(present, json!({"type": "present", "who": ["alice", "bob", "somebody"]}));
    bob.settle().await;
    somebody.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_has_more_than_one_page() {
    let gateway = chat().await;
    let mut clients = Vec::new();
    for number in 0..300 {
        clients.push(join(&gateway, &format!("user{number}"), "full").await);
    }
    let present = clients[0].ask(json!({"type": "who"})).await;
    let expected: Vec<String> = (0..300).map(|number| format!("user{number}")).collect();
    assert_eq!(present["who"], json!(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_is_closed_with_1000_and_the_others_hear_it_once() {
    let gateway = chat().await;
    let mut alice = join(&gateway, "alice", "tea").await;
    let mut bob = join(&gateway, "bob", "tea").await;
    let mut carol = join(&gateway, "carol", "coffee").await;
    bob.send_json(&json!({"type": "leave"})).await;
    assert_eq!(bob.closed().await, (1000, "see you".to_owned()));
    assert!(bob.frame().await.is_none());
    assert_eq!(alice.json().await, json!({"type": "left", "who": "bob"}));
    // A broken connection is a farewell, too.
    join(&gateway, "dave", "tea").await.drop_connection();
    assert_eq!(alice.json().await, json!({"type": "left", "who": "dave"}));
    let present = alice.ask(json!({"type": "who"})).await;
    assert_eq!(present, json!({"type": "present", "who": ["alice"]}));
    carol.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_gets_an_error_and_nobody_else_hears_of_it() {
    let gateway = chat().await;
    let mut alice = join(&gateway, "alice", "tea").await;
    let mut bob = join(&gateway, "bob", "tea").await;
    for wrong in
        ["", "hello", "{}", r#"{"type":"dance"}"#, r#"{"type":"say"}"#, r#"{"type":"JOIN"}"#]
    {
        alice.send(wrong).await;
        let answer = alice.json().await;
        assert_eq!(answer["type"], "error", "{wrong:?}");
        assert!(answer["problem"].is_string(), "{wrong:?}");
    }
    alice.send(vec![1, 2]).await;
    assert_eq!(alice.json().await["type"], "error");
    bob.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_path_with_one_room_is_a_room() {
    let gateway = chat().await;
    for path in ["/chat", "/chat/a/b"] {
        let mut client = gateway.client(path).await;
        client.send_json(&json!({"type": "join"})).await;
        client.settle().await;
    }
    assert_eq!(gateway.counters().unmatched.get(), 2);
    let mut client = gateway.client("/chat/a%20room").await;
    let joined = client.ask(json!({"type": "join"})).await;
    assert_eq!(joined, json!({"type": "joined", "who": "alice", "room": "a room"}));
}
