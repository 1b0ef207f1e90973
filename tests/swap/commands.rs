//! What an operator can do: by the keeper, and by the command over the socket.

use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use sporegate::modules::{Asked, Refusal};

use super::*;
use crate::support::{Serving, sporegate, token_for};

#[tokio::test]
async fn a_rollback_goes_back_with_the_state_and_leaves_the_file_alone() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    say(&mut client, "x").await;
    let keeper = gateway.gateway().keeper().clone();
    let refused = keeper.change("tally", Asked::Rollback).await.unwrap_err();
    assert_eq!(refused, Refusal::NoFallback("tally".to_owned()));
    swap(&gateway, "second").await;
    say(&mut client, "x").await;
    keeper.change("tally", Asked::Rollback).await.unwrap();
    assert_eq!(say(&mut client, "x").await, by("first", 3, 3));
    let status = looked(&gateway, "tally").await.unwrap();
    assert!(matches!(status.state, State::RolledBack(_)), "{status:?}");
    // And forward again, by name: the file is still there.
    keeper.change("tally", Asked::Enable).await.unwrap();
    assert_eq!(say(&mut client, "x").await, by("second", 4, 4));
}

#[tokio::test]
async fn a_disabled_module_is_out_until_it_is_enabled() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    say(&mut client, "x").await;
    let keeper = gateway.gateway().keeper().clone();
    keeper.change("tally", Asked::Disable).await.unwrap();
    client.send("unheard").await;
    client.settle().await;
    put(&gateway, "tally.wasm", &tally("second"));
    assert_eq!(looked(&gateway, "tally").await.unwrap().state, State::Disabled);
    assert!(matches!(keeper.change("tally", Asked::Disable).await, Err(Refusal::State { .. })));
    keeper.change("tally", Asked::Enable).await.unwrap();
    assert_eq!(say(&mut client, "x").await, by("second", 1, 1));
    let unknown = keeper.change("nobody", Asked::Disable).await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no module `nobody`; known: tally");
}

#[tokio::test]
async fn what_cannot_be_done_is_answered_and_costs_nothing() {
    let gateway = setup().start().await;
    let keeper = gateway.gateway().keeper().clone();
    swap(&gateway, "second").await;
    keeper.change("tally", Asked::Disable).await.unwrap();
    assert!(keeper.change("tally", Asked::Rollback).await.is_err());
    assert!(status(&gateway, "tally").await.unwrap().can_roll_back);
    // Disabled is disabled, also if its file goes and comes back.
    std::fs::remove_file(path(&gateway, "tally.wasm")).unwrap();
    looked(&gateway, "tally").await;
    put(&gateway, "tally.wasm", &tally("third"));
    assert_eq!(looked(&gateway, "tally").await.unwrap().state, State::Disabled);
    // A link is refused by the look that is to load it.
    std::fs::remove_file(path(&gateway, "tally.wasm")).unwrap();
    std::os::unix::fs::symlink("nowhere", path(&gateway, "tally.wasm")).unwrap();
    let refused = keeper.change("tally", Asked::Enable).await.unwrap_err();
    assert!(refused.to_string().contains("symbolic link"), "{refused}");
}

#[tokio::test]
async fn a_gateway_that_stops_waits_for_no_judgement() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    swap(&gateway, "traps-when-gone").await;
    say(&mut client, "x").await;
    // The first failure of its probation comes while it stops.
    let began = std::time::Instant::now();
    assert!(gateway.stop().await);
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
}

pub(super) fn run(arguments: &[&str]) -> Output {
    sporegate().arg("modules").args(arguments).output().unwrap()
}

pub(super) fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn the_command_shows_modules_and_changes_them() {
    let setup = TestGateway::with().file("tally.wasm", &tally("first"));
    let modules = setup.modules();
    let socket = setup.directory().join("control.sock");
    let at = socket.to_str().unwrap().to_owned();
    let serving = Serving::start(setup, &["--control", &at]).await;
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    let listed = run(&["--control", &at]);
    let text = said(&listed);
    assert!(listed.status.success() && text.contains("tally") && text.contains("active"), "{text}");
    assert!(text.starts_with("MODULE"), "{text}");

    std::fs::write(modules.join("tally.wasm"), tally("second")).unwrap();
    assert!(said(&run(&["--control", &at, "reload"])).starts_with("tally: swapped, now "));
    let rows: Value =
        serde_json::from_str(&said(&run(&["--control", &at, "list", "--json"]))).unwrap();
    assert_eq!(rows[0]["state"], "active");
    assert_eq!(rows[0]["can_roll_back"], true);
    let second = rows[0]["revision"].clone();

    assert_eq!(said(&run(&["--control", &at, "rollback", "tally"])), "done\n");
    let rows: Value =
        serde_json::from_str(&said(&run(&["--control", &at, "list", "--json"]))).unwrap();
    assert_eq!(rows[0]["state"], "rolled-back");
    assert_ne!(rows[0]["revision"], second);

    std::fs::write(modules.join("tally.wasm"), b"broken").unwrap();
    run(&["--control", &at, "reload"]);
    let text = said(&run(&["--control", &at]));
    assert!(
        text.contains("rejected") && text.contains("because: not a WebAssembly file"),
        "{text}"
    );

    let unknown = run(&["--control", &at, "disable", "nobody"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(said(&unknown).contains("there is no module `nobody`; known: tally"));
    assert_eq!(said(&run(&["--control", &at, "disable", "tally"])), "done\n");
    assert!(said(&run(&["--control", &at])).contains("disabled"));
    drop(serving);
}

#[tokio::test]
async fn sighup_makes_the_gateway_look_at_its_modules() {
    let setup = TestGateway::with().file("tally.wasm", &tally("first"));
    let modules = setup.modules();
    let serving = Serving::start(setup, &[]).await;
    std::fs::write(modules.join("tally.wasm"), tally("second")).unwrap();
    serving.signal("HUP");
    serving.until_logged("module swapped").await;
}

#[test]
fn without_a_gateway_or_a_socket_the_command_says_what_is_missing() {
    let nowhere = run(&["--control", "/nonexistent/socket"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(said(&nowhere).contains("no gateway answers at /nonexistent/socket"));
    let unnamed = run(&[]);
    assert_eq!(unnamed.status.code(), Some(1));
    assert!(said(&unnamed).contains("name it with --control"), "{}", said(&unnamed));
}

#[tokio::test]
async fn what_was_swapped_out_leaves_the_memory() {
    const ROUNDS: u64 = 15;
    let setup = TestGateway::with()
        .set("keep_alive = false")
        .table("[limits]\nping_interval = \"5m\"")
        .file("tally.wasm", &tally("first"));
    let modules = setup.modules();
    let at = setup.directory().join("control.sock").to_str().unwrap().to_owned();
    let serving = Serving::start(setup, &["--control", &at]).await;
    // One that knows the routes of the first revision, and asks for no others.
    let url = format!("{}/tally", serving.url());
    let mut idle =
        Client::connect(&url, Some(&token_for("alice", &[], std::time::Duration::from_secs(600))))
            .await
            .unwrap();
    idle.greeting().await;
    say(&mut idle, "x").await;
    let swaps = |rounds: std::ops::Range<u64>| {
        for number in rounds {
            std::fs::write(modules.join("tally.wasm"), tally(&format!("round-{number}"))).unwrap();
            assert!(run(&["--control", &at, "reload"]).status.success());
        }
        serving.resident_kib()
    };
    let before = swaps(0..5);
    let after = swaps(5..5 + ROUNDS);
    // The code of a revision alone is more than that.
    assert!(after < before + ROUNDS * 100, "{before} KiB became {after}");
    assert_eq!(say(&mut idle, "x").await.1, 2);
}
