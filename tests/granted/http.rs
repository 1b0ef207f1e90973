//! Requests that are made, and those that nobody is granted.

use serde_json::{Value, json};

use super::{caller, calling, fetch, results};
use crate::support::service::Service;
use crate::support::until;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_a_granted_host_is_answered_and_counted() {
    let service = Service::start().await;
    let gateway = caller(&calling(service.address, "")).start().await;
    let mut client = gateway.client("/grantee").await;
    let answer = fetch(&mut client, &service.url("/hello")).await;
    assert_eq!((&answer["status"], &answer["body"]), (&json!(200), &json!("hello")));
    let post =
        json!({"do": "fetch", "method": "POST", "url": service.url("/post"), "body": 200_000});
    assert_eq!(client.ask(post).await["body"], "200000");
    let head = json!({"do": "fetch", "method": "HEAD", "url": service.url("/large/1000")});
    assert_eq!(client.ask(head).await["body"], "");
    assert_eq!(fetch(&mut client, &service.url("/nowhere")).await["status"], 404);
    until("all are counted", || results(&gateway, "ok") == 4).await;
    until("no connection is kept", || service.open() == 0).await;
    let module = gateway.counters().module(&"grantee".into());
    assert_eq!((module.outbound_duration.snapshot().count, service.accepted()), (4, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_flushed_leaves_while_the_response_is_still_coming() {
    let service = Service::start().await;
    let gateway = caller(&calling(service.address, "")).start().await;
    let mut client = gateway.client("/grantee").await;
    client.send_json(&json!({"do": "stream", "url": service.url("/items/tea")})).await;
    for line in 1..=3 {
        service.send_lines(1);
        assert_eq!(client.json().await, json!({"piece": format!("line {line} of tea\n")}));
    }
    service.send_lines(1);
    assert_eq!(client.json().await, json!({"piece": "the last"}));
    assert_eq!(client.json().await, json!({"bytes": 50}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_granted_is_not_called() {
    let (granted, other) = (Service::start().await, Service::start().await);
    let gateway = caller(&calling(granted.address, "")).start().await;
    let mut client = gateway.client("/grantee").await;
    // Another port, another name of the same machine, another scheme.
    for url in [
        other.url("/hello"),
        format!("http://localhost:{}/hello", granted.address.port()),
        format!("http://127.0.0.2:{}/hello", granted.address.port()),
        "https://127.0.0.1/hello".to_owned(),
        "http://example.com/".to_owned(),
    ] {
        let answer = fetch(&mut client, &url).await;
        assert_eq!(answer, json!({"error": "HttpRequestDenied"}), "{url}");
    }
    assert_eq!((granted.accepted(), other.accepted()), (0, 0));
    assert_eq!(results(&gateway, "host-refused"), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_an_answer_and_not_followed() {
    let service = Service::start().await;
    let gateway = caller(&calling(service.address, "")).start().await;
    let mut client = gateway.client("/grantee").await;
    let answer = fetch(&mut client, &service.url("/redirect")).await;
    assert_eq!((&answer["status"], &answer["body"]), (&json!(302), &json!("elsewhere")));
    assert_eq!((service.asked("/redirect"), service.asked("/secret")), (1, 0));
}

/// Headers as the service has seen them.
async fn seen(client: &mut crate::support::Client, url: &str, headers: Value) -> Value {
    let answer = client.ask(json!({"do": "fetch", "url": url, "headers": headers})).await;
    let Some(body) = answer["body"].as_str() else { return answer };
    serde_json::from_str(body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_a_module_say_nothing_about_the_connection_and_the_host() {
    let service = Service::start().await;
    let gateway = caller(&calling(service.address, "")).start().await;
    let mut client = gateway.client("/grantee").await;
    let url = service.url("/headers");
    let headers = seen(&mut client, &url, json!([["X-Own", "a"], ["x-own", "b"]])).await;
    let mut expected = json!([
        ["x-own", "a"],
        ["x-own", "b"],
        ["host", service.address.to_string()],
        ["connection", "close"],
    ]);
    let sort = |headers: &mut Value| {
        headers.as_array_mut().unwrap().sort_by_key(ToString::to_string);
        headers.clone()
    };
    assert_eq!(sort(&mut headers.clone()), sort(&mut expected));
    for name in [
        "Host",
        "Connection",
        "Transfer-Encoding",
        "Upgrade",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Expect",
        "Proxy-Authorization",
        "Proxy-Connection",
        "HTTP2-Settings",
    ] {
        let answer = seen(&mut client, &url, json!([[name, "chunked"]])).await;
        assert!(answer["error"].as_str().unwrap().contains("a header"), "{name}: {answer}");
    }
    // A length that is not that of the body never leaves.
    for length in ["5", "-1", "+5", "five"] {
        let answer = seen(&mut client, &url, json!([["Content-Length", length]])).await;
        assert!(answer["error"].is_string(), "{length}: {answer}");
    }
    assert_eq!(service.asked("/headers"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tunnel_is_opened_and_no_other_scheme_spoken() {
    let service = Service::start().await;
    let gateway = caller(&calling(service.address, "")).start().await;
    let mut client = gateway.client("/grantee").await;
    let authority = service.address.to_string();
    let mut raw = async |method: &str, scheme: &str, path: &str| {
        let raw = json!({"do": "raw", "method": method, "scheme": scheme, "authority": authority, "path": path});
        client.ask(raw).await
    };
    assert_eq!(raw("GET", "http", "/hello").await, json!({"status": 200}));
    for (method, scheme, path) in [
        ("CONNECT", "http", "/hello"),
        ("TRACE", "http", "/hello"),
        ("GET", "ftp", "/hello"),
        ("GET", "http", "http://example.com/"),
        ("GE T", "http", "/hello"),
        ("GET", "http", "/a b\r\nX: y"),
    ] {
        let answer = raw(method, scheme, path).await;
        assert!(answer["error"].is_string(), "{method} {scheme} {path:?}: {answer}");
    }
    assert_eq!(service.accepted(), 1);
}
