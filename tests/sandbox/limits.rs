//! Memory: of one instance, and of all together.

use serde_json::{Value, json};

use crate::support::{Client, TestGateway, core_guest, error};

/// Has an instance keep so many MiB more; returns whether there was room.
async fn grow(client: &mut Client, mib: u64) -> bool {
    let answer = client.ask(json!({"do": "grow", "count": mib})).await;
    match error(&answer) {
        None => true,
        Some((code, detail)) => {
            assert_eq!((&*code, &*detail), ("other", "out of memory"));
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_cannot_grow_beyond_its_limit_and_goes_on_without() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .sidecar("probe", "[limits]\nmemory = \"16MiB\"\ncpu = \"5s\"\n")
        .start()
        .await;
    let mut client = gateway.client("/probe").await;
    client.ok(json!({"do": "remember", "key": "k", "value": 1})).await;
    assert!(!grow(&mut client, 16).await, "its own data needs some of it");
    assert!(grow(&mut client, 8).await);
    assert!(!grow(&mut client, 8).await);
    assert!(grow(&mut client, 4).await);
    assert_eq!(client.ok(json!({"do": "recall", "key": "k"})).await, 1);
    assert_eq!(gateway.counters().calls_ended.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_instance_of_a_module_has_the_whole_limit() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .sidecar(
            "probe",
            "[run]\ninstances = 2\naffinity = \"path\"\n[limits]\nmemory = \"16MiB\"\ncpu = \"5s\"\n",
        )
        .start()
        .await;
    let mut grown = 0;
    for number in 0..16 {
        let mut client = gateway.client(&format!("/probe/{number}")).await;
        grown += u32::from(grow(&mut client, 10).await);
    }
    assert_eq!(grown, 2, "16 paths meet two instances, each with room for one");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_modules_together_cannot_have_more_than_the_gateway_has() {
    let gateway = TestGateway::with()
        .module("first", "probe")
        .module("second", "probe")
        .sandbox("memory = \"40MiB\"\n[sandbox.defaults.limits]\ncpu = \"5s\"")
        .start()
        .await;
    let mut first = gateway.client("/first").await;
    let mut second = gateway.client("/second").await;
    assert!(grow(&mut first, 24).await);
    assert!(!grow(&mut second, 24).await);
    assert!(grow(&mut second, 8).await);
    // What an instance had comes back when it ends.
    first.send_json(&json!({"do": "trap"})).await;
    assert_eq!(first.ok(json!({"do": "recall", "key": "k"})).await, Value::Null);
    assert!(grow(&mut second, 20).await);
    assert_eq!(gateway.counters().calls_ended.get(), 1);
}

/// A listener in WebAssembly's text that does this in `start`.
fn starting(memory_pages: u32, body: &str) -> Vec<u8> {
    core_guest(&format!(
        r#"(module
            (memory (export "memory") {memory_pages})
            (table 1 funcref)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "sporegate:gateway/lifecycle@1.0.0#start") (result i32)
                {body}
                i32.const 64)
            (func (export "sporegate:gateway/message-handler@1.0.0#on-message")
                (param i32) (result i32) unreachable)
            (func (export "sporegate:gateway/disconnect-handler@1.0.0#on-disconnect")
                (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
                unreachable))"#
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_from_the_start_on() {
    let gateway = TestGateway::with()
        .file("good.wasm", &starting(1, ""))
        .file("spins.wasm", &starting(1, "(loop br 0)"))
        .file("too-big.wasm", &starting(33, ""))
        .file("grows.wasm", &starting(1, "(if (i32.eq (memory.grow (i32.const 32)) (i32.const -1)) (then unreachable))"))
        .file("tables.wasm", &starting(1, "(if (i32.eq (table.grow (ref.null func) (i32.const 60000)) (i32.const -1)) (then unreachable)) (if (i32.eq (memory.grow (i32.const 25)) (i32.const -1)) (then unreachable))"))
        .file("recurses.wasm", &starting(1, "(drop (call 1))"))
        .sandbox("[sandbox.defaults.limits]\nmemory = \"2MiB\"\nstart_timeout = \"100ms\"")
        .start()
        .await;
    let modules = gateway.gateway().modules().modules();
    let started: Vec<&str> = modules.iter().map(|module| &**module.name()).collect();
    assert_eq!(started, ["good"]);
    for (file, reason) in [
        ("spins.wasm", "100"),
        ("too-big.wasm", "memory"),
        ("grows.wasm", "memory"),
        ("tables.wasm", "memory"),
        ("recurses.wasm", "stack"),
    ] {
        let refused = gateway.gateway().refused().iter().find(|it| it.path.ends_with(file));
        let said = &refused.unwrap_or_else(|| panic!("{file} was not refused")).reason;
        assert!(said.contains(reason), "{file}: {said}");
    }
}
