//! The example `enrich`, against a service that answers line by line.

use serde_json::json;

use super::service::Service;
use crate::support::TestGateway;

async fn gateway(service: &Service, path: &str) -> TestGateway {
    let address = service.address;
    let sidecar = format!(
        "[http]\nhosts = [\"{address}\"]\nprivate = [\"127.0.0.1\"]\n[config]\nservice = \"http://{address}{path}\"\n"
    );
    TestGateway::with().module("enrich", "enrich").sidecar("enrich", &sidecar).start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_passed_on_as_it_comes() {
    let service = Service::start().await;
    let gateway = gateway(&service, "").await;
    let mut client = gateway.client("/enrich").await;
    client.send("tea-7").await;
    service.send_lines(1);
    assert_eq!(client.text().await, r#"{"status":200}"#);
    assert_eq!(client.text().await, r#"{"line":"line 1 of tea-7"}"#);
    for line in 2..=3 {
        service.send_lines(1);
        assert_eq!(client.json().await, json!({"line": format!("line {line} of tea-7")}));
    }
    service.send_lines(1);
    assert_eq!(client.text().await, r#"{"line":"the last"}"#);
    assert_eq!(client.text().await, r#"{"done":true,"lines":4}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_lines_and_bytes_that_are_no_text_are_passed_on_too() {
    let service = Service::start().await;
    let gateway = gateway(&service, "/bytes").await;
    let mut client = gateway.client("/enrich").await;
    client.send("x").await;
    for expected in [
        r#"{"status":200}"#,
        "{\"line\":\"a\u{fffd}b\"}",
        r#"{"line":""}"#,
        r#"{"line":"last"}"#,
        r#"{"done":true,"lines":3}"#,
    ] {
        assert_eq!(client.text().await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_name_is_not_asked_for() {
    let service = Service::start().await;
    let gateway = gateway(&service, "").await;
    let mut client = gateway.client("/enrich").await;
    let long = "a".repeat(65);
    for name in ["", "A", "a/b", "a b", "ä", "..", &long] {
        let answer = client.ask_text(name).await;
        assert_eq!(answer, json!({"error": "a name is 1-64 of a-z, 0-9 and -"}), "{name}");
    }
    client.send(vec![b'a']).await;
    assert!(client.json().await["error"].is_string());
    assert_eq!(service.accepted(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_passed_on_and_a_break_told() {
    let service = Service::start().await;
    let away = gateway(&service, "/nothing").await;
    let mut client = away.client("/enrich").await;
    client.send("x").await;
    assert_eq!(client.json().await, json!({"status": 404}));
    assert_eq!(client.json().await, json!({"line": "nothing here"}));
    assert_eq!(client.json().await, json!({"done": true, "lines": 1}));
    let broken = gateway(&service, "/broken").await;
    let mut client = broken.client("/enrich").await;
    client.send("x").await;
    assert_eq!(client.json().await, json!({"status": 200}));
    assert_eq!(client.json().await, json!({"error": "ConnectionTerminated"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_service_it_does_not_start() {
    let setup = TestGateway::with().module("enrich", "enrich");
    let gateway = setup.sidecar("enrich", "[http]\nhosts = []").start().await;
    let reason = &gateway.gateway().refused()[0].reason;
    assert!(reason.contains("config.service is not set"), "{reason}");
}
