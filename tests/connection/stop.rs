//! A gateway that stops: every client is told, every listener too, and it is over in time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::limited;
use crate::support::raw_client::close_frame;
use crate::support::{Handshake, RawClient, Serving, TestGateway, read_response, token};

#[tokio::test(flavor = "multi_thread")]
async fn every_client_is_closed_with_1001_and_every_disconnect_is_told() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let counters = Arc::clone(gateway.gateway().server().counters());
    let registry = Arc::clone(gateway.gateway().server().registry());
    let mut clients = Vec::new();
    for number in 0..10 {
        clients.push(gateway.client(&format!("/probe/{number}")).await);
    }
    assert_eq!(counters.calls.get(), 0);
    let stopping = tokio::spawn(gateway.stop());
    for client in &mut clients {
        let (code, reason) = client.closed().await;
        assert_eq!(code, 1001);
        assert!(!reason.is_empty());
    }
    for client in clients {
        client.close().await;
    }
    assert!(stopping.await.unwrap(), "in time");
    assert_eq!(counters.calls.get(), 10, "each disconnect once");
    assert_eq!((counters.calls_refused.get(), counters.calls_ended.get()), (0, 0));
    assert!(registry.all().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_can_make_a_stop_wait() {
    let setup = limited("close_timeout = \"300ms\"\nhandshake_timeout = \"300ms\"");
    let gateway = setup.start().await;
    let address = gateway.address();
    let counters = Arc::clone(gateway.gateway().server().counters());
    // A client that answers nothing, one that asked half of a request, and one that asked nothing.
    let mut silent = RawClient::connect(&gateway, "/probe").await;
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(&Handshake::new("/websocket/probe").bytes()[..50]).await.unwrap();
    let _nothing = TcpStream::connect(address).await.unwrap();
    let since = Instant::now();
    assert!(gateway.stop().await, "in time");
    assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
    assert_eq!(silent.close_code().await, 1001);
    silent.ended().await;
    assert_eq!(counters.calls.get(), 1, "its disconnect was told all the same");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_ask_nothing_do_not_outlast_a_stop() {
    let gateway = limited("handshake_timeout = \"10m\"").start().await;
    let fresh = TcpStream::connect(gateway.address()).await.unwrap();
    let mut idle = TcpStream::connect(gateway.address()).await.unwrap();
    idle.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(read_response(&mut idle, &mut Vec::new()).await.status, 200);
    let since = Instant::now();
    assert!(gateway.stop().await, "in time");
    assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
    for mut stream in [fresh, idle] {
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "closed without a word");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_takes_too_long_says_so() {
    let setup = limited("close_timeout = \"10m\"").table("[shutdown]\ntimeout = \"300ms\"");
    let gateway = setup.start().await;
    let _silent = RawClient::connect(&gateway, "/probe").await;
    let since = Instant::now();
    assert!(!gateway.stop().await, "a client never answered");
    assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_closes_every_client_and_the_process_ends_well() {
    let serving = Serving::start(TestGateway::with().module("probe", "probe"), &[]).await;
    let stream = TcpStream::connect(serving.address()).await.unwrap();
    let handshake = Handshake::new("/websocket/probe").bearer(&token("alice", &[]));
    let mut client = RawClient::open(stream, &handshake.bytes()).await;
    client.json().await;
    let stopping = tokio::spawn(serving.stop());
    assert_eq!(client.close_code().await, 1001);
    client.send(&close_frame(1001, b"")).await;
    client.ended().await;
    let (status, output) = stopping.await.unwrap();
    assert_eq!(status.code(), Some(0), "{output}");
    assert!(output.contains("\"calls\":1"), "the disconnect listener was called: {output}");
}
