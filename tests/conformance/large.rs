//! Groups 9 and 10: messages of many MiB, in one frame, in tens of thousands of fragments, and in
//! small writes; many messages one after the other.

use super::{RawClient, RawFrame, connect, echoing, sent};
use crate::support::TestGateway;
use crate::support::raw_client::{BINARY, BINARY_BEGINS, ENDS, GOES_ON, TEXT, TEXT_BEGINS, frame};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Text of several bytes a character, so that fragments cut through characters.
fn text(length: usize) -> Vec<u8> {
    let mut bytes = "BAsd7&jh23 \u{2603}\u{1f680} ".repeat(length / 20 + 1).into_bytes();
    bytes.truncate(length);
    while std::str::from_utf8(&bytes).is_err() {
        bytes.pop();
    }
    bytes.resize(length, b'.');
    bytes
}

fn binary(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

/// What was sent in one frame comes back in one.
async fn expect(client: &mut RawClient, what: &str, expected: RawFrame) {
    let got = client.frame().await.unwrap_or_else(|| panic!("{what}: the connection ended"));
    let same = got == expected;
    // Not printed whole: it is large.
    assert!(same, "{what}: {:#x} with {} bytes came back", got.first, got.payload.len());
}

/// Sends and reads at once: the answer may be more than sockets hold.
async fn echo(gateway: &TestGateway, what: &str, bytes: &[u8], chop: usize, expected: RawFrame) {
    let mut client = connect(gateway).await;
    for part in bytes.chunks(chop) {
        client.send(part).await;
    }
    expect(&mut client, what, expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_up_to_16_mib_in_one_frame() {
    let gateway = echoing().await;
    for length in [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB] {
        for (first, payload) in [(TEXT, text(length)), (BINARY, binary(length))] {
            let bytes = frame(first, &payload);
            let what = format!("{first:#x} of {length} bytes");
            echo(&gateway, &what, &bytes, usize::MAX, sent(first, payload)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_4_mib_in_up_to_65536_fragments() {
    let gateway = echoing().await;
    let length = 4 * MIB;
    let kinds = [(TEXT_BEGINS, text(length)), (BINARY_BEGINS, binary(length))];
    for (first, payload) in kinds {
        for size in [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB] {
            let bytes = fragmented(first, &payload, size);
            let what = format!("{first:#x} in fragments of {size}");
            echo(&gateway, &what, &bytes, usize::MAX, sent(first | 0x80, payload.clone())).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_in_fragments_of_1300_bytes() {
    let gateway = echoing().await;
    let payload = vec![b'*'; 64 * KIB];
    let bytes = fragmented(TEXT_BEGINS, &payload, 1_300);
    echo(&gateway, "10.1.1", &bytes, usize::MAX, sent(TEXT, payload)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_1_mib_in_small_writes() {
    let gateway = echoing().await;
    for (first, payload) in [(TEXT, text(MIB)), (BINARY, binary(MIB))] {
        let bytes = frame(first, &payload);
        for chop in [64, 128, 256, 512, KIB, 2 * KIB] {
            let what = format!("{first:#x} in writes of {chop} bytes");
            echo(&gateway, &what, &bytes, chop, sent(first, payload.clone())).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_messages_of_each_size_one_after_the_other() {
    let gateway = echoing().await;
    let mut client = connect(&gateway).await;
    for length in [0, 16, 64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB] {
        for (first, payload) in [(TEXT, text(length)), (BINARY, binary(length))] {
            let bytes = frame(first, &payload);
            let expected = sent(first, payload);
            for number in 0..1_000 {
                client.send(&bytes).await;
                let what = format!("message {number} of {length} bytes");
                expect(&mut client, &what, expected.clone()).await;
            }
        }
    }
}

fn fragmented(first: u8, payload: &[u8], size: usize) -> Vec<u8> {
    let count = payload.len().div_ceil(size);
    let mut bytes = Vec::with_capacity(payload.len() + 14 * count);
    for (number, part) in payload.chunks(size).enumerate() {
        let begins = if number == 0 { first } else { GOES_ON };
        let ends = if number + 1 == count { ENDS } else { 0 };
        bytes.extend(frame(begins | ends, part));
    }
    bytes
}
