//! `enrich` of every language, against a service that answers line by line.

use serde_json::json;

use super::components::{Component, components};
use crate::support::TestGateway;
use crate::support::service::Service;

/// The one of each language that was built.
fn all() -> Vec<Component> {
    let mut all = components();
    all.retain(|component| component.name == "enrich");
    all
}

async fn gateway(component: &Component, service: &Service, path: &str) -> TestGateway {
    let address = service.address;
    let sidecar = format!(
        "[http]\nhosts = [\"{address}\"]\nprivate = [\"127.0.0.1\"]\n[config]\nservice = \"http://{address}{path}\"\n"
    );
    let file = std::fs::read(&component.file).unwrap();
    let setup = TestGateway::with().file("enrich.wasm", &file).sidecar("enrich", &sidecar);
    let gateway = setup.start().await;
    assert!(
        gateway.gateway().refused().is_empty(),
        "{component}: {:?}",
        gateway.gateway().refused()
    );
    gateway
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_passed_on_as_it_comes() {
    for component in all() {
        let service = Service::start().await;
        let gateway = gateway(&component, &service, "").await;
        let mut client = gateway.client("/enrich").await;
        client.send("tea-7").await;
        service.send_lines(1);
        assert_eq!(client.text().await, r#"{"status":200}"#, "{component}");
        assert_eq!(client.text().await, r#"{"line":"line 1 of tea-7"}"#, "{component}");
        for line in 2..=3 {
            service.send_lines(1);
            let expected = json!({"line": format!("line {line} of tea-7")});
            assert_eq!(client.json().await, expected, "{component}");
        }
        service.send_lines(1);
        assert_eq!(client.text().await, r#"{"line":"the last"}"#, "{component}");
        assert_eq!(client.text().await, r#"{"done":true,"lines":4}"#, "{component}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_lines_and_bytes_that_are_no_text_are_passed_on_too() {
    for component in all() {
        let service = Service::start().await;
        let gateway = gateway(&component, &service, "/bytes").await;
        let mut client = gateway.client("/enrich").await;
        client.send("x").await;
        for expected in [
            r#"{"status":200}"#,
            "{\"line\":\"a\u{fffd}b\"}",
            r#"{"line":""}"#,
            r#"{"line":"last"}"#,
            r#"{"done":true,"lines":3}"#,
        ] {
            assert_eq!(client.text().await, expected, "{component}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_name_is_not_asked_for() {
    for component in all() {
        let service = Service::start().await;
        let gateway = gateway(&component, &service, "").await;
        let mut client = gateway.client("/enrich").await;
        let long = "a".repeat(65);
        let error = json!({"error": "a name is 1-64 of a-z, 0-9 and -"});
        for name in ["", "A", "a/b", "a b", "ä", "..", &long] {
            assert_eq!(client.ask_text(name).await, error, "{component}: {name}");
        }
        client.send(vec![b'a']).await;
        assert_eq!(client.json().await, error, "{component}");
        assert_eq!(service.accepted(), 0, "{component}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_passed_on_and_a_break_told() {
    for component in all() {
        let service = Service::start().await;
        let away = gateway(&component, &service, "/nothing").await;
        let mut client = away.client("/enrich").await;
        client.send("x").await;
        assert_eq!(client.json().await, json!({"status": 404}), "{component}");
        assert_eq!(client.json().await, json!({"line": "nothing here"}), "{component}");
        assert_eq!(client.json().await, json!({"done": true, "lines": 1}), "{component}");
        let broken = gateway(&component, &service, "/broken").await;
        let mut client = broken.client("/enrich").await;
        client.send("x").await;
        assert_eq!(client.json().await, json!({"status": 200}), "{component}");
        let told = client.json().await;
        assert!(told["error"].is_string(), "{component}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_granted_is_told_to_the_client() {
    for component in all() {
        let service = Service::start().await;
        let file = std::fs::read(&component.file).unwrap();
        let url = service.url("");
        let sidecar = format!("[http]\nhosts = []\n[config]\nservice = \"{url}\"\n");
        let setup = TestGateway::with().file("enrich.wasm", &file).sidecar("enrich", &sidecar);
        let gateway = setup.start().await;
        let told = gateway.client("/enrich").await.ask_text("tea").await;
        assert!(told["error"].is_string(), "{component}: {told}");
        assert_eq!(service.accepted(), 0, "{component}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_service_it_does_not_start() {
    for component in all() {
        let file = std::fs::read(&component.file).unwrap();
        let setup = TestGateway::with().file("enrich.wasm", &file);
        let gateway = setup.sidecar("enrich", "[http]\nhosts = []").start().await;
        let reason = &gateway.gateway().refused()[0].reason;
        assert!(reason.contains("service"), "{component}: {reason}");
    }
}
