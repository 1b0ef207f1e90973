//! Plain HTTP: health, the test page, and what a request gets that does not become a client.

mod addresses;
mod admission;
mod descriptors;
mod handshake;
mod heads;
mod logs;
mod metrics;
mod origin;
mod paths;

use crate::support::{Handshake, RawResponse, TestGateway, raw_exchange, raw_request};

/// A plain request on a connection of its own.
async fn ask(gateway: &TestGateway, line: &str) -> RawResponse {
    ask_at(gateway.address(), line).await
}

/// The same of any address.
async fn ask_at(address: std::net::SocketAddr, line: &str) -> RawResponse {
    let request = format!("{line} HTTP/1.1\r\nHost: sporegate.test\r\n\r\n");
    raw_request(address, request.as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_readiness_are_told_without_credentials() {
    let gateway = TestGateway::with().start().await;
    for (path, body) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let answer = ask(&gateway, &format!("GET {path}")).await;
        assert_eq!((answer.status, &*answer.body), (200, body));
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let head = format!("HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = raw_exchange(gateway.address(), head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "HEAD has no body: {answer}");
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = ask(&gateway, &format!("{method} {path}")).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
    }
    assert_eq!(ask(&gateway, "GET /healthz/").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_request_for_a_client_path_is_told_to_upgrade() {
    let gateway = TestGateway::with().start().await;
    for line in ["GET /websocket", "GET /websocket/", "POST /websocket/echo", "GET /websocket/test"]
    {
        let answer = ask(&gateway, line).await;
        assert_eq!(answer.status, 426, "{line}");
        assert_eq!(answer.header("upgrade"), Some("websocket"));
        assert_eq!(answer.header("sec-websocket-version"), Some("13"));
        let connection = answer.header("connection").unwrap_or_default().to_ascii_lowercase();
        assert!(connection.contains("upgrade"), "{line}: {connection:?}");
    }
    assert_eq!(gateway.counters().rejected.get(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_below_the_base_path_is_not_found() {
    let gateway = TestGateway::with().start().await;
    let token = gateway.token("alice", &[]);
    for path in ["/", "/favicon.ico", "/websocketx", "/WebSocket/echo", "/x/websocket", "/healthz2"]
    {
        assert_eq!(ask(&gateway, &format!("GET {path}")).await.status, 404, "plain {path}");
        assert_eq!(ask(&gateway, &format!("POST {path}")).await.status, 404, "plain POST {path}");
        let handshake = Handshake::new(path).bearer(&token).bytes();
        assert_eq!(raw_request(gateway.address(), &handshake).await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_root_every_path_is_for_clients_but_the_gateways_own() {
    let setup = TestGateway::with().set("path = \"/\"\ntest_page = true").module("echo", "echo");
    let gateway = setup.start().await;
    gateway.client("/echo").await.echo("at the root").await;
    assert_eq!(ask(&gateway, "GET /healthz").await.body, "ok\n");
    assert_eq!(ask(&gateway, "GET /test").await.status, 200);
    assert_eq!(ask(&gateway, "GET /elsewhere").await.status, 426);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_page_comes_with_a_policy_that_lets_nothing_else_run() {
    let gateway = TestGateway::with().set("test_page = true").start().await;
    for (path, kind, part) in [
        ("/websocket/test", "text/html; charset=utf-8", "<script"),
        ("/websocket/test/page.css", "text/css; charset=utf-8", "{"),
        ("/websocket/test/page.js", "text/javascript; charset=utf-8", "WebSocket"),
        ("/websocket/test/reasons.js", "text/javascript; charset=utf-8", "4009"),
        (
            "/websocket/test/sporegate-client.js",
            "text/javascript; charset=utf-8",
            "export function",
        ),
        ("/websocket/test/icon.svg", "image/svg+xml", "<svg"),
    ] {
        let answer = ask(&gateway, &format!("GET {path}")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body.contains(part), "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some(kind));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        let policy = answer.header("content-security-policy").unwrap();
        for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.split("; ").any(|part| part == rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(ask(&gateway, &format!("POST {path}")).await.status, 405);
    }
    assert_eq!(ask(&gateway, "GET /websocket/test/page.html").await.status, 426);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_takes_no_path_from_clients() {
    let setup = TestGateway::with().set("test_page = true");
    let gateway = setup.module("probe", "probe").sidecar("probe", "paths = [\"/test\"]");
    let gateway = gateway.start().await;
    let event = gateway.client("/test").await.ok(serde_json::json!({"do": "whoami"})).await;
    assert_eq!(event["client"]["path"], "/test");
}
