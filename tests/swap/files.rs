//! What a change of the module directory comes to.

use std::io::Write;

use super::*;
use crate::support::until;

async fn until_state(gateway: &TestGateway, name: &str, state: Option<State>) {
    for _ in 0..2_000 {
        if status(gateway, name).await.map(|status| status.state) == state {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{name} never was {state:?}, but {:?}", status(gateway, name).await);
}

#[tokio::test]
async fn a_watched_directory_is_followed_without_being_asked() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    put(&gateway, "tally.wasm", &tally("second"));
    until("swapped", || gateway.counters().swaps.of("swapped") == 1).await;
    assert_eq!(say(&mut client, "x").await.0, "second");
}

#[tokio::test]
async fn a_directory_that_is_not_watched_is_left_alone_until_somebody_asks() {
    let gateway = TestGateway::with().file("tally.wasm", &tally("first")).start().await;
    let mut client = gateway.client("/tally").await;
    put(&gateway, "tally.wasm", &tally("second"));
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    assert_eq!(say(&mut client, "x").await.0, "first");
    looked(&gateway, "tally").await;
    assert_eq!(say(&mut client, "x").await.0, "second");
}

#[tokio::test]
async fn a_new_file_is_loaded_and_a_removed_one_drained() {
    let gateway = setup().start().await;
    let mut early = gateway.client("/late").await;
    put(&gateway, "late.wasm", &guest("echo"));
    assert_eq!(looked(&gateway, "late").await.unwrap().state, State::Active);
    early.echo("now it listens").await;
    std::fs::remove_file(path(&gateway, "late.wasm")).unwrap();
    assert!(looked(&gateway, "late").await.is_none());
    early.send("nobody wants this").await;
    early.settle().await;
    assert_eq!(gateway.counters().unmatched.get(), 1);
    // The others go on, and all may go.
    std::fs::remove_file(path(&gateway, "tally.wasm")).unwrap();
    assert!(looked(&gateway, "tally").await.is_none());
    assert!(gateway.gateway().modules().modules().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_line_when_a_module_is_removed_is_answered() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .sidecar("probe", "[limits]\ncpu = \"10s\"\ntimeout = \"10s\"\n")
        .start()
        .await;
    let mut busy = gateway.client("/probe/busy").await;
    let mut waiting = Vec::new();
    for number in 0..5 {
        waiting.push(gateway.client(&format!("/probe/{number}")).await);
    }
    busy.send_json(&json!({"do": "busy", "count": 30_000_000})).await;
    until("it is busy", || gateway.counters().calls.get() == 1).await;
    for client in &mut waiting {
        client.send_json(&json!({"do": "count"})).await;
    }
    until("all are there", || gateway.counters().messages_received.get() == 6).await;
    std::fs::remove_file(path(&gateway, "probe.wasm")).unwrap();
    assert!(looked(&gateway, "probe").await.is_none());
    assert!(busy.json().await["ok"].is_u64());
    for client in &mut waiting {
        assert_eq!(client.json().await["ok"], 6);
    }
    assert_eq!(gateway.counters().unmatched.get(), 0);
}

#[tokio::test]
async fn a_file_that_is_written_slowly_is_never_loaded_in_part() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    let whole = tally("second");
    let mut file = std::fs::File::create(path(&gateway, "tally.wasm")).unwrap();
    for part in whole.chunks(whole.len().div_ceil(20)) {
        file.write_all(part).unwrap();
        file.flush().unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
        assert!(["first", "second"].contains(&say(&mut client, "x").await.0.as_str()));
    }
    drop(file);
    until_state(&gateway, "tally", Some(State::Active)).await;
    looked(&gateway, "tally").await;
    assert_eq!(say(&mut client, "x").await.0, "second");
    // While it was written it kept moving, so that no part of it was ever tried.
    assert_eq!(gateway.counters().swaps.of("refused"), 0);
}

#[tokio::test]
async fn a_storm_of_changes_comes_to_few_swaps_and_ends_with_the_last() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    for number in 0..60 {
        put(&gateway, "tally.wasm", &tally(&format!("storm-{number}")));
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        say(&mut client, "x").await;
    }
    looked(&gateway, "tally").await;
    assert_eq!(say(&mut client, "x").await, by("storm-59", 61, 61));
    let swaps = gateway.counters().swaps.of("swapped");
    assert!((1..=6).contains(&swaps), "{swaps} swaps");
}

#[tokio::test]
async fn a_file_that_is_touched_or_written_again_is_no_swap() {
    let gateway = setup().start().await;
    put(&gateway, "tally.wasm", &tally("first"));
    assert_eq!(looked(&gateway, "tally").await.unwrap().state, State::Active);
    let swaps = &gateway.counters().swaps;
    assert_eq!((swaps.of("unchanged"), swaps.of("swapped")), (1, 0));
}

#[tokio::test]
async fn other_limits_take_effect_on_the_instances_that_run() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    assert_eq!(say(&mut client, "x").await, by("first", 1, 1));
    put(&gateway, "tally.toml", b"[limits]\nsends = 0\n");
    assert_eq!(looked(&gateway, "tally").await.unwrap().state, State::Active);
    assert_eq!(gateway.counters().swaps.of("adjusted"), 1);
    client.send("no answer").await;
    client.settle().await;
    put(&gateway, "tally.toml", b"[limits]\nsends = 1\n");
    looked(&gateway, "tally").await;
    // The same memory: also the call that was refused had counted in it.
    assert_eq!(say(&mut client, "x").await, by("first", 3, 3));
}

#[tokio::test]
async fn a_wrong_sidecar_is_refused_and_what_served_goes_on() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    put(&gateway, "tally.toml", b"[limits]\ncpus = \"1s\"\n");
    let reason = rejected(&looked(&gateway, "tally").await.unwrap());
    assert!(reason.contains("did you mean `cpu`?"), "{reason}");
    assert_eq!(say(&mut client, "x").await, by("first", 1, 1));
    std::fs::remove_file(path(&gateway, "tally.toml")).unwrap();
    assert_eq!(looked(&gateway, "tally").await.unwrap().state, State::Active);
}

#[tokio::test]
async fn other_paths_in_the_sidecar_are_a_swap_with_the_state() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    let mut other = gateway.client("/other").await;
    say(&mut client, "x").await;
    put(&gateway, "tally.toml", b"paths = [\"/tally\", \"/other\"]\n");
    looked(&gateway, "tally").await;
    assert_eq!(say(&mut other, "x").await, by("first", 1, 2));
    assert_eq!(say(&mut client, "x").await, by("first", 2, 3));
}

#[tokio::test]
async fn a_link_in_the_place_of_a_module_is_refused_and_what_served_goes_on() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    let target = gateway.directory().join("outside.wasm");
    std::fs::write(&target, tally("second")).unwrap();
    std::fs::remove_file(path(&gateway, "tally.wasm")).unwrap();
    std::os::unix::fs::symlink(&target, path(&gateway, "tally.wasm")).unwrap();
    let reason = rejected(&looked(&gateway, "tally").await.unwrap());
    assert!(reason.contains("symbolic link"), "{reason}");
    assert_eq!(say(&mut client, "x").await, by("first", 1, 1));
}

#[tokio::test]
async fn a_file_that_is_cut_off_where_its_state_begins_is_refused() {
    let gateway = setup().set("keep_alive = false").start().await;
    let mut client = gateway.client("/tally").await;
    say(&mut client, "x").await;
    let whole = tally("second");
    // From the end on: at some of these places a component ends that is valid, and takes no state.
    for cut in [1, 49, 2_859, 2_905, 3_275, 3_290, 40_000] {
        put(&gateway, "tally.wasm", &whole[..whole.len() - cut]);
        let status = looked(&gateway, "tally").await.unwrap();
        let (by, yours, _) = say(&mut client, "x").await;
        assert!(yours > 1, "{cut}: {by} has lost the state, {status:?}");
    }
}

#[tokio::test]
async fn a_revision_without_state_needs_leave_to_follow_on_one_with_some() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    say(&mut client, "x").await;
    put(&gateway, "tally.wasm", &guest("echo"));
    let reason = rejected(&looked(&gateway, "tally").await.unwrap());
    assert!(reason.contains("run.drop_state = true"), "{reason}");
    assert_eq!(say(&mut client, "x").await, by("first", 2, 2));
    put(&gateway, "tally.toml", b"[run]\ndrop_state = true\n");
    assert_eq!(looked(&gateway, "tally").await.unwrap().state, State::Active);
    client.echo("anew").await;
}

#[tokio::test]
async fn precompiled_code_beside_a_module_changes_nothing() {
    let gateway = setup().file("tally.cwasm", b"machine code").start().await;
    let mut client = gateway.client("/tally").await;
    for _ in 0..3 {
        assert_eq!(looked(&gateway, "tally").await.unwrap().state, State::Active);
    }
    assert_eq!(gateway.counters().swaps.get(), 0);
    say(&mut client, "x").await;
    std::fs::remove_file(path(&gateway, "tally.wasm")).unwrap();
    assert!(looked(&gateway, "tally").await.is_none());
}

#[tokio::test]
async fn other_limits_reach_what_serves_though_the_file_beside_them_has_failed() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    say(&mut client, "x").await;
    swap(&gateway, "traps").await;
    assert_eq!(say(&mut client, "y").await, by("first", 2, 2));
    put(&gateway, "tally.toml", b"[limits]\nsends = 0\n");
    let status = looked(&gateway, "tally").await.unwrap();
    assert!(matches!(&status.state, State::RolledBack(why) if why.contains("trap")), "{status:?}");
    client.send("no answer").await;
    client.settle().await;
    std::fs::remove_file(path(&gateway, "tally.toml")).unwrap();
    looked(&gateway, "tally").await;
    // The same memory, in which the call that was refused had counted.
    assert_eq!(say(&mut client, "z").await, by("first", 4, 4));
    let swaps = &gateway.counters().swaps;
    assert_eq!((swaps.of("adjusted"), swaps.of("swapped"), swaps.of("rolled-back")), (2, 1, 1));
}

#[tokio::test]
async fn other_limits_reach_what_serves_and_the_file_that_was_refused_is_tried_with_them() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    rejected(&swap(&gateway, "start-fails").await);
    put(&gateway, "tally.toml", b"[limits]\nsends = 0\n");
    let reason = rejected(&looked(&gateway, "tally").await.unwrap());
    assert!(reason.contains("told to fail"), "{reason}");
    client.send("no answer").await;
    client.settle().await;
    let swaps = &gateway.counters().swaps;
    assert_eq!((swaps.of("adjusted"), swaps.of("refused")), (1, 2));
}

#[tokio::test]
async fn other_limits_do_not_end_probation() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    say(&mut client, "x").await;
    swap(&gateway, "traps").await;
    put(&gateway, "tally.toml", b"[limits]\ncpu = \"40ms\"\n");
    assert!(looked(&gateway, "tally").await.unwrap().on_probation);
    assert_eq!(say(&mut client, "y").await, by("first", 2, 2));
    // What has failed is not tried again because of a setting.
    put(&gateway, "tally.toml", b"[limits]\ncpu = \"30ms\"\n");
    looked(&gateway, "tally").await;
    assert_eq!(say(&mut client, "z").await, by("first", 3, 3));
    let traps = gateway.gateway().modules().modules()[0].counters().failures.of("trap");
    assert_eq!((traps, gateway.counters().swaps.of("rolled-back")), (1, 1));
}
