//! What must never be in a log, nor anywhere else that is printed or answered: tokens, messages and
//! claims.

use tokio::net::TcpStream;

use crate::support::raw_client::{TEXT, close_frame, frame};
use crate::support::{
    Client, Handshake, RawClient, Serving, Setup, TestGateway, raw_exchange, raw_request, token,
};

/// Secrets that were told, and what was answered meanwhile.
#[derive(Default)]
struct Told {
    secrets: Vec<String>,
    answers: String,
}

impl Told {
    fn secret(&mut self, what: &str) -> String {
        let secret = format!("canary-{what}-0123456789abcdef");
        self.secrets.push(secret.clone());
        secret
    }
}

/// A gateway that takes tokens wherever they may come.
fn setup() -> Setup {
    let setup = TestGateway::with().module("echo", "echo").set("test_page = true");
    setup
        .table("[metrics]\nlisten = \"127.0.0.1:0\"")
        .table("[auth]\naccess_token_query = true\ncookie = \"session\"")
}

/// Requests with a secret wherever a client may put one. None gets in.
async fn ask_with_secrets(serving: &Serving, token: &str, told: &mut Told) {
    let page = |handshake: Handshake| handshake.and("Origin", "http://sporegate.test");
    let room = Handshake::new("/websocket/echo/room");
    for handshake in [
        room.clone().bearer(&told.secret("bearer")),
        room.clone().bearer(&format!("{token}{}", told.secret("signature"))),
        room.clone().bearer(&format!("{}.{token}", told.secret("parts"))),
        room.clone().bearer(token).bearer(&told.secret("second")),
        room.clone().bearer(&format!("{} and more", told.secret("spaces"))),
        room.clone().and("Authorization", &format!("Basic {}", told.secret("basic"))),
        room.clone().and("Authorization", &told.secret("no-scheme")),
        room.clone().and(
            "Sec-WebSocket-Protocol",
            &format!("sporegate, bearer.{}", told.secret("protocol")),
        ),
        room.clone().and("Sec-WebSocket-Protocol", &format!("Bearer.{}", told.secret("capital"))),
        room.clone().and("Sec-WebSocket-Protocol", &format!("a b {}", told.secret("malformed"))),
        room.clone().and("Cookie", &format!("session={}", told.secret("pageless-cookie"))),
        page(room.clone()).and("Cookie", &format!("session={}", told.secret("cookie"))),
        page(room.clone()).and("Cookie", &format!("session=\"{}", told.secret("quoted-cookie"))),
        page(room.clone()).and("Cookie", &format!("other={}", told.secret("other-cookie"))),
        page(room.clone()).bearer(token).and("Cookie", &format!("session={}", told.secret("both"))),
        room.clone().and("Origin", &format!("https://{}.example", told.secret("origin"))),
        room.clone().bearer(token).and("Origin", "null").and("X-Token", &told.secret("foreign")),
        room.clone().and("X-Api-Key", &told.secret("x-api-key")),
        room.clone().and("Sec-WebSocket-Extensions", &told.secret("extension")),
        room.clone().but("Sec-WebSocket-Key", &told.secret("key")).bearer(token),
        room.clone().but("Sec-WebSocket-Version", &told.secret("version")).bearer(token),
        room.clone().but("Upgrade", &told.secret("upgrade")).bearer(token),
        room.clone().and("Forwarded", &told.secret("forwarded")),
        room.clone().and("X-Forwarded-User", &told.secret("proxy-user")),
        Handshake::new(&format!("/websocket/echo?access_token={}", told.secret("query"))),
        Handshake::new(&format!("/websocket/echo?access_token=%2{}", told.secret("percent"))),
        Handshake::new(&format!("/websocket/echo?token={}", told.secret("other-query"))),
        Handshake::new(&format!("/websocket/echo?access_token={token}&access_token={token}")),
        Handshake::new(&format!("/websocket//?access_token={}", told.secret("bad-path"))),
        Handshake::new(&format!("/nowhere?access_token={}", told.secret("nowhere"))),
        Handshake::new(&format!("/websocket?{}", told.secret("bare-query"))),
        Handshake::new(&format!("http://me:{}@sporegate.test/websocket", told.secret("userinfo"))),
    ] {
        let answer = raw_request(serving.address(), &handshake.bytes()).await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
        told.answers += &format!("{answer:?}");
    }
}

/// What is no request at all, with a secret in it; and plain requests.
async fn send_secrets(serving: &Serving, told: &mut Told) {
    let rest = "Host: sporegate.test\r\nConnection: close\r\n\r\n";
    for bytes in [
        format!("{} /websocket HTTP/1.1\r\n{rest}", told.secret("method")),
        format!("GET /websocket/{} and HTTP/1.1\r\n{rest}", told.secret("space")),
        format!("GET /websocket HTTP/{}\r\n{rest}", told.secret("http-version")),
        format!("GET /websocket HTTP/1.1\r\n{}\r\n{rest}", told.secret("no-colon")),
        format!("GET /websocket HTTP/1.1\r\n{} : x\r\n{rest}", told.secret("header-name")),
        format!("GET /websocket HTTP/1.1\r\nX: \u{1}{}\r\n{rest}", told.secret("control")),
        format!("GET /websocket HTTP/1.1\r\nContent-Length: {}\r\n{rest}", told.secret("length")),
        format!("GET /readyz?token={} HTTP/1.1\r\n{rest}", told.secret("ready")),
        format!("POST /healthz?token={} HTTP/1.1\r\n{rest}", told.secret("health")),
        format!("GET /websocket/test?token={} HTTP/1.1\r\n{rest}", told.secret("page")),
        format!("GET /metrics?token={} HTTP/1.1\r\n{rest}", told.secret("metrics")),
    ] {
        told.answers += &raw_exchange(serving.address(), bytes.as_bytes()).await;
    }
    let large = format!("{}{}", told.secret("large"), "x".repeat(20 << 10));
    let large = Handshake::new("/websocket").bearer(&large).bytes();
    told.answers += &format!("{:?}", raw_request(serving.address(), &large).await);
}

/// Clients that get in by every way, with what they say and hear.
async fn talk_in_secret(serving: &Serving, token: &str, told: &mut Told) {
    let room = Handshake::new("/websocket/echo/room");
    let protocol = format!("sporegate, bearer.{token}");
    let page = room.clone().and("Origin", "http://sporegate.test");
    for handshake in [
        room.clone().bearer(token),
        room.clone().and("Sec-WebSocket-Protocol", &protocol),
        page.and("Cookie", &format!("session={token}")),
        Handshake::new(&format!("/websocket/echo/room?access_token={token}")),
    ] {
        let answer = raw_request(serving.address(), &handshake.bytes()).await;
        assert_eq!(answer.status, 101, "{answer:?}");
        told.answers += &format!("{answer:?}");
    }
    let id = told.secret("client-id");
    let url = format!("{}/echo/room?access_token={token}&clientId={id}", serving.url());
    let mut client = Client::connect(&url, None).await.unwrap();
    let greeting = client.greeting().await;
    client.echo(&told.secret("text")).await;
    client.send(told.secret("binary").into_bytes()).await;
    client.message().await;
    for (bytes, code) in [
        (
            [frame(0x01, told.secret("broken").as_bytes()), frame(TEXT, b"not goes on")].concat(),
            1002,
        ),
        (frame(TEXT, &[told.secret("latin").as_bytes(), b"\xff"].concat()), 1007),
        (close_frame(4000, told.secret("reason").as_bytes()), 4000),
    ] {
        let stream = TcpStream::connect(serving.address()).await.unwrap();
        let mut raw = RawClient::open(stream, &room.clone().bearer(token).bytes()).await;
        raw.json().await;
        raw.send(&bytes).await;
        assert_eq!(raw.close_code().await, code);
    }
    client.close().await;
    told.secrets.push(greeting);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_output() {
    let token = token("alice", &["canary-role"]);
    for format in ["json", "text"] {
        let flags = ["--log-level", "trace", "--log-format", format];
        let mut serving = Serving::start(setup(), &flags).await;
        let metrics = serving.told("metrics at http://");
        let mut told = Told::default();
        ask_with_secrets(&serving, &token, &mut told).await;
        send_secrets(&serving, &mut told).await;
        talk_in_secret(&serving, &token, &mut told).await;
        let metrics = metrics.split('/').next().unwrap().parse().unwrap();
        let scrape = raw_request(metrics, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(scrape.body.contains("\nsporegate_rejected_total{"), "{scrape:?}");
        told.answers += &scrape.body;
        let (status, output) = serving.stop().await;
        assert!(status.success(), "{output}");
        for needed in ["connected", "disconnected", "rejected", "/echo/room", "stopped"] {
            assert!(output.contains(needed), "the log says too little: no {needed} in {output}");
        }
        assert!(!output.contains("panicked"), "{output}");
        let Told { mut secrets, answers } = told;
        assert!(secrets.len() >= 40 && answers.len() > 10_000, "{} secrets", secrets.len());
        secrets.extend(["canary-role".to_owned(), token.clone()]);
        secrets.extend(token.split('.').map(str::to_owned));
        for secret in secrets {
            assert!(!output.contains(&secret), "{secret} is in the log:\n{output}");
            assert!(!answers.contains(&secret), "{secret} is in an answer:\n{answers}");
        }
    }
}
