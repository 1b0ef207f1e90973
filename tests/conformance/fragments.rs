//! Group 5: every sequence of frames, legal or not, judged by a small model of RFC 6455, section
//! 5.4, and the conversations of the public suite one by one.

use super::{Cut, End, RawFrame, connect, echoing, sent, talk, talk_however_cut};
use crate::support::raw_client::{
    BINARY, BINARY_BEGINS, ENDS, GOES_ON, PING, PONG, TEXT, TEXT_BEGINS, close_frame, frame,
};

/// Kinds of frames: a message may begin, go on or end with each, or not at all.
const KINDS: [u8; 10] =
    [TEXT, TEXT_BEGINS, BINARY, BINARY_BEGINS, ENDS, GOES_ON, PING, PONG, PING & 0x7f, PONG & 0x7f];

/// What a receiver makes of frames with these first bytes, each with its position as payload.
fn model(kinds: &[u8]) -> (Vec<RawFrame>, End) {
    let mut answers = Vec::new();
    let mut open: Option<RawFrame> = None;
    for (kind, payload) in kinds.iter().zip(payloads()) {
        let whole = kind & 0x80 != 0;
        match (kind & 0x0f, open.as_mut()) {
            (9, _) if whole => answers.push(sent(PONG, payload)),
            (10, _) if whole => {}
            (1 | 2, None) if whole => answers.push(sent(*kind, payload)),
            (1 | 2, None) => open = Some(sent(kind | 0x80, payload)),
            (0, Some(message)) => {
                message.payload.extend(payload);
                if whole {
                    answers.extend(open.take());
                }
            }
            _ => return (answers, End::Failed(1002)),
        }
    }
    (answers, End::Open)
}

/// Of the first frame, the second, and so on; one is empty.
fn payloads() -> impl Iterator<Item = &'static [u8]> {
    [&b"one "[..], b"two ", b"", b"four "].into_iter()
}

fn frames(kinds: &[u8]) -> Vec<Vec<u8>> {
    kinds.iter().zip(payloads()).map(|(kind, payload)| frame(*kind, payload)).collect()
}

/// All sequences of so many kinds.
fn sequences(length: usize) -> Vec<Vec<u8>> {
    (0..length).fold(vec![Vec::new()], |shorter, _| {
        let longer = |kinds: &Vec<u8>| KINDS.map(|kind| [kinds.as_slice(), &[kind]].concat());
        shorter.iter().flat_map(longer).collect()
    })
}

/// The model knows legal from illegal: a test that took everything for one would say nothing.
#[test]
fn the_model_tells_legal_sequences_from_others() {
    let text = |text: &str| vec![sent(TEXT, text)];
    assert_eq!(model(&[TEXT_BEGINS, ENDS]), (text("one two "), End::Open));
    assert_eq!(model(&[TEXT_BEGINS, TEXT]), (vec![], End::Failed(1002)));
    assert_eq!(model(&[TEXT, ENDS]), (text("one "), End::Failed(1002)));
    let legal = sequences(3).iter().filter(|kinds| model(kinds).1 == End::Open).count();
    assert_eq!((sequences(3).len(), legal), (1_000, 164));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sequence_of_up_to_three_frames_is_taken_or_refused_as_the_rfc_says() {
    let gateway = echoing().await;
    for length in 1..=3 {
        for kinds in sequences(length) {
            let (answers, end) = model(&kinds);
            let cut = if length < 3 { Cut::Frames } else { Cut::Whole };
            talk(&gateway, &format!("{kinds:x?}"), &frames(&kinds), cut, &answers, &end).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_legal_sequence_of_four_frames_is_taken_one_after_the_other() {
    let gateway = echoing().await;
    let mut client = connect(&gateway).await;
    let mut taken = 0;
    for kinds in sequences(4) {
        let (mut answers, end) = model(&kinds);
        if end == End::Open {
            let mut all = frames(&kinds).concat();
            // What it has left open is ended.
            if let Some(message) = unfinished(&kinds) {
                all.extend(frame(ENDS, b"."));
                answers.push(message);
            }
            client.send(&all).await;
            for answer in answers {
                assert_eq!(client.frame().await, Some(answer), "{kinds:x?}");
            }
            taken += 1;
        }
    }
    assert_eq!(taken, 828);
    client.send(&close_frame(1000, b"")).await;
    assert_eq!(client.frame().await, Some(sent(0x88, 1000_u16.to_be_bytes())));
}

/// The message that a final fragment `.` makes of a legal sequence that has left one open.
fn unfinished(kinds: &[u8]) -> Option<RawFrame> {
    let mut open: Option<RawFrame> = None;
    for (kind, payload) in kinds.iter().zip(payloads()) {
        match kind & 0x8f {
            1 | 2 => open = Some(sent(kind | 0x80, payload)),
            0 => open.as_mut().unwrap().payload.extend(payload),
            0x80 => open = None,
            _ => {}
        }
    }
    open.as_mut()?.payload.push(b'.');
    open
}

#[tokio::test(flavor = "multi_thread")]
async fn the_conversations_of_the_public_suite() {
    let gateway = echoing().await;
    let (one, two) = (&b"fragment1"[..], &b"fragment2"[..]);
    let whole = || sent(TEXT, [one, two].concat());
    let pong = |payload: &str| sent(PONG, payload);
    let failed = End::Failed(1002);
    let begins = |payload: &[u8]| frame(TEXT_BEGINS, payload);
    let ends = |payload: &[u8]| frame(ENDS, payload);
    let next = |payload: &[u8]| frame(GOES_ON, payload);
    let ping = |payload: &str| frame(PING, payload.as_bytes());
    let hello = || frame(TEXT, b"Hello, world!");
    for (what, frames, expected, end) in [
        ("5.1", vec![frame(PING & 0x7f, one), ends(two)], vec![], &failed),
        ("5.2", vec![frame(PONG & 0x7f, one), ends(two)], vec![], &failed),
        ("5.3 to 5.5", vec![begins(one), ends(two)], vec![whole()], &End::Open),
        (
            "5.6 to 5.8",
            vec![begins(one), ping("ping payload"), ends(two)],
            vec![pong("ping payload"), whole()],
            &End::Open,
        ),
        ("5.9 to 5.11", vec![ends(b"of nothing"), hello()], vec![], &failed),
        ("5.12 to 5.14", vec![next(b"of nothing"), hello()], vec![], &failed),
        (
            "5.15",
            vec![begins(one), ends(two), next(b"of nothing"), hello()],
            vec![whole()],
            &failed,
        ),
        ("5.16", vec![next(one), begins(one), ends(two)], vec![], &failed),
        ("5.17", vec![ends(one), begins(one), ends(two)], vec![], &failed),
        ("5.18", vec![begins(one), frame(TEXT, two)], vec![], &failed),
        (
            "5.19 and 5.20",
            vec![
                begins(b"1"),
                next(b"2"),
                ping("pongme 1!"),
                next(b"3"),
                next(b"4"),
                ping("pongme 2!"),
                ends(b"5"),
            ],
            vec![pong("pongme 1!"), pong("pongme 2!"), sent(TEXT, "12345")],
            &End::Open,
        ),
    ] {
        talk_however_cut(&gateway, what, &frames, &expected, end).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_within_a_message_is_answered_before_the_message_has_ended() {
    let gateway = echoing().await;
    let mut client = connect(&gateway).await;
    for first in [TEXT_BEGINS, BINARY_BEGINS] {
        client.send(&[frame(first, b"a"), frame(PING, b"first")].concat()).await;
        assert_eq!(client.frame().await, Some(sent(PONG, "first")));
        client.send(&[frame(GOES_ON, b"b"), frame(PING, b"second")].concat()).await;
        assert_eq!(client.frame().await, Some(sent(PONG, "second")));
        client.send(&frame(ENDS, b"c")).await;
        assert_eq!(client.frame().await, Some(sent(first | 0x80, "abc")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_may_have_a_thousand_fragments_most_of_them_empty() {
    let gateway = echoing().await;
    let mut client = connect(&gateway).await;
    let mut all = frame(TEXT_BEGINS, b"");
    let mut expected = String::new();
    for number in 0..998 {
        let digits = if number % 10 == 0 { number.to_string() } else { String::new() };
        all.extend(frame(GOES_ON, digits.as_bytes()));
        expected.push_str(&digits);
    }
    all.extend(frame(ENDS, b""));
    client.send(&all).await;
    assert_eq!(client.text().await, expected);
}
