//! What an instance leaves to the next one in its place: nothing. Places are used again and again,
//! and only what was written is put right, so this looks at all that a guest can reach: its memory,
//! what it grows by, what lies behind it, its table and its global.

use std::sync::Arc;

use sporegate::admission::ConnectionLimits;
use sporegate::config::ModuleDefaults;
use sporegate::modules::Loader;
use sporegate::outbound::{Outbound, OutboundSettings};
use sporegate::registry::{AwayLimits, Registry};
use sporegate::sandbox::{CompileCache, CompileLimits, Sandbox, SandboxSettings};

use crate::support::{Client, REALLOC, TestGateway, compiler, core_guest, listener};

/// Pages of memory that a guest begins with.
const PAGES: u32 = 4;

/// Pages that it grows to: more than is put right by clearing it, and some that are given back.
const MOST: u32 = 40;

/// Where nothing lies but what a guest puts there.
const SPACE: u32 = 128 << 10;

/// What a guest is told: to look for what it finds, and leave its mark everywhere; and to look where
/// its memory ends.
const LOOK: &[u8] = &[0];
const REACH: &[u8] = &[1];

/// `$look` tells how much is there that nobody has put there, once before and once after it has all
/// that it can get, and leaves a mark everywhere. Another mark makes another module of it.
fn looking(mark: u32) -> String {
    format!(
        r#"
  (table $table 1000 60000 funcref)
  (global $global (mut i32) (i32.const 0))
  (elem declare func $look)
  (func $search (result i32)
    (local $at i32) (local $end i32) (local $found i32)
    (local.set $found (i32.ne (global.get $global) (i32.const 0)))
    (local.set $at (i32.const {SPACE}))
    (local.set $end (i32.shl (memory.size) (i32.const 16)))
    (loop $again
      (local.set $found (i32.add (local.get $found)
        (i64.ne (i64.load (local.get $at)) (i64.const 0))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $again (i32.lt_u (local.get $at) (local.get $end))))
    (local.set $at (table.size $table))
    (loop $again
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (local.set $found (i32.add (local.get $found)
        (i32.eqz (ref.is_null (table.get $table (local.get $at))))))
      (br_if $again (local.get $at)))
    (local.get $found))
  (func $look (result i32)
    (local $found i32)
    (local.set $found (call $search))
    (drop (memory.grow (i32.sub (i32.const {MOST}) (memory.size))))
    (drop (table.grow $table (ref.null func) (i32.sub (i32.const 60000) (table.size $table))))
    ;; It has got all of it.
    (if (i32.ne (memory.size) (i32.const {MOST})) (then unreachable))
    (if (i32.ne (table.size $table) (i32.const 60000)) (then unreachable))
    (local.set $found (i32.add (local.get $found) (call $search)))
    (memory.fill (i32.const {SPACE}) (i32.const {mark})
      (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const {SPACE})))
    (table.fill $table (i32.const 0) (ref.func $look) (table.size $table))
    (global.set $global (i32.const {mark}))
    (local.get $found))"#
    )
}

/// Looks when it is told to, and answers what it has found.
fn asked_to_look() -> Vec<u8> {
    let looking = looking(0xa5);
    let fields = format!(
        r#"{REALLOC} {looking}
  (func $asked (param $event i32) (result i32)
    (i32.store (i32.const 512)
      (if (result i32) (i32.load8_u (i32.load offset=48 (local.get $event)))
        (then (i32.load (i32.shl (memory.size) (i32.const 16))))
        (else (call $look))))
    (call $answer (local.get $event) (i32.const 1) (i32.const 512) (i32.const 4))
    (i32.const 64))"#
    );
    core_guest(&listener(PAGES, "", &fields))
}

/// Looks when it starts, and fails if it finds anything.
fn starts_with_a_look(mark: u32) -> Vec<u8> {
    let looking = looking(mark);
    core_guest(&format!(
        r#"(module
  (memory (export "memory") {PAGES})
  (data (i32.const 32) "\01\00\00\00" "\30\00\00\00" "\10\00\00\00")
  (data (i32.const 48) "there was a mark")
  {looking}
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
  (func (export "sporegate:gateway/lifecycle@1.0.0#start") (result i32)
    (select (i32.const 32) (i32.const 64) (call $look)))
  (func (export "sporegate:gateway/message-handler@1.0.0#on-message") (param i32) (result i32)
    unreachable)
  (func (export "sporegate:gateway/disconnect-handler@1.0.0#on-disconnect")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable))"#
    ))
}

async fn look(client: &mut Client) -> u32 {
    client.send(LOOK.to_vec()).await;
    let answer = client.message().await.into_data();
    u32::from_le_bytes(answer[..].try_into().unwrap())
}

async fn gateway(lifetime: &str) -> TestGateway {
    let sidecar = format!(
        "[run]\nlifetime = {lifetime:?}\nbreaker_failures = 0\n[limits]\ncpu = \"10s\"\ntimeout = \"20s\"\n"
    );
    TestGateway::with().file("m.wasm", &asked_to_look()).sidecar("m", &sidecar).start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_for_one_call_finds_nothing_of_those_before_it() {
    const ROUNDS: u64 = 100;
    let gateway = gateway("call").await;
    let mut client = gateway.client("/m").await;
    for round in 0..ROUNDS {
        assert_eq!(look(&mut client).await, 0, "round {round}");
        // Nor can it reach what they had more of.
        client.send(REACH.to_vec()).await;
        client.settle().await;
        assert_eq!(gateway.counters().calls_ended.get(), round + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_for_one_call_find_nothing_of_others_at_the_same_time() {
    const CLIENTS: usize = 8;
    const ROUNDS: usize = 25;
    let gateway = Arc::new(gateway("call").await);
    let mut looking = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = gateway.client("/m").await;
        looking.push(tokio::spawn(async move {
            for round in 0..ROUNDS {
                assert_eq!(look(&mut client).await, 0, "round {round}");
            }
        }));
    }
    for client in looking {
        client.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_instance_has_put_there_it_finds_again() {
    let gateway = gateway("instance").await;
    let mut client = gateway.client("/m").await;
    assert_eq!(look(&mut client).await, 0);
    // Otherwise the others would find nothing whatever there was: twice all its memory but the
    // arguments, all its table, and its global.
    let all = ((MOST << 16) - SPACE) / 8 + 60_000 + 1;
    assert_eq!(look(&mut client).await, 2 * all);
    // And once its instance is gone, so is that.
    client.send(REACH.to_vec()).await;
    client.settle().await;
    assert_eq!(look(&mut client).await, 0);
}

/// On one thread: the engine has places for each thread.
#[tokio::test]
async fn instances_of_a_module_find_nothing_of_other_modules() {
    const BATCHES: u32 = 12;
    const INSTANCES: u32 = 16;
    // Places are used again by other modules once so many stand empty: more are never needed. So
    // there are not enough for all instances that there will have been.
    const MOST_PLACES: u32 = 100 + 2 * INSTANCES;
    const { assert!(BATCHES * 2 * INSTANCES > 2 * MOST_PLACES) };
    let settings = SandboxSettings {
        memory_bytes: 1 << 30,
        cache: CompileCache::Off,
        compiler: compiler(),
        compile_limits: CompileLimits {
            module_bytes: 1 << 20,
            memory_bytes: 1 << 30,
            cpu_time: std::time::Duration::from_secs(10),
        },
    };
    let loader = Loader {
        sandbox: Arc::new(Sandbox::new(&settings).unwrap()),
        registry: Arc::new(Registry::new(ConnectionLimits::default(), AwayLimits::default())),
        counters: Arc::default(),
        base_path: "/websocket".into(),
        defaults: ModuleDefaults::default(),
        alarm: Arc::default(),
        outbound: Arc::new(
            Outbound::new(&OutboundSettings { requests: 1, ca_file: None }).unwrap(),
        ),
        buckets: Arc::default(),
        left: Arc::default(),
    };
    for batch in 0..BATCHES {
        let directory = tempfile::tempdir().unwrap();
        for module in 0..2 {
            let file = directory.path().join(format!("m-{module}.wasm"));
            std::fs::write(&file, starts_with_a_look(1 + 2 * batch + module)).unwrap();
            let run = format!("[run]\ninstances = {INSTANCES}\n");
            std::fs::write(file.with_extension("toml"), run).unwrap();
        }
        let loaded = loader.load_directory(directory.path()).await.unwrap();
        assert!(loaded.refused.is_empty(), "batch {batch}: {:?}", loaded.refused);
        assert_eq!(loaded.modules.len(), 2);
    }
}
