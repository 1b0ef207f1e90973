//! What a module can find out about clients.

use std::sync::Arc;

use serde_json::{Value, json};
use sporegate::counters::Counters;
use sporegate::limits::ConnectionPolicy;
use sporegate::path::ConnectPath;
use sporegate::principal::Principal;
use sporegate::session::Session;

use super::{MALFORMED, NO_IDS, NOBODY, ids, probing, until_count};
use crate::support::{Client, TestGateway};

/// Every page of a query, each asked for with the cursor of the one before.
async fn pages(client: &mut Client, query: &Value) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let mut query = query.clone();
        query["cursor"] = cursor;
        let page = client.ok(query).await;
        pages.push(ids(&page["clients"]));
        cursor = page["cursor"].clone();
        if cursor.is_null() {
            return pages;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_known_by_its_id_with_path_user_and_sorted_roles() {
    let gateway = probing().await;
    let mut bob = gateway.client_as("bob", &["writer", "admin", "writer"], "/probe/b/").await;
    let id = bob.id().await;
    let mut alice = gateway.client("/probe").await;
    let expected =
        json!({"id": id, "path": "/probe/b", "username": "bob", "roles": ["admin", "writer"]});
    assert_eq!(alice.ok(json!({"do": "get-client", "to": id})).await, expected);
    assert_eq!(bob.ok(json!({"do": "whoami"})).await["client"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_short_ascii_and_not_the_secret_of_the_greeting() {
    let gateway = probing().await;
    let mut client = gateway.connect("/probe", Some(&gateway.token("eve", &[]))).await.unwrap();
    let secret = client.greeting().await;
    let id = client.id().await;
    assert!(id.is_ascii() && !id.is_empty() && id.len() <= 64, "{id}");
    assert_ne!(id, secret);
    assert_eq!(client.ok(json!({"do": "get-client", "to": secret})).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_or_malformed_id_is_nobody() {
    let gateway = probing().await;
    let mut client = gateway.client("/probe").await;
    let own = client.id().await;
    let mut nobodies: Vec<String> = NO_IDS.map(String::from).into();
    nobodies.extend([NOBODY.into(), own.to_uppercase() + "A", "f".repeat(1_000)]);
    for id in nobodies {
        assert_eq!(client.ok(json!({"do": "get-client", "to": id})).await, Value::Null, "{id}");
        assert_eq!(client.ok(json!({"do": "claims", "to": id})).await, Value::Null, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_on_a_path_that_is_not_granted_does_not_exist_for_the_module() {
    let gateway =
        TestGateway::with().module("probe", "probe").module("other", "probe").start().await;
    let mut bob = gateway.client_as("bob", &["guest"], "/other").await;
    let id = bob.id().await;
    let mut alice = gateway.client("/probe").await;
    assert_eq!(alice.ok(json!({"do": "get-client", "to": id})).await, Value::Null);
    assert_eq!(alice.ok(json!({"do": "claims", "to": id})).await, Value::Null);
    let sent = alice.refused(json!({"do": "send", "to": id, "text": "ghost"})).await;
    assert_eq!(sent.0, "not-found");
    let closed = alice.refused(json!({"do": "close", "to": id, "code": 4900})).await;
    assert_eq!(closed.0, "not-found");
    for audience in [json!({"ids": [id]}), json!({"user": "bob"}), json!({"role": "guest"})] {
        let mut command = audience;
        (command["do"], command["text"]) = ("broadcast".into(), "ghost".into());
        assert_eq!(alice.ok(command.clone()).await, 0, "{command}");
    }
    let everywhere = json!({"do": "clients-on-path", "path": "/*", "limit": 10});
    assert_eq!(ids(&alice.ok(everywhere).await["clients"]), [alice.id().await]);
    let of_user = json!({"do": "clients-of-user", "user": "bob", "limit": 10});
    assert_eq!(alice.ok(of_user).await, json!({"clients": [], "cursor": null}));
    assert_eq!(alice.ok(json!({"do": "count"})).await, 1);
    // Nothing has come to him but the answer to this.
    assert_eq!(bob.id().await, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_found_on_an_exact_path_and_by_pattern_in_order_of_path_and_arrival() {
    let gateway = probing().await;
    let mut clients = Vec::new();
    let mut by_path = Vec::new();
    for path in
        ["/probe/rooms/b", "/probe/rooms/a", "/probe/rooms/b", "/probe/rooms", "/probe/rooms/a/x"]
    {
        let mut client = gateway.client(path).await;
        by_path.push((path, client.id().await));
        clients.push(client);
    }
    by_path.sort_by_key(|(path, _)| *path);
    let of = |wanted: fn(&str) -> bool| -> Vec<String> {
        by_path.iter().filter(|(path, _)| wanted(path)).map(|(_, id)| id.clone()).collect()
    };
    let asking = &mut clients[0];
    type Wanted = fn(&str) -> bool;
    let cases: [(&str, Wanted); 6] = [
        ("/probe/rooms/b", |path| path == "/probe/rooms/b"),
        ("/probe/rooms", |path| path == "/probe/rooms"),
        ("/probe/rooms/{room}", |path| path.matches('/').count() == 3),
        ("/probe/{any}/a/*", |path| path.starts_with("/probe/rooms/a")),
        ("/probe/rooms/*", |_| true),
        ("/probe/rooms/c", |_| false),
    ];
    for (pattern, wanted) in cases {
        let query = json!({"do": "clients-on-path", "path": pattern, "limit": 10});
        let found = asking.ok(query).await;
        assert_eq!(ids(&found["clients"]), of(wanted), "{pattern}");
        assert_eq!(found["cursor"], Value::Null, "{pattern}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_path_show_everybody_once_and_never_more_than_asked_for() {
    let gateway = probing().await;
    let mut clients = Vec::new();
    let mut all = Vec::new();
    for number in 0..22 {
        let mut client = gateway.client(&format!("/probe/rooms/{}", number % 4)).await;
        all.push((number % 4, client.id().await));
        clients.push(client);
    }
    all.sort_by_key(|(room, _)| *room);
    let all: Vec<String> = all.into_iter().map(|(_, id)| id).collect();
    for (limit, sizes) in
        [(1, vec![1; 22]), (5, vec![5, 5, 5, 5, 2]), (11, vec![11, 11]), (22, vec![22])]
    {
        let query = json!({"do": "clients-on-path", "path": "/probe/*", "limit": limit});
        let pages = pages(&mut clients[0], &query).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "limit {limit}");
        assert_eq!(pages.concat(), all, "limit {limit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_stay_whole_while_clients_come_and_go() {
    let gateway = probing().await;
    let mut asking = gateway.client("/probe").await;
    let mut clients = Vec::new();
    for number in 0..12 {
        let room = number / 4;
        let mut client = gateway.client(&format!("/probe/rooms/{room}")).await;
        clients.push((client.id().await, client));
    }
    let order: Vec<String> = clients.iter().map(|(id, _)| id.clone()).collect();
    let query = json!({"do": "clients-on-path", "path": "/probe/rooms/{room}", "limit": 3});
    let first = asking.ok(query.clone()).await;
    assert_eq!(ids(&first["clients"]), order[..3]);

    // One that was seen, the one that the cursor points at, the next one, and a whole path.
    let mut staying = Vec::new();
    for (index, (_, client)) in clients.into_iter().enumerate() {
        match index {
            0 | 2..=7 => client.close().await,
            _ => staying.push(client),
        }
    }
    until_count(&mut asking, 1 + 5).await;
    // One comes before the cursor, one after it.
    staying.push(gateway.client("/probe/rooms/-").await);
    let mut after = gateway.client("/probe/rooms/2").await;

    let mut rest = query;
    (rest["cursor"], rest["limit"]) = (first["cursor"].clone(), 100.into());
    let mut expected = order[8..].to_vec();
    expected.push(after.id().await);
    let rest = asking.ok(rest).await;
    assert_eq!(ids(&rest["clients"]), expected);
    assert_eq!(rest["cursor"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_page_has_at_most_a_thousand_clients() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .sidecar("probe", "[limits]\ncpu = \"5s\"\n")
        .start()
        .await;
    let mut asking = gateway.client("/probe").await;
    // Sessions without sockets are enough to be counted.
    let registry = gateway.gateway().server().registry();
    for _ in 0..1_001 {
        let path = ConnectPath::parse("/probe/crowd").unwrap();
        let order = registry.next_order();
        let (policy, counters) =
            (Arc::new(ConnectionPolicy::default()), Counters::default().path(None));
        let session =
            Session::new(order, path, Principal::anonymous(), policy, counters, Arc::default());
        registry.insert(&Arc::new(session.unwrap()));
    }
    let query = json!({"do": "clients-on-path", "path": "/probe/crowd", "limit": u32::MAX});
    let pages = pages(&mut asking, &query).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [1_000, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_no_clients_cannot_be_asked_for() {
    let gateway = probing().await;
    let mut client = gateway.client("/probe").await;
    for query in [
        json!({"do": "clients-on-path", "path": "/probe", "limit": 0}),
        json!({"do": "clients-of-user", "user": "alice", "limit": 0}),
    ] {
        let (code, detail) = client.refused(query).await;
        assert_eq!(code, "invalid-argument");
        assert!(detail.contains("limit"), "{detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_no_query_returned_is_refused() {
    let gateway = probing().await;
    let mut client = gateway.client("/probe").await;
    for cursor in ["", "x", "12", "/probe", "-1/probe", "1.5/probe", &"9".repeat(40)] {
        for query in [
            json!({"do": "clients-on-path", "path": "/probe", "limit": 1, "cursor": cursor}),
            json!({"do": "clients-of-user", "user": "alice", "limit": 1, "cursor": cursor}),
        ] {
            let (code, detail) = client.refused(query).await;
            assert_eq!(code, "invalid-argument", "{cursor:?}");
            assert!(detail.contains("cursor"), "{cursor:?}: {detail}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_on_a_path_of_others_may_not_be_asked_for() {
    let gateway = TestGateway::serving(&["probe", "echo"]).await;
    let _echoing = gateway.client("/echo").await;
    let mut client = gateway.client("/probe").await;
    for path in ["/echo", "/echo/*", "/probed", "/{any}/below", "/"] {
        let query = json!({"do": "clients-on-path", "path": path, "limit": 9});
        match path {
            // Some of these are on the module's paths: those it may see.
            "/{any}/below" => assert_eq!(ids(&client.ok(query).await["clients"]), [""; 0]),
            _ => {
                let (code, detail) = client.refused(query).await;
                assert_eq!((&*code, detail.contains(path)), ("denied", true), "{path}: {detail}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_path_or_pattern_is_named() {
    let gateway = probing().await;
    let mut client = gateway.client("/probe").await;
    for path in MALFORMED {
        let query = json!({"do": "clients-on-path", "path": path, "limit": 9});
        let (code, detail) = client.refused(query).await;
        assert_eq!(code, "invalid-argument", "{path:?}");
        assert!(detail.starts_with("path"), "{path:?}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_of_a_user_are_found_page_by_page_on_granted_paths() {
    let gateway = TestGateway::with().module("probe", "probe").module("echo", "echo").start().await;
    let mut clients = Vec::new();
    let mut of_bob = Vec::new();
    for number in 0..7 {
        let mut client = gateway.client_as("bob", &[], &format!("/probe/{number}")).await;
        of_bob.push(client.id().await);
        clients.push(client);
        clients.push(gateway.client_as("bob", &[], "/echo").await);
        clients.push(gateway.client_as("bobby", &[], "/probe").await);
    }
    for (limit, sizes) in [(1, vec![1; 7]), (3, vec![3, 3, 1]), (7, vec![7]), (100, vec![7])] {
        let query = json!({"do": "clients-of-user", "user": "bob", "limit": limit});
        let pages = pages(&mut clients[0], &query).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "limit {limit}");
        assert_eq!(pages.concat(), of_bob, "limit {limit}");
    }
    for nobody in ["", "Bob", "bo", "nobody"] {
        let query = json!({"do": "clients-of-user", "user": nobody, "limit": 10});
        let none = json!({"clients": [], "cursor": null});
        assert_eq!(clients[0].ok(query).await, none, "{nobody:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_count_is_of_the_granted_clients_and_falls_when_they_leave() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .module("echo", "echo")
        // Two grants that overlap without one holding the other.
        .sidecar("probe", "paths = [\"/probe/*\", \"/{any}/lobby\", \"/probe/lobby\"]\n")
        .start()
        .await;
    let mut asking = gateway.client("/probe").await;
    let mut elsewhere = gateway.client("/echo").await;
    let lobby = gateway.client("/probe/lobby").await;
    let hall = gateway.client("/hall/lobby").await;
    assert_eq!(asking.ok(json!({"do": "count"})).await, 3);
    lobby.close().await;
    until_count(&mut asking, 2).await;
    hall.drop_connection();
    until_count(&mut asking, 1).await;
    elsewhere.echo("never counted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_are_what_the_token_says_and_absent_without_one() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .table("[[paths]]\npattern = \"/probe/open\"\nanonymous = true\n")
        .start()
        .await;
    let mut bob = gateway.client_as("bob", &["writer"], "/probe").await;
    let bob_id = bob.id().await;
    let mut anonymous = gateway.connect("/probe/open", None).await.unwrap();
    anonymous.greeting().await;
    let claims = anonymous.ok(json!({"do": "claims", "to": bob_id})).await;
    assert_eq!(claims["sub"], "bob", "{claims}");
    assert!(claims["exp"].is_u64(), "{claims}");
    assert_eq!(claims["roles"], json!(["writer"]), "{claims}");
    assert_eq!(anonymous.ok(json!({"do": "claims"})).await, Value::Null);
    let whoami = anonymous.ok(json!({"do": "whoami"})).await;
    assert_eq!(whoami["client"]["username"], Value::Null);
    assert_eq!(whoami["client"]["roles"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_base_path_is_the_configured_one() {
    for (set, expected) in [("", "/websocket"), ("path = \"/ws/v1\"", "/ws/v1")] {
        let gateway = TestGateway::with().module("probe", "probe").set(set).start().await;
        let mut client = gateway.client("/probe").await;
        assert_eq!(client.ok(json!({"do": "base-path"})).await, expected);
        assert!(gateway.url().ends_with(expected));
    }
}
