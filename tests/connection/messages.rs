//! Messages as they may come: empty, in pieces, many at once, and up to the limit.

use serde_json::json;

use super::limited;
use crate::support::raw_client::{
    BINARY, BINARY_BEGINS, CLOSE, ENDS, GOES_ON, PING, PONG, RawFrame, TEXT, TEXT_BEGINS,
    close_frame, frame, frame_head,
};
use crate::support::{RawClient, TestGateway};

#[tokio::test(flavor = "multi_thread")]
async fn empty_messages_are_messages() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    client.send(&frame(TEXT, b"")).await;
    assert_eq!(client.frame().await, Some(RawFrame { first: TEXT, payload: vec![] }));
    client.send(&frame(BINARY, b"")).await;
    assert_eq!(client.frame().await, Some(RawFrame { first: BINARY, payload: vec![] }));
    client.send(&[frame(TEXT_BEGINS, b""), frame(ENDS, b"")].concat()).await;
    assert_eq!(client.frame().await, Some(RawFrame { first: TEXT, payload: vec![] }));
    assert_eq!(gateway.counters().messages_received.get(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_fragments_is_one_message_with_pings_in_between() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    // The snowman is cut in two.
    client.send(&frame(TEXT_BEGINS, b"a snow\xe2\x98")).await;
    client.send(&frame(PING, b"1")).await;
    assert_eq!(client.frame().await, Some(RawFrame { first: PONG, payload: b"1".to_vec() }));
    client.send(&[frame(GOES_ON, b""), frame(GOES_ON, b"\x83man")].concat()).await;
    client.send(&frame(PING, b"2")).await;
    assert_eq!(client.frame().await, Some(RawFrame { first: PONG, payload: b"2".to_vec() }));
    client.send(&frame(ENDS, b"!")).await;
    assert_eq!(client.text().await, "a snow\u{2603}man!");
    client.send(&[frame(BINARY_BEGINS, &[0, 1]), frame(ENDS, &[255])].concat()).await;
    assert_eq!(client.frame().await, Some(RawFrame { first: BINARY, payload: vec![0, 1, 255] }));
    assert_eq!(gateway.counters().messages_received.get(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_in_one_packet_are_answered_in_order() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    let count = 1_000;
    let all: Vec<u8> =
        (0..count).flat_map(|number| frame(TEXT, number.to_string().as_bytes())).collect();
    client.send(&all).await;
    for number in 0..count {
        assert_eq!(client.text().await, number.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_comes_byte_by_byte_is_a_frame() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    client.stream().set_nodelay(true).unwrap();
    for byte in frame(TEXT, &[b'x'; 300]) {
        client.send(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(client.text().await, "x".repeat(300));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_exactly_the_limit_passes_and_one_byte_more_is_1009() {
    let gateway = limited("message_size = \"1000B\"").start().await;
    let fits = vec![b'x'; 1000];
    let above = vec![b'x'; 1001];
    let mut client = RawClient::connect(&gateway, "/probe").await;
    client.send(&frame(BINARY, &fits)).await;
    assert_eq!(client.json().await["binary"].as_array().unwrap().len(), 1000);
    client.send(&[frame(BINARY_BEGINS, &fits[..500]), frame(ENDS, &fits[500..])].concat()).await;
    assert_eq!(client.json().await["binary"].as_array().unwrap().len(), 1000);
    drop(client);
    for (what, bytes) in [
        ("whole", frame(BINARY, &above)),
        ("text", frame(TEXT, &above)),
        ("fragments", [frame(BINARY_BEGINS, &fits), frame(ENDS, b"x")].concat()),
        ("fragments without end", [frame(BINARY_BEGINS, &fits), frame(GOES_ON, b"x")].concat()),
        ("only announced", frame_head(BINARY, 1001)),
        ("announced far too large", frame_head(BINARY, (1 << 63) - 1)),
        ("announced impossibly large", frame_head(BINARY, 1 << 63)),
        ("announced as fragment", [frame(TEXT_BEGINS, b"x"), frame_head(ENDS, 1 << 40)].concat()),
    ] {
        let mut client = RawClient::connect(&gateway, "/probe").await;
        client.send(&bytes).await;
        assert_eq!(client.close_code().await, 1009, "{what}");
        client.ended().await;
    }
    assert_eq!(gateway.counters().messages_received.get(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_only_after_all_of_its_large_message_still_hears_why() {
    let gateway = limited("message_size = \"1000B\"").start().await;
    let mut client = RawClient::connect(&gateway, "/probe").await;
    client.send(&frame(BINARY, &vec![b'x'; 8 << 20])).await;
    assert_eq!(client.close_code().await, 1009);
    client.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_may_have_a_limit_of_its_own() {
    let setup = limited("message_size = \"10B\"");
    let setup = setup.table("[[paths]]\npattern = \"/probe/files\"\nmessage_size = \"100KiB\"");
    let gateway = setup.start().await;
    let large = [b'x'; 50_000];
    let mut files = RawClient::connect(&gateway, "/probe/files").await;
    files.send(&frame(TEXT, &large)).await;
    assert_eq!(files.json().await["text"].as_str().unwrap().len(), large.len());
    let mut other = RawClient::connect(&gateway, "/probe/other").await;
    other.send(&frame(TEXT, &large[..11])).await;
    assert_eq!(other.close_code().await, 1009);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_a_close_is_answered_before_the_close_is() {
    let gateway = TestGateway::serving(&["echo"]).await;
    for last in [close_frame(1000, b""), frame(CLOSE, b"")] {
        let mut client = RawClient::connect(&gateway, "/echo").await;
        let bytes = [frame(TEXT, b"one"), frame(TEXT, b"two"), last.clone()].concat();
        client.send(&bytes).await;
        assert_eq!(client.text().await, "one");
        assert_eq!(client.text().await, "two");
        assert_eq!(client.frame().await.unwrap().first, CLOSE);
        client.ended().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_a_fault_is_answered_before_the_close() {
    let gateway = limited("message_size = \"1000B\"").start().await;
    for (fault, code) in [
        (frame(0x83, b"reserved"), 1002),
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, &[b'x'; 1001]), 1009),
    ] {
        let mut client = RawClient::connect(&gateway, "/probe").await;
        client.send(&[frame(TEXT, br#"{"do":"base-path"}"#), fault].concat()).await;
        assert_eq!(client.json().await["ok"], "/websocket", "{code}");
        assert_eq!(client.close_code().await, code);
        client.ended().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_a_failing_listener_is_answered_before_1011() {
    let setup = TestGateway::with().module("probe", "probe");
    let setup = setup.table("[[paths]]\npattern = \"/probe\"\non_failure = \"close\"");
    let gateway = setup.start().await;
    let mut client = gateway.client("/probe").await;
    client.feed(json!({"do": "count"}).to_string()).await;
    client.feed(json!({"do": "trap"}).to_string()).await;
    client.flush().await;
    assert_eq!(client.json().await["ok"], 1);
    assert_eq!(client.closed().await.0, 1011);
}
