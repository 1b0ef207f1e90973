//! Operations on all the memory of a guest at once. The engine looks at its clock before each, and
//! not within it: one cannot be interrupted, and lasts as long as the memory is large. So a call
//! ends after the one that spends its budget, and not after as many as it has milliseconds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{Client, REALLOC, Serving, TestGateway, core_guest, listener, token};

/// Grows to all its memory, and then does what the number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Nothing = 0,
    FillOnce = 1,
    CopyOnce = 2,
    FillForEver = 3,
    CopyForEver = 4,
}

fn guest(pages: u32) -> Vec<u8> {
    let fields = format!(
        r#"{REALLOC}
  (global $number (mut i32) (i32.const 0))
  (func $work (param $copy i32)
    (local $half i32)
    (local.set $half (i32.shl (memory.size) (i32.const 15)))
    (if (local.get $copy)
      (then (memory.copy (local.get $half) (i32.const 0) (local.get $half)))
      (else
        (global.set $number (i32.add (global.get $number) (i32.const 1)))
        (memory.fill (i32.const 131072) (global.get $number)
          (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 131072))))))
  (func $asked (param $event i32) (result i32)
    (local $told i32)
    (local.set $told (i32.load8_u (i32.load offset=48 (local.get $event))))
    (drop (memory.grow (i32.sub (i32.const {pages}) (memory.size))))
    (if (i32.ne (memory.size) (i32.const {pages})) (then unreachable))
    (if (local.get $told)
      (then
        (loop $again
          (call $work (i32.eqz (i32.and (local.get $told) (i32.const 1))))
          (br_if $again (i32.gt_u (local.get $told) (i32.const 2))))))
    (call $answer (local.get $event) (i32.const 1) (i32.const 512) (i32.const 1))
    (i32.const 64))"#
    );
    core_guest(&listener(4, "", &fields))
}

/// A gigabyte, where the machine has that to spare.
fn pages() -> u32 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap();
    let available = text.lines().find_map(|line| line.strip_prefix("MemAvailable:")).unwrap();
    let kib: u64 = available.trim().trim_end_matches(" kB").parse().unwrap();
    if kib > 8 << 20 { 1 << 14 } else { 1 << 12 }
}

async fn client(serving: &Serving, path: &str) -> Client {
    let url = format!("{}{path}", serving.url());
    let mut client = Client::connect(&url, Some(&token("alice", &[]))).await.unwrap();
    client.greeting().await;
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_ends_after_the_operation_that_spends_its_budget_and_others_are_served() {
    let pages = pages();
    let mib = pages >> 4;
    // And a table, which comes of making a component of it.
    let memory = mib + 1;
    let limits = |cpu: &str| {
        format!("[limits]\nmemory = \"{memory}MiB\"\ntimeout = \"60s\"\ncpu = {cpu:?}\n")
    };
    let file = guest(pages);
    let setup = TestGateway::with()
        .set("keep_alive = false")
        .table("[limits]\nping_interval = \"5m\"")
        .sandbox(&format!("memory = \"{}MiB\"", 3 * mib))
        .file("tight.wasm", &file)
        .sidecar("tight", &format!("[run]\nbreaker_failures = 0\n{}", limits("50ms")))
        .file("roomy.wasm", &file)
        .sidecar("roomy", &format!("[run]\nlifetime = \"call\"\n{}", limits("60s")))
        .module("echo", "echo");
    let serving = Serving::start(setup, &[]).await;
    let mut neighbour = client(&serving, "/echo").await;

    // What one takes where it may, on memory that was never touched.
    let mut roomy = client(&serving, "/roomy").await;
    let mut once = Duration::ZERO;
    for task in [Task::FillOnce, Task::CopyOnce, Task::FillOnce] {
        let before = serving.cpu_time();
        roomy.send(vec![task as u8]).await;
        roomy.message().await;
        once = once.max(serving.cpu_time() - before);
    }

    let mut tight = client(&serving, "/tight").await;
    let mut taken = Vec::new();
    for (grown, task) in [
        (false, Task::FillForEver),
        (true, Task::FillForEver),
        (false, Task::CopyForEver),
        (true, Task::CopyForEver),
    ] {
        if grown {
            tight.send(vec![Task::Nothing as u8]).await;
            tight.message().await;
        }
        let before = serving.cpu_time();
        tight.send(vec![task as u8]).await;
        let ended = AtomicBool::new(false);
        let attack = async {
            tight.settle().await;
            ended.store(true, Ordering::Relaxed);
        };
        let others = async {
            while !ended.load(Ordering::Relaxed) {
                neighbour.echo("are you there?").await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::join!(attack, others);
        taken.push((task, grown, serving.cpu_time() - before));
    }
    println!("{mib} MiB: one operation takes {once:?}, calls without end take {taken:?}");
    // The one that spends it, and putting the memory right, twice at most: the process does other
    // things, too, and its clock is coarse.
    let most = 2 * once + Duration::from_millis(150);
    assert!(taken.iter().all(|(_, _, took)| *took < most), "{once:?}, {taken:?}");
    let log = serving.stderr();
    let ends = log.lines().filter(|line| line.contains("tight") && line.contains("cpu-time"));
    assert!(ends.count() >= 1, "{log}");
    assert!(log.lines().all(|line| !line.contains("panicked")), "{log}");
}
