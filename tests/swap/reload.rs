//! What whoever asks for a look at the directory is told.

use std::time::{Duration, Instant};

use sporegate::modules::Upshot;

use super::commands::{run, said};
use super::*;
use crate::support::Serving;

fn results(upshots: &[Upshot]) -> Vec<(&str, &str, bool)> {
    upshots.iter().map(|it| (it.module.as_str(), it.result.as_str(), it.failed)).collect()
}

async fn reload(gateway: &TestGateway) -> Vec<Upshot> {
    gateway.gateway().keeper().reload().await.unwrap()
}

#[tokio::test]
async fn the_command_says_what_came_of_each_module_and_fails_if_one_was_refused() {
    let setup = TestGateway::with().file("tally.wasm", &tally("first")).module("echo", "echo");
    let modules = setup.modules();
    let at = setup.directory().join("control.sock").to_str().unwrap().to_owned();
    let _serving = Serving::start(setup, &["--control", &at]).await;
    let put = |name: &str, bytes: &[u8]| std::fs::write(modules.join(name), bytes).unwrap();
    let reload = || {
        let output = run(&["--control", &at, "reload"]);
        (output.status.code(), said(&output))
    };
    assert_eq!(reload(), (Some(0), "nothing has changed\n".to_owned()));

    put("tally.wasm", &tally("second"));
    put("echo.wasm", &guest("echo"));
    put("late.wasm", &guest("echo"));
    let (code, text) = reload();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((code, lines.len()), (Some(0), 3), "{text}");
    assert_eq!(lines[0], "echo: unchanged");
    assert!(lines[1].starts_with("late: loaded, now "), "{text}");
    assert!(lines[2].starts_with("tally: swapped, now "), "{text}");
    let revision = lines[2].rsplit(' ').next().unwrap();
    assert!(said(&run(&["--control", &at])).contains(revision), "{text}");

    put("tally.wasm", b"broken");
    put("echo.toml", b"[limits]\nsends = 7\n");
    std::fs::remove_file(modules.join("late.wasm")).unwrap();
    let (code, text) = reload();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((code, lines.len()), (Some(1), 3), "{text}");
    assert_eq!(lines[..2], ["echo: adjusted", "late: removed"], "{text}");
    assert!(lines[2].starts_with("tally: refused: not a WebAssembly file"), "{text}");

    // It is still so, whoever has looked before.
    let (code, text) = reload();
    assert_eq!(code, Some(1));
    assert!(text.starts_with("tally: rejected: not a WebAssembly file"), "{text}");
    put("tally.wasm", &tally("second"));
    assert_eq!(reload(), (Some(0), "tally: unchanged\n".to_owned()));
}

#[tokio::test]
async fn what_a_watching_gateway_has_refused_already_is_told_too() {
    let gateway = setup().start().await;
    put(&gateway, "tally.wasm", b"broken");
    crate::support::until("refused", || gateway.counters().swaps.of("refused") == 1).await;
    assert_eq!(results(&reload(&gateway).await), [("tally", "rejected", true)]);
    std::fs::remove_file(path(&gateway, "tally.wasm")).unwrap();
    std::os::unix::fs::symlink("nowhere", path(&gateway, "tally.wasm")).unwrap();
    let upshots = reload(&gateway).await;
    let reason = upshots[0].reason.as_deref().unwrap();
    assert!(upshots[0].failed && reason.contains("symbolic link"), "{upshots:?}");
}

#[tokio::test]
async fn one_that_was_rolled_back_is_told_and_is_no_failure_of_this_look() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    swap(&gateway, "traps").await;
    say(&mut client, "x").await;
    assert_eq!(results(&reload(&gateway).await), [("tally", "rolled-back", false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_never_keeps_still_is_named_and_holds_up_nobody_else() {
    let gateway = setup().module("echo", "echo").start().await;
    let mut client = gateway.client("/tally").await;
    for (file, bytes) in [("tally.toml", &b"[limits]\nsends = 7\n"[..]), ("tally.wasm", b"part")] {
        put(
            &gateway,
            "echo.toml",
            format!("[limits]\nsends = {}\n", file.len() + bytes.len()).as_bytes(),
        );
        let restless = path(&gateway, file);
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let bytes = bytes.to_owned();
        let writing = std::thread::spawn(move || {
            while stopped.recv_timeout(Duration::from_millis(20)).is_err() {
                std::fs::write(&restless, &bytes).unwrap();
            }
        });
        let began = Instant::now();
        let upshots = reload(&gateway).await;
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
        assert_eq!(
            results(&upshots),
            [("echo", "adjusted", false), ("tally", "restless", true)],
            "{upshots:?}"
        );
        let reason = upshots[1].reason.as_deref().unwrap();
        assert!(reason.starts_with(&format!("{file} does not keep still")), "{reason}");
        say(&mut client, "x").await;
        stop.send(()).unwrap();
        writing.join().unwrap();
        // Then it is read as any other.
        let upshots = reload(&gateway).await;
        assert!(matches!(upshots[0].result.as_str(), "adjusted" | "refused"), "{upshots:?}");
    }
}

#[tokio::test]
async fn a_directory_that_cannot_be_looked_at_is_told_and_what_serves_goes_on() {
    let gateway = setup().start().await;
    let mut client = gateway.client("/tally").await;
    let away = gateway.directory().join("away");
    std::fs::rename(gateway.directory().join("modules"), away).unwrap();
    let refusal = gateway.gateway().keeper().reload().await.unwrap_err().to_string();
    assert!(refusal.contains("what serves goes on"), "{refusal}");
    say(&mut client, "x").await;
}
