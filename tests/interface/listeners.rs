//! Listeners are added, replaced and removed, at start and later, and called by priority.

use serde_json::{Value, json};

use super::{mark, probing, receiver};
use crate::support::{Client, TestGateway};

/// Two probes that share `/hall`; only commands reach their base listeners there.
async fn sharing() -> (TestGateway, Client, Client) {
    let gateway = TestGateway::with()
        .module("alpha", "probe")
        .module("beta", "probe")
        .sidecar("alpha", "paths = [\"/alpha\", \"/hall\"]\n")
        .sidecar("beta", "paths = [\"/beta\", \"/hall\"]\n")
        .start()
        .await;
    let mut alpha = gateway.client("/alpha").await;
    let mut beta = gateway.client("/beta").await;
    for (module, path) in [(&mut alpha, "/alpha"), (&mut beta, "/beta")] {
        let matcher = json!({"path": path});
        module.ok(json!({"do": "add-listener", "name": "probe", "matcher": matcher})).await;
    }
    (gateway, alpha, beta)
}

/// A listener for everything on `/hall`.
fn in_hall(name: &str, priority: i32, outcome: &str) -> Value {
    json!({"do": "add-listener", "name": name, "priority": priority, "outcome": outcome,
        "matcher": {"path": "/hall"}})
}

/// Sends a text and expects these listeners to answer it, in order and nobody after them.
async fn answered_by(gateway: &TestGateway, client: &mut Client, listeners: &[&str]) {
    let calls = gateway.counters().calls.get();
    client.send("who hears me?").await;
    for listener in listeners {
        assert_eq!(client.json().await, json!({"listener": listener, "text": "who hears me?"}));
    }
    client.settle().await;
    assert_eq!(gateway.counters().calls.get(), calls + listeners.len() as u64, "{listeners:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn higher_priorities_come_first_across_modules_and_ties_go_by_name() {
    let (gateway, mut alpha, mut beta) = sharing().await;
    let mut client = gateway.client("/hall").await;
    for (name, priority) in [("c", 0), ("a", 0), ("low", -1), ("highest", i32::MAX)] {
        alpha.ok(in_hall(name, priority, "proceed")).await;
    }
    for (name, priority) in [("b", 0), ("lowest", i32::MIN), ("high", 7)] {
        beta.ok(in_hall(name, priority, "proceed")).await;
    }
    let all = ["highest", "high", "a", "b", "c", "low", "lowest"];
    answered_by(&gateway, &mut client, &all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_keeps_a_message_from_all_that_come_after_in_any_module() {
    let (gateway, mut alpha, mut beta) = sharing().await;
    let mut client = gateway.client("/hall").await;
    beta.ok(in_hall("first", 3, "proceed")).await;
    alpha.ok(in_hall("middle", 2, "stop")).await;
    alpha.ok(in_hall("own-last", 1, "proceed")).await;
    beta.ok(in_hall("other-last", 1, "proceed")).await;
    answered_by(&gateway, &mut client, &["first", "middle"]).await;
    // The same name again: replaced, and no longer a stop.
    alpha.ok(in_hall("middle", 2, "proceed")).await;
    answered_by(&gateway, &mut client, &["first", "middle", "other-last", "own-last"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_name_in_two_modules_is_two_listeners() {
    let (gateway, mut alpha, mut beta) = sharing().await;
    let mut client = gateway.client("/hall").await;
    alpha.ok(in_hall("twin", 0, "proceed")).await;
    beta.ok(in_hall("twin", 0, "proceed")).await;
    answered_by(&gateway, &mut client, &["twin", "twin"]).await;
    alpha.ok(json!({"do": "remove-listener", "name": "twin"})).await;
    answered_by(&gateway, &mut client, &["twin"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_listener_is_skipped_and_the_next_ones_see_the_message() {
    let gateway = TestGateway::with()
        .module("alpha", "probe")
        .module("beta", "probe")
        .sidecar("beta", "paths = [\"/beta\", \"/alpha\"]\n")
        .start()
        .await;
    let mut beta = gateway.client("/beta").await;
    let matcher = json!({"path": "/alpha"});
    beta.ok(json!({"do": "add-listener", "name": "probe", "priority": -1})).await;
    beta.ok(json!({"do": "add-listener", "name": "after", "priority": -2, "matcher": matcher}))
        .await;
    let mut client = gateway.client("/alpha").await;
    client.send_json(&json!({"do": "outcome", "outcome": "proceed"})).await;
    assert_eq!(client.json().await["re"], "outcome", "of alpha");
    assert_eq!(client.json().await["re"], "outcome", "of beta");
    assert_eq!(client.json().await["listener"], "after");
    for how in ["fail", "trap"] {
        let told = json!({"do": how}).to_string();
        client.send(told.clone()).await;
        assert_eq!(client.json().await, json!({"listener": "after", "text": told}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_has_1_to_64_small_letters_digits_and_hyphens() {
    let gateway = probing().await;
    let mut client = gateway.client("/probe").await;
    let too_long = "x".repeat(65);
    for name in ["", "A", "a_b", "a.b", "a b", "\u{e9}", "a\n", &too_long] {
        for command in ["add-listener", "add-disconnect"] {
            let (code, detail) = client.refused(json!({"do": command, "name": name})).await;
            assert_eq!(code, "invalid-argument", "{command} {name:?}");
            assert!(detail.starts_with("name"), "{command} {name:?}: {detail}");
        }
    }
    for name in ["a", "0", "-", "a-0", &too_long[1..]] {
        for command in ["add-listener", "remove-listener", "add-disconnect", "remove-disconnect"] {
            // Below the base listener, which stops.
            let it = json!({"do": command, "name": name, "priority": -1});
            assert_eq!(client.ok(it).await, Value::Null, "{command} {name:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_cannot_be_removed() {
    let gateway = probing().await;
    let mut client = gateway.client("/probe").await;
    // A disconnect listener is no message listener, nor the other way round.
    for (command, name) in [
        ("remove-listener", "nobody"),
        ("remove-listener", "gone"),
        ("remove-listener", ""),
        ("remove-disconnect", "nobody"),
        ("remove-disconnect", "probe"),
    ] {
        let refused = client.refused(json!({"do": command, "name": name})).await;
        assert_eq!(refused.0, "not-found", "{command} {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_listener_is_called_no_more() {
    let (gateway, mut alpha, mut beta) = sharing().await;
    let mut client = gateway.client("/hall").await;
    alpha.ok(in_hall("one", 1, "proceed")).await;
    beta.ok(in_hall("two", 0, "proceed")).await;
    answered_by(&gateway, &mut client, &["one", "two"]).await;
    alpha.ok(json!({"do": "remove-listener", "name": "one"})).await;
    answered_by(&gateway, &mut client, &["two"]).await;
    beta.ok(json!({"do": "remove-listener", "name": "two"})).await;
    answered_by(&gateway, &mut client, &[]).await;
    assert_eq!(gateway.counters().unmatched.get(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_an_earlier_one_removes_sees_this_message_and_no_later_one() {
    let (_gateway, mut alpha, _beta) = sharing().await;
    let matcher = json!({"path": "/alpha"});
    let later = json!({"do": "add-listener", "name": "later", "priority": -1, "matcher": matcher});
    alpha.ok(later).await;
    let on = json!({"do": "outcome", "outcome": "proceed"});
    let remove = json!({"do": "remove-listener", "name": "later"});
    alpha.send_json(&json!({"do": "seq", "of": [remove, on]})).await;
    assert_eq!(alpha.json().await["re"], "seq");
    assert_eq!(alpha.json().await["listener"], "later", "it matched when the message came");
    alpha.send_json(&on).await;
    assert_eq!(alpha.json().await["re"], "outcome");
    alpha.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_name_replaces_matcher_and_priority() {
    let (gateway, mut alpha, mut beta) = sharing().await;
    let mut client = gateway.client("/hall").await;
    alpha.ok(in_hall("one", 1, "proceed")).await;
    beta.ok(in_hall("two", 0, "proceed")).await;
    alpha.ok(in_hall("one", -1, "proceed")).await;
    answered_by(&gateway, &mut client, &["two", "one"]).await;
    let matcher = json!({"path": "/hall", "content": ["is-binary"]});
    alpha
        .ok(json!({"do": "add-listener", "name": "one", "priority": -1, "matcher": matcher}))
        .await;
    answered_by(&gateway, &mut client, &["two"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_kinds_of_listener_count_against_the_limit_and_repeating_one_does_not() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        // Two are there from the start.
        .sidecar("probe", "[limits]\nlisteners = 4\n")
        .start()
        .await;
    let mut client = gateway.client("/probe").await;
    let message = |name: &str| json!({"do": "add-listener", "name": name, "priority": -1});
    let disconnect = |name: &str| json!({"do": "add-disconnect", "name": name});
    let full = ("limit-exceeded".to_owned(), "listeners".to_owned());
    client.ok(message("third")).await;
    client.ok(disconnect("fourth")).await;
    assert_eq!(client.refused(message("fifth")).await, full);
    assert_eq!(client.refused(disconnect("fifth")).await, full);
    // Identical, and replaced.
    client.ok(message("third")).await;
    client.ok(disconnect("fourth")).await;
    client.ok(json!({"do": "add-listener", "name": "third", "priority": -2})).await;
    client.ok(json!({"do": "add-disconnect", "name": "fourth", "path": "/probe/x"})).await;
    // One goes, in the same call, and there is room for one.
    let swap =
        json!([{"do": "remove-listener", "name": "third"}, disconnect("fifth"), message("sixth")]);
    let answers = client.ok(json!({"do": "seq", "of": swap})).await;
    assert_eq!((&answers[0]["ok"], &answers[1]["ok"]), (&Value::Null, &Value::Null), "{answers}");
    assert_eq!(answers[2]["error"]["code"], "limit-exceeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_added_later_belongs_to_the_module_not_to_its_instance() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .sidecar("probe", "[run]\ninstances = 4\naffinity = \"client\"\n")
        .start()
        .await;
    let mut alice = gateway.client("/probe").await;
    alice
        .ok(json!({"do": "add-listener", "name": "extra", "priority": 1,
        "matcher": {"content": [{"text-prefix": "#"}]}}))
        .await;
    // Clients of all instances meet it; 24 on one of four would be a wonder.
    for _ in 0..24 {
        let mut client = gateway.client("/probe").await;
        client.send("#1").await;
        assert_eq!(client.json().await["listener"], "extra");
        assert_eq!(client.json().await["listener"], "probe");
    }
    // So it does when its instance has gone, and what `start` adds again is no second listener.
    alice.send_json(&json!({"do": "trap"})).await;
    alice.send("#2").await;
    assert_eq!(alice.json().await["listener"], "extra");
    assert_eq!(alice.json().await["listener"], "probe");
    let (mut bob, bob_id) = receiver(&gateway, "/probe").await;
    mark(&mut alice, &bob_id, "and nobody else").await;
    assert_eq!(bob.text().await, "and nobody else");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_call_changed_stays_changed_however_often_start_runs_again() {
    for run in ["lifetime = \"instance\"", "lifetime = \"call\"", "instances = 4"] {
        let gateway = TestGateway::with()
            .module("probe", "probe")
            .sidecar("probe", &format!("[run]\n{run}\n[limits]\nlisteners = 2\n"))
            .start()
            .await;
        let counters = gateway.counters();
        let mut client = gateway.client("/probe").await;
        // Narrowed, and removed; then the module has as many as it may have.
        let narrow = json!({"do": "add-listener", "name": "probe", "matcher": {"path": "/probe"}});
        client.ok(narrow).await;
        client.ok(json!({"do": "remove-disconnect", "name": "gone"})).await;
        client.ok(json!({"do": "add-disconnect", "name": "own"})).await;
        for round in 1..=2 {
            client.send_json(&json!({"do": "trap"})).await;
            // What `start` registers is checked against a module without listeners.
            client.ok(json!({"do": "count"})).await;
            assert_eq!(counters.calls_ended.get(), round, "{run}");
            let mut other = gateway.client("/probe/b").await;
            let unmatched = counters.unmatched.get();
            other.send("who hears me?").await;
            other.settle().await;
            assert_eq!(counters.unmatched.get(), unmatched + 1, "{run}");
            let again = client.refused(json!({"do": "remove-disconnect", "name": "gone"})).await;
            assert_eq!(again.0, "not-found", "{run}");
        }
        client.ok(json!({"do": "remove-disconnect", "name": "own"})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_in_force_when_its_answer_comes_however_many_change_at_once() {
    let (gateway, ..) = sharing().await;
    let mut tasks = Vec::new();
    for number in 0..4 {
        let mut client = gateway.client("/alpha").await;
        tasks.push(tokio::spawn(async move {
            let name = format!("own-{number}");
            let text = format!("{name}!");
            let matcher = json!({"content": [{"text-equals": text}]});
            let add = json!({"do": "add-listener", "name": name, "priority": 1, "outcome": "stop",
                "matcher": matcher});
            let heard = json!({"listener": name, "text": text});
            let unheard = json!({"listener": "probe", "text": text});
            for _ in 0..100 {
                client.ok(add.clone()).await;
                client.send(text.clone()).await;
                assert_eq!(client.json().await, heard);
                client.ok(json!({"do": "remove-listener", "name": name})).await;
                client.send(text.clone()).await;
                assert_eq!(client.json().await, unheard);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}
