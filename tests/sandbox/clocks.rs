//! What time is for a guest: milliseconds, so that it cannot measure what others do in less.

use std::time::{SystemTime, UNIX_EPOCH};

use wit_component::StringEncoding;

use crate::support::{REALLOC, TestGateway, core_guest_with, listener};

/// What guests of WASI use of its clocks.
const MORE: &str = "
    package test:clocks;
    world more {
        include sporegate:gateway/listener@1.0.0;
        import wasi:clocks/monotonic-clock@0.2.0;
        import wasi:clocks/wall-clock@0.2.0;
    }
    package wasi:clocks@0.2.0 {
        interface monotonic-clock {
            type instant = u64;
            type duration = u64;
            now: func() -> instant;
            resolution: func() -> duration;
        }
        interface wall-clock {
            record datetime { seconds: u64, nanoseconds: u32 }
            now: func() -> datetime;
            resolution: func() -> datetime;
        }
    }
";

const IMPORTS: &str = r#"
  (import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $monotonic (result i64)))
  (import "wasi:clocks/monotonic-clock@0.2.0" "resolution" (func $monotonic_step (result i64)))
  (import "wasi:clocks/wall-clock@0.2.0" "now" (func $wall_now (param i32)))
  (import "wasi:clocks/wall-clock@0.2.0" "resolution" (func $wall_resolution (param i32)))
"#;

/// Looks at a clock until it has changed so many times.
const CHANGES: usize = 20;

/// A text is answered with the resolutions of both clocks, a binary message with all times that a
/// clock has shown, without those it showed twice: of the first kind with those of the monotonic
/// clock, else those of the other one. All in nanoseconds.
fn reader() -> Vec<u8> {
    let fields = format!(
        r#"{REALLOC}
  (func $nanoseconds (result i64)
    (i64.add
      (i64.mul (i64.load (i32.const 512)) (i64.const 1000000000))
      (i64.load32_u (i32.const 520))))
  (func $wall (result i64) (call $wall_now (i32.const 512)) (call $nanoseconds))
  (func $now (param $which i32) (result i64)
    (if (result i64) (local.get $which) (then (call $wall)) (else (call $monotonic))))
  (func $asked (param $event i32) (result i32)
    (local $which i32) (local $at i32) (local $now i64)
    (if (i32.eqz (i32.load8_u offset=44 (local.get $event)))
      (then
        (i64.store (i32.const 600) (call $monotonic_step))
        (call $wall_resolution (i32.const 512))
        (i64.store (i32.const 608) (call $nanoseconds))
        (call $answer (local.get $event) (i32.const 1) (i32.const 600) (i32.const 16))
        (return (i32.const 64))))
    (local.set $which (i32.load8_u (i32.load offset=48 (local.get $event))))
    (local.set $at (i32.const 131072))
    (i64.store (local.get $at) (call $now (local.get $which)))
    (loop $again
      (local.set $now (call $now (local.get $which)))
      (br_if $again (i64.eq (local.get $now) (i64.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (i64.store (local.get $at) (local.get $now))
      (br_if $again (i32.lt_u (local.get $at) (i32.const {last}))))
    (call $answer (local.get $event) (i32.const 1) (i32.const 131072) (i32.const {bytes}))
    (i32.const 64))"#,
        last = 131_072 + CHANGES * 8,
        bytes = (CHANGES + 1) * 8,
    );
    core_guest_with(&listener(4, IMPORTS, &fields), StringEncoding::UTF8, MORE)
}

async fn reading(gateway: &TestGateway, which: Option<u8>) -> Vec<u64> {
    let mut client = gateway.client("/reader").await;
    match which {
        None => client.send("how exact are you?").await,
        Some(which) => client.send(vec![which]).await,
    }
    let answer = client.message().await.into_data();
    answer.chunks(8).map(|number| u64::from_le_bytes(number.try_into().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_clock_of_a_guest_shows_less_than_a_millisecond() {
    const MS: u64 = 1_000_000;
    let gateway = TestGateway::with()
        .file("reader.wasm", &reader())
        .sidecar("reader", "[limits]\ncpu = \"30s\"\ntimeout = \"30s\"\nhost_calls = 100000000\n")
        .start()
        .await;
    assert!(gateway.gateway().refused().is_empty(), "{:?}", gateway.gateway().refused());
    assert_eq!(reading(&gateway, None).await, [MS, MS]);
    for which in [0, 1] {
        let times = reading(&gateway, Some(which)).await;
        assert_eq!(times.len(), CHANGES + 1);
        assert!(times.iter().all(|time| time % MS == 0), "{which}: {times:?}");
        assert!(times.is_sorted(), "{which}: {times:?}");
    }
    // It is the right time all the same.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let told = u128::from(reading(&gateway, Some(1)).await[0] / MS);
    assert!((now..now + 20_000).contains(&told), "{told} is not {now}");
}
