//! Frames that no client may send: each is answered with the close code that names the fault, and
//! the connection is over for both sides.

use serde_json::json;

use crate::support::raw_client::{
    BINARY, BINARY_BEGINS, CLOSE, ENDS, GOES_ON, PING, RawFrame, TEXT, TEXT_BEGINS, close_frame,
    frame,
};
use crate::support::{RawClient, TestGateway};

/// Sends bytes that are a fault, and expects this code and the end, at once and for everybody.
async fn expect(gateway: &TestGateway, what: &str, bytes: &[u8], code: u16) {
    let mut watcher = gateway.client("/probe/watch").await;
    let mut client = RawClient::connect(gateway, "/probe").await;
    client.send(bytes).await;
    assert_eq!(client.close_code().await, code, "{what}");
    client.ended().await;
    drop(client);
    let gone = watcher.gone().await;
    assert_eq!(gone["code"], code, "{what}: {gone}");
    watcher.ok(json!({"do": "count"})).await;
    watcher.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_the_protocol_is_1002() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let unmasked = [TEXT, 2, b'h', b'i'];
    for (what, bytes) in [
        ("unmasked text", unmasked.to_vec()),
        ("unmasked ping", vec![PING, 0]),
        ("reserved data opcode 3", frame(0x83, b"")),
        ("reserved data opcode 7", frame(0x87, b"x")),
        ("reserved control opcode 11", frame(0x8b, b"")),
        ("reserved control opcode 15", frame(0x8f, b"x")),
        ("first reserved bit", frame(TEXT | 0x40, b"x")),
        ("second reserved bit", frame(BINARY | 0x20, b"x")),
        ("third reserved bit", frame(PING | 0x10, b"x")),
        ("fragmented ping", frame(PING & 0x7f, b"x")),
        ("fragmented close", frame(CLOSE & 0x7f, &1000_u16.to_be_bytes())),
        ("ping of 126 bytes", frame(PING, &[b'x'; 126])),
        ("close of 126 bytes", close_frame(1000, &[b'x'; 124])),
        ("continuation of nothing", frame(GOES_ON, b"x")),
        ("last fragment of nothing", frame(ENDS, b"x")),
        ("text within a text", [frame(TEXT_BEGINS, b"a"), frame(TEXT, b"b")].concat()),
        ("binary within a text", [frame(TEXT_BEGINS, b"a"), frame(BINARY_BEGINS, b"b")].concat()),
        ("close code of one byte", frame(CLOSE, &[3])),
    ] {
        expect(&gateway, what, &bytes, 1002).await;
    }
    assert_eq!(gateway.counters().unmatched.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_is_not_utf_8_is_1007() {
    let gateway = TestGateway::serving(&["probe"]).await;
    for (what, bytes) in [
        ("a lone continuation byte", frame(TEXT, b"a\x80")),
        ("a cut sequence", frame(TEXT, b"snow\xe2\x98")),
        ("an overlong slash", frame(TEXT, b"\xc0\xaf")),
        ("a surrogate", frame(TEXT, b"\xed\xa0\x80")),
        ("above U+10FFFF", frame(TEXT, b"\xf4\x90\x80\x80")),
        ("in a later fragment", [frame(TEXT_BEGINS, b"ok"), frame(ENDS, b"\xff")].concat()),
        ("cut by its end", [frame(TEXT_BEGINS, b"\xe2"), frame(ENDS, b"\x98")].concat()),
        ("cut by ASCII", [frame(TEXT_BEGINS, b"\xe2\x98"), frame(ENDS, b"a")].concat()),
        ("in the reason of a close", close_frame(1000, b"\xff\xfe")),
    ] {
        expect(&gateway, what, &bytes, 1007).await;
    }
    // Binary may be anything.
    let mut client = RawClient::connect(&gateway, "/probe").await;
    client.send(&frame(BINARY, b"\xff\xfe")).await;
    assert_eq!(client.json().await["binary"], json!([255, 254]));
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_text_is_refused_before_its_message_has_ended() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let bytes = [frame(TEXT_BEGINS, b"\xff"), frame(GOES_ON, b"and so on")].concat();
    expect(&gateway, "an open message", &bytes, 1007).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_with_a_code_that_nobody_may_send_is_1002() {
    let gateway = TestGateway::serving(&["probe"]).await;
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        expect(&gateway, &code.to_string(), &close_frame(code, b"x"), 1002).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_is_answered_with_its_own_code() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let mut watcher = gateway.client("/probe/watch").await;
    let longest = "r".repeat(123);
    for (code, reason) in [
        (1000, ""),
        (1000, "bye"),
        (1001, "leaving the page"),
        (1002, "you started it"),
        (1011, ""),
        (3000, "registered"),
        (4000, "snow\u{2603}"),
        (4999, &longest),
    ] {
        let mut client = RawClient::connect(&gateway, "/probe").await;
        client.send(&close_frame(code, reason.as_bytes())).await;
        assert_eq!(client.close_code().await, code);
        client.ended().await;
        let gone = watcher.gone().await;
        assert_eq!((&gone["code"], &gone["reason"]), (&json!(code), &json!(reason)));
    }
    let mut client = RawClient::connect(&gateway, "/probe").await;
    client.send(&frame(CLOSE, b"")).await;
    assert_eq!(client.frame().await, Some(RawFrame { first: CLOSE, payload: vec![] }));
    client.ended().await;
    assert_eq!(watcher.gone().await["code"], 1005, "a close without a code");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_close_is_not_read() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let mut client = RawClient::connect(&gateway, "/probe").await;
    let after = frame(TEXT, br#"{"do":"remember","key":"late","value":true}"#);
    client.send(&[close_frame(1000, b""), after.clone(), after].concat()).await;
    assert_eq!(client.close_code().await, 1000);
    client.ended().await;
    let mut other = gateway.client("/probe").await;
    assert_eq!(other.ok(json!({"do": "recall", "key": "late"})).await, json!(null));
    assert_eq!(gateway.counters().messages_received.get(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_fault_is_not_read() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let mut client = RawClient::connect(&gateway, "/probe").await;
    let after = frame(TEXT, br#"{"do":"remember","key":"late","value":true}"#);
    client.send(&[frame(0x83, b""), after].concat()).await;
    assert_eq!(client.close_code().await, 1002);
    client.ended().await;
    let mut other = gateway.client("/probe").await;
    assert_eq!(other.ok(json!({"do": "recall", "key": "late"})).await, json!(null));
    assert_eq!(gateway.counters().messages_received.get(), 1);
}
