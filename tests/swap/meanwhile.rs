//! What happens to a change when something else happens at the same time: a call that fails, a file
//! that goes, the end of the gateway.

use std::time::{Duration, Instant};

use super::*;
use crate::support::until;

#[tokio::test(flavor = "multi_thread")]
async fn other_limits_that_come_while_a_call_fails_hold_for_the_next_instance_and_who_waits() {
    let limits = |sends: u32| {
        format!("[limits]\nsends = {sends}\ncpu = \"3s\"\ntimeout = \"20s\"\n").into_bytes()
    };
    let setup = TestGateway::with().module("probe", "probe").file("probe.toml", &limits(0));
    let gateway = setup.start().await;
    let mut failing = gateway.client("/probe/failing").await;
    let mut waiting = Vec::new();
    for number in 0..5 {
        waiting.push(gateway.client(&format!("/probe/{number}")).await);
    }
    failing.send_json(&json!({"do": "spin"})).await;
    until("it is in its call", || gateway.counters().calls.get() == 1).await;
    // Nobody could be answered under the limits that hold when this comes.
    for client in &mut waiting {
        client.send_json(&json!({"do": "count"})).await;
    }
    until("all are there", || gateway.counters().messages_received.get() == 6).await;
    put(&gateway, "probe.toml", &limits(1));
    assert_eq!(looked(&gateway, "probe").await.unwrap().state, State::Active);
    for client in &mut waiting {
        assert!(client.json().await["ok"].is_u64());
    }
    let counters = gateway.counters();
    assert_eq!((counters.calls_ended.get(), counters.unmatched.get()), (1, 0));
    assert_eq!(counters.swaps.of("adjusted"), 1);
    failing.ok(json!({"do": "count"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_limits_that_come_while_a_revision_fails_on_probation_lose_nothing() {
    // Before, while and after the change is made, which takes a look or two.
    for delay in (0..=800).step_by(160).map(Duration::from_millis) {
        let gateway = TestGateway::with().file("tally.wasm", &tally("first")).start().await;
        let mut client = gateway.client("/tally").await;
        say(&mut client, "x").await;
        assert!(swap(&gateway, "traps-on-demand").await.on_probation);
        put(&gateway, "tally.toml", b"[limits]\nsends = 2\n");
        let failing = async {
            tokio::time::sleep(delay).await;
            say(&mut client, "trap").await
        };
        let (answer, ()) = tokio::join!(failing, async { drop(looked(&gateway, "tally").await) });
        assert_eq!(answer, by("first", 2, 2), "{delay:?}");
        until("it is taken back", || gateway.counters().swaps.of("rolled-back") == 1).await;
        // What is good again has the limits that its sidecar says now.
        assert_eq!(swap(&gateway, "second").await.state, State::Active, "{delay:?}");
        assert_eq!(say(&mut client, "y").await, by("second", 3, 3), "{delay:?}");
        let sends = gateway.gateway().modules().modules()[0].context().limits.sends;
        assert_eq!(sends, 2, "{delay:?}");
    }
}

/// A gateway in the middle of a handover from one of these manners to the other, which takes as long
/// as it may; with a client whose message waits for it, and how many it has had answered.
async fn handing_over(from: &str, to: &str, time: &str) -> (TestGateway, Client, u64) {
    let gateway = TestGateway::with()
        .file("tally.wasm", &tally(from))
        .sidecar("tally", &format!("[limits]\nhandover_timeout = {time:?}\n"))
        .start()
        .await;
    let mut client = gateway.client("/tally").await;
    let mut answered = 0;
    put(&gateway, "tally.wasm", &tally(to));
    gateway.gateway().look_at_modules();
    loop {
        client.send("x").await;
        // Nobody else is there to make it wait.
        let waits = async {
            while status(&gateway, "tally").await.unwrap().queue == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            biased;
            answer = client.json() => assert_eq!(answer["by"], from),
            () = waits => return (gateway, client, answered),
        }
        answered += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_stops_in_the_middle_of_a_handover_stops_in_time() {
    for (from, to) in [("first", "import-loops"), ("export-loops", "second")] {
        let (gateway, mut client, answered) = handing_over(from, to, "60s").await;
        let began = Instant::now();
        assert!(gateway.stop().await, "{from}, {to}");
        assert!(began.elapsed() < Duration::from_secs(10), "{from}, {to}: {:?}", began.elapsed());
        // Nothing of the handover has happened: the message is answered by who served. One that was
        // in the middle of its own export begins anew, as after any trap.
        let answer = client.json().await;
        let yours = if from == "first" { answered + 1 } else { 1 };
        assert_eq!((&answer["by"], &answer["yours"]), (&json!(from), &json!(yours)), "{to}");
        assert_eq!(client.closed().await.0, 1001, "{from}, {to}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_whose_file_goes_in_the_middle_of_a_handover_answers_who_waits_and_then_ends() {
    let (gateway, mut client, answered) = handing_over("first", "import-loops", "2s").await;
    std::fs::remove_file(path(&gateway, "tally.wasm")).unwrap();
    // The old one goes on with its state, and then it is drained.
    let answer = client.json().await;
    assert_eq!((&answer["by"], &answer["yours"]), (&json!("first"), &json!(answered + 1)));
    assert!(looked(&gateway, "tally").await.is_none());
    let swaps = &gateway.counters().swaps;
    assert_eq!((swaps.of("refused"), swaps.of("removed"), swaps.of("swapped")), (1, 1, 0));
    client.send("nobody wants this").await;
    client.settle().await;
    assert_eq!(gateway.counters().unmatched.get(), 1);
    assert!(gateway.stop().await);
}
