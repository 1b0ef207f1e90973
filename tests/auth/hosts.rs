//! A name that was made to lead here is not one of the gateway's own.

use super::*;

async fn status(gateway: &TestGateway, host: &str) -> u16 {
    let handshake = Handshake::new("/websocket/x").bearer(&gateway.token("ann", &[]));
    raw_request(gateway.address(), &handshake.but("Host", host).bytes()).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_another_host_gets_421() {
    let hosts = "hosts = [\"gate.example\", \"inner.example:8443\", \"[::1]\"]";
    let gateway = TestGateway::with().set(hosts).start().await;
    for host in [
        "gate.example",
        "GATE.example",
        "gate.example:80",
        "gate.example:31337",
        "inner.example:8443",
        "[::1]:8080",
        "[0:0:0:0:0:0:0:1]",
    ] {
        assert_eq!(status(&gateway, host).await, 101, "{host}");
    }
    for host in [
        "evil.example",
        "gate.example.evil",
        "evil-gate.example",
        "sub.gate.example",
        "gate.example@evil.example",
        "gate.example,evil.example",
        "gate.example/",
        "inner.example",
        "inner.example:443",
        "inner.example:844",
        "127.0.0.1",
        "localhost",
        "[::2]",
        "",
    ] {
        assert_eq!(status(&gateway, host).await, 421, "{host}");
    }
    // The page is of the origin that it connects to; it is the name that is foreign.
    let rebound = Handshake::new("/websocket/x").but("Host", "evil.example");
    let rebound = rebound.and("Origin", "http://evil.example").bearer(&gateway.token("ann", &[]));
    assert_eq!(raw_request(gateway.address(), &rebound.bytes()).await.status, 421);
    // Who asks for health asks a machine, not a name.
    let health = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    assert_eq!(raw_request(gateway.address(), health).await.status, 200);
    assert_eq!(gateway.counters().accepted.get(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_with_a_host_of_its_own_names_the_same_one() {
    let gateway = TestGateway::with().set("hosts = [\"gate.example\"]").start().await;
    for (target, host, expected) in [
        ("http://gate.example/websocket/x", "gate.example", 101),
        ("http://evil.example/websocket/x", "gate.example", 400),
        ("http://gate.example/websocket/x", "evil.example", 400),
        ("http://evil.example/websocket/x", "evil.example", 421),
    ] {
        let handshake = Handshake::new(target).but("Host", host);
        let bytes = handshake.bearer(&gateway.token("ann", &[])).bytes();
        let answer = raw_request(gateway.address(), &bytes).await;
        assert_eq!(answer.status, expected, "{target} at {host}: {answer:?}");
    }
}
