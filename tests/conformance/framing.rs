//! Groups 1 and 2: every form of payload length, and control frames that ask and answer.

use super::{Cut, End, connect, echoing, sent, talk, talk_however_cut};
use crate::support::raw_client::{BINARY, PING, PONG, TEXT, close_frame, frame};

/// Around each change of the form that a length has on the wire (RFC 6455, section 5.2).
const LENGTHS: [usize; 14] =
    [0, 1, 2, 64, 124, 125, 126, 127, 128, 4_096, 65_534, 65_535, 65_536, 65_537];

/// Bytes of which no two neighbours are alike; text where it must be.
fn payload(first: u8, length: usize) -> Vec<u8> {
    match first {
        TEXT => (0..length).map(|at| b'!' + (at % 89) as u8).collect(),
        _ => (0..length).map(|at| (at % 251) as u8).collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_every_form_of_length_come_back_as_they_were() {
    let gateway = echoing().await;
    for first in [TEXT, BINARY] {
        for length in LENGTHS {
            let bytes = payload(first, length);
            let frames = [frame(first, &bytes)];
            let what = format!("{length} bytes of {first:#x}");
            talk(&gateway, &what, &frames, Cut::Whole, &[sent(first, bytes)], &End::Open).await;
        }
        let all: Vec<_> = (0..=130).map(|length| payload(first, length)).collect();
        let frames: Vec<_> = all.iter().map(|bytes| frame(first, bytes)).collect();
        let expected: Vec<_> = all.into_iter().map(|bytes| sent(first, bytes)).collect();
        talk_however_cut(&gateway, "0 to 130 bytes", &frames, &expected, &End::Open).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_in_a_longer_form_than_it_needs_does_no_harm() {
    // The RFC demands the shortest form of the sender (section 5.2), and no check of the receiver.
    let gateway = echoing().await;
    let long = [vec![TEXT, 0x80 | 126, 0, 2], vec![0, 0, 0, 0], b"hi".to_vec()].concat();
    let longest =
        [vec![BINARY, 0x80 | 127], vec![0, 0, 0, 0, 0, 0, 0, 2], vec![0, 0, 0, 0], b"ho".to_vec()];
    let mut client = connect(&gateway).await;
    for (bytes, answer) in [(long, sent(TEXT, "hi")), (longest.concat(), sent(BINARY, "ho"))] {
        client.send(&bytes).await;
        assert_eq!(client.frame().await, Some(answer));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mask_is_taken_off() {
    let gateway = echoing().await;
    let mut client = connect(&gateway).await;
    for mask in [[0; 4], [0xff; 4], [1, 2, 3, 4], [0x80, 0, 0x81, 0x88]] {
        for text in ["", "a", "abc", "abcd", "abcde", "the mask has four bytes"] {
            let mut bytes = vec![TEXT, 0x80 | text.len() as u8];
            bytes.extend(mask);
            bytes.extend(text.bytes().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
            client.send(&bytes).await;
            assert_eq!(client.text().await, text, "{mask:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_of_any_allowed_length_is_answered_with_its_payload() {
    let gateway = echoing().await;
    for length in [0, 1, 12, 124, 125] {
        let bytes = payload(BINARY, length);
        let frames = [frame(PING, &bytes)];
        let expected = [sent(PONG, bytes)];
        talk_however_cut(&gateway, "a ping", &frames, &expected, &End::Open).await;
    }
    let binary = [0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff];
    let expected = [sent(PONG, binary)];
    talk_however_cut(&gateway, "no text", &[frame(PING, &binary)], &expected, &End::Open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn control_frames_of_more_than_125_bytes_are_1002() {
    let gateway = echoing().await;
    for (what, bytes) in [
        ("ping", frame(PING, &[b'x'; 126])),
        ("long ping", frame(PING, &[b'x'; 65_536])),
        ("pong", frame(PONG, &[b'x'; 126])),
        ("close", close_frame(1000, &[b'x'; 124])),
    ] {
        let frames = [frame(TEXT, b"before"), bytes, frame(TEXT, b"after")];
        let end = End::Failed(1002);
        for cut in [Cut::Whole, Cut::Frames] {
            talk(&gateway, what, &frames, cut, &[sent(TEXT, "before")], &end).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pongs_that_nobody_asked_for_are_passed_over() {
    let gateway = echoing().await;
    let frames = [frame(PONG, b""), frame(PONG, b"unasked"), frame(PING, b"asked")];
    talk_however_cut(&gateway, "pongs", &frames, &[sent(PONG, "asked")], &End::Open).await;
    let frames = [frame(PONG, b"unasked"), frame(TEXT, b"and a message")];
    let expected = [sent(TEXT, "and a message")];
    talk_however_cut(&gateway, "a pong", &frames, &expected, &End::Open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_pings_is_answered_in_order() {
    let gateway = echoing().await;
    let payloads: Vec<Vec<u8>> = (0..10).map(|number| format!("{number}").into_bytes()).collect();
    let frames: Vec<_> = payloads.iter().map(|bytes| frame(PING, bytes)).collect();
    let expected: Vec<_> = payloads.iter().map(|bytes| sent(PONG, &**bytes)).collect();
    talk_however_cut(&gateway, "ten pings", &frames, &expected, &End::Open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_between_messages_changes_nothing_about_their_order() {
    let gateway = echoing().await;
    let mut client = connect(&gateway).await;
    for round in 0..20_u8 {
        let text = format!("message {round}");
        let all = [frame(TEXT, text.as_bytes()), frame(PING, &[round]), frame(BINARY, &[round])];
        client.send(&all.concat()).await;
        let mut got = Vec::new();
        for _ in 0..3 {
            got.push(client.frame().await.unwrap());
        }
        // A pong may pass a message, but no message another one.
        got.retain(|frame| frame.first != PONG);
        assert_eq!(got, [sent(TEXT, text), sent(BINARY, [round])]);
    }
}
