//! Clients that do not read: what waits for them is bounded, they are cut off, and nobody else
//! notices.

use std::time::{Duration, Instant};

use serde_json::json;
use sporegate::close::CloseReason;
use sporegate::counters::Closed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::limited;
use crate::support::raw_client::{CLOSE, PING, RawFrame, TEXT, frame, narrow};
use crate::support::{Client, Handshake, PATIENCE, RawClient, Serving, TestGateway, token, until};

/// Gives up on a writer that takes nothing for half a second.
const SLOW: &str = "outbox_messages = 16\nwrite_timeout = \"500ms\"\nclose_timeout = \"300ms\"";

/// A client that reads no more, and its id.
async fn deaf(gateway: &TestGateway, path: &str) -> (RawClient, String) {
    let mut client = RawClient::connect_narrow(gateway, path).await;
    client.send(&frame(TEXT, br#"{"do":"whoami"}"#)).await;
    let id = client.json().await["ok"]["client"]["id"].as_str().unwrap().to_owned();
    (client, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_to_a_client_that_does_not_read_is_refused_once_its_outbox_is_full() {
    let setup = limited("outbox_messages = 16\nwrite_timeout = \"10m\"\nclose_timeout = \"300ms\"");
    let gateway = setup.start().await;
    let (mut slow, id) = deaf(&gateway, "/probe/slow").await;
    let mut other = gateway.client("/probe/other").await;
    let send =
        json!({"do": "repeat", "count": 4, "of": [{"do": "send", "to": id, "fill": 60_000}]});
    let mut sent = 0;
    let refused = loop {
        let counts = other.ok(send.clone()).await;
        sent += counts["ok"].as_u64().unwrap_or(0);
        assert!(sent < 1_000, "{} MB wait for one client", sent * 60_000 / 1_000_000);
        if let Some(refused) = counts["queue-full"].as_u64() {
            break refused;
        }
    };
    assert!((1..=4).contains(&refused));
    assert_eq!(gateway.counters().sends_refused.of("queue-full"), refused);
    // Its outbox, and what sockets hold: what is being written counts too, until they took it.
    assert!((16..=22).contains(&sent), "{sent} were taken");
    let all = gateway.gateway().server().registry().all();
    let session = all.iter().find(|session| session.id_text() == id).unwrap();
    // The greeting and an answer are among them.
    let written = session.traffic().messages_sent();
    assert!((2..=8).contains(&written), "{written} were written");
    // It was only slow: everything that was taken arrives, whole.
    for number in 0..sent {
        assert_eq!(slow.text().await.len(), 60_000, "message {number} of {sent}");
    }
    slow.send(&frame(TEXT, br#"{"do":"count"}"#)).await;
    assert_eq!(slow.json().await["ok"], 2);
    assert_eq!(other.ok(send).await["ok"], 4, "there is room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_closes_a_client_that_does_not_read_and_reaches_all_others() {
    let gateway = limited(SLOW).start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    let (_slow, id) = deaf(&gateway, "/probe/room").await;
    let mut good = gateway.client("/probe/room").await;
    let mut sender = gateway.client("/probe/sender").await;
    let broadcast = json!({"do": "broadcast", "path": "/probe/room", "fill": 60_000});
    let since = Instant::now();
    let gone = loop {
        sender.ok(broadcast.clone()).await;
        assert_eq!(good.text().await.len(), 60_000, "the one who reads gets everything");
        let count = sender.ok(json!({"do": "count"})).await;
        if count == 3 {
            break watcher.gone().await;
        }
        assert!(since.elapsed() < PATIENCE, "it is still there");
    };
    assert_eq!((&gone["code"], &gone["client"]["id"]), (&json!(4102), &json!(id)));
    assert_eq!(sender.ok(broadcast).await, 1);
    assert_eq!(good.text().await.len(), 60_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_stalls_too_long_ends_the_connection_with_4102() {
    let gateway = limited(SLOW).start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    let (mut slow, id) = deaf(&gateway, "/probe/slow").await;
    // More than sockets hold: a single message of a size that no outbox refuses at first.
    let mut sender = gateway.client("/probe/sender").await;
    let send = json!({"do": "send", "to": id, "fill": 900_000});
    let since = Instant::now();
    let gone = loop {
        assert!(since.elapsed() < PATIENCE, "it is still there");
        let answer = sender.ask(send.clone()).await;
        match answer["error"]["code"].as_str() {
            None | Some("queue-full") => {}
            Some("closed" | "not-found") => break watcher.gone().await,
            Some(other) => panic!("{other}"),
        }
    };
    assert_eq!(gone["code"], 4102);
    // What it finds when it wakes up: a part of what was sent, and the end.
    while slow.frame().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_client_that_wakes_up_in_time_is_told_why_it_is_closed() {
    let setup = limited("outbox_messages = 4\nwrite_timeout = \"10m\"\nclose_timeout = \"10m\"");
    let gateway = setup.start().await;
    let (mut slow, _) = deaf(&gateway, "/probe/room").await;
    let mut sender = gateway.client("/probe/sender").await;
    let broadcast = json!({"do": "broadcast", "path": "/probe/room", "fill": 60_000});
    // A client whose outbox overflowed takes part in no broadcast any more.
    while sender.ok(broadcast.clone()).await != 0 {}
    let close = loop {
        match slow.frame().await.expect("a close frame") {
            RawFrame { first: CLOSE, payload } => break payload,
            message => assert_eq!(message.payload.len(), 60_000),
        }
    };
    assert_eq!(close[..2], 4102_u16.to_be_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_slowly_but_steadily_is_not_cut_off() {
    let limits = "outbox_messages = 1024\noutbox_size = \"8MiB\"\nwrite_timeout = \"1s\"";
    let gateway = limited(limits).start().await;
    let (mut slow, id) = deaf(&gateway, "/probe/slow").await;
    let reading = tokio::spawn(async move {
        // For all of it, much longer than a write may stall; but never without progress.
        let mut pace = tokio::time::interval(Duration::from_millis(25));
        let mut count = 0;
        loop {
            pace.tick().await;
            match slow.text().await.len() {
                60_000 => count += 1,
                _ => return count,
            }
        }
    });
    let mut sender = gateway.client("/probe/sender").await;
    let send = json!({"do": "send", "to": id, "fill": 60_000});
    let mut sent = 0;
    let full = loop {
        let counts = sender.ok(json!({"do": "repeat", "count": 16, "of": [send]})).await;
        sent += counts["ok"].as_u64().unwrap_or(0);
        if counts["queue-full"].is_u64() {
            break Instant::now();
        }
    };
    let last = json!({"do": "send", "to": id, "text": "that was all"});
    while sender.ask(last.clone()).await["error"]["code"] == "queue-full" {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(reading.await.unwrap(), sent);
    assert!(full.elapsed() > Duration::from_secs(2), "too quick to show anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_little_is_not_cut_off_and_one_that_takes_nothing_is() {
    // Longer than it takes to read what the system of the client counts as one step.
    let timeout = Duration::from_secs(5);
    let setup = limited("write_timeout = \"5s\"\nclose_timeout = \"300ms\"");
    let gateway = setup.set("keep_alive = false").start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    let mut slow = RawClient::connect(&gateway, "/probe/slow").await;
    slow.send(&frame(TEXT, br#"{"do":"whoami"}"#)).await;
    let id = slow.json().await["ok"]["client"]["id"].as_str().unwrap().to_owned();
    // Reads 50 KB a second, whatever there is.
    let since = Instant::now();
    let reading = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(50));
        while since.elapsed() < timeout * 5 / 2 {
            pace.tick().await;
            let ended = slow.stream().read_exact(&mut [0; 2_500]).await;
            ended.unwrap_or_else(|error| panic!("cut off after {:?}: {error}", since.elapsed()));
        }
        slow
    });
    // And is sent more than that all the time, in messages that take ten seconds each.
    let mut sender = gateway.client("/probe/sender").await;
    let send = json!({"do": "send", "to": id, "fill": 500_000});
    while !reading.is_finished() {
        sender.ok(json!({"do": "repeat", "count": 2, "of": [send]})).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let _deaf = reading.await.unwrap();
    let stopped = Instant::now();
    assert_eq!(watcher.gone().await["code"], 4102);
    let took = stopped.elapsed();
    assert!(took < timeout * 2, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_little_at_a_time_does_not_outstay_its_time() {
    let setup = limited("lifetime = \"2s\"\nclose_timeout = \"300ms\"\noutbox_size = \"1MiB\"");
    let gateway = setup.start().await;
    let (mut slow, _) = deaf(&gateway, "/probe/slow").await;
    let since = Instant::now();
    slow.send(&frame(TEXT, br#"{"do":"send","fill":900000}"#)).await;
    // It would take a minute to the end of the message.
    let mut pace = tokio::time::interval(Duration::from_millis(10));
    let mut part = [0; 150];
    while let Ok(1..) = slow.stream().read(&mut part).await {
        pace.tick().await;
        assert!(since.elapsed() < Duration::from_secs(10), "it is still there");
    }
    let counters = gateway.counters();
    let lifetime = Closed::from(&CloseReason::LIFETIME);
    until("counted", || counters.closed.of(lifetime) == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_pings_from_a_client_that_never_reads_takes_no_memory() {
    let limits = "control_rate = 1000000\nwrite_timeout = \"1s\"\nclose_timeout = \"300ms\"";
    let setup = limited(limits);
    let serving = Serving::start(setup, &[]).await;
    let token = token("alice", &[]);
    let mut good =
        Client::connect(&format!("{}/probe", serving.url()), Some(&token)).await.unwrap();
    good.greeting().await;
    good.ok(json!({"do": "count"})).await;
    let before = serving.resident_kib();
    let mut most = before;
    let stream = narrow(serving.address()).await;
    let handshake = Handshake::new("/websocket/probe").bearer(&token).bytes();
    let mut flood = RawClient::open(stream, &handshake).await;
    let pings = frame(PING, &[b'x'; 125]).repeat(1_000);
    let since = Instant::now();
    // Until it is cut off; while it is not read, its writes wait.
    loop {
        let write = flood.stream().write(&pings);
        if let Ok(Err(_)) = tokio::time::timeout(Duration::from_millis(50), write).await {
            break;
        }
        most = most.max(serving.resident_kib());
        assert!(
            since.elapsed() < Duration::from_secs(15),
            "a peer that never reads is still there"
        );
    }
    let grown = most - before;
    assert!(grown < 4 << 10, "{grown} KiB more than before the flood");
    good.ok(json!({"do": "count"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_and_never_reads_is_cut_off_too() {
    let gateway = limited(SLOW).start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    let (mut slow, _) = deaf(&gateway, "/probe/room").await;
    let ask = frame(TEXT, br#"{"do":"send","fill":60000}"#).repeat(100);
    let since = Instant::now();
    while slow.try_send(&ask).await {
        assert!(since.elapsed() < Duration::from_secs(15), "it is still there");
    }
    assert_eq!(watcher.gone().await["code"], 4102);
    until("gone", || gateway.gateway().server().registry().all().len() == 1).await;
}
