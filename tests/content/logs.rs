//! Log lines that clients would like to write: names, paths, headers and messages with line ends
//! and terminal sequences in them.

use serde_json::{Value, json};

use crate::support::{
    Client, Handshake, PATIENCE, RawResponse, Serving, TestGateway, core_guest, guest_source,
    raw_request, token, token_with,
};

/// Everything that ends a line somewhere, or tells a terminal what to do.
const EVIL: [&str; 7] = [
    "\n{\"level\":\"ERROR\",\"message\":\"forged\"}",
    "\r\nERROR forged",
    "\u{1b}[31mforged\u{1b}[0m",
    "\u{1b}]0;forged\u{7}",
    "\u{9b}31mforged",
    "\u{8}\u{8}\u{8}forged\u{7f}",
    "\u{85}forged\u{2028}forged",
];

/// Says all of it wherever a client may say something.
async fn say_it(serving: &Serving) {
    let address = serving.address();
    for evil in EVIL {
        // As a user name and a role, in a token that holds.
        for claims in [json!({"sub": evil}), json!({"sub": "alice", "roles": [evil]})] {
            let bad = token_with(claims);
            let request = Handshake::new("/websocket/logger").bearer(&bad);
            status(&raw_request(address, &request.bytes()).await);
        }
        let escaped: String = evil.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let good = token("alice", &[]);
        for target in [
            format!("/websocket/logger/{escaped}"),
            format!("/websocket/logger?{escaped}"),
            format!("/{escaped}"),
        ] {
            let request = Handshake::new(&target).bearer(&good);
            status(&raw_request(address, &request.bytes()).await);
        }
        // As they are, where HTTP takes them at all.
        let printable = evil.replace(['\r', '\n'], " ");
        for name in ["User-Agent", "Origin", "X-Forwarded-For", "Sec-WebSocket-Protocol"] {
            let request = Handshake::new("/websocket/logger").and(name, &printable);
            let answer = raw_request(address, &request.without("Upgrade").bytes()).await;
            assert!(matches!(answer.status, 400 | 426), "{answer:?}");
        }
        // As a message, which this module prints.
        let mut client = client(serving, "/logger").await;
        client.send(evil).await;
        assert_eq!(client.text().await, "logged");
        client.close().await;
    }
    // As the error of a listener that quotes its clients.
    let mut client = client(serving, "/probe").await;
    for evil in EVIL {
        client.send_json(&json!({"do": "fail", "text": evil})).await;
    }
    client.settle().await;
}

async fn client(serving: &Serving, path: &str) -> Client {
    let url = format!("{}{path}", serving.url());
    let mut client = Client::connect(&url, Some(&token("alice", &[]))).await.unwrap();
    client.greeting().await;
    client
}

fn status(answer: &RawResponse) {
    assert!(matches!(answer.status, 101 | 400 | 401 | 403 | 404), "{answer:?}");
}

async fn output(format: &str) -> String {
    let setup = TestGateway::with().module("logger", "logger").module("probe", "probe");
    let flags = ["--log-level", "trace", "--log-format", format];
    let serving = Serving::start(setup, &flags).await;
    say_it(&serving).await;
    let (status, output) = serving.stop().await;
    assert!(status.success(), "{output}");
    assert!(output.contains("forged"), "nothing of it is in the log: {output}");
    assert_eq!(output.matches("the listener refused: ").count(), EVIL.len(), "{output}");
    output.split_once('\n').unwrap().1.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_json_every_line_is_one_of_the_gateways_own() {
    for line in output("json").await.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?}"));
        assert_ne!(line["level"], "ERROR", "{line}");
        assert!(line["timestamp"].is_string() && line["target"].is_string(), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn for_people_no_line_is_forged_and_no_terminal_is_told_anything() {
    for line in output("text").await.lines() {
        assert_ne!(level(line), "ERROR", "{line:?}");
    }
}

/// The level of a line for people, which is whole and plain.
fn level(line: &str) -> &str {
    let obeyed = |c: char| (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}');
    assert!(!line.contains(obeyed), "{line:?}");
    let mut words = line.split_whitespace();
    let time = words.next().unwrap_or_default();
    assert!(time.starts_with("20") && time.ends_with('Z'), "{line:?}");
    let level = words.next().unwrap_or_default();
    assert!(["TRACE", "DEBUG", "INFO", "WARN", "ERROR"].contains(&level), "{line:?}");
    level
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_a_module_directory_forges_a_line() {
    // As the error of a `start`, as the name of a file, and as the file itself.
    let start = guest_source("start-fails.wat").replace("not today", "not\\0a\\1b[31m");
    let setup = TestGateway::with()
        .file("start.wasm", &core_guest(&start))
        .file("2026\n2026-01-01T00:00:00.0Z ERROR forged.wasm", b"")
        .file("text.wasm", b"\0asm\n\x1b[31mforged");
    let serving = Serving::start(setup, &["--log-format", "text"]).await;
    let (status, output) = serving.stop().await;
    assert!(status.success(), "{output}");
    let (_, log) = output.split_once('\n').unwrap();
    let errors: Vec<&str> = log.lines().filter(|line| level(line) == "ERROR").collect();
    assert_eq!(errors.len(), 3, "{log}");
    assert!(errors.iter().all(|line| line.contains("module refused: ")), "{log}");
    assert!(log.contains("start returned an error: not\\n\\u{1b}[31m"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_error_of_a_listener_is_cut() {
    let setup = TestGateway::with().module("probe", "probe");
    let serving = Serving::start(setup, &["--log-format", "text"]).await;
    let mut client = client(&serving, "/probe").await;
    client.send_json(&json!({"do": "fail", "text": "y".repeat(60_000)})).await;
    client.settle().await;
    let log = serving.stderr();
    let line = log.lines().find(|line| line.contains("listener failed")).unwrap();
    assert!(line.contains("y… (60000 bytes)") && line.len() < 2_000, "{} bytes", line.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_nobody_wants_fill_no_log_and_all_are_told() {
    let setup = TestGateway::with().module("probe", "probe");
    let serving = Serving::start(setup, &["--log-format", "json"]).await;
    let told = || -> Vec<Value> {
        let log = serving.stderr();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["message"] == "no listener wants this message").collect()
    };
    let began = std::time::Instant::now();
    let mut client = client(&serving, "/nobody").await;
    let mut sent = 500;
    for _ in 0..sent {
        client.feed("is anybody there?").await;
    }
    client.flush().await;
    client.settle().await;
    let (lines, seconds) = (told(), began.elapsed().as_secs() as usize);
    assert!((1..=seconds + 1).contains(&lines.len()), "{} lines in {seconds} s", lines.len());
    assert_eq!((&lines[0]["path"], &lines[0]["level"]), (&json!("/nobody"), &json!("WARN")));
    // Each line counts those that were dropped before it.
    let all = |lines: &[Value]| lines.iter().map(|l| 1 + l["more"].as_u64().unwrap()).sum::<u64>();
    let telling = async {
        while all(&told()) <= 500 {
            client.send("nobody?").await;
            client.settle().await;
            sent += 1;
        }
    };
    tokio::time::timeout(PATIENCE, telling).await.expect("dropped lines are not told");
    assert_eq!(all(&told()), sent);
}
