//! Labels that clients would like to make up: metrics have as many series after ten thousand paths
//! and users as before.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Handshake, TestGateway, raw_request, read_response};

/// Names and labels of all series.
async fn series(gateway: &TestGateway) -> Vec<String> {
    let address = gateway.gateway().metrics_address().expect("metrics are on");
    let scrape = raw_request(address, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(scrape.status, 200);
    let lines = scrape.body.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

/// Asks with everything that somebody may make up; all in one connection, each answered.
async fn ask(gateway: &TestGateway, stream: &mut TcpStream, name: &str) {
    let handshake = Handshake::new(&format!("/websocket/{name}?{name}"))
        .bearer(name)
        .and("Origin", &format!("https://{name}.example"))
        .and("User-Agent", name)
        .and("X-Forwarded-For", name);
    stream.write_all(&handshake.bytes()).await.unwrap();
    let answer = read_response(stream, &mut Vec::new()).await;
    assert!(matches!(answer.status, 401 | 403), "{answer:?}");
    // Some get in, with a name of their own.
    if name.ends_with("00") {
        let path = format!("/echo/{name}");
        let mut client = gateway.client_as(name, &[name], &path).await;
        client.echo(name).await;
        client.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_paths_make_not_one_more_series() {
    let limits = "[limits]\nconnect_rate = 0\nfailed_logins = 0\n";
    let metrics = "[metrics]\nlisten = \"127.0.0.1:0\"\n";
    let setup = TestGateway::with().module("echo", "echo").table(limits).table(metrics);
    let gateway = setup.start().await;
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    for name in ["a00", "b"] {
        ask(&gateway, &mut stream, name).await;
    }
    let before = series(&gateway).await;
    for number in 0..10_000 {
        ask(&gateway, &mut stream, &format!("n{number}")).await;
    }
    let after = series(&gateway).await;
    assert!(before.len() > 20, "{before:?}");
    assert_eq!(before, after);
    assert!(!after.iter().any(|series| series.contains("n99")), "{after:?}");
}
