//! A gateway that drains: nobody comes any more, those who are there are served on, and leave over
//! the window, with all that was queued for them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::limited;
use crate::support::raw_client::{CLOSE, TEXT, close_frame};
use crate::support::{
    Handshake, RawClient, RawResponse, Setup, TestGateway, raw_request, token, until,
};

fn probe(shutdown: &str) -> Setup {
    let probe = TestGateway::with().module("probe", "probe");
    probe.table(&format!("[shutdown]\n{shutdown}"))
}

async fn get(address: std::net::SocketAddr, path: &str) -> RawResponse {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    raw_request(address, request.as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_goes_first_and_everybody_who_asks_is_answered_while_clients_are_served() {
    let setup = probe("timeout = \"1h\"\ndelay = \"30m\"");
    let gateway = setup.table("[metrics]\nlisten = \"127.0.0.1:0\"").start().await;
    let (address, metrics) = (gateway.address(), gateway.gateway().metrics_address().unwrap());
    let server = Arc::clone(gateway.gateway().server());
    let mut client = gateway.client("/probe").await;
    assert!(get(metrics, "/metrics").await.body.contains("sporegate_draining 0\n"));
    assert_eq!(get(address, "/readyz").await.status, 200);

    let stopping = tokio::spawn(gateway.stop());
    until("it stops", || !server.is_ready()).await;
    let readiness = get(address, "/readyz").await;
    assert_eq!((readiness.status, &*readiness.body), (503, "draining\n"));
    let handshake = Handshake::new("/websocket/probe");
    for request in [handshake.clone().bearer(&token("bob", &[])), handshake] {
        let refused = raw_request(address, &request.bytes()).await;
        assert_eq!(refused.status, 503, "{refused:?}");
        assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
        assert_eq!(refused.header("connection"), Some("close"));
    }
    assert_eq!(get(address, "/websocket/probe").await.status, 426, "that is no handshake");
    assert_eq!(get(address, "/healthz").await.status, 200);
    let scrape = get(metrics, "/metrics").await.body;
    for series in ["sporegate_draining 1\n", "sporegate_rejected_total{reason=\"draining\"} 2\n"] {
        assert!(scrape.contains(series), "{series} is not in {scrape}");
    }
    assert_eq!(client.ok(json!({"do": "count"})).await, 1);
    assert!(!stopping.is_finished());
    stopping.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_is_closed_before_the_delay_is_over_and_all_are_told_the_code_that_is_set() {
    let gateway = probe("delay = \"500ms\"\nwindow = \"0s\"\ncode = 1012").start().await;
    let mut client = gateway.client("/probe").await;
    let since = Instant::now();
    let stopping = tokio::spawn(gateway.stop());
    assert_eq!(client.closed().await, (1012, "the gateway is shutting down".to_owned()));
    assert!(since.elapsed() >= Duration::from_millis(500), "{:?}", since.elapsed());
    client.close().await;
    assert!(stopping.await.unwrap(), "in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_closed_over_the_window_in_no_order_and_each_disconnect_is_told_once() {
    const CLIENTS: usize = 300;
    let gateway = probe("window = \"2s\"").start().await;
    let counters = Arc::clone(gateway.gateway().server().counters());
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(RawClient::connect(&gateway, "/probe").await);
    }
    let since = Instant::now();
    let leaving: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            tokio::spawn(async move {
                assert_eq!(client.close_code().await, 1001);
                let after = since.elapsed();
                client.send(&close_frame(1001, b"")).await;
                client.ended().await;
                after
            })
        })
        .collect();
    assert!(gateway.stop().await, "in time");
    let mut closed = Vec::new();
    for (number, client) in leaving.into_iter().enumerate() {
        closed.push((client.await.unwrap(), number));
    }
    closed.sort_unstable();
    // Fifteen in each of twenty steps: neither clock nor machine makes it more in a fifth of them.
    let early = closed.iter().filter(|(after, _)| *after < Duration::from_millis(400)).count();
    assert!(early <= CLIENTS / 3, "{early} of {CLIENTS} within a fifth of the window");
    let last = closed.last().unwrap().0;
    assert!(last >= Duration::from_millis(1_500), "all of them after {last:?}");
    let first: Vec<usize> = closed.iter().take(15).map(|(_, number)| *number).collect();
    assert!(first.iter().any(|number| *number > 30), "in the order of their coming: {first:?}");
    assert_eq!(counters.calls.get(), CLIENTS as u64, "each disconnect once");
    assert_eq!(counters.calls_refused.get() + counters.calls_ended.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn few_clients_do_not_take_the_window() {
    let gateway = probe("timeout = \"1h\"\nwindow = \"30m\"").start().await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(gateway.client("/probe").await);
    }
    let stopping = tokio::spawn(gateway.stop());
    for mut client in clients {
        assert_eq!(client.closed().await.0, 1001);
        client.close().await;
    }
    assert!(stopping.await.unwrap(), "in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_queued_leaves_before_the_close() {
    const MESSAGES: usize = 200;
    let gateway = limited("outbox_size = \"2MiB\"").start().await;
    let server = Arc::clone(gateway.gateway().server());
    let mut slow = RawClient::connect_narrow(&gateway, "/probe").await;
    let mut sender = gateway.client("/probe").await;
    let paths = server.registry().all();
    let own = sender.id().await;
    let id = paths.iter().find(|session| session.id_text() != own).unwrap().id_text().to_owned();
    let send = json!({"do": "send", "to": id, "fill": 4_000});
    sender.ok(json!({"do": "repeat", "count": MESSAGES, "of": [send]})).await;
    let waiting = |server: &sporegate::server::Server| {
        let path = server.counters().path(None);
        path.get(sporegate::counters::OfPath::OutboxBytes)
    };
    assert!(waiting(&server) > 0, "nothing is queued");
    let stopping = tokio::spawn(gateway.stop());
    assert_eq!(sender.closed().await.0, 1001);
    sender.close().await;
    let mut had = 0;
    let end = loop {
        match slow.frame().await.expect("a close frame") {
            frame if frame.first == TEXT => had += 1,
            frame => break frame,
        }
    };
    assert_eq!((had, end.first), (MESSAGES, CLOSE));
    assert_eq!(end.payload[..2], 1001_u16.to_be_bytes());
    slow.send(&close_frame(1001, b"")).await;
    assert!(stopping.await.unwrap(), "in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_never_answer_the_close_are_dropped_and_told_of_in_time() {
    let gateway = limited("close_timeout = \"300ms\"").start().await;
    let counters = Arc::clone(gateway.gateway().server().counters());
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(RawClient::connect(&gateway, "/probe").await);
    }
    assert!(gateway.stop().await, "in time");
    assert_eq!((counters.calls.get(), counters.close_timeouts.get()), (50, 50));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_client_does_not_make_a_stop_come_too_late() {
    let gateway = probe("timeout = \"300ms\"").start().await;
    let mut half = tokio::net::TcpStream::connect(gateway.address()).await.unwrap();
    half.write_all(b"GET /readyz HTTP/1.1\r\nHo").await.unwrap();
    // Another one is answered: the first has been read by then, as far as it goes.
    assert_eq!(get(gateway.address(), "/readyz").await.status, 200);
    assert!(gateway.stop().await, "nothing of a client was cut off");
}
