//! Limits of one user and of one address, and whose word about an address counts.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::raw_client::{TEXT, frame};
use crate::support::{
    Client, Handshake, RawClient, RawResponse, Refused, TestGateway, raw_request, read_response,
    until,
};

/// A handshake of alice that says it comes for `address`.
fn from(gateway: &TestGateway, address: &str) -> Handshake {
    let token = gateway.token("alice", &[]);
    Handshake::new("/websocket/echo").bearer(&token).and("X-Forwarded-For", address)
}

async fn ask(gateway: &TestGateway, handshake: &Handshake) -> RawResponse {
    raw_request(gateway.address(), &handshake.bytes()).await
}

async fn open(gateway: &TestGateway, handshake: &Handshake) -> RawClient {
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    RawClient::open(stream, &handshake.bytes()).await
}

/// Seconds of `Retry-After`.
fn retry_after(answer: &RawResponse) -> u64 {
    answer.header("retry-after").expect("429 says when to retry").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_so_many_connections_and_the_next_gets_429() {
    let setup = TestGateway::with().module("echo", "echo").set("max_connections_per_user = 2");
    let setup = setup.table("[[paths]]\npattern = \"/echo/open\"\nanonymous = true");
    let gateway = setup.start().await;
    let try_as = async |user: &str| -> Result<Client, Refused> {
        gateway.connect("/echo", Some(&gateway.token(user, &[]))).await
    };
    let first = try_as("alice").await.unwrap();
    let _second = try_as("alice").await.unwrap();
    let refused = try_as("alice").await.err().expect("one too many");
    assert_eq!((refused.status, &refused.headers["retry-after"]), (429, &"5".parse().unwrap()));
    assert_eq!(gateway.counters().rejected.of("user-full"), 1);
    let _other = try_as("bob").await.unwrap();
    let mut anonymous = Vec::new();
    for _ in 0..5 {
        anonymous.push(gateway.connect("/echo/open", None).await.unwrap());
    }
    first.close().await;
    until("room again", || gateway.gateway().server().registry().admitted() == 7).await;
    assert!(try_as("alice").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_so_many_connections_and_an_ipv6_network_counts_as_one() {
    let setup = TestGateway::with().module("echo", "echo");
    let setup = setup.set("max_connections_per_address = 2\nproxies = [\"127.0.0.0/8\"]");
    let gateway = setup.start().await;
    let mut clients = Vec::new();
    for address in ["203.0.113.7", "203.0.113.7", "2001:db8::1", "2001:db8::2"] {
        clients.push(open(&gateway, &from(&gateway, address)).await);
    }
    for address in ["203.0.113.7", "::ffff:203.0.113.7", "6.6.6.6, 203.0.113.7", "2001:db8::3"] {
        let answer = ask(&gateway, &from(&gateway, address)).await;
        assert_eq!((answer.status, retry_after(&answer)), (429, 5), "{address}");
    }
    assert_eq!(gateway.counters().rejected.of("address-full"), 4);
    clients.push(open(&gateway, &from(&gateway, "203.0.113.8")).await);
    clients.push(open(&gateway, &from(&gateway, "2001:db8:0:1::1")).await);
    for client in &mut clients {
        client.json().await;
        client.send(&frame(TEXT, b"not disturbed")).await;
        assert_eq!(client.text().await, "not disturbed");
    }
    clients.remove(0);
    until("room again", || gateway.gateway().server().registry().admitted() == 5).await;
    open(&gateway, &from(&gateway, "203.0.113.7")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_forwarded_address_of_no_proxy_is_not_believed() {
    let settings = "max_connections_per_address = 1\n";
    for proxies in ["", "proxies = [\"192.0.2.0/24\"]"] {
        let setup = TestGateway::with().module("echo", "echo").set(&format!("{settings}{proxies}"));
        let gateway = setup.start().await;
        let _first = open(&gateway, &from(&gateway, "203.0.113.1")).await;
        for forged in ["203.0.113.2", "192.0.2.1", "::1", "127.0.0.2"] {
            let forged = from(&gateway, forged).and("Forwarded", "for=203.0.113.3");
            assert_eq!(ask(&gateway, &forged).await.status, 429, "{proxies}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_header_that_the_proxies_write_is_read() {
    let setup = TestGateway::with().module("echo", "echo").set(
        "max_connections_per_address = 1\nproxies = [\"127.0.0.1\"]\n\
         forwarded_header = \"forwarded\"",
    );
    let gateway = setup.start().await;
    let named = |address: &str| {
        from(&gateway, "203.0.113.99").and("Forwarded", &format!("proto=https;for={address}"))
    };
    let _first = open(&gateway, &named("203.0.113.1")).await;
    let _second = open(&gateway, &named("\"[2001:db8::1]:4711\"")).await;
    assert_eq!(ask(&gateway, &named("203.0.113.1")).await.status, 429);
    // What cannot be read is the proxy's own.
    let _proxy = open(&gateway, &named("unknown")).await;
    assert_eq!(ask(&gateway, &named("_hidden")).await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_beyond_the_rate_of_an_address_get_429_whatever_they_carry() {
    let setup = TestGateway::with().module("echo", "echo").set("proxies = [\"127.0.0.1\"]");
    let setup = setup.table("[limits]\nconnect_rate = 1\nconnect_burst = 5");
    let gateway = setup.start().await;
    let mut client = open(&gateway, &from(&gateway, "203.0.113.50")).await;
    client.json().await;
    // In one packet, so that no time passes between them; each of another kind.
    let here = "203.0.113.7";
    let kinds = [
        Handshake::new("/websocket/echo").and("X-Forwarded-For", here),
        Handshake::new("/websocket/echo").bearer("x.y.z").and("X-Forwarded-For", here),
        Handshake::new("/nowhere").and("X-Forwarded-For", here),
        from(&gateway, here).but("Sec-WebSocket-Version", "8"),
    ];
    let many: Vec<u8> = kinds.iter().cycle().take(40).flat_map(Handshake::bytes).collect();
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all(&many).await.unwrap();
    let mut received = Vec::new();
    let mut statuses = Vec::new();
    for _ in 0..40 {
        let answer = read_response(&mut stream, &mut received).await;
        if answer.status == 429 {
            assert!((1..=6).contains(&retry_after(&answer)), "{answer:?}");
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses[..5], [401, 401, 404, 426, 401]);
    assert_eq!(statuses[5], 429);
    assert!(gateway.counters().rejected.of("connect-rate") >= 20, "{statuses:?}");
    // A good token changes nothing, another address has a rate of its own, health has none.
    assert_eq!(ask(&gateway, &from(&gateway, "203.0.113.8")).await.status, 101);
    for _ in 0..50 {
        let health = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        assert_eq!(raw_request(gateway.address(), health).await.status, 200);
    }
    client.send(&frame(TEXT, b"not disturbed")).await;
    assert_eq!(client.text().await, "not disturbed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_connections_with_forged_addresses_is_one_address() {
    let setup = TestGateway::with().module("echo", "echo");
    let setup = setup.table("[limits]\nconnect_rate = 1\nconnect_burst = 20");
    let gateway = setup.start().await;
    let mut client = gateway.client("/echo").await;
    let mut refused = 0;
    for number in 0..2_000_u32 {
        let forged = format!("198.51.{}.{}", number / 250, number % 250 + 1);
        let answer = ask(&gateway, &from(&gateway, &forged)).await;
        refused += u32::from(answer.status == 429);
        if number % 200 == 0 {
            client.echo("not disturbed").await;
        }
    }
    // Twenty in one go, and one for each second that this takes.
    assert!(refused > 1_500, "{refused} refused");
    assert_eq!(gateway.counters().rejected.of("connect-rate"), u64::from(refused));
    client.echo("still there").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_too_many_bad_credentials_waits_and_no_other_does() {
    let setup = TestGateway::with().module("echo", "echo").set("proxies = [\"127.0.0.1\"]");
    let gateway = setup.table("[limits]\nfailed_logins = 3").start().await;
    let here = "203.0.113.7";
    // None at all are not bad ones.
    for _ in 0..5 {
        let nothing = Handshake::new("/websocket/echo").and("X-Forwarded-For", here);
        assert_eq!(ask(&gateway, &nothing).await.status, 401);
    }
    let bad = Handshake::new("/websocket/echo").bearer("bad").and("X-Forwarded-For", here);
    for _ in 0..3 {
        assert_eq!(ask(&gateway, &bad).await.status, 401);
    }
    for handshake in [bad.clone(), from(&gateway, here)] {
        let answer = ask(&gateway, &handshake).await;
        assert_eq!(answer.status, 429, "a good token is not looked at either");
        assert!((1..=21).contains(&retry_after(&answer)), "{answer:?}");
    }
    assert_eq!(gateway.counters().rejected.of("failed-logins"), 2);
    assert_eq!(ask(&gateway, &from(&gateway, "203.0.113.8")).await.status, 101);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_rates_can_be_switched_off() {
    let setup = TestGateway::with().module("echo", "echo");
    let setup = setup.table("[limits]\nconnect_rate = 0\nconnect_burst = 1\nfailed_logins = 0");
    let gateway = setup.start().await;
    let bad = Handshake::new("/websocket/echo").bearer("bad");
    for _ in 0..20 {
        assert_eq!(ask(&gateway, &bad).await.status, 401);
    }
    let client = gateway.client("/echo").await;
    tokio::time::timeout(Duration::from_secs(20), client.close()).await.unwrap();
}
