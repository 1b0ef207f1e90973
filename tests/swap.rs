//! Modules are swapped while their clients stay connected.

mod breaker;
mod commands;
mod failing;
mod files;
mod flushed;
mod meanwhile;
mod places;
mod reload;
mod soak;
mod socket;
mod state;

use std::path::PathBuf;

use serde_json::{Value, json};
use sporegate::modules::{ModuleStatus, State};

use crate::support::{Client, Setup, TestGateway, guest};

const MARK: &[u8] = b"manner:first";
const MANNER_BYTES: usize = 40;

/// A revision of the guest `tally` that behaves like this.
pub fn tally(manner: &str) -> Vec<u8> {
    let mut file = guest("tally");
    let at = file.windows(MARK.len()).position(|window| window == MARK).expect("a mark");
    let mut text = format!("manner:{manner}").into_bytes();
    assert!(text.len() <= MANNER_BYTES);
    text.resize(MANNER_BYTES, b'.');
    file[at..at + MANNER_BYTES].copy_from_slice(&text);
    file
}

/// A gateway with the first revision of `tally`, that watches its directory.
fn setup() -> Setup {
    TestGateway::with().set("watch = true").file("tally.wasm", &tally("first"))
}

/// Puts a file into the module directory, whole at once.
fn put(gateway: &TestGateway, name: &str, bytes: &[u8]) {
    let to = gateway.directory().join("modules").join(name);
    let from = gateway.directory().join(format!("{name}.new"));
    std::fs::write(&from, bytes).unwrap();
    std::fs::rename(from, to).unwrap();
}

fn path(gateway: &TestGateway, name: &str) -> PathBuf {
    gateway.directory().join("modules").join(name)
}

/// What the keeper says of a module.
async fn status(gateway: &TestGateway, name: &str) -> Option<ModuleStatus> {
    let list = gateway.gateway().keeper().list().await.unwrap();
    list.into_iter().find(|status| status.name == name)
}

/// Looks at the directory until all that follows is done, and returns how the module is then.
async fn looked(gateway: &TestGateway, name: &str) -> Option<ModuleStatus> {
    gateway.gateway().keeper().reload().await.unwrap();
    status(gateway, name).await
}

/// Puts a revision of `tally` there, and returns how the module is when that is done.
async fn swap(gateway: &TestGateway, manner: &str) -> ModuleStatus {
    put(gateway, "tally.wasm", &tally(manner));
    looked(gateway, "tally").await.unwrap()
}

fn rejected(status: &ModuleStatus) -> String {
    match &status.state {
        State::Rejected(reason) => reason.to_string(),
        other => panic!("not rejected, but {other:?}"),
    }
}

/// Says something to `tally`, and returns who answered, the client's count and the total.
async fn say(client: &mut Client, text: &str) -> (String, u64, u64) {
    let answer: Value = client.ask_text(text).await;
    assert_eq!(answer["said"], json!(text), "{answer}");
    let count = |name: &str| answer[name].as_u64().unwrap();
    (answer["by"].as_str().unwrap().to_owned(), count("yours"), count("total"))
}

fn by(name: &str, yours: u64, total: u64) -> (String, u64, u64) {
    (name.to_owned(), yours, total)
}
