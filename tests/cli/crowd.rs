//! Many clients and a restart: they leave over the window, and all come back at once. Two thousand
//! of them here; `SPOREGATE_TEST_CLIENTS=10000 tests/run -- cli::crowd` takes more, and as many file
//! descriptors.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::raw_client::close_frame;
use crate::support::{Handshake, RawClient, Serving, Setup, TestGateway, token};

const WINDOW: Duration = Duration::from_secs(4);

fn clients() -> usize {
    std::env::var("SPOREGATE_TEST_CLIENTS").map_or(2_000, |text| text.parse().unwrap())
}

/// A gateway behind a proxy, so that each client is at an address of its own.
fn setup(clients: usize) -> Setup {
    TestGateway::with()
        .module("probe", "probe")
        .set(&format!("max_connections = {clients}\nproxies = [\"127.0.0.1\"]"))
        .table(&format!("[limits]\nhandshakes = {}", clients.max(4_096)))
        .table(&format!("[shutdown]\nwindow = \"{}s\"\ncode = 1012", WINDOW.as_secs()))
}

/// Connects all of them, as fast as it goes.
async fn connect_all(address: SocketAddr, clients: usize) -> Vec<RawClient> {
    let handshake = Handshake::new("/websocket/probe").bearer(&token("alice", &[]));
    let mut connecting = JoinSet::new();
    for number in 0..clients {
        let [high, low] = u16::try_from(number).unwrap().to_be_bytes();
        let handshake = handshake.clone().and("X-Forwarded-For", &format!("10.0.{high}.{low}"));
        connecting.spawn(async move {
            let stream = TcpStream::connect(address).await.unwrap();
            let mut client = RawClient::open(stream, &handshake.bytes()).await;
            assert_eq!(client.json().await["type"], "setClientId");
            client
        });
    }
    connecting.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_clients_leave_over_the_window_and_come_back_at_once() {
    let count = clients();
    let serving = Serving::start(setup(count), &[]).await;
    let address = serving.address();
    let clients = connect_all(address, count).await;

    let since = Instant::now();
    let mut leaving = JoinSet::new();
    for mut client in clients {
        leaving.spawn(async move {
            assert_eq!(client.close_code().await, 1012);
            let after = since.elapsed();
            client.send(&close_frame(1012, b"")).await;
            client.ended().await;
            after
        });
    }
    let (status, output) = serving.stop().await;
    assert_eq!(status.code(), Some(0), "{output}");
    let calls = format!("\"calls\":{count},");
    assert!(output.contains(&calls), "each disconnect was told once: {output}");
    let mut closed = leaving.join_all().await;
    closed.sort_unstable();
    let early = closed.iter().filter(|after| **after < WINDOW / 5).count();
    assert!(early <= count / 2, "{early} of {count} within a fifth of the window");
    let last = *closed.last().unwrap();
    assert!(last >= WINDOW / 2 && last < Duration::from_secs(20), "all of them after {last:?}");

    let listen = address.to_string();
    let serving = Serving::start(setup(count), &["--listen", &listen]).await;
    let since = Instant::now();
    let back = connect_all(address, count).await;
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    assert!(!serving.stderr().contains("rejected"), "{}", serving.stderr());
    println!("{count}: gone after {last:?}, {early} of them early; back in {:?}", since.elapsed());
    drop(back);
}
