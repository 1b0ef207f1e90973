//! Without file descriptors, and with a full queue in front: the accept loop waits for better
//! times, and who is connected notices nothing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::support::{
    Client, Handshake, Serving, TestGateway, raw_exchange, raw_request, token, until,
};

/// Descriptors of the gateway: enough to start, and for some connections.
const DESCRIPTORS: u32 = 64;

async fn client(serving: &Serving) -> Client {
    let url = format!("{}/echo", serving.url());
    let mut client = Client::connect(&url, Some(&token("alice", &[]))).await.unwrap();
    client.greeting().await;
    client
}

/// How many accepts have failed, as the log says it.
fn failed_accepts(serving: &Serving) -> usize {
    serving.stderr().matches("accept failed").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_descriptors_clients_live_on_and_the_accept_loop_does_not_spin() {
    let setup = TestGateway::with().module("echo", "echo");
    let setup = setup.table("[limits]\nhandshake_timeout = \"10m\"");
    let serving = Serving::start_with_descriptors(setup, DESCRIPTORS).await;
    let mut client = client(&serving).await;
    client.echo("before").await;

    // The kernel takes them all; the gateway cannot.
    let mut waiting = Vec::new();
    for _ in 0..DESCRIPTORS * 2 {
        waiting.push(TcpStream::connect(serving.address()).await.unwrap());
    }
    until("out of descriptors", || failed_accepts(&serving) > 0).await;
    client.echo("meanwhile").await;

    // A loop that spins takes all the time there is; this one sleeps.
    let (began, before) = (Instant::now(), serving.cpu_time());
    until("a while has passed", || began.elapsed() > Duration::from_secs(2)).await;
    let spent = serving.cpu_time() - before;
    assert!(spent < began.elapsed() / 2, "{spent:?} of {:?}", began.elapsed());
    assert!(failed_accepts(&serving) <= 1 + began.elapsed().as_secs() as usize + 2);
    client.echo("still").await;

    drop(waiting);
    let again = Handshake::new("/websocket/echo").bearer(&token("bob", &[]));
    assert_eq!(raw_request(serving.address(), &again.bytes()).await.status, 101);
    client.echo("after").await;
    let (status, output) = serving.stop().await;
    assert!(status.success(), "{output}");
    assert!(output.contains("no-descriptors"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_descriptors_that_there_may_be_are_asked_for() {
    let setup = TestGateway::with().module("echo", "echo").set("max_connections = 100");
    let serving = Serving::start_limited(setup, &format!("-S -n {DESCRIPTORS}")).await;
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(client(&serving).await);
    }
    assert!(!serving.stderr().contains("file descriptors"), "{}", serving.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_descriptors_than_clients_are_told_at_the_start() {
    let serving = Serving::start_with_descriptors(TestGateway::with(), DESCRIPTORS).await;
    let told = "fewer file descriptors than max_connections needs";
    until("told", || serving.stderr().contains(told)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_descriptors_metrics_are_still_told() {
    let setup = TestGateway::with().module("echo", "echo");
    let setup =
        setup.table("[limits]\nhandshake_timeout = \"10m\"\n[metrics]\nlisten = \"127.0.0.1:0\"");
    let mut serving = Serving::start_with_descriptors(setup, DESCRIPTORS).await;
    let metrics = serving.told("metrics at http://");
    let metrics: SocketAddr = metrics.split('/').next().unwrap().parse().unwrap();
    let mut waiting = Vec::new();
    for _ in 0..DESCRIPTORS * 2 {
        waiting.push(TcpStream::connect(serving.address()).await.unwrap());
    }
    until("out of descriptors", || failed_accepts(&serving) > 0).await;
    // Again and again, for the descriptor comes back.
    for _ in 0..5 {
        let ask = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let answer = raw_exchange(metrics, ask).await;
        let told = "sporegate_accept_errors_total{reason=\"no-descriptors\"} ";
        let count = answer.split(told).nth(1).and_then(|rest| rest.split('\n').next());
        assert!(count.is_some_and(|count| count != "0"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_listen_queue_hurts_no_client_and_empties_again() {
    let setup = TestGateway::with().module("echo", "echo");
    let setup = setup.table("[limits]\nhandshake_timeout = \"10m\"");
    let serving = Serving::start_with_descriptors(setup, DESCRIPTORS).await;
    let mut client = client(&serving).await;
    // More than the queue of the kernel holds (4,096): the last ones do not even get through.
    let mut waiting = Vec::new();
    loop {
        let connecting = TcpStream::connect(serving.address());
        match tokio::time::timeout(Duration::from_millis(500), connecting).await {
            Ok(Ok(stream)) => waiting.push(stream),
            Ok(Err(error)) => panic!("after {}: {error}", waiting.len()),
            Err(_) => break,
        }
        assert!(waiting.len() < 8_000, "the queue has no end");
    }
    client.echo("meanwhile").await;
    drop(waiting);
    let again = Handshake::new("/websocket/echo").bearer(&token("bob", &[]));
    assert_eq!(raw_request(serving.address(), &again.bytes()).await.status, 101);
    client.echo("after").await;
}
