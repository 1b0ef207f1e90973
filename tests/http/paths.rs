//! The path that a client connects on: one spelling each, and never a query in it.

use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::support::raw_client::{TEXT, frame};
use crate::support::{Handshake, RawClient, TestGateway, raw_request};

/// The path that a listener sees of a client that asks for `target` below the base path.
async fn seen(gateway: &TestGateway, target: &str) -> String {
    let handshake = Handshake::new(&format!("/websocket{target}"));
    let bytes = handshake.bearer(&gateway.token("alice", &[])).bytes();
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    let mut client = RawClient::open(stream, &bytes).await;
    client.json().await;
    client.send(&frame(TEXT, br#"{"do":"whoami"}"#)).await;
    let path = client.json().await["ok"]["client"]["path"].take();
    let Value::String(path) = path else { panic!("{path}") };
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_sees_one_spelling_of_a_path_and_no_query() {
    let setup = TestGateway::with().module("probe", "probe");
    let gateway = setup.sidecar("probe", "paths = [\"/*\"]").start().await;
    for (target, path) in [
        ("", "/"),
        ("/", "/"),
        ("/room", "/room"),
        ("/room/", "/room"),
        ("/Room", "/Room"),
        ("/room?x=1", "/room"),
        ("/room/?", "/room"),
        ("/room?access_token=secret&clientId=1", "/room"),
        ("?x=/other", "/"),
        ("/a%20b/%e2%82%ac", "/a b/\u{20ac}"),
        ("/%72oom", "/room"),
        ("/a%2525", "/a%25"),
        ("/a%3Fb=1", "/a?b=1"),
    ] {
        assert_eq!(seen(&gateway, target).await, path, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_of_two_meanings_gets_400() {
    let gateway = TestGateway::with().start().await;
    let token = gateway.token("alice", &[]);
    let long = format!("/{}", "a".repeat(4096));
    let deep = "/a".repeat(1000);
    for path in [
        "//",
        "//room",
        "/room//",
        "/a/../b",
        "/./a",
        "/a/%2e%2e/b",
        "/%2E",
        "/a%2Fb",
        "/a%5cb",
        "/a\\b",
        "/a%00",
        "/a%0d%0a",
        "/a%",
        "/a%4",
        "/a%zz",
        "/%ff",
        "/%c0%af",
        "/rooms/*",
        "/%7broom%7d",
        &long,
        &deep,
    ] {
        let bytes = Handshake::new(&format!("/websocket{path}")).bearer(&token).bytes();
        let answer = raw_request(gateway.address(), &bytes).await;
        assert_eq!(answer.status, 400, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_path_goes_around_its_roles() {
    let setup = TestGateway::with()
        .module("probe", "probe")
        .table("[[paths]]\npattern = \"/probe/admin/*\"\nrestrict_to_roles = [\"admin\"]");
    let gateway = setup.start().await;
    let token = gateway.token("mallory", &["user"]);
    for (path, status) in [
        ("/probe/admin", 403),
        ("/probe/admin/", 403),
        ("/probe/admin/x", 403),
        ("/probe/%61dmin/x", 403),
        ("/probe/%61%64%6d%69%6e", 403),
        ("/%70robe/admin/x?a=/b", 403),
        ("//probe/admin/x", 400),
        ("/probe//admin/x", 400),
        ("/probe/./admin/x", 400),
        ("/probe/x/../admin/x", 400),
        ("/probe/x/%2e%2e/admin/x", 400),
        ("/probe%2fadmin/x", 400),
        ("/probe/admin%00/x", 400),
        // Other places: case counts, and an escape is decoded once.
        ("/probe/Admin/x", 101),
        ("/probe/%2561dmin/x", 101),
    ] {
        let bytes = Handshake::new(&format!("/websocket{path}")).bearer(&token).bytes();
        assert_eq!(raw_request(gateway.address(), &bytes).await.status, status, "{path}");
    }
    let mut admin = gateway.client_as("ann", &["admin"], "/probe/%61dmin/x").await;
    let found =
        admin.ok(json!({"do": "clients-on-path", "path": "/probe/admin/x", "limit": 9})).await;
    assert_eq!(found["clients"].as_array().unwrap().len(), 1);
    assert_eq!(found["clients"][0]["username"], "ann");
}
