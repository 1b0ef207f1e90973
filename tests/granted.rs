//! What a sidecar grants besides clients: HTTP requests, keys and values, configuration, and a log
//! with levels. What it does not grant is not there.

mod address;
mod configuration;
mod http;
mod https;
mod imports;
mod limits;
mod sockets;
mod store;

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::{Client, Setup, TestGateway};

/// A gateway with the test guest under the name `grantee`, and a sidecar.
fn grantee(sidecar: &str) -> Setup {
    TestGateway::with().module("grantee", "grantee").sidecar("grantee", sidecar)
}

/// The same with buckets, which it cannot do without, but none that it may open.
fn caller(sidecar: &str) -> Setup {
    grantee(&format!("{sidecar}\n[keyvalue]\nbuckets = []\n"))
}

/// A sidecar that grants a service on this machine, with more lines for `[http]`.
fn calling(service: SocketAddr, more: &str) -> String {
    format!("[http]\nhosts = [\"{service}\"]\nprivate = [\"127.0.0.0/8\"]\n{more}\n")
}

/// Asks the guest to get a URL; returns its answer.
async fn fetch(client: &mut Client, url: &str) -> Value {
    client.ask(json!({"do": "fetch", "url": url})).await
}

/// How often requests of the guest came to a result.
fn results(gateway: &TestGateway, result: &'static str) -> u64 {
    gateway.counters().module(&"grantee".into()).outbound.of(result)
}
