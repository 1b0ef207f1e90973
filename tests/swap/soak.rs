//! Swap after swap under load. Short here; `SPOREGATE_TEST_SWAPS=1000 tests/run -- swap::soak`
//! makes it long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;
use crate::support::token_for;

const CLIENTS: usize = 200;

/// Messages that each client has under way.
const IN_FLIGHT: u64 = 2;

/// Of ten new revisions one is no good, in turn for one of these reasons.
const BROKEN: [&str; 4] = ["", "start-fails", "traps", "import-fails"];

fn swaps() -> usize {
    std::env::var("SPOREGATE_TEST_SWAPS").ok().map_or(20, |text| text.parse().unwrap())
}

/// Says one number after the other; returns how many. Panics on a lost, doubled, reordered or wrong
/// answer, and if it is closed.
async fn count_up(mut client: Client, stop: Arc<AtomicBool>) -> u64 {
    let (mut asked, mut answered) = (0, 0);
    loop {
        while asked < answered + IN_FLIGHT && !stop.load(Ordering::Relaxed) {
            asked += 1;
            client.send(asked.to_string()).await;
        }
        if asked == answered {
            client.settle().await;
            return answered;
        }
        answered += 1;
        let answer = client.json().await;
        assert_eq!(answer["said"], answered.to_string(), "{answer}");
        // In step with the state, which goes from one revision to the next.
        assert_eq!(answer["yours"], answered, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn swap_after_swap_under_load_nothing_is_lost_doubled_reordered_or_closed() {
    let gateway = setup().set("keep_alive = false").start().await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        // Valid for as long as it takes.
        let token = token_for("alice", &[], Duration::from_secs(24 * 60 * 60));
        let path = format!("/tally/{}", number % 7);
        let mut client = gateway.connect(&path, Some(&token)).await.unwrap();
        client.greeting().await;
        clients.push(tokio::spawn(count_up(client, Arc::clone(&stop))));
    }
    let (mut good, mut bad) = (0, 0);
    for number in 0..swaps() {
        if number % 10 == 9 {
            match BROKEN[number / 10 % BROKEN.len()] {
                "" => put(&gateway, "tally.wasm", b"does not compile"),
                // Another digest each time: what was refused is not tried again.
                manner => {
                    let file = with_section(tally(manner), &number.to_le_bytes());
                    put(&gateway, "tally.wasm", &file);
                }
            }
            bad += 1;
        } else {
            put(&gateway, "tally.wasm", &tally(&format!("good-{number}")));
            good += 1;
        }
        let status = looked(&gateway, "tally").await.unwrap();
        assert!(status.revision.is_some(), "{status:?}");
    }
    stop.store(true, Ordering::Relaxed);
    let mut said = 0;
    for client in clients {
        said += client.await.unwrap();
    }
    let mut last = gateway.client("/tally").await;
    let (_, yours, total) = say(&mut last, "x").await;
    assert_eq!((yours, total), (1, said + 1), "the total went over every time");
    let (counters, swaps) = (gateway.counters(), &gateway.counters().swaps);
    // One that traps is swapped in before it is taken back.
    let (swapped, back) = (swaps.of("swapped"), swaps.of("rolled-back"));
    assert_eq!((swapped, swaps.of("refused") + back), (good + back, bad));
    assert_eq!(counters.unmatched.get(), 0);
    let closed = counters.closed.all();
    assert!(
        closed.iter().all(|(why, count)| *count == 0 || why.initiator != "gateway"),
        "{closed:?}"
    );
    let pauses = counters.swap_pause.snapshot();
    assert_eq!(pauses.count, swapped + back);
    eprintln!("{swapped} swaps, {back} back, {said} messages; pauses: {pauses:?}");
    assert!(gateway.stop().await);
}

/// The same component with a custom section more.
fn with_section(mut file: Vec<u8>, data: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"test";
    let bytes = u8::try_from(1 + NAME.len() + data.len()).unwrap();
    file.extend([0, bytes, 4]);
    file.extend_from_slice(NAME);
    file.extend_from_slice(data);
    file
}
