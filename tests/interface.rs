//! Every function of the interface and every error it names, by way of the guest `probe`.

mod atomicity;
mod broadcasts;
mod closes;
mod disconnects;
mod growth;
mod listeners;
mod matchers;
mod order;
mod queries;
mod refused_listeners;
mod sends;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Client, PATIENCE, TestGateway};

/// The id of nobody.
const NOBODY: &str = "00000000000000000000000000000000";

/// Texts that cannot be ids.
const NO_IDS: [&str; 4] = ["", "nobody", "../../etc/passwd", "0000000000000000000000000000000G"];

/// Texts that cannot be path patterns.
const MALFORMED: [&str; 8] = [
    "",
    "probe",
    "/probe//a",
    "/probe/*/a",
    "/probe/{}",
    "/probe/{a}/{a}",
    "/probe/a*",
    "/probe/..",
];

/// A gateway with the probe on `/probe` and below.
async fn probing() -> TestGateway {
    TestGateway::serving(&["probe"]).await
}

/// A second client, and its id.
async fn receiver(gateway: &TestGateway, path: &str) -> (Client, String) {
    let mut client = gateway.client_as("bob", &[], path).await;
    let id = client.id().await;
    (client, id)
}

/// Has a text sent to another client; what that one gets next is this, if nothing came before.
async fn mark(sender: &mut Client, to: &str, text: &str) {
    sender.ok(json!({"do": "send", "to": to, "text": text})).await;
}

/// The ids of the clients in an answer.
fn ids(clients: &Value) -> Vec<String> {
    let id = |client: &Value| client["id"].as_str().unwrap().to_owned();
    clients.as_array().unwrap().iter().map(id).collect()
}

/// Waits until the module sees this many clients.
async fn until_count(client: &mut Client, count: u64) {
    let counting = async {
        while client.ok(json!({"do": "count"})).await != count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, counting).await.expect("another count");
}
