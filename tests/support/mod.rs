//! What every test needs: a gateway with chosen modules, tokens for it, and a client.

mod client;
mod gateway;
mod raw;

pub use client::{Client, Refused};
pub use gateway::{TestGateway, guest, sporegate};
pub use raw::{RawResponse, raw_request};

use std::time::Duration;

/// Longest that anything in a test may take: only a failing test ever waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);
