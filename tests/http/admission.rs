//! `max_connections`: exact, checked before the upgrade, and given back whatever happens.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Client, Handshake, Refused, Serving, TestGateway, raw_request, token, until};

/// A client of user `alice` on `/echo`, or the refusal.
async fn try_connect(gateway: &TestGateway) -> Result<Client, Refused> {
    gateway.connect("/echo", Some(&gateway.token("alice", &[]))).await
}

/// Connects as soon as there is room.
async fn connect_again(gateway: &TestGateway) -> Client {
    loop {
        match try_connect(gateway).await {
            Ok(client) => return client,
            Err(refused) => assert_eq!(refused.status, 503),
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_clients_are_admitted_and_the_next_gets_503_before_the_upgrade() {
    let setup = TestGateway::with().set("maxConnections = 3").module("echo", "echo");
    let gateway = setup.start().await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(gateway.client("/echo").await);
    }
    let refused = try_connect(&gateway).await.err().expect("one too many");
    assert_eq!(refused.status, 503);
    let seconds: u32 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(seconds > 0);
    assert_eq!(gateway.counters().accepted.get(), 3);
    for client in &mut clients {
        client.echo("not disturbed").await;
    }
    // Full is told only to those who may come at all.
    let nobody = Handshake::new("/websocket/echo").bytes();
    assert_eq!(raw_request(gateway.address(), &nobody).await.status, 401);
    assert_eq!(raw_request(gateway.address(), b"GET /readyz HTTP/1.1\r\n\r\n").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_free_again_once_its_client_is_gone() {
    let setup = TestGateway::with().set("maxConnections = 1").module("probe", "probe");
    let gateway = setup.start().await;
    try_connect(&gateway).await.unwrap().close().await;
    connect_again(&gateway).await.drop_connection();
    let mut client = connect_again(&gateway).await;
    client.greeting().await;
    client.stream().shutdown().await.unwrap();
    let mut last = connect_again(&gateway).await;
    last.greeting().await;
    assert_eq!(try_connect(&gateway).await.err().expect("full").status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_and_broken_handshakes_take_no_place() {
    let setup = TestGateway::with().set("maxConnections = 1").module("echo", "echo");
    let gateway = setup.table("[[paths]]\npattern = \"/admin\"\nrestrict_to_roles = [\"admin\"]");
    let gateway = gateway.start().await;
    let token = gateway.token("alice", &[]);
    for request in [
        Handshake::new("/websocket/echo"),
        Handshake::new("/websocket/admin").bearer(&token),
        Handshake::new("/websocket/echo").bearer(&token).without("Sec-WebSocket-Key"),
        Handshake::new("/websocket/echo").bearer(&token).and("Origin", "https://evil.example"),
    ] {
        assert_ne!(raw_request(gateway.address(), &request.bytes()).await.status, 101);
    }
    // Gone before it could read the answer.
    for _ in 0..20 {
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        let handshake = Handshake::new("/websocket/echo").bearer(&token);
        stream.write_all(&handshake.bytes()).await.unwrap();
        stream.set_zero_linger().unwrap();
    }
    let mut client = connect_again(&gateway).await;
    client.greeting().await;
    client.echo("the only one").await;
    assert_eq!(try_connect(&gateway).await.err().expect("full").status, 503);
    client.close().await;
    until("empty", || gateway.gateway().server().registry().all().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rush_never_gets_more_than_allowed_in() {
    let setup = TestGateway::with().set("maxConnections = 7").module("echo", "echo");
    let gateway = std::sync::Arc::new(setup.start().await);
    let rush: Vec<_> = (0..200)
        .map(|_| {
            let gateway = std::sync::Arc::clone(&gateway);
            tokio::spawn(async move { try_connect(&gateway).await })
        })
        .collect();
    let mut admitted = Vec::new();
    for attempt in rush {
        match attempt.await.unwrap() {
            Ok(client) => admitted.push(client),
            Err(refused) => assert_eq!(refused.status, 503),
        }
    }
    assert_eq!(admitted.len(), 7);
    assert_eq!(gateway.counters().accepted.get(), 7);
    assert_eq!(gateway.counters().rejected.get(), 193);
}

/// The status of a handshake of user `alice` on `/echo`.
async fn status(serving: &Serving, query: &str) -> u16 {
    let handshake = Handshake::new(&format!("/websocket/echo{query}")).bearer(&token("alice", &[]));
    raw_request(serving.address(), &handshake.bytes()).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_with_too_much_memory_turns_new_clients_away_and_keeps_those_it_has() {
    let setup = TestGateway::with()
        .set("max_memory = \"256MiB\"\nreconnect_timeout = \"60s\"")
        .module("echo", "echo")
        .module("probe", "probe")
        .sidecar("probe", "[limits]\nmemory = \"512MiB\"\ncpu = \"5s\"\n");
    let serving = Serving::start(setup, &[]).await;
    let url = |path: &str| format!("{}{path}", serving.url());
    let mut client = Client::connect(&url("/echo"), Some(&token("alice", &[]))).await.unwrap();
    let greeting = client.json().await;
    let own = format!("?clientId={}", greeting["payload"].as_str().unwrap());
    let mut probe = Client::connect(&url("/probe"), Some(&token("bob", &[]))).await.unwrap();
    probe.greeting().await;
    assert_eq!(status(&serving, "").await, 101);

    probe.ok(serde_json::json!({"do": "grow", "count": 300})).await;
    serving.until_logged("too much memory is in use").await;
    assert_eq!(status(&serving, "").await, 503);
    client.echo("not disturbed").await;
    // Who comes to replace his own connection is none more.
    assert_eq!(status(&serving, &own).await, 101);
    assert_eq!(raw_request(serving.address(), b"GET /readyz HTTP/1.1\r\n\r\n").await.status, 200);

    // A trap gives the memory back.
    probe.send_json(&serde_json::json!({"do": "trap"})).await;
    serving.until_logged("there is memory again").await;
    assert_eq!(status(&serving, "").await, 101);
}
