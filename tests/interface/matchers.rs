//! Which messages reach a listener. Those that do not match never enter the module.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::probing;
use crate::support::{Client, TestGateway};

/// A client of a probe that is entered only for commands, until more listeners are added.
async fn commanding(gateway: &TestGateway, roles: &[&str]) -> Client {
    let mut client = gateway.client_as("alice", roles, "/probe").await;
    let commands = json!({"content": [{"json": {"pointer": "/do", "test": "exists"}}]});
    client.ok(json!({"do": "add-listener", "name": "probe", "matcher": commands})).await;
    client
}

/// Adds a listener `t` with these content tests; then exactly the first messages must reach it.
async fn check(content: Value, hits: Vec<Message>, misses: Vec<Message>) {
    let gateway = probing().await;
    let mut client = commanding(&gateway, &[]).await;
    let matcher = json!({"content": content});
    client.ok(json!({"do": "add-listener", "name": "t", "matcher": matcher})).await;
    let calls = gateway.counters().calls.get();
    for message in misses.iter().chain(&hits).chain(&misses) {
        client.send(message.clone()).await;
    }
    for hit in &hits {
        let expected = match hit {
            Message::Binary(bytes) => json!({"listener": "t", "binary": **bytes}),
            text => json!({"listener": "t", "text": text.to_text().unwrap()}),
        };
        assert_eq!(client.json().await, expected, "{content}");
    }
    client.settle().await;
    let counters = gateway.counters();
    assert_eq!(counters.calls.get() - calls, hits.len() as u64, "{content}: calls");
    assert_eq!(counters.unmatched.get(), 2 * misses.len() as u64, "{content}: unmatched");
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<Message> {
    texts.map(Message::text).into()
}

fn binary(bytes: &'static [u8]) -> Message {
    Message::binary(bytes)
}

fn at(pointer: &str, test: Value) -> Value {
    json!([{"json": {"pointer": pointer, "test": test}}])
}

#[tokio::test(flavor = "multi_thread")]
async fn no_content_test_takes_every_message() {
    let mut hits = texts(["", "x", "{}"]);
    hits.extend([binary(b""), binary(b"\xff")]);
    check(json!([]), hits, vec![]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn is_text_and_is_binary_tell_the_kinds_apart() {
    check(json!(["is-text"]), texts(["", "x"]), vec![binary(b""), binary(b"x")]).await;
    check(json!(["is-binary"]), vec![binary(b""), binary(b"x")], texts(["", "x"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_equals_is_the_whole_text() {
    let mut misses = texts(["", "hello", "hello ", "Hello!", "hello!\n", "hello!!"]);
    misses.push(binary(b"hello!"));
    check(json!([{"text-equals": "hello!"}]), texts(["hello!"]), misses).await;
    check(json!([{"text-equals": ""}]), texts([""]), texts([" "])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_prefix_is_the_start_of_the_text() {
    let mut misses = texts(["", "/cm", "x/cmd", "/CMD", " /cmd"]);
    misses.push(binary(b"/cmd"));
    check(json!([{"text-prefix": "/cmd"}]), texts(["/cmd", "/cmd x"]), misses).await;
    check(json!([{"text-prefix": ""}]), texts(["", "x"]), vec![binary(b"")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_contains_is_any_part_of_the_text() {
    let mut misses = texts(["", "need le", "NEEDLE"]);
    misses.push(binary(b"needle"));
    let hits = texts(["needle", "a needle in \u{2603}", "xneedle"]);
    check(json!([{"text-contains": "needle"}]), hits, misses).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_regex_finds_anywhere_unless_anchored() {
    let mut misses = texts(["", "ab", "12"]);
    misses.push(binary(b"a1"));
    check(json!([{"text-regex": "[a-z][0-9]"}]), texts(["a1", "--x9--"]), misses).await;
    check(json!([{"text-regex": "^(?i)go$"}]), texts(["go", "GO"]), texts(["go!", "ago"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_regex_that_others_backtrack_on_takes_no_time() {
    let hostile = "a".repeat(8_000);
    check(json!([{"text-regex": "^(a+)+$"}]), texts([&hostile]), texts([&(hostile.clone() + "!")]))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_prefix_is_the_start_of_a_binary_message() {
    let hits = vec![binary(b"\x00\xff"), binary(b"\x00\xff\x01")];
    let mut misses = texts(["", "\0"]);
    misses.extend([binary(b""), binary(b"\x00"), binary(b"\xff\x00")]);
    check(json!([{"binary-prefix": [0, 255]}]), hits, misses).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_exists_needs_the_part_and_whole_json() {
    let hits = texts([r#"{"type":null}"#, r#" {"a":1,"type":{"x":2}} "#, r#"{"t\u0079pe":0}"#]);
    let mut misses = texts([
        "",
        "type",
        r#""type""#,
        "[]",
        "{}",
        r#"{"Type":1}"#,
        r#"{"a":{"type":1}}"#,
        r#"{"type":1"#,
        r#"{"type":1}x"#,
    ]);
    misses.push(binary(br#"{"type":1}"#));
    check(at("/type", json!("exists")), hits, misses).await;
    let hits = texts([r#"{"a/b":[0,{"~":1}]}"#]);
    let misses = texts([r#"{"a/b":[{"~":1}]}"#, r#"{"a":{"b":[0,{"~":1}]}}"#]);
    check(at("/a~1b/1/~0", json!("exists")), hits, misses).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_equals_compares_values_not_spelling() {
    let hits = texts([r#"{"type":"join"}"#, r#"{"x":[1,2],"type" : "\u006aoin"}"#]);
    let misses = texts([
        r#"{"type":"Join"}"#,
        r#"{"type":"joined"}"#,
        r#"{"type":["join"]}"#,
        r#"{"type":null}"#,
        r#"{"type":"join","type":"leave"}"#,
    ]);
    check(at("/type", json!({"equals": "\"join\""})), hits, misses).await;
    let hits = texts([r#"{"n":42}"#, r#"{"n":42.0}"#, r#"{"n":4.2e1}"#]);
    check(at("/n", json!({"equals": "42"})), hits, texts([r#"{"n":"42"}"#, r#"{"n":42.5}"#])).await;
    let hits = texts([r#"{"a":1,"b":[true]}"#, r#"{"b":[true],"a":1}"#]);
    let misses = texts([r#"{"a":1}"#, r#"{"a":1,"b":[true],"c":0}"#, r#"{"a":1,"b":[false]}"#]);
    check(at("", json!({"equals": r#"{"a":1,"b":[true]}"#})), hits, misses).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_one_of_needs_one_of_the_values() {
    let hits = texts([r#"{"type":"join"}"#, r#"{"type":7}"#, r#"{"type":null}"#]);
    let misses = texts([r#"{"type":"leave"}"#, r#"{"type":"7"}"#, "{}"]);
    check(at("/type", json!({"one-of": ["\"join\"", "7", "null"]})), hits, misses).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_test_of_a_matcher_must_hold() {
    let tests = json!([
        "is-text",
        {"text-contains": "x"},
        {"json": {"pointer": "/type", "test": {"equals": "1"}}},
        {"text-regex": "y$|y\"}$"},
    ]);
    let misses =
        texts([r#"{"type":1,"v":"y"}"#, r#"{"type":2,"v":"xy"}"#, r#"{"type":1,"v":"x"}"#]);
    check(tests, texts([r#"{"type":1,"v":"xy"}"#]), misses).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_with_roles_hears_only_clients_that_have_one() {
    let gateway = probing().await;
    let mut alice = commanding(&gateway, &["writer", "x"]).await;
    let matcher = json!({"roles": ["admin", "writer"], "content": [{"text-equals": "hi"}]});
    alice.ok(json!({"do": "add-listener", "name": "t", "matcher": matcher})).await;
    let calls = gateway.counters().calls.get();
    // They stay: leaving would be a call, too.
    let mut clients = Vec::new();
    for (roles, heard) in [
        (vec!["writer"], true),
        (vec!["a", "admin", "z"], true),
        (vec!["Admin", "write", "writers"], false),
        (vec![], false),
    ] {
        let mut client = gateway.client_as("bob", &roles, "/probe").await;
        client.send("hi").await;
        if heard {
            assert_eq!(client.json().await, json!({"listener": "t", "text": "hi"}), "{roles:?}");
        }
        client.send("ho").await;
        client.settle().await;
        clients.push(client);
    }
    assert_eq!(gateway.counters().calls.get() - calls, 2);
    assert_eq!(gateway.counters().unmatched.get(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_with_a_path_gets_its_parts_by_name() {
    let gateway = probing().await;
    let mut client = gateway.client("/probe").await;
    for (pattern, path, params) in [
        ("/probe/rooms/{room}/*", "/rooms/7/a/b", json!([["room", "7"], ["*", "a/b"]])),
        ("/probe/rooms/{room}/*", "/rooms/7", json!([["room", "7"], ["*", ""]])),
        ("/probe/{a}/{b}", "/x/y%20z", json!([["a", "x"], ["b", "y z"]])),
        ("/probe/*", "", json!([["*", ""]])),
        ("/probe/*", "/x", json!([["*", "x"]])),
        ("/*", "/x", json!([["*", "probe/x"]])),
        ("/probe/x", "/x/", json!([])),
    ] {
        let add = json!({"do": "add-listener", "name": "probe", "matcher": {"path": pattern}});
        let mut visitor = gateway.client(&format!("/probe{path}")).await;
        client.ok(add).await;
        let event = visitor.ok(json!({"do": "whoami"})).await;
        assert_eq!(event["path-params"], params, "{pattern} {path}");
        // Back, through the visitor, so that the next pattern can be set.
        let reset = json!({"do": "add-listener", "name": "probe"});
        visitor.ok(reset).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_with_a_path_hears_nothing_from_others() {
    let gateway = probing().await;
    let mut client = gateway.client("/probe").await;
    let matcher = json!({"path": "/probe/rooms/{room}"});
    client.ok(json!({"do": "add-listener", "name": "t", "priority": 1, "matcher": matcher})).await;
    for (path, heard) in [
        ("/probe/rooms/1", true),
        ("/probe/rooms", false),
        ("/probe/rooms/1/2", false),
        ("/probe/Rooms/1", false),
        ("/probe", false),
    ] {
        let mut client = gateway.client(path).await;
        client.send("hi").await;
        if heard {
            assert_eq!(client.json().await["listener"], "t", "{path}");
        }
        assert_eq!(client.json().await["listener"], "probe", "{path}");
        client.settle().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_numbered_from_one_in_their_session_unmatched_ones_too() {
    let gateway = probing().await;
    let mut client = commanding(&gateway, &[]).await;
    for number in [2, 4, 6] {
        let event = client.ok(json!({"do": "whoami"})).await;
        assert_eq!(event["sequence"], number);
        client.send("nobody wants this").await;
    }
    let mut other = gateway.client("/probe").await;
    let event = other.ok(json!({"do": "whoami"})).await;
    assert_eq!((&event["sequence"], &event["listener"]), (&json!(1), &json!("probe")));
    assert_eq!(event["traceparent"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_tell_when_they_were_received() {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let gateway = probing().await;
    let mut client = gateway.client("/probe").await;
    let before = now();
    let event = client.ok(json!({"do": "whoami"})).await;
    let received = event["received-at-ms"].as_u64().unwrap();
    assert!((before..=now()).contains(&received), "{before} {received}");
}
