//! Users that a proxy in front has authenticated: believed of the configured peers only.

use super::*;
use crate::support::raw_client::{TEXT, frame};
use crate::support::{RawClient, Setup};
use tokio::net::TcpStream;

/// Connections of tests come from 127.0.0.1.
fn setup(addresses: &str) -> Setup {
    let setup = TestGateway::with().module("probe", "probe");
    setup.table(&format!("[auth.proxy]\naddresses = [{addresses}]"))
}

fn handshake() -> Handshake {
    Handshake::new("/websocket/probe")
}

async fn status(gateway: &TestGateway, handshake: &Handshake) -> u16 {
    raw_request(gateway.address(), &handshake.bytes()).await.status
}

/// What a listener sees of a client.
async fn seen(gateway: &TestGateway, handshake: &Handshake) -> Value {
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    let mut client = RawClient::open(stream, &handshake.bytes()).await;
    client.json().await;
    client.send(&frame(TEXT, br#"{"do":"whoami"}"#)).await;
    client.json().await["ok"]["client"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_proxy_names_user_and_roles() {
    for addresses in ["\"127.0.0.1\"", "\"10.0.0.0/8\", \"127.0.0.0/8\""] {
        let gateway = setup(addresses).set("restrict_to_roles = [\"ops\"]").start().await;
        let named = handshake().and("X-Forwarded-User", "Jos\u{e9}");
        let client =
            seen(&gateway, &named.clone().and("x-forwarded-groups", "ops, dev,,ops")).await;
        assert_eq!(client["username"], "Jos\u{e9}");
        assert_eq!(client["roles"], json!(["dev", "ops"]));
        assert_eq!(status(&gateway, &named).await, 403, "no roles are named");
        let other = named.clone().and("X-Forwarded-Groups", "users");
        assert_eq!(status(&gateway, &other).await, 403);
        // It need not name anybody: then other credentials count, or none are there.
        assert_eq!(status(&gateway, &handshake()).await, 401);
        let token = gateway.token("bob", &["ops"]);
        assert_eq!(seen(&gateway, &handshake().bearer(&token)).await["username"], "bob");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_other_peers_the_headers_say_nothing() {
    let anonymous = "[[paths]]\npattern = \"/probe/*\"\nanonymous = true";
    let nobody = TestGateway::with().module("probe", "probe").table(anonymous).start().await;
    let setup = setup("\"10.0.0.0/8\", \"127.0.0.2\", \"::1\"").table(anonymous);
    let elsewhere = setup.start().await;
    let forged = handshake()
        .and("X-Forwarded-User", "root")
        .and("X-Forwarded-Groups", "admin")
        // Who is in front says nothing about who asks.
        .and("X-Forwarded-For", "10.0.0.1")
        .and("Forwarded", "for=127.0.0.2")
        .and("X-Real-IP", "10.0.0.1");
    for gateway in [&nobody, &elsewhere] {
        let client = seen(gateway, &forged).await;
        assert_eq!((&client["username"], &client["roles"]), (&Value::Null, &json!([])));
        // Neither are they a second credential, nor a malformed one.
        let token = gateway.token("bob", &["user"]);
        let client = seen(gateway, &forged.clone().bearer(&token)).await;
        assert_eq!((&client["username"], &client["roles"]), (&json!("bob"), &json!(["user"])));
        let twice = forged.clone().and("X-Forwarded-User", "ann").and("X-Forwarded-Groups", "");
        assert_eq!(seen(gateway, &twice).await["username"], Value::Null);
        let bare = forged.clone().line("GET /websocket/other HTTP/1.1");
        assert_eq!(status(gateway, &bare).await, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proxy_says_unclearly_gets_401() {
    let gateway = setup("\"127.0.0.1\"").table("[[paths]]\npattern = \"/*\"\nanonymous = true");
    let gateway = gateway.start().await;
    let user = || handshake().and("X-Forwarded-User", "ann");
    let long = "x".repeat(257);
    let many: String = (0..257).map(|n| format!("{n},")).collect();
    for (what, handshake, reason) in [
        ("two users", user().and("X-Forwarded-User", "bob"), "more than once"),
        ("one user twice", user().and("x-forwarded-USER", "ann"), "more than once"),
        (
            "roles twice",
            user().and("X-Forwarded-Groups", "a").and("X-Forwarded-Groups", "b"),
            "more than once",
        ),
        ("no user", handshake().and("X-Forwarded-Groups", "admin"), "no user"),
        ("an empty user", handshake().and("X-Forwarded-User", ""), "cannot be one"),
        ("a long user", handshake().and("X-Forwarded-User", &long), "cannot be one"),
        ("a long role", user().and("X-Forwarded-Groups", &long), "cannot be one"),
        ("too many roles", user().and("X-Forwarded-Groups", &many), "too many roles"),
        ("a tab in the user", handshake().and("X-Forwarded-User", "a\tb"), "cannot be one"),
    ] {
        let answer = raw_request(gateway.address(), &handshake.bytes()).await;
        assert_unauthorized(&answer, Some("invalid_token"));
        assert!(answer.body.contains(reason), "{what}: {}", answer.body);
    }
    // Latin-1, as some proxies write it.
    let mut latin = handshake().and("X-Forwarded-User", "caf?").bytes();
    let at = latin.iter().rposition(|byte| *byte == b'?').unwrap();
    latin[at] = 0xe9;
    assert_unauthorized(&raw_request(gateway.address(), &latin).await, Some("invalid_token"));
    // As it is with two tokens.
    let token = gateway.token("ann", &[]);
    let answer = raw_request(gateway.address(), &user().bearer(&token).bytes()).await;
    assert_unauthorized(&answer, Some("error=\"invalid_request\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_and_separator_are_those_of_the_configuration() {
    let setup = TestGateway::with().module("probe", "probe").table(
        "[auth.proxy]\naddresses = [\"127.0.0.1\"]\nuser_header = \"X-Remote-User\"\n\
         roles_header = \"X-Remote-Roles\"\nroles_separator = \"|\"",
    );
    let gateway = setup.start().await;
    let named = handshake().and("X-Remote-User", "ann").and("X-Remote-Roles", "a,b | c");
    let client = seen(&gateway, &named).await;
    assert_eq!((&client["username"], &client["roles"]), (&json!("ann"), &json!(["a,b", "c"])));
    let usual = handshake().and("X-Forwarded-User", "ann");
    assert_eq!(status(&gateway, &usual).await, 401, "another header than the configured one");
}

/// The proxy may have known the user by a cookie, which goes with the requests of every page.
#[tokio::test(flavor = "multi_thread")]
async fn for_a_page_of_others_a_proxy_speaks_for_nobody() {
    let everybody =
        "[[paths]]\npattern = \"/probe/*\"\nanonymous = true\nallowed_origins = [\"*\"]";
    let gateway = setup("\"127.0.0.1\"").table(everybody).start().await;
    let unchecked = setup("\"127.0.0.1\"").set("check_origin = false").start().await;
    let named = handshake().and("X-Forwarded-User", "ann");
    for (origin, user, status_unchecked) in [
        (None, json!("ann"), 101),
        (Some("https://sporegate.test"), json!("ann"), 101),
        (Some("https://evil.example"), Value::Null, 401),
        (Some("null"), Value::Null, 401),
    ] {
        let page = origin.into_iter().fold(named.clone(), |all, text| all.and("Origin", text));
        assert_eq!(seen(&gateway, &page).await["username"], user, "{origin:?}");
        assert_eq!(status(&unchecked, &page).await, status_unchecked, "{origin:?}");
    }
    // Elsewhere such a page does not get so far.
    let elsewhere = Handshake::new("/websocket/x").and("X-Forwarded-User", "ann");
    assert_eq!(status(&gateway, &elsewhere).await, 101);
    let foreign = elsewhere.and("Origin", "https://evil.example");
    assert_eq!(status(&gateway, &foreign).await, 403);
}
