//! Kinds of messages that a path takes, and subprotocols that are agreed on for it.

use tokio::net::TcpStream;

use crate::support::raw_client::{BINARY, BINARY_BEGINS, CLOSE, ENDS, TEXT, frame};
use crate::support::{Client, Handshake, RawClient, TestGateway, raw_request, token};

/// `/echo/KIND` takes messages of that kind.
async fn kinds() -> TestGateway {
    let setup = ["any", "text", "json", "binary"].into_iter().fold(
        TestGateway::with()
            .module("echo", "echo")
            .table("[limits]\nmessage_size = \"2MiB\"\noutbox_size = \"4MiB\""),
        |setup, kind| {
            setup.table(&format!("[[paths]]\npattern = \"/echo/{kind}\"\nmessages = \"{kind}\""))
        },
    );
    setup.start().await
}

/// Sends a message to a path for a kind; none if it came back, else the close code and reason.
async fn refused(gateway: &TestGateway, kind: &str, bytes: &[u8]) -> Option<(u16, String)> {
    let mut client = RawClient::connect(gateway, &format!("/echo/{kind}")).await;
    client.send(bytes).await;
    let answer = client.frame().await.unwrap();
    match answer.first {
        CLOSE => {
            let (code, reason) = answer.payload.split_at(2);
            let code = u16::from_be_bytes(code.try_into().unwrap());
            Some((code, String::from_utf8(reason.to_vec()).unwrap()))
        }
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_path_takes_its_kind_and_closes_on_others_with_1003() {
    let gateway = kinds().await;
    let text = frame(TEXT, br#"{"a":1}"#);
    let binary = frame(BINARY, b"\xff");
    let parts = [frame(BINARY_BEGINS, b"{"), frame(ENDS, b"}")].concat();
    for (kind, bytes, code) in [
        ("any", &text, None),
        ("any", &binary, None),
        ("text", &text, None),
        ("text", &binary, Some(1003)),
        ("text", &parts, Some(1003)),
        ("json", &text, None),
        ("json", &binary, Some(1003)),
        ("json", &parts, Some(1003)),
        ("binary", &text, Some(1003)),
        ("binary", &binary, None),
    ] {
        let refused = refused(&gateway, kind, bytes).await;
        assert_eq!(refused.map(|(code, _)| code), code, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_is_not_json_is_1007_on_a_path_for_json() {
    let gateway = kinds().await;
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    for text in [
        "",
        " ",
        "hello",
        "\u{feff}{}",
        "NaN",
        "-Infinity",
        "01",
        "{\"a\":1,}",
        "{} {}",
        "'a'",
        "\"\t\"",
        "{\"a\"",
        "[1 2]",
        "// no\n1",
        &nested(129),
        &"[".repeat(1_000_000),
        &"{\"a\":".repeat(100_000),
    ] {
        let refused = refused(&gateway, "json", &frame(TEXT, text.as_bytes())).await;
        let start: String = text.chars().take(20).collect();
        assert_eq!(refused, Some((1007, "text is not JSON".to_owned())), "{start}");
    }
    let many_keys: Vec<String> = (0..100_000).map(|key| format!("\"k{key}\":{key}")).collect();
    for text in [
        "null",
        " [ ] ",
        "1e400",
        "-0",
        "18446744073709551616",
        "\"\\ud800\"",
        "{\"a\":1,\"a\":2,\"__proto__\":{}}",
        "\"\\u0000\"",
        &nested(128),
        &format!("{{{}}}", many_keys.join(",")),
        &format!("{{\"{}\":1}}", "k".repeat(1 << 20)),
    ] {
        let refused = refused(&gateway, "json", &frame(TEXT, text.as_bytes())).await;
        let start: String = text.chars().take(20).collect();
        assert_eq!(refused, None, "{start}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_the_wrong_kind_is_answered() {
    let gateway = kinds().await;
    let mut client = RawClient::connect(&gateway, "/echo/json").await;
    client.send(&[frame(TEXT, b"1"), frame(TEXT, b"x"), frame(TEXT, b"2")].concat()).await;
    assert_eq!(client.text().await, "1");
    assert_eq!(client.close_code().await, 1007);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subprotocol_is_agreed_on_by_the_order_of_the_gateway() {
    let setup = TestGateway::with().set("subprotocols = [\"chat.v2\", \"chat.v1\"]");
    let own = "[[paths]]\npattern = \"/echo/strict\"\nrequire_subprotocol = true\n\
               [[paths]]\npattern = \"/echo/plain\"\nsubprotocols = []";
    let gateway = setup.module("echo", "echo").table(own).start().await;
    let token = token("alice", &[]);
    let bearer = format!("bearer.{token}");
    for (path, offer, agreed) in [
        ("/echo", "chat.v1, chat.v2", Some("chat.v2")),
        ("/echo", "chat.v1, sporegate", Some("chat.v1")),
        ("/echo", "chat.v9, sporegate", Some("sporegate")),
        ("/echo", "chat.v9", None),
        ("/echo", "Chat.V2", None),
        ("/echo/plain", "chat.v2", None),
        ("/echo/plain", "sporegate, chat.v2", Some("sporegate")),
        ("/echo/strict", "chat.v1", Some("chat.v1")),
    ] {
        let handshake = Handshake::new(&format!("/websocket{path}"));
        let offer = format!("{offer}, {bearer}");
        let handshake = handshake.and("Sec-WebSocket-Protocol", &offer);
        let stream = TcpStream::connect(gateway.address()).await.unwrap();
        let mut client = RawClient::open(stream, &handshake.bytes()).await;
        assert_eq!(client.answer.header("sec-websocket-protocol"), agreed, "{path} {offer}");
        assert_eq!(client.json().await["type"], "setClientId");
    }
    for offer in ["chat.v9", "sporegate"] {
        let handshake = Handshake::new("/websocket/echo/strict").bearer(&token);
        let handshake = handshake.and("Sec-WebSocket-Protocol", offer);
        let answer = raw_request(gateway.address(), &handshake.bytes()).await;
        assert_eq!(answer.status, 400, "{offer}");
    }
    let url = format!("{}/echo/strict", gateway.url());
    assert_eq!(Client::connect(&url, Some(&token)).await.err().unwrap().status, 400);
    // Who may not connect learns nothing about it.
    assert_eq!(Client::connect(&url, None).await.err().unwrap().status, 401);
    assert_eq!(gateway.counters().rejected.of("no-subprotocol"), 3);
}
