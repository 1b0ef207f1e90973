//! What a `start` flushes: it waits with the rest until the swap cannot be given up any more.

use super::*;
use crate::support::stateful_core_guest;

/// A revision that says "flushed" to the clients of `tally` in its `start`, flushes that, and then
/// does this. To take a state, it does that.
fn flushing(then: &str, to_take: &str) -> Vec<u8> {
    stateful_core_guest(&format!(
        r#"(module
  ;; audience, message, except, where the result goes
  (import "sporegate:gateway/clients@1.0.0" "broadcast"
    (func $broadcast (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "sporegate:gateway/clients@1.0.0" "flush" (func $flush (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "/tally")
  (data (i32.const 32) "flushed")
  (global $next (mut i32) (i32.const 1024))
  (func (export "cabi_realloc")
    (param $old i32) (param $old_bytes i32) (param $align i32) (param $bytes i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get $bytes)))
    (local.get $at))
  (func (export "sporegate:gateway/lifecycle@1.0.0#start") (result i32)
    (call $broadcast
      (i32.const 1) (i32.const 16) (i32.const 6)
      (i32.const 0) (i32.const 32) (i32.const 7)
      (i32.const 0) (i32.const 0)
      (i32.const 192))
    (if (i32.load8_u (i32.const 192)) (then unreachable))
    (call $flush (i32.const 192))
    (if (i32.load8_u (i32.const 192)) (then unreachable))
    {then}
    (i32.const 64))
  (func (export "sporegate:gateway/message-handler@1.0.0#on-message") (param i32) (result i32)
    unreachable)
  (func (export "sporegate:gateway/disconnect-handler@1.0.0#on-disconnect")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable)
  (func (export "sporegate:gateway/state-handover@1.0.0#export-state") (result i32)
    unreachable)
  (func (export "sporegate:gateway/state-handover@1.0.0#import-state")
    (param i32 i32 i32 i32 i32) (result i32)
    {to_take}
    (i32.const 64)))"#
    ))
}

#[tokio::test]
async fn what_a_start_flushed_has_not_happened_if_the_swap_is_given_up() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    for (then, to_take, because) in [
        ("unreachable", "", "start: "),
        ("", "unreachable", "import-state of the new revision: "),
        ("(loop $on (br $on))", "", "start: "),
    ] {
        put(&gateway, "tally.toml", b"[limits]\nstart_timeout = \"200ms\"\n");
        put(&gateway, "tally.wasm", &flushing(then, to_take));
        let reason = rejected(&looked(&gateway, "tally").await.unwrap());
        assert!(reason.starts_with(because), "{reason}");
        // The next that it hears is the answer of the old one.
        say(&mut client, "x").await;
        client.settle().await;
    }
}

#[tokio::test]
async fn what_a_start_flushed_happens_once_when_its_revision_serves() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    put(&gateway, "tally.wasm", &flushing("", ""));
    assert_eq!(looked(&gateway, "tally").await.unwrap().state, State::Active);
    assert_eq!(client.text().await, "flushed");
    client.settle().await;
}
