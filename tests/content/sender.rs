//! Who somebody is comes from the credentials of the connection, and from nothing that a client
//! says later or beside them.

use serde_json::json;
use tokio::net::TcpStream;

use crate::support::raw_client::{TEXT, frame};
use crate::support::{Handshake, RawClient, TestGateway};

#[tokio::test(flavor = "multi_thread")]
async fn no_header_query_or_path_makes_a_client_somebody_else() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let token = gateway.token("mallory", &["guest"]);
    let target =
        "/websocket/probe/alice?user=alice&username=alice&sub=alice&clientId=1&roles=admin";
    let mut handshake = Handshake::new(target).bearer(&token);
    for (name, value) in [
        ("X-User", "alice"),
        ("X-Remote-User", "alice"),
        ("X-Forwarded-User", "alice"),
        ("Remote-User", "alice"),
        ("X-Auth-Roles", "admin"),
        ("X-Roles", "admin"),
        ("From", "alice"),
        ("Cookie", "user=alice; roles=admin"),
        ("Forwarded", "for=127.0.0.1;by=alice"),
    ] {
        handshake = handshake.and(name, value);
    }
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    let mut client = RawClient::open(stream, &handshake.bytes()).await;
    client.json().await;
    let claim = br#"{"do":"whoami","user":"alice","name":"alice","key":"alice"}"#;
    client.send(&frame(TEXT, claim)).await;
    let event = client.json().await["ok"]["client"].take();
    assert_eq!((&event["username"], &event["roles"]), (&json!("mallory"), &json!(["guest"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_something_is_named_by_the_gateway() {
    let gateway = TestGateway::serving(&["chat"]).await;
    let mut alice = gateway.client_as("alice", &["User"], "/chat/room").await;
    let mut mallory = gateway.client_as("mallory", &["User"], "/chat/room").await;
    // Bound for the next one who reads it, in every way that one might believe.
    for text in [
        r#"{"type":"say","text":"hi","who":"alice"}"#,
        r#"{"who":"alice","type":"say","text":"hi","from":"alice","user":"alice","sender":"alice"}"#,
        r#"{"type":"say","text":"hi","who":"alice","who":"alice","client":{"id":"alice"}}"#,
    ] {
        mallory.send(text).await;
        for client in [&mut alice, &mut mallory] {
            let said = client.json().await;
            assert_eq!(said, json!({"type": "said", "who": "mallory", "text": "hi"}), "{text}");
        }
    }
}
