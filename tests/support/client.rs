//! The client of all tests: asks, waits with patience, and says what it saw instead.

use std::fmt::Debug;
use std::future::Future;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderName, HeaderValue, Request};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::PATIENCE;

/// A connected client.
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// The answer to a handshake that was turned away.
#[derive(Debug)]
pub struct Refused {
    pub status: u16,
    pub headers: HeaderMap,
}

impl Client {
    /// Connects, with a bearer token if there is one.
    pub async fn connect(url: &str, token: Option<&str>) -> Result<Self, Refused> {
        let bearer = token.map(|token| ("authorization", format!("Bearer {token}")));
        let headers: Vec<_> = bearer.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Self::connect_with(url, &headers).await
    }

    /// Connects with these headers.
    pub async fn connect_with(url: &str, headers: &[(&str, &str)]) -> Result<Self, Refused> {
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
        }
        Self::open(url, request).await
    }

    async fn open(url: &str, request: Request<()>) -> Result<Self, Refused> {
        match patiently("connect", tokio_tungstenite::connect_async(request)).await {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(Error::Http(answer)) => {
                Err(Refused { status: answer.status().as_u16(), headers: answer.headers().clone() })
            }
            Err(error) => panic!("{url}: {error}"),
        }
    }

    /// Connects with these headers instead of those that a library writes itself, such as `Host`.
    pub async fn connect_as_sent(url: &str, headers: &[(&str, &str)]) -> Result<Self, Refused> {
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        Self::open(url, request).await
    }

    /// Reads the greeting and returns the token in it.
    pub async fn greeting(&mut self) -> String {
        let greeting = self.json().await;
        assert_eq!(greeting["type"], "setClientId", "{greeting}");
        greeting["payload"].as_str().unwrap().to_owned()
    }

    pub async fn send(&mut self, message: impl Into<Message>) {
        patiently("send", self.socket.send(message.into())).await.unwrap();
    }

    pub async fn send_json(&mut self, value: &Value) {
        self.send(value.to_string()).await;
    }

    /// Puts a message into the send buffer; [`Client::flush`] sends all of them at once.
    pub async fn feed(&mut self, message: impl Into<Message>) {
        self.socket.feed(message.into()).await.unwrap();
    }

    pub async fn flush(&mut self) {
        patiently("flush", self.socket.flush()).await.unwrap();
    }

    /// The next message that is no ping or pong.
    pub async fn message(&mut self) -> Message {
        loop {
            match patiently("message", self.socket.next()).await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return message,
                other => panic!("expected a message, the connection ended with {other:?}"),
            }
        }
    }

    /// The next frame of any kind, control frames included; none at the end.
    pub async fn frame(&mut self) -> Option<Result<Message, Error>> {
        patiently("frame", self.socket.next()).await
    }

    pub async fn text(&mut self) -> String {
        match self.message().await {
            Message::Text(text) => text.to_string(),
            other => panic!("expected a text message, got {other:?}"),
        }
    }

    pub async fn json(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }

    /// Sends a command as JSON and returns the next message as JSON.
    pub async fn ask(&mut self, value: Value) -> Value {
        self.send_json(&value).await;
        self.json().await
    }

    /// Sends a text as it is and returns the next message as JSON.
    pub async fn ask_text(&mut self, text: &str) -> Value {
        self.send(text).await;
        self.json().await
    }

    /// Sends a text and expects the very same one back: everything sent before has been handled.
    pub async fn echo(&mut self, text: &str) {
        self.send(text).await;
        assert_eq!(self.text().await, text);
    }

    /// Returns when everything sent before has been handled; panics if a message comes.
    pub async fn settle(&mut self) {
        self.send(Message::Ping(Default::default())).await;
        match self.frame().await {
            Some(Ok(Message::Pong(_))) => {}
            other => panic!("expected a pong and nothing else, got {other:?}"),
        }
    }

    /// Returns when everything sent before has been handled; messages that come are passed over.
    pub async fn handled(&mut self) {
        self.send(Message::Ping(Default::default())).await;
        loop {
            match self.frame().await {
                Some(Ok(Message::Pong(_))) => return,
                Some(Ok(_)) => {}
                other => panic!("expected a pong, got {other:?}"),
            }
        }
    }

    /// Waits for the close frame and returns code and reason. Panics on any other message.
    pub async fn closed(&mut self) -> (u16, String) {
        match self.message().await {
            Message::Close(Some(CloseFrame { code, reason })) => (code.into(), reason.to_string()),
            other => panic!("expected a close frame, got {other:?}"),
        }
    }

    /// Closes with 1000, so that nobody waits for it, and waits for the end.
    pub async fn done(mut self) {
        let (code, reason) = (1000.into(), "".into());
        self.socket.close(Some(CloseFrame { code, reason })).await.ok();
        while let Some(Ok(_)) = patiently("close", self.socket.next()).await {}
    }

    /// Closes without a code and waits for the end.
    pub async fn close(mut self) {
        self.socket.close(None).await.ok();
        while let Some(Ok(_)) = patiently("close", self.socket.next()).await {}
    }

    /// Breaks the connection without a close frame.
    pub fn drop_connection(self) {
        drop(self.socket);
    }

    /// The socket, for what no well-behaved client does.
    pub fn stream(&mut self) -> &mut TcpStream {
        match self.socket.get_mut() {
            MaybeTlsStream::Plain(stream) => stream,
            _ => unreachable!("tests speak plain TCP"),
        }
    }
}

async fn patiently<T>(what: &str, waiting: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, waiting).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: nothing happened within {PATIENCE:?}"),
    }
}
