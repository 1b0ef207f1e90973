//! End-to-end tests: real sockets, real components, one binary. Each test starts its own gateway
//! on a free port and talks to it through the one client in `support`.

#![allow(missing_docs, unreachable_pub)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy allows these in test functions only, and not in what they share"
)]

mod support;

mod auth;
mod cli;
mod clients;
mod conformance;
mod connection;
mod content;
mod defects;
mod documents;
mod examples;
mod floods;
#[path = "fuzz/src/lib.rs"]
mod fuzz;
mod granted;
mod http;
mod interface;
mod languages;
mod layers;
mod line;
mod modules;
mod prebuilt;
mod sandbox;
mod sessions;
mod swap;
mod threats;
