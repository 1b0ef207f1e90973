//! Texts made to be expensive for whoever reads JSON: deep, with very many members, or with very
//! long ones. The gateway reads them for its matchers without building anything of them.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Flooded, setup};
use crate::support::raw_client::{PING, PONG, TEXT, frame};
use crate::support::{Client, token};

/// The limit of messages here: the bombs are large.
const MESSAGE_KIB: u64 = 16 << 10;

/// Time to read a MiB: 50 ms, and ten times as much where the gateway is not optimised.
const READING: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 50 });

/// A gateway whose only listener for these messages asks what is in them, and never gets one.
async fn start() -> Flooded {
    let flooded = Flooded::start(setup("message_size = \"16MiB\"\noutbox_size = \"16MiB\"")).await;
    let url = format!("{}/probe", flooded.serving.url());
    let mut client = Client::connect(&url, Some(&token("alice", &[]))).await.unwrap();
    client.greeting().await;
    let content = json!([{"json": {"pointer": "/a/b/c", "test": {"equals": "1"}}}]);
    let matcher = json!({"content": content});
    client.ok(json!({"do": "add-listener", "name": "deep", "matcher": matcher})).await;
    client.ok(json!({"do": "remove-listener", "name": "probe"})).await;
    client.close().await;
    flooded
}

async fn read_through(bombs: Vec<String>) {
    let flooded = start().await;
    let count = bombs.len() as u64;
    let round = async || {
        for bomb in &bombs {
            let mut client = flooded.client("/probe/bomb").await;
            let mib = (bomb.len() as u32).div_ceil(1 << 20);
            let bytes = frame(TEXT, bomb.as_bytes());
            let since = Instant::now();
            client.send(&bytes).await;
            client.send(&frame(PING, b"done?")).await;
            let pong = client.frame().await.expect("still connected");
            assert_eq!((pong.first, &*pong.payload), (PONG, &b"done?"[..]));
            let took = since.elapsed();
            let allowed = READING * mib;
            assert!(
                took <= allowed,
                "{took:?} for {mib} MiB, {allowed:?} are allowed: {:.40}",
                bomb
            );
        }
    };
    flooded.flood(round).await;
    flooded.survived(count, MESSAGE_KIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_a_million_levels() {
    let depth = 1_000_000;
    let inside =
        |open: &str, close: &str| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    read_through(vec![
        "[".repeat(depth),
        inside("[", "]"),
        "{\"a\":".repeat(depth),
        inside("{\"a\":", "}"),
        inside("[{\"b\":", "}]"),
        format!("{{\"a\":{}", "[".repeat(depth)),
        format!("{{\"a\":{{\"b\":{}", inside("[", "]")),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_a_million_members_and_members_of_a_million_bytes() {
    let many = (0..1_000_000).map(|number| format!("\"k{number}\":0")).collect::<Vec<_>>();
    let same = vec!["\"a\":0"; 1_000_000];
    let long = "k".repeat(1_000_000);
    let escaped = "\\u0061".repeat(1_000_000);
    read_through(vec![
        format!("{{{}}}", many.join(",")),
        format!("{{{}}}", same.join(",")),
        format!("{{\"{long}\":1,\"a\":{{\"b\":{{\"c\":2}}}}}}"),
        format!("{{\"a\":{{\"{escaped}\":1}}}}"),
        format!("{{\"a\":\"{long}\"}}"),
        format!("{{\"a\":{}}}", "9".repeat(1_000_000)),
        format!("{}1", " ".repeat(1_000_000)),
    ])
    .await;
}
