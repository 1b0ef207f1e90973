//! Floods that run into a rate: fragments, control frames, messages and failed attempts, each more
//! than anybody needs.

use std::time::{Duration, Instant};

use super::{Flooded, setup};
use crate::support::RawClient;
use crate::support::raw_client::{
    BINARY, BINARY_BEGINS, ENDS, GOES_ON, PING, PONG, TEXT, TEXT_BEGINS, frame,
};

/// The default of `message_size`.
const MESSAGE_KIB: u64 = 64;

/// Sends all of it, and expects that the gateway had enough of it before, with this code, and lets
/// go of the connection.
async fn closed(mut client: RawClient, what: &str, bytes: &[u8], code: u16) {
    client.try_send(bytes).await;
    loop {
        let frame = client.frame().await.unwrap_or_else(|| panic!("{what}: no close frame"));
        if frame.first == 0x88 {
            assert_eq!(frame.payload[..2], code.to_be_bytes(), "{what}: {frame:?}");
            break;
        }
    }
    client.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_in_fragments_of_a_byte_or_none_are_closed_with_1008() {
    let flooded = Flooded::start(setup("")).await;
    let round = async || {
        for first in [TEXT_BEGINS, BINARY_BEGINS] {
            for payload in [&b""[..], b"x"] {
                let what = format!("{first:#x} with {payload:?}");
                let bytes =
                    [frame(first, payload), frame(GOES_ON, payload).repeat(20_000)].concat();
                let client = flooded.client("/echo").await;
                closed(client, &what, &bytes, 1008).await;
            }
        }
    };
    flooded.flood(round).await;
    flooded.survived(4, MESSAGE_KIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_never_ends_is_closed_with_1008_in_time() {
    let flooded = Flooded::start(setup("message_time = \"1s\"")).await;
    let round = async || {
        let mut client = flooded.client("/echo").await;
        client.send(&frame(TEXT_BEGINS, b"begins")).await;
        let since = Instant::now();
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        while client.try_send(&frame(GOES_ON, b".")).await {
            pace.tick().await;
            let mut byte = [0];
            if client.stream().try_read(&mut byte).is_ok() {
                assert_eq!(byte, [0x88], "nothing but a close");
                break;
            }
            assert!(since.elapsed() < Duration::from_secs(5), "it may go on for ever");
        }
        assert!(since.elapsed() > Duration::from_millis(700), "{:?}", since.elapsed());
    };
    flooded.flood(round).await;
    flooded.survived(1, MESSAGE_KIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_pings_and_pongs_than_anybody_needs_are_closed_with_1008() {
    let flooded = Flooded::start(setup("")).await;
    let round = async || {
        for (what, first) in [("pings", PING), ("pongs that nobody asked for", PONG)] {
            for payload in [&b""[..], &[b'x'; 125]] {
                let client = flooded.client("/echo").await;
                closed(client, what, &frame(first, payload).repeat(5_000), 1008).await;
            }
        }
        // Within a message, they count as well.
        let client = flooded.client("/echo").await;
        let bytes = [frame(TEXT_BEGINS, b"x"), frame(PONG, b"").repeat(5_000), frame(ENDS, b"")];
        closed(client, "within a message", &bytes.concat(), 1008).await;
    };
    flooded.flood(round).await;
    flooded.survived(5, MESSAGE_KIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_above_the_rate_are_closed_with_4101_empty_ones_too() {
    let flooded = Flooded::start(setup("message_rate = 2000")).await;
    let round = async || {
        for (what, first, payload) in [
            ("empty text", TEXT, &b""[..]),
            ("empty binary", BINARY, b""),
            ("text", TEXT, b"some text"),
            ("binary", BINARY, &[0; 100]),
        ] {
            // No module listens there.
            let client = flooded.client("/elsewhere").await;
            closed(client, what, &frame(first, payload).repeat(20_000), 4101).await;
        }
    };
    flooded.flood(round).await;
    flooded.survived(4, MESSAGE_KIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_too_deep_for_a_path_of_json_is_closed_with_1007() {
    let limits = "message_size = \"2MiB\"\noutbox_size = \"2MiB\"\nmessages = \"json\"";
    let flooded = Flooded::start(setup(limits)).await;
    let round = async || {
        for open in ["[", "{\"a\":", "[{\"a\":"] {
            let client = flooded.client("/elsewhere").await;
            let bomb = open.repeat(200_000);
            closed(client, open, &frame(TEXT, bomb.as_bytes()), 1007).await;
        }
    };
    flooded.flood(round).await;
    flooded.survived(3, 2 << 10).await;
}
