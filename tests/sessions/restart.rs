//! Sessions that outlive the gateway: a stop, and a crash at any moment.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::{Returning, away, is_silent, send, waiting};
use crate::support::{Client, Serving, Setup, TestGateway, raw_request, token, until};

/// Sessions wait for a minute, and outlive the gateway in this folder.
pub(super) fn kept_in(folder: &Path) -> Setup {
    waiting("60s").set(&format!("reconnect_folder = {:?}", folder.display().to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_hands_sessions_over_to_the_next_start() {
    let folder = TempDir::new().unwrap();
    let gateway = kept_in(folder.path()).start().await;
    let mut other = gateway.client("/probe/other").await;
    let mut absent = Returning::connect(&gateway, "/probe/room").await;
    let mut present = Returning::connect(&gateway, "/probe/room").await;
    let ids = [absent.client.id().await, present.client.id().await];
    absent.client.drop_connection();
    away(&gateway, 1).await;
    for number in 0..20 {
        send(&mut other, &ids[0], &number.to_string()).await;
    }
    // This one is connected, has had two messages, and says that it has had one.
    send(&mut other, &ids[1], "seen").await;
    assert_eq!(present.client.text().await, "seen");
    assert!(gateway.stop().await);
    assert_eq!(present.client.closed().await.0, 1001);

    let gateway = kept_in(folder.path()).start().await;
    away(&gateway, 3).await;
    let mut other = gateway.client("/probe/other").await;
    for number in 20..40 {
        send(&mut other, &ids[0], &number.to_string()).await;
    }
    let path = format!("/probe/room?clientId={}&received=1", absent.token);
    let mut back = Returning::connect(&gateway, &path).await;
    assert!(back.is_resumed());
    for number in 0..40 {
        assert_eq!(back.client.text().await, number.to_string());
    }
    let event = back.client.ok(json!({"do": "whoami"})).await;
    assert_eq!((&event["client"]["id"], &event["sequence"]), (&json!(ids[0]), &json!(2)));
    let path = format!("/probe/room?clientId={}&received=1", present.token);
    let mut back = Returning::connect(&gateway, &path).await;
    assert!(back.is_resumed());
    assert_eq!(back.client.text().await, "seen");
    assert!(is_silent(&mut back.client).await);
    // The token of somebody else is worth nothing, after a start as before.
    let path = format!("/probe/room?clientId={}", back.token);
    let thief = Returning::connect_as(&gateway, "mallory", &[], &path).await;
    assert_eq!(thief.refusal(), "unknown");
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_come_back_after_a_start_has_one_event_with_the_reason_it_left_for() {
    let folder = TempDir::new().unwrap();
    let setup = || {
        let wait = "reconnect_timeout = \"2s\"";
        let folder = format!("reconnect_folder = {:?}", folder.path().display().to_string());
        TestGateway::with().set(wait).set(&folder).module("probe", "probe")
    };
    let gateway = setup().start().await;
    let mut absent = Returning::connect(&gateway, "/probe/watched").await;
    let id = absent.client.id().await;
    let frame = CloseFrame { code: 4000.into(), reason: "back soon".into() };
    absent.client.send(Message::Close(Some(frame))).await;
    away(&gateway, 1).await;
    assert!(gateway.stop().await);

    let gateway = setup().start().await;
    let mut watcher = gateway.client("/probe/watch").await;
    let counters = gateway.counters();
    assert_eq!((counters.sessions_restored.get(), counters.sessions_ended.get()), (1, 0));
    let gone = watcher.gone().await;
    assert_eq!((&gone["client"]["id"], &gone["code"]), (&json!(id), &json!(4000)), "{gone}");
    assert!(is_silent(&mut watcher).await);
    watcher.done().await;
    until("all have gone", || counters.sessions_ended.get() == 2).await;
    assert!(gateway.stop().await);
    // Nothing is left of either.
    let gateway = setup().start().await;
    assert_eq!(gateway.counters().sessions_restored.get(), 0);
}

/// A gateway in a process of its own, and a client of it.
pub(super) async fn serving(folder: &Path) -> Serving {
    Serving::start(kept_in(folder).table("[log]\nlevel = \"debug\"\n"), &[]).await
}

/// What is logged when the client with this id has left.
pub(super) fn away_line(id: &str) -> String {
    format!(r#""message":"away","client":"{id}""#)
}

pub(super) async fn connect(serving: &Serving, path: &str) -> Client {
    let url = format!("{}{path}", serving.url());
    Client::connect(&url, Some(&token("alice", &[]))).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_for_a_client_that_is_away_survives_a_kill_at_any_moment() {
    let rounds = std::env::var("SPOREGATE_TEST_KILLS").map_or(6, |it| it.parse().unwrap());
    let folder = TempDir::new().unwrap();
    let mut serving_now = serving(folder.path()).await;
    let mut random = 7_u64;
    for round in 0..rounds {
        let mut client = connect(&serving_now, "/probe/room").await;
        let greeting = client.json().await;
        let token = greeting["payload"].as_str().unwrap().to_owned();
        let id = client.id().await;
        client.drop_connection();
        let mut other = connect(&serving_now, "/probe/other").await;
        other.json().await;
        serving_now.until_logged(&away_line(&id)).await;
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040);
        let kill_after = Duration::from_micros(5_000 + (random >> 40) % 150_000);
        let killing = async {
            tokio::time::sleep(kill_after).await;
            serving_now.signal("KILL");
        };
        let mut accepted = 0_u64;
        let sending = async {
            loop {
                let text = accepted.to_string();
                let call = json!({"do": "send", "to": id, "text": text}).to_string();
                other.send(call).await;
                match other.frame().await {
                    Some(Ok(frame)) if frame.is_text() => accepted += 1,
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                }
            }
        };
        tokio::join!(killing, sending);
        drop(serving_now);
        serving_now = serving(folder.path()).await;
        let path = format!("/probe/room?clientId={token}&received=1");
        let mut back = connect(&serving_now, &path).await;
        let greeting = back.json().await;
        assert_eq!(greeting["resumed"], true, "round {round}: {greeting}");
        back.send_json(&json!({"do": "whoami"})).await;
        let mut next = 0;
        loop {
            let text = back.text().await;
            let Ok(number) = text.parse::<u64>() else { break };
            assert_eq!(number, next, "round {round}: a gap, or twice the same");
            next += 1;
        }
        // One more may have been accepted, whose answer did not get out.
        assert!(next == accepted || next == accepted + 1, "round {round}: {next} of {accepted}");
        assert!(accepted > 0 || kill_after < Duration::from_millis(20), "nothing was tried");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_connected_at_a_kill_is_told_of_the_gap_and_has_one_event() {
    let folder = TempDir::new().unwrap();
    let killed = serving(folder.path()).await;
    let mut watcher = connect(&killed, "/probe/watch").await;
    let watching = watcher.json().await["payload"].as_str().unwrap().to_owned();
    let watcher_id = watcher.id().await;
    watcher.drop_connection();
    killed.until_logged(&away_line(&watcher_id)).await;
    let mut client = connect(&killed, "/probe/room").await;
    let old = client.json().await["payload"].as_str().unwrap().to_owned();
    let id = client.id().await;
    // What was written before this is with the operating system: the session, too.
    client.ok(json!({"do": "send", "to": watcher_id, "text": "kept"})).await;
    killed.signal("KILL");
    drop(killed);
    let gateway = kept_in(folder.path()).start().await;
    let counters = gateway.counters();
    until("its end is told", || counters.sessions_ended.get() == 1).await;
    let path = format!("/probe/room?clientId={old}&received=1");
    assert_eq!(Returning::connect(&gateway, &path).await.refusal(), "gap");
    let path = format!("/probe/watch?clientId={watching}&received=1");
    let mut watcher = Returning::connect(&gateway, &path).await;
    assert!(watcher.is_resumed());
    assert_eq!(watcher.client.text().await, "kept");
    let gone = watcher.client.gone().await;
    assert_eq!((&gone["client"]["id"], &gone["code"]), (&json!(id), &json!(1006)), "{gone}");
    assert!(is_silent(&mut watcher.client).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_connected_at_a_kill_does_not_come_back_before_its_end_is_told() {
    let folder = TempDir::new().unwrap();
    let killed = serving(folder.path()).await;
    let mut absent = connect(&killed, "/probe/room").await;
    absent.greeting().await;
    let absent_id = absent.id().await;
    absent.drop_connection();
    killed.until_logged(&away_line(&absent_id)).await;
    let mut clients = Vec::new();
    for _ in 0..200 {
        let mut client = connect(&killed, "/probe/room").await;
        let token = client.greeting().await;
        client.id().await;
        clients.push((token, client));
    }
    // What is accepted for somebody who is away is safe, and so is all that was written before.
    send(&mut clients[0].1, &absent_id, "safe").await;
    killed.signal("KILL");
    drop(killed);
    let gateway = kept_in(folder.path()).start().await;
    // The last ones, whose ends are told last.
    for (token, _) in clients.iter().rev().take(5) {
        for count in ["", "&received=0"] {
            let path = format!("/probe/room?clientId={token}{count}");
            assert_eq!(Returning::connect(&gateway, &path).await.refusal(), "gap", "{count}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_for_one_gateway_at_a_time() {
    let folder = TempDir::new().unwrap();
    let first = serving(folder.path()).await;
    let setup = kept_in(folder.path());
    let config = setup.write();
    let output = tokio::task::spawn_blocking(move || {
        let mut second = crate::support::sporegate();
        second.args(["serve", "--config"]).arg(config).arg("--modules").arg(setup.modules());
        second.output().unwrap()
    });
    let output = output.await.unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("another process uses it"), "{text}");
    drop(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_harms_no_client_and_is_over_when_there_is_room() {
    let folder = TempDir::new().unwrap();
    // No file may be larger than 4 MiB, in blocks of 512 bytes; and no signal comes of it.
    let setup = kept_in(folder.path()).table(
        "[log]\nlevel = \"debug\"\n[limits]\noutbox_messages = 100000\noutbox_size = \"16MiB\"\n",
    );
    let serving = Serving::start_limited_with(setup, "trap '' XFSZ && ulimit -f 8192").await;
    let ready = || async {
        let request = format!("GET /readyz HTTP/1.1\r\nhost: {}\r\n\r\n", serving.address());
        raw_request(serving.address(), request.as_bytes()).await.status
    };
    let mut absent = connect(&serving, "/probe/room").await;
    let token = absent.json().await["payload"].as_str().unwrap().to_owned();
    let id = absent.id().await;
    absent.drop_connection();
    serving.until_logged(&away_line(&id)).await;
    assert_eq!(ready().await, 200);
    let mut other = connect(&serving, "/probe/other").await;
    other.json().await;
    let text = "x".repeat(60_000);
    // More than there is room for; every send is answered.
    for _ in 0..200 {
        other.ok(json!({"do": "send", "to": id, "text": text})).await;
    }
    serving.until_logged("the store of sessions fails").await;
    assert_eq!(ready().await, 503);
    other.ok(json!({"do": "whoami"})).await;
    // In memory nothing is missing, and what is not kept any more leaves room on the disk.
    let mut back = connect(&serving, &format!("/probe/room?clientId={token}&received=1")).await;
    assert_eq!(back.json().await["resumed"], true);
    for _ in 0..200 {
        assert_eq!(back.text().await.len(), text.len());
    }
    serving.until_logged("the store of sessions works again").await;
    assert_eq!(ready().await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_finds_its_last_state_after_a_stop_and_each_client_its_own() {
    for instances in [1, 4] {
        let folder = TempDir::new().unwrap();
        let run = format!("[run]\ninstances = {instances}\n");
        let setup = || kept_in(folder.path()).module("tally", "tally").sidecar("tally", &run);
        let mut clients: Vec<String> = vec!["/tally".to_owned(); 12];
        for round in 1..=3 {
            let gateway = setup().start().await;
            let mut connected = Vec::new();
            for path in &mut clients {
                let mut client = Returning::connect(&gateway, path).await;
                assert_eq!(client.is_resumed(), round > 1);
                let answer = client.client.ask_text("x").await;
                assert_eq!(answer["yours"], round, "{instances} instances, {answer}");
                *path = format!("/tally?clientId={}&received={round}", client.token);
                connected.push(client);
            }
            assert!(gateway.stop().await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_does_not_fit_any_more_is_lost_and_its_module_serves() {
    let folder = TempDir::new().unwrap();
    let setup = || kept_in(folder.path()).module("tally", "tally");
    let says = async |gateway: &TestGateway| {
        let mut client = gateway.client("/tally").await;
        client.ask_text("x").await["total"].as_u64().unwrap()
    };
    let gateway = setup().start().await;
    assert_eq!(says(&gateway).await, 1);
    assert!(gateway.stop().await);
    // There is no module for it this time: it is kept for the next one.
    let gateway = kept_in(folder.path()).start().await;
    assert!(gateway.stop().await);
    let gateway = setup().start().await;
    assert_eq!(says(&gateway).await, 2);
    assert!(gateway.stop().await);
    // The state of one could not be divided among two.
    let gateway = setup().sidecar("tally", "[run]\ninstances = 2\n").start().await;
    assert_eq!(says(&gateway).await, 1);
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_does_not_say_its_state_does_not_hold_a_stop() {
    let folder = TempDir::new().unwrap();
    let setup = |manner| {
        kept_in(folder.path())
            .file("tally.wasm", &crate::swap::tally(manner))
            .sidecar("tally", "[limits]\nhandover_timeout = \"60s\"\n")
            .table("[shutdown]\ntimeout = \"2s\"\nwindow = \"0s\"\n")
    };
    let gateway = setup("export-loops").start().await;
    let mut client = Returning::connect(&gateway, "/tally").await;
    client.client.ask_text("x").await;
    let began = Instant::now();
    assert!(!gateway.stop().await, "not all of it was done");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    // Its sessions are there all the same.
    let gateway = setup("first").start().await;
    let path = format!("/tally?clientId={}&received=1", client.token);
    let mut back = Returning::connect(&gateway, &path).await;
    assert!(back.is_resumed());
    assert_eq!(back.client.ask_text("x").await["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_closed_while_away_in_a_stop_has_its_event_after_the_next_start() {
    let folder = TempDir::new().unwrap();
    let setup = || kept_in(folder.path()).table("[shutdown]\ndelay = \"2s\"\n");
    let gateway = setup().start().await;
    let mut other = gateway.client("/probe/other").await;
    let mut absent = Returning::connect(&gateway, "/probe/watched").await;
    let id = absent.client.id().await;
    absent.client.drop_connection();
    away(&gateway, 1).await;
    let server = std::sync::Arc::clone(gateway.gateway().server());
    let closing = async {
        let handed_over = || server.counters().sessions_handed_over.get();
        until("it is handed over", || handed_over() == 1).await;
        let close = json!({"do": "close", "to": id, "code": 4_900, "reason": "banned"});
        other.ok(close).await;
    };
    let (stopped, ()) = tokio::join!(gateway.stop(), closing);
    assert!(stopped);

    let gateway = setup().start().await;
    until("it has ended", || gateway.counters().sessions_ended.get() == 1).await;
    let path = format!("/probe/watched?clientId={}", absent.token);
    assert_eq!(Returning::connect(&gateway, &path).await.refusal(), "unknown");
}
