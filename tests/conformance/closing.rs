//! Group 7: the closing handshake, whoever breaks it. A close is answered with its own code and
//! reason, what may not be in one is 1002 or 1007, and nothing after it is looked at.

use super::{Cut, End, connect, echoing, sent, talk, talk_however_cut};
use crate::support::raw_client::{CLOSE, ENDS, PING, TEXT, TEXT_BEGINS, close_frame, frame};

/// Codes that an endpoint may send (RFC 6455, section 7.4, and the registry of close codes).
const VALID: [u16; 17] = [
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4401, 4900,
    4999,
];

/// Reserved, unassigned, or out of range.
const INVALID: [u16; 18] = [
    0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 5001, 9999, 10_000,
    32_768, 65_535,
];

/// An answer to a close with this code and reason.
fn answer(code: u16, reason: &[u8]) -> End {
    End::Answered([&code.to_be_bytes(), reason].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_with_a_valid_code_is_answered_with_code_and_reason() {
    let gateway = echoing().await;
    for code in VALID {
        for reason in ["", "bye", "sn\u{2603}w"] {
            let what = format!("{code} {reason:?}");
            let frames = [close_frame(code, reason.as_bytes())];
            let end = answer(code, reason.as_bytes());
            talk_however_cut(&gateway, &what, &frames, &[], &end).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_with_an_invalid_code_is_1002() {
    let gateway = echoing().await;
    for code in INVALID {
        for reason in ["", "because"] {
            let what = format!("{code} {reason:?}");
            let frames = [close_frame(code, reason.as_bytes())];
            talk_however_cut(&gateway, &what, &frames, &[], &End::Failed(1002)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payload_of_a_close_is_empty_or_a_code_and_at_most_123_bytes() {
    let gateway = echoing().await;
    let longest = [b'r'; 123];
    for (what, payload, end) in [
        ("empty", vec![], End::Answered(vec![])),
        ("one byte", vec![3], End::Failed(1002)),
        ("one byte, no begin of a code", vec![b'*'], End::Failed(1002)),
        ("a code", vec![3, 232], answer(1000, b"")),
        ("one byte of reason", vec![3, 232, b'x'], answer(1000, b"x")),
        ("longest", [&[3, 232], &longest[..]].concat(), answer(1000, &longest)),
        ("too long", [&[3, 232], &longest[..], b"r"].concat(), End::Failed(1002)),
        ("far too long", [&[3, 232], &[b'r'; 1_000][..]].concat(), End::Failed(1002)),
    ] {
        talk_however_cut(&gateway, what, &[frame(CLOSE, &payload)], &[], &end).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_that_is_not_utf_8_is_1007() {
    let gateway = echoing().await;
    for reason in [
        &b"\xff"[..],
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64\x69\x74\x65\x64",
        b"cut off \xe2\x98",
        b"\xc0\xaf",
    ] {
        let what = format!("{reason:x?}");
        let frames = [close_frame(1000, reason)];
        talk_however_cut(&gateway, &what, &frames, &[], &End::Failed(1007)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_close_is_not_looked_at() {
    let gateway = echoing().await;
    let close = || close_frame(1000, b"");
    for (what, after) in [
        ("a text", frame(TEXT, b"too late")),
        ("a ping", frame(PING, b"too late")),
        ("another close", close_frame(1001, b"again")),
        ("the same close", close()),
        ("a fault", frame(0x83, b"reserved")),
        ("no UTF-8", frame(TEXT, b"\xff")),
        ("no frame at all", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("256 KiB of text", frame(TEXT, &[b'x'; 256 << 10])),
    ] {
        for cut in [Cut::Whole, Cut::Frames] {
            let frames = [frame(TEXT, b"in time"), close(), after.clone()];
            let expected = [sent(TEXT, "in time")];
            talk(&gateway, what, &frames, cut, &expected, &answer(1000, b"")).await;
        }
    }
    assert_eq!(gateway.counters().messages_received.get(), 16, "only those in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_within_a_message_ends_it() {
    let gateway = echoing().await;
    let frames =
        [frame(TEXT_BEGINS, b"fragment1"), close_frame(1000, b""), frame(ENDS, b"fragment2")];
    talk_however_cut(&gateway, "7.1.5", &frames, &[], &answer(1000, b"")).await;
    assert_eq!(gateway.counters().messages_received.get(), 0, "no half message");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_right_behind_a_large_message_loses_no_byte_of_the_answer() {
    let gateway = echoing().await;
    let large = vec![b'*'; 256 << 10];
    let frames = [frame(TEXT, &large), close_frame(1000, b"")];
    let expected = [sent(TEXT, large)];
    talk(&gateway, "7.1.6", &frames, Cut::Whole, &expected, &answer(1000, b"")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_gateway_that_closes_tcp() {
    // RFC 6455, section 7.1.1: so that the client's side need not wait in TIME_WAIT.
    let gateway = echoing().await;
    let mut client = connect(&gateway).await;
    client.send(&close_frame(1000, b"")).await;
    assert_eq!(client.close_code().await, 1000);
    client.ended().await;
    // Long over for the gateway, while this side has closed nothing yet.
    let registry = gateway.gateway().server().registry();
    crate::support::until("gone", || registry.all().is_empty()).await;
}
