//! Sockets may be imported, since runtimes of languages do, and none can be had.

use serde_json::json;

use crate::support::TestGateway;

#[tokio::test(flavor = "multi_thread")]
async fn no_socket_is_made_and_no_name_is_looked_up_whatever_the_sidecar_grants() {
    let sidecar = "[http]\nhosts = [\"localhost\"]\nprivate = [\"127.0.0.0/8\"]\n";
    let gateway = TestGateway::with().module("dialer", "dialer").sidecar("dialer", sidecar);
    let gateway = gateway.start().await;
    let tried = gateway.client("/dialer").await.ask_text("dial").await;
    for what in ["tcp", "udp"] {
        assert_eq!(tried[what], json!(["access-denied", "access-denied"]), "{what}: {tried}");
    }
    let refused = "permanent-resolver-failure";
    assert_eq!(tried["name"], json!([refused, refused]), "{tried}");
}
