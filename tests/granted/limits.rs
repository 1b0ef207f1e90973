//! Each limit of a request, with what the module is told; and the end of a request with its call.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{caller, calling, fetch, results};
use crate::support::service::{Service, blunt};
use crate::support::{TestGateway, until};

async fn limited(service: &Service, limit: &str) -> TestGateway {
    caller(&calling(service.address, limit)).start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_come_is_waited_for_no_longer_than_the_limit() {
    let service = Service::start().await;
    let gateway = limited(&service, "first_byte_timeout = \"100ms\"").await;
    let mut client = gateway.client("/grantee").await;
    let answer = fetch(&mut client, &service.url("/slow-head")).await;
    assert_eq!(answer, json!({"error": "HttpResponseTimeout"}));
    until("the service sees the end", || service.open() == 0).await;
    assert_eq!(results(&gateway, "response-timeout"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_can_be_less_patient_than_its_limits_and_not_more() {
    let service = Service::start().await;
    let gateway = limited(&service, "first_byte_timeout = \"300ms\"").await;
    let mut client = gateway.client("/grantee").await;
    for (asked, least, most) in [(50, 40, 290), (60_000, 290, 5_000)] {
        let began = Instant::now();
        let url = service.url("/slow-head");
        let answer = client.ask(json!({"do": "fetch", "url": url, "timeout_ms": asked})).await;
        assert_eq!(answer, json!({"error": "HttpResponseTimeout"}));
        let took = began.elapsed();
        let between = Duration::from_millis(least)..Duration::from_millis(most);
        assert!(between.contains(&took) || took > between.end, "{asked}: {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stands_still_is_given_up() {
    let service = Service::start().await;
    let gateway = limited(&service, "between_bytes_timeout = \"100ms\"").await;
    let mut client = gateway.client("/grantee").await;
    client.send_json(&json!({"do": "stream", "url": service.url("/slow-body")})).await;
    assert_eq!(client.json().await, json!({"piece": "some"}));
    assert_eq!(client.json().await, json!({"error": "ConnectionReadTimeout", "bytes": 4}));
    until("the service sees the end", || service.open() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_ends_a_little_before_its_call_so_that_the_module_can_say_so() {
    let service = Service::start().await;
    let sidecar = calling(service.address, "") + "[limits]\ntimeout = \"400ms\"\n";
    let gateway = caller(&sidecar).start().await;
    let mut client = gateway.client("/grantee").await;
    let answer = fetch(&mut client, &service.url("/slow-head")).await;
    assert_eq!(answer, json!({"error": "HttpResponseTimeout"}));
    let answer = fetch(&mut client, &service.url("/slow-body")).await;
    assert_eq!(answer, json!({"error": "ConnectionReadTimeout"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_and_heads_are_no_larger_than_their_limits() {
    let service = Service::start().await;
    let sizes = "request_size = \"10KiB\"\nresponse_size = \"20KiB\"\nheader_size = \"8KiB\"";
    let gateway = limited(&service, sizes).await;
    let mut client = gateway.client("/grantee").await;
    assert_eq!(fetch(&mut client, &service.url("/large/20480")).await["status"], 200);
    let refused = json!({"error": "HttpResponseBodySize(Some(20480))"});
    // One that says how large it is, and one that does not end.
    assert_eq!(fetch(&mut client, &service.url("/large/20481")).await, refused);
    assert_eq!(fetch(&mut client, &service.url("/endless")).await, refused);
    let answer = fetch(&mut client, &service.url("/big-head/9000")).await;
    assert_eq!(answer, json!({"error": "HttpResponseHeaderSectionSize(Some(8192))"}));
    let post = |bytes: usize| json!({"do": "fetch", "method": "POST", "url": service.url("/post"), "body": bytes});
    assert_eq!(client.ask(post(10 << 10)).await["body"], "10240");
    let answer = client.ask(post(200 << 10)).await;
    assert!(answer == json!({"error": "HttpRequestBodySize(Some(10240))"}), "{answer}");
    until("the service sees the ends", || service.open() == 0).await;
    assert_eq!((results(&gateway, "response-size"), results(&gateway, "request-size")), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_has_so_many_requests_at_a_time_and_all_modules_together() {
    let service = Service::start().await;
    let many = json!({"do": "many", "url": service.url("/slow-body"), "count": 4});
    let full = "ConnectionLimitReached";
    let gateway = limited(&service, "requests = 2").await;
    let mut client = gateway.client("/grantee").await;
    assert_eq!(client.ask(many.clone()).await, json!([200, 200, full, full]));
    until("all have ended with the call", || service.open() == 0).await;
    assert_eq!(client.ask(many.clone()).await, json!([200, 200, full, full]));
    assert_eq!(results(&gateway, "too-many"), 4);

    let sidecar = calling(service.address, "");
    let gateway = caller(&sidecar).table("[outbound]\nrequests = 3").start().await;
    let mut client = gateway.client("/grantee").await;
    assert_eq!(client.ask(many).await, json!([200, 200, 200, full]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_is_an_error_and_never_an_end() {
    let service = Service::start().await;
    let reset = blunt(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
    let silent = blunt(b"").await;
    let other = blunt(b"SSH-2.0-OpenSSH\r\n").await;
    let hosts = [service.address, reset, silent, other].map(|it| format!("\"{it}\"")).join(", ");
    let sidecar = format!("[http]\nhosts = [{hosts}, \"127.0.0.1:1\"]\nprivate = [\"127.0.0.1\"]");
    let gateway = caller(&sidecar).start().await;
    let mut client = gateway.client("/grantee").await;
    for (url, error) in [
        (service.url("/broken"), "ConnectionTerminated"),
        (format!("http://{reset}/"), "ConnectionTerminated"),
        (format!("http://{silent}/"), "ConnectionTerminated"),
        (format!("http://{other}/"), "HttpProtocolError"),
        ("http://127.0.0.1:1/".to_owned(), "ConnectionRefused"),
    ] {
        assert_eq!(fetch(&mut client, &url).await, json!({"error": error}), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_ends_with_the_call_that_made_it() {
    let service = Service::start().await;
    let gateway = limited(&service, "").await;
    let mut client = gateway.client("/grantee").await;
    let kept = client.ask(json!({"do": "keep", "url": service.url("/slow-head")})).await;
    assert_eq!(kept, json!({"kept": true}));
    // The instance lives, and still has a handle of it.
    until("it is counted", || results(&gateway, "given-up") == 1).await;
    until("the service sees the end", || service.open() == 0).await;
    let answer = client.ask(json!({"do": "resume"})).await;
    assert!(answer["error"].as_str().unwrap().starts_with("InternalError"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_ends_with_an_instance_that_traps_or_runs_out_of_time() {
    let service = Service::start().await;
    let sidecar =
        calling(service.address, "") + "[limits]\ntimeout = \"2s\"\n[run]\nbreaker_failures = 0\n";
    let gateway = caller(&sidecar).start().await;
    let mut client = gateway.client("/grantee").await;
    client.send_json(&json!({"do": "trap", "url": service.url("/slow-body")})).await;
    client.handled().await;
    until("it is counted", || results(&gateway, "given-up") == 1).await;
    until("the service sees the end", || service.open() == 0).await;
    let answer = fetch(&mut client, &service.url("/hello")).await;
    assert_eq!(answer["body"], "hello");
}
