//! Groups 3 and 4: bits and opcodes without a meaning are 1002, whatever stands before and after.

use super::{Cut, End, echoing, sent, talk, talk_however_cut};
use crate::support::raw_client::{
    BINARY, BINARY_BEGINS, CLOSE, ENDS, GOES_ON, PING, PONG, TEXT, TEXT_BEGINS, frame,
};

#[tokio::test(flavor = "multi_thread")]
async fn every_combination_of_reserved_bits_is_1002_on_every_kind_of_frame() {
    let gateway = echoing().await;
    for bits in 1..=7_u8 {
        for first in [TEXT, BINARY, TEXT_BEGINS, BINARY_BEGINS, PING, PONG, CLOSE] {
            for payload in [&b""[..], b"hi"] {
                let what = format!("{first:#x} with bits {bits:#b} and {payload:?}");
                let frames = [frame(first | bits << 4, payload)];
                talk(&gateway, &what, &frames, Cut::Whole, &[], &End::Failed(1002)).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_a_reserved_bit_is_answered_and_what_comes_after_is_not() {
    let gateway = echoing().await;
    for bits in 1..=7_u8 {
        let spoilt = frame(TEXT | bits << 4, b"spoilt");
        let frames = [frame(TEXT, b"before"), spoilt, frame(TEXT, b"after"), frame(PING, b"")];
        let what = format!("bits {bits:#b}");
        let expected = [sent(TEXT, "before")];
        talk_however_cut(&gateway, &what, &frames, &expected, &End::Failed(1002)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reserved_bit_in_a_later_fragment_is_1002() {
    let gateway = echoing().await;
    for first in [GOES_ON, ENDS] {
        for bits in [1, 2, 4_u8] {
            let frames = [frame(TEXT_BEGINS, b"begins"), frame(first | bits << 4, b"goes on")];
            let what = format!("{first:#x} with bits {bits:#b}");
            talk_however_cut(&gateway, &what, &frames, &[], &End::Failed(1002)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reserved_opcode_is_1002() {
    let gateway = echoing().await;
    for opcode in (3..=7).chain(11..=15) {
        for (fin, payload) in [(0x80, &b""[..]), (0x80, b"payload"), (0, b""), (0, b"payload")] {
            let what = format!("opcode {opcode}, {fin:#x}, {payload:?}");
            let reserved = frame(fin | opcode, payload);
            let alone = [reserved.clone()];
            talk(&gateway, &what, &alone, Cut::Whole, &[], &End::Failed(1002)).await;
            let between = [frame(TEXT, b"before"), reserved, frame(TEXT, b"after")];
            let expected = [sent(TEXT, "before")];
            talk(&gateway, &what, &between, Cut::Frames, &expected, &End::Failed(1002)).await;
        }
        let inside = [frame(TEXT_BEGINS, b"begins"), frame(0x80 | opcode, b"x")];
        talk(&gateway, "inside", &inside, Cut::Bytes, &[], &End::Failed(1002)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unmasked_frame_of_any_kind_is_1002() {
    let gateway = echoing().await;
    for first in [TEXT, BINARY, TEXT_BEGINS, PING, PONG, CLOSE] {
        for unmasked in [vec![first, 0], vec![first, 2, b'h', b'i']] {
            let frames = [frame(TEXT, b"before"), unmasked];
            let what = format!("{first:#x}");
            let expected = [sent(TEXT, "before")];
            talk_however_cut(&gateway, &what, &frames, &expected, &End::Failed(1002)).await;
        }
    }
}
