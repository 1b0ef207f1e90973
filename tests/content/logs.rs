//! Log lines that clients would like to write: names, paths, headers and messages with line ends
//! and terminal sequences in them.

use serde_json::{Value, json};

use crate::support::{
    Client, Handshake, RawResponse, Serving, TestGateway, raw_request, token, token_with,
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
        let url = format!("{}/logger", serving.url());
        let mut client = Client::connect(&url, Some(&good)).await.unwrap();
        client.greeting().await;
        client.send(evil).await;
        assert_eq!(client.text().await, "logged");
        client.close().await;
    }
}

fn status(answer: &RawResponse) {
    assert!(matches!(answer.status, 101 | 400 | 401 | 403 | 404), "{answer:?}");
}

async fn output(format: &str) -> String {
    let setup = TestGateway::with().module("logger", "logger");
    let flags = ["--log-level", "trace", "--log-format", format];
    let serving = Serving::start(setup, &flags).await;
    say_it(&serving).await;
    let (status, output) = serving.stop().await;
    assert!(status.success(), "{output}");
    assert!(output.contains("forged"), "nothing of it is in the log: {output}");
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
        assert!(!line.contains(|c: char| c.is_control() && c != '\t'), "{line:?}");
        let mut words = line.split_whitespace();
        let time = words.next().unwrap_or_default();
        assert!(time.starts_with("20") && time.ends_with('Z'), "{line:?}");
        let level = words.next().unwrap_or_default();
        assert!(["TRACE", "DEBUG", "INFO", "WARN"].contains(&level), "{line:?}");
    }
}
