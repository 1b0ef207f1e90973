//! `sporegate demo`: what it prints can be opened and typed as it stands.

use std::path::Path;

use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::program::{Program, run};
use crate::support::{Client, PATIENCE, raw_request};

#[tokio::test(flavor = "multi_thread")]
async fn what_the_demo_prints_works_as_it_is_printed_and_nothing_of_it_stays() {
    let mut demo = Program::new(["demo", "--listen", "127.0.0.1:0"]).start();
    let url = demo.url().await;
    let lines = demo.lines_until("Stop with Ctrl-C.").await;
    let find = |what: &str| lines.iter().map(|line| line.trim()).find(|line| line.contains(what));

    let page = find("/test#").unwrap();
    let address = url.split('/').nth(2).unwrap().parse().unwrap();
    let (page, fragment) = page.split_once('#').unwrap();
    let path = page.splitn(4, '/').nth(3).unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let answer = raw_request(address, request.as_bytes()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").unwrap().starts_with("text/html"), "{answer:?}");

    let typed = shell(find(" connect ").unwrap(), "{\"type\":\"who\"}\n").await;
    assert!(typed.contains("{\"type\":\"present\",\"who\":[\"bob\"]}\n"), "{typed}");

    let token = fragment.split("token=").nth(1).unwrap();
    assert!(fragment.starts_with("path=/chat/lobby&"), "{fragment}");
    let mut client = Client::connect(&format!("{url}/echo"), Some(token)).await.unwrap();
    client.greeting().await;
    client.echo("hello").await;
    let mut client = Client::connect(&format!("{url}/json-echo"), Some(token)).await.unwrap();
    client.greeting().await;
    let message = json!({"type": "echo", "payload": {"text": "a", "number": 1}});
    assert_eq!(client.ask(message.clone()).await, message);
    let mut client = Client::connect(&format!("{url}/messages"), Some(token)).await.unwrap();
    client.greeting().await;
    let subscribe = json!({"messageId": "1", "command": "subscribe", "topic": "a/#"});
    assert_eq!(client.ask(subscribe).await["messageId"], "1");

    let modules = find("Their modules:").unwrap().split_whitespace().last().unwrap().to_owned();
    assert!(Path::new(&modules).join("echo.wasm").is_file());
    demo.signal("TERM");
    assert_eq!(demo.ended().await.code, Some(0));
    assert!(!Path::new(&modules).exists());
}

/// What a shell prints for a command line, with this input; the command must succeed.
async fn shell(command: &str, input: &str) -> String {
    let mut child = tokio::process::Command::new("sh")
        .args(["-c", command])
        .env_remove("SPOREGATE_TOKEN")
        .kill_on_drop(true)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_on_a_taken_address_names_another_way() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = run(["demo", "--listen", &address]).await;
    ended.failed(1, &[&address, "in use", "--listen"]);
}
