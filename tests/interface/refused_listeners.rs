//! Matchers that are refused: each by `invalid-argument` or `denied`, and nothing is registered.

use serde_json::{Value, json};

use super::{MALFORMED, probing};
use crate::support::{Client, TestGateway, error};

/// Expects the matcher to be refused, by a detail that has this in it.
async fn refuse(client: &mut Client, matcher: Value, code: &str, part: &str) {
    let add = json!({"do": "add-listener", "name": "bad", "matcher": matcher, "priority": 9});
    let refused = client.refused(add).await;
    assert_eq!(refused.0, code, "{matcher}");
    assert!(refused.1.contains(part), "{matcher}: no {part:?} in {:?}", refused.1);
    let removed = client.refused(json!({"do": "remove-listener", "name": "bad"})).await;
    assert_eq!(removed.0, "not-found", "{matcher} was registered");
}

fn content(test: Value) -> Value {
    json!({"content": [test]})
}

fn at(pointer: &str, test: Value) -> Value {
    content(json!({"json": {"pointer": pointer, "test": test}}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_must_be_well_formed_and_granted() {
    let gateway = TestGateway::serving(&["probe", "echo"]).await;
    let mut client = gateway.client("/probe").await;
    for path in MALFORMED {
        refuse(&mut client, json!({"path": path}), "invalid-argument", "path").await;
        let (code, detail) =
            client.refused(json!({"do": "add-disconnect", "name": "bad", "path": path})).await;
        assert_eq!(code, "invalid-argument", "{path:?}");
        assert!(detail.contains("path"), "{path:?}: {detail}");
    }
    for path in ["/echo", "/echo/*", "/", "/probed/{any}"] {
        refuse(&mut client, json!({"path": path}), "denied", path).await;
        let (code, detail) =
            client.refused(json!({"do": "add-disconnect", "name": "bad", "path": path})).await;
        assert_eq!((&*code, detail.contains(path)), ("denied", true), "{path}: {detail}");
        let removed = client.refused(json!({"do": "remove-disconnect", "name": "bad"})).await;
        assert_eq!(removed.0, "not-found", "{path} was registered");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wider_path_than_granted_is_narrowed_to_what_is_granted() {
    let gateway = TestGateway::serving(&["probe", "echo"]).await;
    let mut client = gateway.client("/probe").await;
    let everything = json!({"do": "add-listener", "name": "all", "priority": 9,
        "matcher": {"path": "/*"}, "outcome": "stop"});
    client.ok(everything).await;
    client.send("mine").await;
    assert_eq!(client.json().await["listener"], "all");
    let mut other = gateway.client("/echo").await;
    other.echo("not yours").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn content_tests_are_checked_one_by_one() {
    let gateway = probing().await;
    let mut client = gateway.client("/probe").await;
    let long = "x".repeat(4_097);
    let cases = [
        (json!({"content": vec!["is-text"; 17]}), "17 tests"),
        (json!({"content": ["is-text", "is-binary"]}), "never hold together"),
        (json!({"content": [{"binary-prefix": [1]}, {"text-prefix": "x"}]}), "never hold together"),
        (content(json!({"text-equals": long})), "content[0] (text-equals): the operand has 4097"),
        (content(json!({"text-prefix": long})), "(text-prefix)"),
        (content(json!({"text-contains": long})), "(text-contains)"),
        (content(json!({"binary-prefix": vec![0; 4_097]})), "(binary-prefix)"),
        (content(json!({"text-regex": "("})), "content[0] (text-regex)"),
        (content(json!({"text-regex": "a(?=b)"})), "look-around"),
        (content(json!({"text-regex": "(?<!a)b"})), "look-around"),
        (content(json!({"text-regex": r"(a)\1"})), "backreferences"),
        (content(json!({"text-regex": "x".repeat(1_025)})), "1025 bytes"),
        (content(json!({"text-regex": r"\w{1000}"})), "when compiled"),
        (json!({"content": ["is-text", {"text-regex": "["}]}), "content[1] (text-regex)"),
        (at("type", json!("exists")), "content[0] (json): the pointer must"),
        (at("/a~2", json!("exists")), "the pointer holds `~`"),
        (at(&"/x".repeat(17), json!("exists")), "more than 16 tokens"),
        (at("/type", json!({"equals": "join"})), "the value of `equals`"),
        (at("/type", json!({"equals": ""})), "the value of `equals`"),
        (at("/type", json!({"one-of": []})), "`one-of` is empty"),
        (at("/type", json!({"one-of": vec!["1"; 65]})), "65 values"),
        (at("/type", json!({"one-of": ["1", "{"]})), "value 1 of `one-of`"),
    ];
    for (matcher, part) in cases {
        refuse(&mut client, matcher, "invalid-argument", part).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_limited_in_number_and_length() {
    let gateway = probing().await;
    let mut client = gateway.client("/probe").await;
    for (roles, part) in [
        (vec!["r".to_owned(); 65], "65 entries"),
        (vec!["admin".to_owned(), String::new()], "roles[1]"),
        (vec!["r".repeat(257)], "roles[0]"),
    ] {
        refuse(&mut client, json!({"roles": roles}), "invalid-argument", part).await;
    }
    let most = json!({"do": "add-listener", "name": "good", "priority": -1,
        "matcher": {"roles": vec!["r".repeat(256); 64]}});
    client.ok(most).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_matcher_leaves_the_listener_of_that_name_as_it_was() {
    let gateway = probing().await;
    let mut client = gateway.client("/probe").await;
    client
        .ok(json!({"do": "add-listener", "name": "kept", "priority": 1, "outcome": "stop",
        "matcher": {"content": [{"text-equals": "hello"}]}}))
        .await;
    let bad = json!({"do": "add-listener", "name": "kept", "priority": 1, "outcome": "stop",
        "matcher": {"content": [{"text-regex": "("}]}});
    assert_eq!(client.refused(bad).await.0, "invalid-argument");
    client.send("hello").await;
    assert_eq!(client.json().await, json!({"listener": "kept", "text": "hello"}));
}

/// A listener that takes about a quarter of a MiB of the gateway.
fn large(name: &str) -> Value {
    let test = json!({"text-contains": "x".repeat(4_096)});
    json!({"do": "add-listener", "name": name, "priority": -1,
        "matcher": {"content": vec![test; 16]}})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_matchers_of_a_module_have_a_budget_of_memory() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .table("[limits]\nmessage_size = \"1MiB\"\n")
        .start()
        .await;
    let mut client = gateway.client("/probe").await;
    let full = ("limit-exceeded".to_owned(), "memory of listeners".to_owned());
    let mut count = 0;
    let refusal = loop {
        let answer = client.ask(large(&format!("l{count}"))).await;
        match error(&answer) {
            None => count += 1,
            Some(refusal) => break refusal,
        }
    };
    assert_eq!(refusal, full);
    assert!((56..=64).contains(&count), "16 MiB were enough for {count}");
    // In the place of one there is room for it, and after one has gone; not if that call fails.
    let small = json!({"do": "add-listener", "name": "small", "priority": -1,
        "matcher": content(json!({"text-equals": "never"}))});
    client.ok(small).await;
    let of = json!([{"do": "remove-listener", "name": "l0"}, {"do": "fail", "text": "told to"}]);
    client.send_json(&json!({"do": "seq", "of": of})).await;
    assert_eq!(client.refused(large("more")).await, full);
    assert_eq!(gateway.counters().calls_refused.get(), 1);
    client.send_json(&json!({"do": "trap"})).await;
    assert_eq!(client.refused(large("more")).await, full);
    let mut replaced = large("l0");
    replaced["priority"] = json!(-2);
    client.ok(replaced).await;
    let swap = json!([{"do": "remove-listener", "name": "l1"}, large("more"), large("no-more")]);
    let answers = client.ok(json!({"do": "seq", "of": swap})).await;
    assert_eq!((&answers[0]["ok"], &answers[1]["ok"]), (&Value::Null, &Value::Null), "{answers}");
    assert_eq!(error(&answers[2]), Some(full));
}
