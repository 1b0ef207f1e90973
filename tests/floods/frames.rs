//! Floods of frames: sizes that are only claimed, and more control frames, fragments and messages
//! than anybody needs.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;

use super::{Flooded, setup};
use crate::support::RawClient;
use crate::support::raw_client::{
    BINARY, BINARY_BEGINS, GOES_ON, PING, PONG, TEXT, TEXT_BEGINS, frame, frame_head,
};

/// The default of `message_size`.
const MESSAGE_KIB: u64 = 64;

/// How long a flood goes on that nothing ends.
const FOR: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn lengths_that_are_only_claimed_take_no_memory() {
    let flooded = Flooded::start(setup("")).await;
    let round = async || {
        let mut clients = Vec::new();
        for length in [65_537, 1 << 30, u64::from(u32::MAX), (1 << 63) - 1, 1 << 63, u64::MAX] {
            for first in [TEXT, BINARY, TEXT_BEGINS] {
                let mut client = flooded.client("/echo").await;
                // And a little of what was claimed.
                client.send(&[frame_head(first, length), vec![0; 1_000]].concat()).await;
                clients.push(client);
            }
        }
        for mut client in clients {
            assert_eq!(client.close_code().await, 1009);
            client.ended().await;
        }
    };
    flooded.flood(round).await;
    // Of all of them together, as of one.
    flooded.survived(1, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_outgrow_the_limit_fragment_by_fragment_are_closed_with_1009() {
    let flooded = Flooded::start(setup("")).await;
    let round = async || {
        for size in [1 << 10, 16 << 10, 64 << 10] {
            let mut client = flooded.client("/echo").await;
            let part = frame(GOES_ON, &vec![b'x'; size]);
            client.send(&frame(BINARY_BEGINS, b"x")).await;
            let most = 2 * (64 << 10) / size;
            for _ in 0..most {
                client.try_send(&part).await;
            }
            assert_eq!(client.close_code().await, 1009, "fragments of {size} bytes");
            client.ended().await;
        }
    };
    flooded.flood(round).await;
    flooded.survived(3, MESSAGE_KIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_of_a_client_that_never_reads() {
    let limits = "write_timeout = \"1s\"\nclose_timeout = \"300ms\"";
    let flooded = Flooded::start(setup(limits)).await;
    let pings = frame(PING, &[b'x'; 125]).repeat(1_000);
    let round = async || {
        let mut client = flooded.narrow_client("/echo").await;
        write_until_cut_off(&mut client, &pings).await;
    };
    flooded.flood(round).await;
    flooded.survived(1, 0).await;
}

/// Writes, and never reads, until the other side has had enough.
async fn write_until_cut_off(client: &mut RawClient, bytes: &[u8]) {
    let since = Instant::now();
    loop {
        let write = client.stream().write(bytes);
        // While nobody reads, it waits.
        if let Ok(Err(_)) = tokio::time::timeout(Duration::from_millis(50), write).await {
            return;
        }
        assert!(since.elapsed() < Duration::from_secs(15), "the flood is still taken");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pongs_that_nobody_asked_for() {
    flood("/echo", &frame(PONG, &[b'x'; 125]).repeat(1_000)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_messages_that_nobody_wants() {
    // No module listens there.
    flood("/elsewhere", &[frame(TEXT, b""), frame(BINARY, b"")].concat().repeat(1_000)).await;
}

/// Writes the same for a while, as fast as it is taken, where no rate is limited; then the client
/// is still served.
async fn flood(path: &str, bytes: &[u8]) {
    let flooded = Flooded::start(setup("control_rate = 1000000")).await;
    let round = async || {
        let mut client = flooded.client(path).await;
        let since = Instant::now();
        while since.elapsed() < FOR {
            client.send(bytes).await;
        }
        client.send(&frame(PING, b"and now")).await;
        let pong = client.frame().await.expect("still there");
        assert_eq!((pong.first, &*pong.payload), (PONG, &b"and now"[..]));
    };
    flooded.flood(round).await;
    flooded.survived(1, MESSAGE_KIB).await;
}
