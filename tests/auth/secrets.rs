//! What must never be in a log, nor anywhere else that is printed: tokens and messages.

use tokio::net::TcpStream;

use crate::support::raw_client::{TEXT, close_frame, frame};
use crate::support::{Client, Handshake, RawClient, Serving, TestGateway, raw_request, token};

/// Puts secrets everywhere a client may put them, and returns them.
async fn tell_secrets(serving: &Serving, token: &str) -> Vec<String> {
    let address = serving.address();
    let mut secrets = Vec::new();
    let mut new = |what: &str| {
        let secret = format!("canary-{what}-0123456789abcdef");
        secrets.push(secret.clone());
        secret
    };
    let room = Handshake::new("/websocket/echo/room");
    for handshake in [
        room.clone().bearer(&new("bearer")),
        room.clone().bearer(&format!("{token}{}", new("signature"))),
        room.clone().bearer(token).bearer(&new("second")),
        room.clone()
            .and("Sec-WebSocket-Protocol", &format!("sporegate, bearer.{}", new("protocol"))),
        room.clone().and("Sec-WebSocket-Protocol", &format!("a b {}", new("malformed"))),
        room.clone().and("Authorization", &format!("Basic {}", new("basic"))),
        room.clone().and("Cookie", &format!("session={}", new("cookie"))),
        Handshake::new(&format!("/websocket/echo?access_token={}", new("query"))),
        Handshake::new(&format!("/websocket//?access_token={}", new("bad-path"))),
        Handshake::new(&format!("/nowhere?access_token={}", new("nowhere"))),
    ] {
        let answer = raw_request(address, &handshake.bytes()).await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
        assert!(!format!("{answer:?}").contains("canary"), "{answer:?}");
    }
    // One that gets in, with what it says and hears.
    let url =
        format!("{}/echo/room?access_token={token}&clientId={}", serving.url(), new("client-id"));
    let mut client = Client::connect(&url, None).await.unwrap();
    let greeting = client.greeting().await;
    client.echo(&new("text")).await;
    client.send(new("binary").into_bytes()).await;
    client.message().await;
    for (bytes, code) in [
        ([frame(0x01, new("broken").as_bytes()), frame(TEXT, b"no continuation")].concat(), 1002),
        (close_frame(4000, new("reason").as_bytes()), 4000),
    ] {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut raw = RawClient::open(stream, &room.clone().bearer(token).bytes()).await;
        raw.json().await;
        raw.send(&bytes).await;
        assert_eq!(raw.close_code().await, code);
    }
    client.close().await;
    secrets.push(greeting);
    secrets.push(token.to_owned());
    secrets.extend(token.split('.').map(str::to_owned));
    secrets
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_line_of_a_log() {
    let token = token("alice", &["canary-role"]);
    for format in ["json", "text"] {
        let setup = TestGateway::with().module("echo", "echo");
        let setup = setup.table("[auth]\naccess_token_query = true");
        let flags = ["--log-level", "trace", "--log-format", format];
        let serving = Serving::start(setup, &flags).await;
        let secrets = tell_secrets(&serving, &token).await;
        let (status, output) = serving.stop().await;
        assert!(status.success(), "{output}");
        for needed in ["connected", "disconnected", "rejected", "/echo/room", "stopped"] {
            assert!(output.contains(needed), "the log says too little: no {needed} in {output}");
        }
        for secret in secrets {
            assert!(!output.contains(&secret), "{secret} is in the log:\n{output}");
        }
    }
}
