//! Which pages may connect: those of the gateway's own origin and the allowed ones, compared as
//! parsed values.

use crate::support::{Handshake, TestGateway, raw_request};

const ALLOWED: &str = "allowed_origins = [\"https://good.example\", \"http://localhost:3000\"]";

/// The status that a page of this origin gets, at a gateway that it knows as `host`.
async fn status(gateway: &TestGateway, host: &str, origins: &[&str]) -> u16 {
    let handshake = Handshake::new("/websocket/echo").but("Host", host);
    let handshake = handshake.bearer(&gateway.token("alice", &[]));
    let handshake = origins.iter().fold(handshake, |all, origin| all.and("Origin", origin));
    raw_request(gateway.address(), &handshake.bytes()).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_gateway_itself_and_allowed_ones_may_connect() {
    let gateway = TestGateway::with().set(ALLOWED).start().await;
    let own = "gate.example:8443";
    for (host, origin) in [
        (own, "https://gate.example:8443"),
        (own, "http://gate.example:8443"),
        (own, "https://GATE.example:8443"),
        ("gate.example", "https://gate.example"),
        ("gate.example", "https://gate.example:443"),
        ("gate.example", "http://gate.example:80"),
        ("[::1]:8080", "http://[::1]:8080"),
        (own, "https://good.example"),
        (own, "HTTPS://Good.Example:443"),
        (own, "http://localhost:3000"),
    ] {
        assert_eq!(status(&gateway, host, &[origin]).await, 101, "{origin} at {host}");
    }
    assert_eq!(status(&gateway, own, &[]).await, 101, "what is no page has no origin");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_other_pages_are_refused_before_the_upgrade() {
    let gateway = TestGateway::with().set(ALLOWED).start().await;
    let own = "gate.example:8443";
    let long = format!("https://{}good.example", "a.".repeat(1_000));
    for (host, origin) in [
        (own, "https://evil.example"),
        (own, "null"),
        (own, ""),
        (own, "https://good.example.evil"),
        (own, "https://evil-good.example"),
        (own, "https://sub.good.example"),
        (own, "http://good.example"),
        (own, "https://good.example:8443"),
        (own, "https://good.example/"),
        (own, "https://good.example@evil.example"),
        (own, "https://evil.example/https://good.example"),
        (own, "https://good.example https://evil.example"),
        (own, "http://localhost"),
        (own, "http://localhost:30000"),
        (own, "http://gate.example"),
        (own, "https://gate.example:844"),
        (own, "https://gate.example.evil:8443"),
        (own, "file://"),
        (own, "wss://good.example"),
        (own, "good.example"),
        (own, "//good.example"),
        (own, "https:good.example"),
        (own, "https://good.example."),
        (own, "https://good.example:443.evil.example"),
        (own, "https://good.example:0443x"),
        (own, "https://good.example#.evil.example"),
        (own, "https://good.example?.evil.example"),
        (own, "https://good.example%00.evil.example"),
        (own, "https://good.example\\.evil.example"),
        (own, "https://good.example,https://evil.example"),
        (own, "blob:https://good.example/0f3e"),
        (own, "https://g\u{f6}\u{f6}d.example"),
        (own, "https://\u{ff47}ood.example"),
        (own, "*"),
        (own, &long),
        ("gate.example", "https://gate.example.evil"),
        ("gate.example", "https://evil-gate.example"),
        ("gate.example", "https://sub.gate.example"),
        ("gate.example", "https://gate.example:80"),
        ("gate.example:844", "https://gate.example:8443"),
        ("gate.example:443", "http://gate.example"),
        ("not a host", "https://not a host"),
    ] {
        let status = status(&gateway, host, &[origin]).await;
        assert_eq!(status, 403, "{origin} at {host}");
    }
    assert_eq!(gateway.counters().accepted.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_origins_are_none_even_if_both_may_connect() {
    let gateway = TestGateway::with().set(ALLOWED).start().await;
    let good = "https://good.example";
    assert_eq!(status(&gateway, "x", &[good, good]).await, 400);
    assert_eq!(status(&gateway, "x", &[good, "https://evil.example"]).await, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_is_refused_whatever_its_credentials() {
    let gateway = TestGateway::with().start().await;
    let foreign = Handshake::new("/websocket/echo").and("Origin", "https://evil.example");
    for handshake in [foreign.clone(), foreign.bearer("wrong")] {
        let answer = raw_request(gateway.address(), &handshake.bytes()).await;
        assert_eq!(answer.status, 403, "the page learns nothing about credentials");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_may_have_origins_of_its_own() {
    let setup = TestGateway::with()
        .set(ALLOWED)
        .table("[[paths]]\npattern = \"/echo\"\nallowed_origins = [\"https://partner.example\"]");
    let gateway = setup.start().await;
    assert_eq!(status(&gateway, "x", &["https://partner.example"]).await, 101);
    assert_eq!(status(&gateway, "x", &["https://good.example"]).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_can_be_switched_off_and_a_star_allows_all() {
    let off = TestGateway::with().set("check_origin = false").start().await;
    let star = TestGateway::with().set("allowed_origins = [\"*\"]").start().await;
    for gateway in [&off, &star] {
        assert_eq!(status(gateway, "x", &["https://evil.example"]).await, 101);
        assert_eq!(status(gateway, "x", &["null"]).await, 101);
    }
}
