//! New revisions that are no good: what served goes on, with its state.

use super::*;

async fn goes_on_after(manner: &str, because: &str) {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    say(&mut client, "x").await;
    let status = swap(&gateway, manner).await;
    let reason = rejected(&status);
    assert!(reason.contains(because), "{manner}: {reason}");
    assert_eq!(say(&mut client, "x").await, by("first", 2, 2), "{manner}");
    // What was refused is not tried again until it changes.
    let refused = gateway.counters().swaps.of("refused");
    assert_eq!((refused, gateway.counters().swaps.of("swapped")), (1, 0));
    looked(&gateway, "tally").await;
    assert_eq!(gateway.counters().swaps.of("refused"), 1);
    assert_eq!(swap(&gateway, "second").await.state, State::Active);
    assert_eq!(say(&mut client, "x").await, by("second", 3, 3), "{manner}");
}

#[tokio::test]
async fn one_whose_start_fails_is_refused() {
    goes_on_after("start-fails", "told to fail at the start").await;
}

#[tokio::test]
async fn one_that_traps_in_start_is_refused() {
    goes_on_after("start-traps", "start").await;
}

#[tokio::test]
async fn one_that_does_not_take_the_state_is_refused() {
    goes_on_after("import-fails", "told not to import").await;
}

#[tokio::test]
async fn one_that_traps_on_the_state_is_refused() {
    goes_on_after("import-traps", "import-state of the new revision").await;
}

#[tokio::test]
async fn one_that_loops_on_the_state_is_refused_in_time() {
    goes_on_after("import-loops", "import-state of the new revision: ").await;
}

#[tokio::test]
async fn one_that_never_ends_its_start_is_refused_in_time() {
    let gateway = setup().sidecar("tally", "[limits]\nstart_timeout = \"200ms\"\n").start().await;
    let mut client = gateway.client("/tally").await;
    let reason = rejected(&swap(&gateway, "start-loops").await);
    assert!(reason.starts_with("start: "), "{reason}");
    assert_eq!(say(&mut client, "x").await, by("first", 1, 1));
}

#[tokio::test]
async fn what_is_no_module_is_refused_and_what_served_goes_on() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    let whole = tally("second");
    for bytes in [&b"not wasm"[..], &[], &whole[..whole.len() / 2]] {
        put(&gateway, "tally.wasm", bytes);
        rejected(&looked(&gateway, "tally").await.unwrap());
        assert_eq!(say(&mut client, "x").await.0, "first");
    }
    put(&gateway, "tally.wasm", &whole);
    looked(&gateway, "tally").await;
    assert_eq!(say(&mut client, "x").await.0, "second");
}

#[tokio::test]
async fn a_revision_that_does_not_let_go_of_its_state_goes_on() {
    for (manner, because) in [("export-fails", "told not to export")] {
        let gateway = setup().file("tally.wasm", &tally(manner)).start().await;
        let mut client = gateway.client("/tally").await;
        say(&mut client, "x").await;
        let reason = rejected(&swap(&gateway, "second").await);
        assert!(reason.contains(because), "{reason}");
        assert_eq!(say(&mut client, "x").await, by(manner, 2, 2));
    }
}

#[tokio::test]
async fn a_revision_whose_export_traps_or_loops_loses_its_state_as_after_any_trap_and_goes_on() {
    for (manner, because) in [("export-traps", "trap"), ("export-loops", "100")] {
        let gateway = setup()
            .file("tally.wasm", &tally(manner))
            .sidecar("tally", "[limits]\nhandover_timeout = \"100ms\"\n")
            .start()
            .await;
        let mut client = gateway.client("/tally").await;
        say(&mut client, "x").await;
        let reason = rejected(&swap(&gateway, "second").await);
        assert!(reason.contains(because), "{manner}: {reason}");
        assert_eq!(say(&mut client, "x").await, by(manner, 1, 1));
    }
}

#[tokio::test]
async fn one_that_traps_on_probation_is_taken_back_and_its_message_is_answered() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    say(&mut client, "x").await;
    assert_eq!(swap(&gateway, "traps").await.state, State::Active);
    assert_eq!(say(&mut client, "y").await, by("first", 2, 2));
    let status = looked(&gateway, "tally").await.unwrap();
    assert!(matches!(&status.state, State::RolledBack(why) if why.contains("trap")), "{status:?}");
    assert_eq!(gateway.counters().swaps.of("rolled-back"), 1);
    assert_eq!(say(&mut client, "z").await, by("first", 3, 3));
}

#[tokio::test]
async fn what_was_flushed_before_a_trap_on_probation_is_not_said_twice() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    swap(&gateway, "flushes-and-traps").await;
    assert_eq!(client.ask_text("x").await, json!("flushed"));
    assert_eq!(say(&mut client, "y").await, by("first", 1, 1));
}

#[tokio::test]
async fn a_trap_after_probation_is_a_trap_like_any_other() {
    let gateway = setup().sidecar("tally", "[run]\nprobation_calls = 3\n").start().await;
    let mut client = gateway.client("/tally").await;
    assert!(swap(&gateway, "traps-later").await.on_probation);
    for count in 1..=5 {
        assert_eq!(say(&mut client, "x").await, by("traps-later", count, count));
    }
    assert!(!status(&gateway, "tally").await.unwrap().on_probation);
    client.send("lost").await;
    client.settle().await;
    assert_eq!(say(&mut client, "x").await, by("traps-later", 1, 1));
    assert_eq!(gateway.counters().swaps.of("rolled-back"), 0);
}
