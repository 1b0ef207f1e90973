//! The insecure switch: it admits everybody, and cannot be overlooked.

use std::net::SocketAddr;

use super::*;
use crate::support::{Serving, Setup};

fn setup(settings: &str) -> Setup {
    TestGateway::with().module("probe", "probe").table(&format!("[auth]\n{settings}"))
}

/// Asks for a WebSocket by the name that a host has for itself.
async fn status(address: SocketAddr, handshake: Handshake) -> u16 {
    raw_request(address, &handshake.bytes()).await.status
}

fn local(path: &str) -> Handshake {
    Handshake::new(&format!("/websocket{path}")).but("Host", "localhost")
}

async fn readiness(address: SocketAddr) -> RawResponse {
    raw_request(address, b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").await
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_admitted_as_nobody_and_roles_go_on_to_count() {
    let setup = setup("insecure = true");
    let setup = setup.table("[[paths]]\npattern = \"/admin\"\nrestrict_to_roles = [\"admin\"]");
    let gateway = setup.start().await;
    let mut client = gateway.connect("/probe", None).await.unwrap();
    client.greeting().await;
    let seen = whoami(&mut client).await;
    assert_eq!((&seen["username"], &seen["roles"]), (&Value::Null, &json!([])));
    let address = gateway.address();
    assert_eq!(status(address, local("/any/where")).await, 101);
    assert_eq!(status(address, local("/admin")).await, 403);
    assert_eq!(status(address, local("/admin").bearer(&gateway.token("a", &["admin"]))).await, 101);
    assert_eq!(status(address, local("/probe").bearer("wrong")).await, 401);
    let foreign = local("/probe").and("Origin", "https://evil.example");
    assert_eq!(status(address, foreign).await, 403, "pages of others stay outside");
    let answer = readiness(address).await;
    assert_eq!((answer.status, &*answer.body), (200, "ready\nINSECURE\n"));
    let secure = TestGateway::with().start().await;
    assert_eq!(readiness(secure.address()).await.body, "ready\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_name_leads_to_this_machine_stays_outside() {
    let gateway = setup("insecure = true").start().await;
    let own = gateway.address().to_string();
    for host in [own.as_str(), "localhost:8080", "127.0.0.1", "[::1]:1"] {
        assert_eq!(status(gateway.address(), local("/x").but("Host", host)).await, 101, "{host}");
    }
    for host in ["evil.example", "127.0.0.1.evil.example", "192.0.2.1"] {
        let rebound = local("/x").but("Host", host).and("Origin", &format!("http://{host}"));
        assert_eq!(status(gateway.address(), rebound).await, 421, "{host}");
    }
    let named = setup("insecure = true").set("hosts = [\"gate.example\"]").start().await;
    let host = |host: &str| local("/x").but("Host", host);
    assert_eq!(status(named.address(), host("gate.example")).await, 101);
    assert_eq!(status(named.address(), host("localhost")).await, 421);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_start_says_so_whatever_is_logged() {
    for (level, in_log) in [("warn", true), ("off", false)] {
        let flags = ["--insecure", "--log-level", level];
        let serving = Serving::start(TestGateway::with(), &flags).await;
        assert_eq!(status(serving.address(), local("/x")).await, 101);
        let (_, output) = serving.stop().await;
        assert!(output.contains("\nINSECURE: everybody may connect without credentials\n"));
        let warned = output.contains("\"WARN\"") && output.contains("auth.insecure");
        assert_eq!(warned, in_log, "{output}");
    }
}

/// What `serve` says with these flags, and how it ends.
fn refused(listen: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let directory = tempfile::tempdir().unwrap();
    let mut command = crate::support::sporegate();
    command.args(["check", "--insecure", "--listen", listen, "--modules"]).arg(directory.path());
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn an_address_that_others_reach_needs_a_second_switch() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0", "10.0.0.1:80"] {
        let (code, told) = refused(listen, &[]);
        assert_eq!(code, Some(2), "{listen}: {told}");
        for part in ["auth.insecure", "127.0.0.1", "auth.insecure_public"] {
            assert!(told.contains(part), "{listen}: {told}");
        }
        let (code, told) = refused(listen, &[("SPOREGATE_AUTH_INSECURE_PUBLIC", "true")]);
        assert_eq!(code, Some(0), "{listen}: {told}");
    }
    for listen in ["127.0.0.1:0", "127.1.2.3:0", "[::1]:0", "[::ffff:127.0.0.1]:0"] {
        assert_eq!(refused(listen, &[]).0, Some(0), "{listen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_switch_alone_admits_nobody() {
    let gateway = setup("insecure_public = true").start().await;
    assert_eq!(status(gateway.address(), local("/probe")).await, 401);
}
