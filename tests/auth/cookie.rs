//! A token in a cookie: only where it is switched on, and only from pages that are ours.

use super::*;
use crate::support::Setup;

const OWN: &str = "https://sporegate.test";

fn setup() -> Setup {
    TestGateway::with().table("[auth]\ncookie = \"session\"")
}

fn from_page(origin: &str, cookie: &str) -> Handshake {
    Handshake::new("/websocket/x").and("Origin", origin).and("Cookie", cookie)
}

async fn status(gateway: &TestGateway, handshake: &Handshake) -> u16 {
    raw_request(gateway.address(), &handshake.bytes()).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_counts_only_where_it_is_switched_on() {
    let (on, off) = (setup().start().await, TestGateway::with().start().await);
    let token = on.token("ann", &[]);
    for cookies in [
        format!("session={token}"),
        format!("session=\"{token}\""),
        format!("theme=dark; session={token}; other=\u{fc}"),
        format!("Session=x; xsession=y; session={token}"),
    ] {
        assert_eq!(status(&on, &from_page(OWN, &cookies)).await, 101, "{cookies}");
        assert_eq!(status(&off, &from_page(OWN, &cookies)).await, 401, "{cookies}");
    }
    let two_headers = from_page(OWN, "theme=dark").and("Cookie", &format!("session={token}"));
    assert_eq!(status(&on, &two_headers).await, 101);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_does_not_hold_or_comes_twice_gets_401() {
    let gateway = setup().start().await;
    let token = gateway.token("ann", &[]);
    for (cookies, error) in [
        ("session=".to_owned(), "invalid_token"),
        ("session=x".to_owned(), "invalid_token"),
        (format!("session=\"{token}"), "invalid_token"),
        (format!("session={token}x"), "invalid_token"),
        (format!("session={token}; session={token}"), "invalid_request"),
        (format!("session=x; session={token}"), "invalid_request"),
    ] {
        let answer = raw_request(gateway.address(), &from_page(OWN, &cookies).bytes()).await;
        assert_unauthorized(&answer, Some(error));
    }
    let cookie = format!("session={token}");
    for handshake in [
        from_page(OWN, &cookie).and("Cookie", &cookie),
        from_page(OWN, &cookie).bearer(&token),
        from_page(OWN, &cookie).and("Sec-WebSocket-Protocol", &format!("bearer.{token}")),
    ] {
        let answer = raw_request(gateway.address(), &handshake.bytes()).await;
        assert_unauthorized(&answer, Some("invalid_request"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_page_uses_the_cookie_of_a_user() {
    let public = "[[paths]]\npattern = \"/public\"\nanonymous = true\nallowed_origins = [\"*\"]";
    let setup = setup().set("allowed_origins = [\"https://app.example\"]").table(public);
    let gateway = setup.module("probe", "probe").sidecar("probe", "paths = [\"/*\"]").start().await;
    let token = gateway.token("ann", &[]);
    let cookie = format!("session={token}");
    assert_eq!(status(&gateway, &from_page("https://app.example", &cookie)).await, 101);
    for foreign in ["https://evil.example", "null", "https://app.example.evil", ""] {
        assert_eq!(status(&gateway, &from_page(foreign, &cookie)).await, 403, "{foreign}");
    }
    // What is no page has no need of a cookie.
    let bare = Handshake::new("/websocket/x").and("Cookie", &cookie);
    let answer = raw_request(gateway.address(), &bare.bytes()).await;
    assert_unauthorized(&answer, None);
    // Where all pages are admitted, those of others come as nobody.
    for (origin, user) in [
        (Some("https://evil.example"), Value::Null),
        (Some("null"), Value::Null),
        (None, Value::Null),
        (Some("https://sporegate.test"), json!("ann")),
    ] {
        let mut headers = vec![("host", "sporegate.test"), ("cookie", cookie.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let url = format!("{}/public", gateway.url());
        let mut client = connect(&url, &headers).await;
        client.greeting().await;
        assert_eq!(whoami(&mut client).await["username"], user, "{origin:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_origin_check_a_cookie_is_that_of_pages_of_ours_only() {
    let gateway = setup().set("check_origin = false").start().await;
    let cookie = format!("session={}", gateway.token("ann", &[]));
    assert_eq!(status(&gateway, &from_page(OWN, &cookie)).await, 101);
    assert_eq!(status(&gateway, &from_page("https://evil.example", &cookie)).await, 401);
    let twice = from_page(OWN, &cookie).and("Origin", OWN);
    assert_eq!(status(&gateway, &twice).await, 401);
}

/// Connects with another `Host` than that of the address.
async fn connect(url: &str, headers: &[(&str, &str)]) -> Client {
    Client::connect_as_sent(url, headers).await.unwrap()
}
