//! `sporegate serve` and `sporegate check`: addresses, signals, logs, and what a check covers.

use serde_json::Value;
use tokio::net::TcpStream;

use super::program::{Ended, Program, run};
use crate::support::{Client, Handshake, RawClient, Setup, TestGateway, raw_request, token};

/// `serve` or `check` with the settings of a test.
fn command(name: &str, setup: &Setup) -> Program {
    flags(name, setup, &[])
}

/// The same with more flags.
fn flags(name: &str, setup: &Setup, more: &[&str]) -> Program {
    let file = setup.write().display().to_string();
    let modules = setup.modules().display().to_string();
    let args = [name, "--config", &file, "--modules", &modules];
    Program::new(args.iter().chain(more))
}

fn echo() -> Setup {
    TestGateway::with().module("echo", "echo")
}

async fn client(url: &str, path: &str) -> Client {
    let mut client = Client::connect(&format!("{url}{path}"), Some(&token("alice", &[]))).await;
    client.as_mut().unwrap().greeting().await;
    client.unwrap()
}

async fn connected(url: &str) -> TcpStream {
    TcpStream::connect(url.split('/').nth(2).unwrap()).await.unwrap()
}

/// The log, each line as JSON.
fn log(ended: &Ended) -> Vec<Value> {
    let line = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line:?}: {e}"));
    ended.err.lines().map(line).collect()
}

fn said(log: &[Value], message: &str) -> Value {
    let line = log.iter().find(|line| line["message"] == message);
    line.unwrap_or_else(|| panic!("{message:?} is not in {log:?}")).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn port_0_prints_the_address_in_use_and_a_signal_stops_with_0() {
    for signal in ["TERM", "INT"] {
        let setup = echo();
        let mut serving = command("serve", &setup).start();
        let url = serving.url().await;
        assert!(url.starts_with("ws://127.0.0.1:") && url.ends_with("/websocket"), "{url}");
        assert!(!url.contains(":0/"), "{url}");
        let mut client = client(&url, "/echo").await;
        client.echo("hello").await;
        serving.signal(signal);
        assert_eq!(client.closed().await.0, 1001);
        let ended = serving.ended().await;
        assert_eq!(ended.ok(), "");
        assert_eq!(said(&log(&ended), "stopping")["signal"], format!("SIG{signal}"));
        assert_eq!(said(&log(&ended), "stopped")["accepted"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_does_not_wait_for_clients() {
    let setup = echo().table("[limits]\nclose_timeout = \"10m\"\n[shutdown]\ntimeout = \"1h\"");
    let mut serving = command("serve", &setup).start();
    let url = serving.url().await;
    let handshake = Handshake::new("/websocket/echo").bearer(&token("alice", &[]));
    let mut silent = RawClient::open(connected(&url).await, &handshake.bytes()).await;
    assert_eq!(silent.json().await["type"], "setClientId");
    serving.signal("TERM");
    assert_eq!(silent.close_code().await, 1001);
    serving.signal("TERM");
    let ended = serving.ended().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    said(&log(&ended), "stopping at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_json_lines_or_text_as_asked_for() {
    let setup = echo();
    for (format, is_json) in [("json", true), ("auto", true), ("text", false)] {
        let mut serving = flags("serve", &setup, &["--log-format", format]).start();
        serving.url().await;
        serving.signal("TERM");
        let ended = serving.ended().await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        if is_json {
            let started = said(&log(&ended), "module started");
            assert_eq!((&started["module"], &started["level"]), (&"echo".into(), &"INFO".into()));
        } else {
            assert!(
                ended.err.contains("INFO") && ended.err.contains("module=\"echo\""),
                "{ended:?}"
            );
            assert!(!ended.err.contains('\u{1b}'), "colours where no terminal is: {ended:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_win_over_variables_and_those_over_the_file() {
    let setup = echo().set("path = \"/of/file\"\nmax_connections = 7");
    let command = flags("serve", &setup, &["--path", "/of/flag", "--test-page"]);
    let command = command.variable("SPOREGATE_PATH", "/of/variable");
    // The token of `sporegate connect` is no setting.
    let mut serving = command.variable("SPOREGATE_TOKEN", "x").start();
    let url = serving.url().await;
    assert!(url.ends_with("/of/flag"), "{url}");
    let page = serving.line().await;
    let path = page.strip_prefix("test page at ").unwrap().splitn(4, '/').nth(3).unwrap();
    assert_eq!(path, "of/flag/test");
    let address = url.split('/').nth(2).unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    assert_eq!(raw_request(address.parse().unwrap(), request.as_bytes()).await.status, 200);
    serving.signal("TERM");
    assert_eq!(serving.ended().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_module_is_named_and_the_others_serve() {
    let setup = echo().file("broken.wasm", b"\0asm\x0d\0\x01\0 and no more");
    let mut serving = command("serve", &setup).start();
    let url = serving.url().await;
    let mut client = client(&url, "/echo").await;
    client.echo("still here").await;
    client.close().await;
    serving.signal("TERM");
    let ended = serving.ended().await;
    ended.ok();
    let log = log(&ended);
    let refused = log.iter().find(|line| line["level"] == "ERROR").unwrap();
    assert!(refused["file"].as_str().unwrap().ends_with("broken.wasm"), "{refused}");
    assert!(refused["message"].as_str().unwrap().starts_with("module refused: "), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_covers_all_and_serves_nothing() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let setup = echo().module("chat", "chat");
    let checked = flags("check", &setup, &["--listen", &address]).run("").await;
    assert_eq!(
        checked.ok(),
        "ok: module chat: paths /chat/*\nok: module echo: paths /echo/*\nok: configuration; modules: 2\n"
    );
    assert_eq!(checked.err.lines().filter(|line| line.contains("ERROR")).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_an_empty_directory_warns_that_nobody_can_connect() {
    let directory = tempfile::tempdir().unwrap();
    let checked = run(["check", "--modules", &directory.path().to_string_lossy()]).await;
    assert!(checked.ok().starts_with("warning: nobody can connect: "), "{checked:?}");
    assert!(checked.out.ends_with("ok: configuration; modules: 0\n"), "{checked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compile_cache_that_others_can_reach_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let cache = directory.path().display().to_string();
    let setup = echo().table(&format!("[sandbox]\ncache = {cache:?}\n"));
    for name in ["serve", "check"] {
        let refused = command(name, &setup).run("").await;
        refused.failed(1, &[&cache, "other users can reach it", "chmod 700", "sandbox.cache"]);
    }
    assert_eq!(directory.path().metadata().unwrap().permissions().mode() & 0o777, 0o755);
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o700)).unwrap();
    command("check", &setup).run("").await.ok();
}
