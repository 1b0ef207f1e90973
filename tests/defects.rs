//! Defects of the original service, each asked for as a client of it would: none may come back.
//!
//! Ten are known. Seven show at a socket and stand below. The other three are not shown here:
//! - user names unescaped in file names, an unbounded buffer, and keep-alives written to the
//!   buffer are defects of the store for clients that reconnect: nothing of them is written to files,
//!   what waits is bounded, and keep-alives are no part of it: see `sessions`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use sporegate::counters::Counters;
use sporegate::limits::SharedPolicy;
use sporegate::path::ConnectPath;
use sporegate::principal::Principal;
use sporegate::session::Session;

use crate::support::{Client, Handshake, TestGateway, raw_request, until};

/// A client of a user that asks for the session with this id; its own new id.
async fn connect_as(gateway: &TestGateway, user: &str, client_id: &str) -> (Client, String) {
    let path = format!("/probe/room?clientId={client_id}");
    let mut client = gateway.connect(&path, Some(&gateway.token(user, &[]))).await.unwrap();
    let token = client.greeting().await;
    (client, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn knowing_a_client_id_gives_nobody_the_session_of_another_user() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let token = gateway.token("alice", &[]);
    let mut alice = gateway.connect("/probe/room", Some(&token)).await.unwrap();
    let secret = alice.greeting().await;
    let public = alice.id().await;
    for known in [&secret, &public] {
        let (mut mallory, own) = connect_as(&gateway, "mallory", known).await;
        assert!(&own != known, "mallory was greeted as alice");
        let event = mallory.ok(json!({"do": "whoami"})).await;
        assert_eq!(event["client"]["username"], "mallory");
        assert_ne!(event["client"]["id"], json!(public));
        assert_eq!(event["sequence"], 1, "a session of its own: {event}");
        // What is for alice still reaches her, and only her.
        mallory.ok(json!({"do": "send", "to": public, "text": "for alice"})).await;
        assert_eq!(alice.text().await, "for alice");
        mallory.settle().await;
        let found = mallory.ok(json!({"do": "clients-of-user", "user": "alice", "limit": 9})).await;
        assert_eq!(found["clients"][0]["id"], json!(public));
        mallory.close().await;
    }
    alice.ok(json!({"do": "whoami"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_late_close_of_an_old_socket_leaves_the_new_one_alone() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let mut watcher = gateway.client("/probe/watch").await;
    let token = gateway.token("alice", &[]);
    let mut old = gateway.connect("/probe/room", Some(&token)).await.unwrap();
    let secret = old.greeting().await;
    let old_id = old.id().await;
    let (mut new, _) = connect_as(&gateway, "alice", &secret).await;
    let new_id = new.id().await;
    assert_ne!(new_id, old_id, "ids are never reused");
    old.drop_connection();
    let gone = watcher.gone().await;
    assert_eq!((&gone["client"]["id"], &gone["code"]), (&json!(old_id), &json!(1006)));
    // The new one is found in every way, can be sent to, and is heard.
    for query in [
        json!({"do": "clients-of-user", "user": "alice", "limit": 9}),
        json!({"do": "clients-on-path", "path": "/probe/room", "limit": 9}),
    ] {
        let found = watcher.ok(query).await;
        let ids: Vec<_> = found["clients"].as_array().unwrap().iter().map(|c| &c["id"]).collect();
        assert!(ids.contains(&&json!(new_id)) && !ids.contains(&&json!(old_id)), "{ids:?}");
    }
    watcher.ok(json!({"do": "send", "to": new_id, "text": "still there"})).await;
    assert_eq!(new.text().await, "still there");
    assert_eq!(new.id().await, new_id);
    // And leaves once, later.
    new.close().await;
    assert_eq!(watcher.gone().await["client"]["id"], json!(new_id));
    watcher.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_unknown_gets_401_and_who_lacks_a_role_gets_403() {
    let gateway = TestGateway::with().set("restrictToRoles = [\"staff\"]").start().await;
    let plain = Handshake::new("/websocket/x");
    for (handshake, status) in [
        (plain.clone(), 401),
        (plain.clone().bearer("wrong"), 401),
        (plain.clone().bearer(&gateway.token("alice", &[])), 403),
        (plain.clone().bearer(&gateway.token("alice", &["guest"])), 403),
        (plain.bearer(&gateway.token("alice", &["staff"])), 101),
    ] {
        let answer = raw_request(gateway.address(), &handshake.bytes()).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn max_connections_is_exact_and_checked_before_the_upgrade() {
    let setup = TestGateway::with().set("maxConnections = 2").module("echo", "echo");
    let gateway = setup.start().await;
    let mut first = gateway.client("/echo").await;
    let mut second = gateway.client("/echo").await;
    let handshake = Handshake::new("/websocket/echo").bearer(&gateway.token("alice", &[]));
    let answer = raw_request(gateway.address(), &handshake.bytes()).await;
    assert_eq!(answer.status, 503, "no upgrade and then a close: {answer:?}");
    assert!(answer.header("retry-after").is_some());
    first.echo("as before").await;
    second.echo("as before").await;
    first.close().await;
    let registry = gateway.gateway().server().registry();
    until("one has left", || registry.all().len() == 1).await;
    // The place is given back after the disconnect was told: then exactly one more gets in.
    let token = gateway.token("alice", &[]);
    let mut third = loop {
        match gateway.connect("/echo", Some(&token)).await {
            Ok(client) => break client,
            Err(refused) => assert_eq!(refused.status, 503),
        }
    };
    third.greeting().await;
    let answer = raw_request(gateway.address(), &handshake.bytes()).await;
    assert_eq!(answer.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_cannot_connect() {
    let gateway = TestGateway::with().start().await;
    let page = Handshake::new("/websocket/x").bearer(&gateway.token("alice", &[]));
    let evil = page.clone().and("Origin", "https://evil.example");
    assert_eq!(raw_request(gateway.address(), &evil.bytes()).await.status, 403);
    let own = page.and("Origin", "http://sporegate.test");
    assert_eq!(raw_request(gateway.address(), &own.bytes()).await.status, 101);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_query_is_no_part_of_the_connect_path() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let mut client = gateway.client("/probe/room?clientId=1&x=/probe/other").await;
    let event = client.ok(json!({"do": "whoami"})).await;
    assert_eq!(event["client"]["path"], "/probe/room");
    let query = json!({"do": "clients-on-path", "path": "/probe/room", "limit": 9});
    assert_eq!(client.ok(query).await["clients"].as_array().unwrap().len(), 1);
    let matcher = json!({"path": "/probe/room"});
    client
        .ok(json!({"do": "add-listener", "name": "here", "matcher": matcher, "priority": 9}))
        .await;
    client.send("to whom it may concern").await;
    assert_eq!(client.json().await["listener"], "here");
}

/// Sends to nobody, whom a search would look for among all clients.
const SENDS: u64 = 900;

/// Clients that are there besides. To look at each of them for each send takes far longer than a
/// call may last.
const CROWD: usize = 50_000;

/// How long a call with so many sends takes.
async fn time_of_sends(client: &mut Client) -> Duration {
    let send = json!({"do": "send", "to": "00000000000000000000000000000000", "text": "x"});
    let began = Instant::now();
    let counts = client.ok(json!({"do": "repeat", "count": SENDS, "of": [send]})).await;
    assert_eq!(counts, json!({"not-found": SENDS}));
    began.elapsed()
}

/// The steps of queries are counted by `host/src/registry/tests.rs`.
#[tokio::test(flavor = "multi_thread")]
async fn a_send_does_not_search_all_clients() {
    // On a busy machine it takes longer than the time between two of them.
    let setup = TestGateway::with().module("probe", "probe").set("keep_alive = false");
    let gateway = setup.start().await;
    let mut client = gateway.client("/probe/room").await;
    let mut alone = Duration::MAX;
    for _ in 0..10 {
        alone = alone.min(time_of_sends(&mut client).await);
    }
    let registry = gateway.gateway().server().registry();
    let crowd: Vec<Arc<Session>> = (0..CROWD)
        .map(|_| {
            let path = ConnectPath::parse("/probe/crowd").unwrap();
            let (order, counters) = (registry.next_order(), Counters::default().path(None));
            let nobody = Principal::anonymous();
            Arc::new(
                Session::new(
                    order,
                    path,
                    nobody,
                    SharedPolicy::default(),
                    counters,
                    Arc::default(),
                )
                .unwrap(),
            )
        })
        .collect();
    crowd.iter().for_each(|session| registry.insert(session));
    assert_eq!(client.ok(json!({"do": "count"})).await, CROWD + 1);
    // However busy the machine is, one of many calls is let run.
    let mut crowded = Duration::MAX;
    for _ in 0..100 {
        crowded = crowded.min(time_of_sends(&mut client).await);
        if crowded < 4 * alone {
            break;
        }
    }
    assert!(crowded < 4 * alone, "{crowded:?} among {CROWD} clients, {alone:?} alone");
    crowd.iter().for_each(|session| assert!(registry.remove(session)));
}
