//! Each way in which a call can end badly, and what is the same afterwards.

use serde_json::{Value, json};

use crate::support::{Client, PATIENCE, Serving, TestGateway, token, until};

/// A way to end badly: the command for it, the limit that it breaks, and what the log calls it.
struct BadEnd {
    command: Value,
    limit: &'static str,
    cause: &'static str,
}

fn bad_ends() -> [BadEnd; 6] {
    let end = |command, limit, cause| BadEnd { command, limit, cause };
    [
        end(json!({"do": "trap"}), "", "trap"),
        end(json!({"do": "spin"}), "cpu = \"20ms\"", "cpu-time"),
        end(json!({"do": "spin"}), "cpu = \"60s\"\ntimeout = \"50ms\"", "timeout"),
        end(json!({"do": "recurse"}), "", "stack-overflow"),
        end(json!({"do": "host-calls", "count": 101}), "host_calls = 100", "host-calls"),
        end(json!({"do": "send", "fill": 32 << 20}), "memory = \"16MiB\"", "memory"),
    ]
}

async fn remember(client: &mut Client, value: &str) {
    client.ok(json!({"do": "remember", "key": "k", "value": value})).await;
}

async fn recall(client: &mut Client) -> Value {
    client.ok(json!({"do": "recall", "key": "k"})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_ends_its_instance_costs_only_that_call() {
    for BadEnd { command, limit, cause } in bad_ends() {
        let gateway = TestGateway::with()
            .module("probe", "probe")
            .module("echo", "echo")
            .sidecar("probe", &format!("[limits]\n{limit}\n"))
            .start()
            .await;
        let counters = gateway.counters();
        let mut alice = gateway.client("/probe").await;
        let mut bob = gateway.client_as("bob", &[], "/probe/b").await;
        let mut other = gateway.client("/echo").await;
        remember(&mut alice, "before").await;
        for round in 1..=3 {
            alice.send_json(&command).await;
            other.echo("still served").await;
            // The client's own next message meets a fresh instance, and so do others.
            assert_eq!(recall(&mut alice).await, Value::Null, "{cause}");
            assert_eq!(recall(&mut bob).await, Value::Null, "{cause}");
            assert_eq!(counters.calls_ended.get(), round, "{cause}");
            remember(&mut bob, "after").await;
            assert_eq!(recall(&mut alice).await, "after", "{cause}");
        }
        assert_eq!(counters.calls_refused.get(), 0, "{cause}");
        alice.settle().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_gateway_compiles_for_a_call_counts_as_its_cpu_time() {
    // Little to do for the guest: one call of the gateway for sixteen expressions.
    let regex = |number: usize| json!({"text-regex": format!("\\w{number}")});
    let content: Vec<Value> = (0..16).map(regex).collect();
    let add = |number: usize| {
        json!({"do": "add-listener", "name": format!("slow-{number}"), "priority": -1,
            "matcher": {"content": content}})
    };
    // On the stack of the connection, and on one of its own.
    for (cpu, calls) in [("20ms", 8), ("101ms", 40)] {
        let gateway = TestGateway::with()
            .module("probe", "probe")
            .sidecar("probe", &format!("[limits]\ncpu = {cpu:?}\n"))
            .start()
            .await;
        let mut client = gateway.client("/probe").await;
        let of: Vec<Value> = (0..calls).map(add).collect();
        client.send_json(&json!({"do": "seq", "of": of})).await;
        let removed = client.refused(json!({"do": "remove-listener", "name": "slow-0"})).await;
        assert_eq!(removed.0, "not-found", "{cpu}");
        assert_eq!(gateway.counters().calls_ended.get(), 1, "{cpu}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_a_listener_returns_leaves_its_instance_alone() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let mut alice = gateway.client("/probe").await;
    remember(&mut alice, "kept").await;
    alice.send_json(&json!({"do": "fail", "text": "told to"})).await;
    assert_eq!(recall(&mut alice).await, "kept");
    assert_eq!(gateway.counters().calls_refused.get(), 1);
    assert_eq!(gateway.counters().calls_ended.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_is_logged_with_its_cause() {
    for BadEnd { command, limit, cause } in bad_ends() {
        let setup = TestGateway::with()
            .module("probe", "probe")
            .sidecar("probe", &format!("[limits]\n{limit}\n"));
        let serving = Serving::start(setup, &[]).await;
        let url = format!("{}/probe", serving.url());
        let mut client = Client::connect(&url, Some(&token("alice", &[]))).await.unwrap();
        client.greeting().await;
        let id = client.id().await;
        client.send_json(&command).await;
        client.settle().await;
        let log = serving.stderr();
        let line = log.lines().find(|line| line.contains("listener failed")).unwrap_or_default();
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{cause}: {log}"));
        assert_eq!(line["cause"], cause, "{line}");
        assert_eq!(line["module"], "probe", "{line}");
        assert_eq!(line["client"], id, "{line}");
        assert_eq!(line["revision"].as_str().map(str::len), Some(64), "{line}");
        assert!(!log.contains("panicked"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_modules_answer_while_one_is_in_an_endless_loop() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .module("echo", "echo")
        .sidecar("probe", "[limits]\ncpu = \"2s\"\n")
        .start()
        .await;
    let mut spinning = gateway.client("/probe").await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(gateway.client("/echo").await);
    }
    spinning.send_json(&json!({"do": "spin"})).await;
    for round in 0..25 {
        for client in &mut clients {
            client.echo(&round.to_string()).await;
        }
    }
    assert_eq!(gateway.counters().calls_ended.get(), 0, "200 echoes took as long as the loop");
    // Connecting works, too, and whoever waits for the module gets its turn.
    gateway.client("/echo").await.echo("hello").await;
    let mut waiting = gateway.client("/probe").await;
    waiting.id().await;
    assert_eq!(gateway.counters().calls_ended.get(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_with_the_default_limits_holds_nobody_up_either() {
    let gateway = TestGateway::serving(&["probe", "echo"]).await;
    let mut spinning = gateway.client("/probe").await;
    let mut client = gateway.client("/echo").await;
    for round in 1..=5 {
        spinning.send_json(&json!({"do": "spin"})).await;
        client.echo("meanwhile").await;
        spinning.settle().await;
        assert_eq!(gateway.counters().calls_ended.get(), round);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_waits_too_long_is_ended_though_it_uses_no_cpu_time() {
    let gateway = TestGateway::with()
        .module("sleeper", "sleeper")
        .module("echo", "echo")
        .sidecar("sleeper", "[limits]\ntimeout = \"100ms\"\n")
        .start()
        .await;
    let mut sleeping = gateway.client("/sleeper").await;
    let mut waiting = gateway.client("/sleeper").await;
    let mut other = gateway.client("/echo").await;
    for round in 1..=2 {
        sleeping.send(vec![1]).await;
        other.echo("meanwhile").await;
        waiting.send("are you there?").await;
        assert_eq!(waiting.text().await, "awake");
        sleeping.settle().await;
        assert_eq!(gateway.counters().calls_ended.get(), round);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_during_its_call_gets_its_farewell_after_it() {
    let gateway = TestGateway::with()
        .module("sleeper", "sleeper")
        .module("probe", "probe")
        .sidecar("sleeper", "[limits]\ntimeout = \"200ms\"\n")
        .sidecar("probe", "paths = [\"/sleeper\", \"/probe/*\"]\n")
        .start()
        .await;
    let mut watcher = gateway.client("/probe/watch").await;
    let only_here = json!({"path": "/probe/*"});
    watcher.ok(json!({"do": "add-listener", "name": "probe", "matcher": only_here})).await;
    let mut sleeping = gateway.client("/sleeper").await;
    sleeping.send(vec![1]).await;
    until("the call", || gateway.counters().calls.get() == 2).await;
    sleeping.drop_connection();
    let gone = watcher.gone().await;
    assert_eq!((&gone["code"], &gone["client"]["path"]), (&json!(1006), &json!("/sleeper")));
    assert_eq!(gateway.counters().calls_ended.get(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleeping_guest_does_not_keep_the_gateway_from_stopping() {
    let gateway = TestGateway::with()
        .module("sleeper", "sleeper")
        .table("[shutdown]\ntimeout = \"200ms\"\n")
        .sidecar("sleeper", "[limits]\ntimeout = \"60s\"\n")
        .start()
        .await;
    let mut sleeping = gateway.client("/sleeper").await;
    sleeping.send(vec![1]).await;
    until("the call", || gateway.counters().calls.get() == 1).await;
    let stopped = tokio::time::timeout(PATIENCE, gateway.stop()).await;
    assert_eq!(stopped, Ok(false), "it stops, and says that it was not in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_path_says_so_a_failing_listener_closes_the_client_with_1011() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .table("[[paths]]\npattern = \"/probe/strict/*\"\non_failure = \"close\"\n")
        .start()
        .await;
    let mut watcher = gateway.client("/probe/watch").await;
    let mut strict = gateway.client("/probe/strict/a").await;
    let id = strict.id().await;
    let mut neighbour = gateway.client("/probe/strict/b").await;
    let mut lenient = gateway.client("/probe/lenient").await;
    // An error that the listener returns is no failure of it.
    strict.send_json(&json!({"do": "fail", "text": "no"})).await;
    assert_eq!(strict.id().await, id);
    lenient.send_json(&json!({"do": "trap"})).await;
    lenient.id().await;
    strict.send_json(&json!({"do": "trap"})).await;
    let (code, reason) = strict.closed().await;
    assert_eq!((code, &*reason), (1011, "a listener failed"));
    assert!(strict.frame().await.is_none());
    let gone = watcher.gone().await;
    assert_eq!((&gone["client"]["id"], &gone["code"]), (&json!(id), &json!(1011)));
    assert_eq!((&gone["reason"]), &json!(reason));
    neighbour.id().await;
}
