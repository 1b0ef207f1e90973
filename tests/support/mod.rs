//! What every test needs: a gateway with chosen modules, tokens for it, and a client.

mod client;
mod gateway;
pub mod hostile;
mod probe;
mod process;
mod raw;
pub mod raw_client;
pub mod service;
mod wat;

pub use client::{Client, Refused};
pub use gateway::{Setup, TestGateway, compiler, guest, sporegate, token, token_for, token_with};
pub use probe::error;
pub use process::Serving;
pub use raw::{ACCEPT, Handshake, KEY, RawResponse, raw_exchange, raw_request, read_response};
pub use raw_client::RawClient;
pub use wat::{REALLOC, core_guest, core_guest_with, guest_source, listener, stateful_core_guest};

use std::time::Duration;

/// Longest that anything in a test may take: only a failing test ever waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until a condition holds; it is looked at again and again.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
        panic!("{what}: not so within {PATIENCE:?}");
    }
}
