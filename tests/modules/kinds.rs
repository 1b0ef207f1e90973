//! What kinds of WebAssembly become modules.

use std::time::{SystemTime, UNIX_EPOCH};

use super::serving;
use crate::support::{TestGateway, guest};

#[tokio::test(flavor = "multi_thread")]
async fn a_core_module_is_made_a_component_when_it_is_loaded() {
    let bytes = guest("core-echo");
    assert_eq!(bytes[4..8], [1, 0, 0, 0], "not a core module");
    let gateway = TestGateway::serving(&["core-echo"]).await;
    let mut client = gateway.client("/core-echo").await;
    client.echo("hello from the core").await;
    client.send(vec![1, 2, 3]).await;
    assert_eq!(client.message().await.into_data().as_ref(), [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_on_wasi_preview_1_has_a_clock() {
    let gateway = TestGateway::serving(&["preview1"]).await;
    let mut client = gateway.client("/preview1").await;
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for text in ["what time is it?", "and now?"] {
        let before = now();
        client.send(text).await;
        let answer = client.message().await.into_data();
        let (words, seconds) = answer.split_at(13);
        assert_eq!(words, b"preview 1 at ");
        let seconds = u64::from_le_bytes(seconds.try_into().unwrap());
        assert!((before..=now()).contains(&seconds), "{seconds}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn modules_know_the_digest_and_size_of_their_file() {
    use sha2::{Digest, Sha256};
    let gateway = TestGateway::serving(&["echo", "core-echo", "probe"]).await;
    assert_eq!(serving(&gateway), ["core-echo", "echo", "probe"]);
    for module in gateway.gateway().modules().modules().iter() {
        let file = guest(module.name());
        let digest: String = Sha256::digest(&file).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(module.digest().to_string(), digest);
        assert_eq!(module.file_bytes(), file.len());
    }
}
