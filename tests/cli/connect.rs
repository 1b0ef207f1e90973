//! `sporegate connect`: what it sends, what it prints, and how it ends.

use serde_json::json;

use super::program::{Ended, Program, run};
use crate::support::{PATIENCE, TestGateway};

/// `connect` as alice to a sub path, with this input.
async fn connect(gateway: &TestGateway, path: &str, input: &str) -> Ended {
    program(gateway, path).run(input).await
}

fn program(gateway: &TestGateway, path: &str) -> Program {
    let url = format!("{}{path}", gateway.url());
    let program = Program::new(["connect", &url, "--linger", "300ms"]);
    program.variable("SPOREGATE_TOKEN", &gateway.token("alice", &[]))
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_sent_messages_are_printed_and_the_end_is_told() {
    let gateway = TestGateway::with().set("greeting = false").module("echo", "echo").start().await;
    let ended =
        connect(&gateway, "/echo", "hello\n\u{fc}n\u{ef}\n\nlast, without a line end").await;
    assert_eq!(ended.ok(), "hello\n\u{fc}n\u{ef}\n\nlast, without a line end\n");
    assert_eq!(ended.err, "closed: 1000\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn far_more_than_all_queues_hold_comes_back_whole() {
    let gateway = TestGateway::with().set("greeting = false").module("echo", "echo").start().await;
    let input: String = (0..20_000).map(|n| format!("{n} {}\n", "x".repeat(500))).collect();
    let ended = connect(&gateway, "/echo", &input).await;
    assert!(ended.ok() == input, "{} of {} bytes came back", ended.out.len(), input.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_message_is_printed_in_hexadecimal() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let command = json!({"do": "send", "binary": [0, 159, 255]});
    let ended = connect(&gateway, "/probe", &format!("{command}\n")).await;
    assert!(ended.ok().contains("\nbinary 3 bytes: 00 9f ff\n"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_of_the_other_side_is_told_and_only_1000_is_success() {
    let gateway = TestGateway::serving(&["probe"]).await;
    for (code, reason, exit) in [(1000, "that was all", 0), (4900, "I do not like you", 1)] {
        let command = json!({"do": "close", "code": code, "reason": reason});
        // The input goes on: it is the other side that ends this.
        let mut running = program(&gateway, "/probe").start();
        running.type_line(&command.to_string()).await;
        running.line().await;
        running.line().await;
        let ended = running.ended_by_itself().await;
        assert_eq!(ended.code, Some(exit), "{ended:?}");
        assert_eq!(ended.err, format!("closed: {code} {reason}\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_stops_ends_it_with_1001() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let mut running = program(&gateway, "/echo").start();
    assert!(running.line().await.contains("setClientId"));
    running.type_line("hello").await;
    assert_eq!(running.line().await, "hello");
    assert!(gateway.stop().await);
    let ended = running.ended_by_itself().await;
    assert_eq!((ended.code, ended.err.starts_with("closed: 1001 ")), (Some(1), true), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_1006() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let mut running = Program::new(["connect", &url]).start();
    let (stream, _) = listener.accept().await.unwrap();
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    futures_util::SinkExt::send(&mut socket, "so far".into()).await.unwrap();
    assert_eq!(running.line().await, "so far");
    drop(socket);
    let ended = running.ended_by_itself().await;
    assert_eq!((ended.code, &*ended.err), (Some(1), "closed: 1006 connection lost\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reason_of_a_close_is_one_line_and_tells_the_terminal_nothing() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let mut running = program(&gateway, "/probe").start();
    assert!(running.line().await.contains("setClientId"));
    let close = json!({"do": "close", "code": 4900, "reason": "bye\nerror: \u{1b}[2Jforged"});
    running.type_line(&close.to_string()).await;
    let ended = running.ended_by_itself().await;
    let told = "closed: 4900 bye\\nerror: \\u{1b}[2Jforged\n";
    assert_eq!((ended.code, &*ended.err), (Some(1), told), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_messages_of_others_are_escaped_and_elsewhere_they_are_as_they_came() {
    let gateway = TestGateway::with().set("greeting = false").module("echo", "echo").start().await;
    let said = "\u{1b}]0;forged\u{7}\u{1b}[2Jred \u{9b}31m\ttab";
    let ended = connect(&gateway, "/echo", said).await;
    assert_eq!(ended.ok(), format!("{said}\n"));
    // `script` runs it on a terminal of its own, and prints what that shows.
    let url = format!("{}/echo", gateway.url());
    let program = env!("CARGO_BIN_EXE_sporegate");
    let command = format!("printf '%s\\n' \"$SAID\" | {program} connect {url} --linger 300ms");
    let output = tokio::process::Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env("SPOREGATE_TOKEN", gateway.token("alice", &[]))
        .env("SAID", said)
        .stdin(std::process::Stdio::null())
        .output();
    let output = tokio::time::timeout(PATIENCE, output).await.expect("it does not end").unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let escaped = "\\u{1b}]0;forged\\u{7}\\u{1b}[2Jred \\u{9b}31m\ttab";
    assert!(shown.contains(escaped), "{shown:?}");
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{9b}'), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_with_its_status() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let url = gateway.url();
    let echo = format!("{url}/echo");
    run(["connect", &echo]).await.failed(1, &["refused with 401: credentials", "--token"]);
    let guess = ["connect", &echo, "--token", "guess"];
    run(guess).await.failed(1, &["refused with 401: "]);
    let elsewhere = echo.replace("/websocket", "");
    let ended = Program::new(["connect", &elsewhere, "--token", &gateway.token("a", &[])]);
    ended.run("").await.failed(1, &["refused with 404: ", "/websocket"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_connected_to_is_told() {
    // Taken, so that no other test gets it, and nobody listens there.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nobody = format!("ws://{}/websocket", taken.local_addr().unwrap());
    run(["connect", &nobody])
        .await
        .failed(1, &["cannot connect to ws://", "is the gateway running"]);
    for url in ["foo", "http://127.0.0.1/", "ws://", "wss://127.0.0.1/"] {
        run(["connect", url]).await.failed(2, &["ws://"]);
    }
    run(["connect", &nobody, "--token", "a b\n"]).await.failed(2, &["token"]);
}
