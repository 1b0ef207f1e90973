//! A client that is cut off again and again, in every way there is, and that checks what it gets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::line::{Break, Line};
use super::world::{Order, Random, World};
use crate::support::{PATIENCE, token_for};

pub(super) type Socket = WebSocketStream<DuplexStream>;

/// A connection, and to which gateway.
struct Connection {
    line: Line,
    socket: Socket,
    generation: usize,
}

/// Connects a user to a path; none if the gateway is not there, or about to go.
pub(super) async fn dial(address: SocketAddr, user: &str, path: &str) -> Option<(Line, Socket)> {
    let (line, stream) = Line::connect(address).await?;
    let mut request = format!("ws://{address}/websocket{path}").into_client_request().unwrap();
    let bearer = token_for(user, &[], Duration::from_secs(24 * 60 * 60));
    request.headers_mut().insert("authorization", format!("Bearer {bearer}").parse().unwrap());
    let shaking = tokio_tungstenite::client_async(request, stream);
    let (socket, _) = timeout(PATIENCE, shaking).await.expect("no handshake").ok()?;
    Some((line, socket))
}

/// The next message; none if the connection ends before.
pub(super) async fn next_json(socket: &mut Socket) -> Option<Value> {
    loop {
        match timeout(PATIENCE, socket.next()).await.expect("no message")? {
            Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

pub(super) struct ChaosClient {
    world: Arc<World>,
    index: usize,
    who: String,
    path: &'static str,
    random: Random,
    order: watch::Receiver<Order>,
    token: Option<String>,
    /// Messages in this session.
    received: u64,
    /// Which gateway said last that the session is there.
    seen: usize,
    /// It has left a connection behind that may replace the next one yet.
    unread: bool,
}

/// Why it stopped reading.
#[derive(Debug, PartialEq)]
enum Ended {
    Time,
    Answer,
    /// The connection, with the close code if there was one.
    Closed(Option<u16>),
}

impl ChaosClient {
    pub(super) fn new(world: &Arc<World>, index: usize, path: &'static str) -> Self {
        let world = Arc::clone(world);
        let who = format!("user{}", index % 5);
        let (random, order) = (Random::of(world.seed, index), world.order.subscribe());
        let (token, received, seen, unread) = (None, 0, 0, false);
        Self { world, index, who, path, random, order, token, received, seen, unread }
    }

    /// Until all are to leave.
    pub(super) async fn run(mut self) {
        loop {
            let mut connection = self.connect().await;
            let time = self.random.millis(300);
            let order = self.order.borrow_and_update().clone();
            match order {
                Order::Leave(who) if who.contains(&self.index) => {
                    match self.leave(connection).await {
                        true => {
                            self.world.record().left.insert(self.index);
                            return;
                        }
                        false => continue,
                    }
                }
                Order::Away(who) if who.contains(&self.index) => {}
                Order::Go | Order::Away(_) | Order::Leave(_) => {
                    let mut order = self.order.clone();
                    let ended = tokio::select! {
                        ended = self.read(&mut connection, Instant::now() + time, false) => ended,
                        _ = order.changed() => Ended::Time,
                    };
                    if let Ended::Closed(code) = ended {
                        let late = code == Some(4009) && std::mem::take(&mut self.unread);
                        let known = late || matches!(code, None | Some(1001));
                        assert!(known, "{} was closed with {code:?}", self.name());
                        continue;
                    }
                }
            }
            self.cut(connection).await;
            let away = self.random.millis(200);
            tokio::time::sleep(away).await;
            let mut order = self.order.clone();
            let told =
                |order: &Order| !matches!(order, Order::Away(who) if who.contains(&self.index));
            order.wait_for(told).await.unwrap();
        }
    }

    fn name(&self) -> String {
        format!("client {} ({}{})", self.index, self.who, self.path)
    }

    /// A connection with its token, if it has one; none if the gateway is not there, or about to go.
    async fn open(&self, user: &str) -> Option<Connection> {
        let (address, generation) = self.world.gateway().await;
        let back = self
            .token
            .as_ref()
            .map_or(String::new(), |token| format!("?clientId={token}&received={}", self.received));
        let (line, socket) = dial(address, user, &format!("{}{back}", self.path)).await?;
        Some(Connection { line, socket, generation })
    }

    /// Comes back, or begins a new session where it was told that the one before is lost.
    async fn connect(&mut self) -> Connection {
        loop {
            if let Some(mut connection) = self.open(&self.who.clone()).await
                && let Some(greeting) = next_json(&mut connection.socket).await
            {
                self.greeted(&greeting, connection.generation);
                if self.world.mail(self.index).id().is_none() {
                    let whoami = json!({"do": "whoami"}).to_string();
                    connection.socket.send(whoami.into()).await.ok();
                }
                return connection;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn greeted(&mut self, greeting: &Value, generation: usize) {
        assert_eq!(greeting["type"], "setClientId", "{greeting}");
        let resumed = greeting["resumed"] == Value::Bool(true);
        if let Some(refused) = greeting["refused"].as_str() {
            let may = self.world.may_have_lost(self.index, self.seen, generation);
            let told = refused == "gap";
            let name = self.name();
            assert!(may && told, "{name}, seen by {} of {generation}: {greeting}", self.seen);
            *self.world.record().refused.entry(refused.to_owned()).or_default() += 1;
        }
        match resumed {
            true => self.world.record().resumed += 1,
            false => {
                let first = self.token.is_none() || greeting["refused"].is_string();
                assert!(first, "{}: neither resumed nor refused: {greeting}", self.name());
                self.received = 0;
                self.world.mail(self.index).begin();
            }
        }
        self.token = Some(greeting["payload"].as_str().unwrap().to_owned());
        self.seen = generation;
    }

    /// Reads until a time, the end, or an answer.
    async fn read(&mut self, connection: &mut Connection, until: Instant, answer: bool) -> Ended {
        let mut code = None;
        loop {
            match timeout_at(until, connection.socket.next()).await {
                Err(_) => return Ended::Time,
                Ok(None | Some(Err(_))) => return Ended::Closed(code),
                Ok(Some(Ok(Message::Text(text)))) => {
                    if self.got(&text) && answer {
                        return Ended::Answer;
                    }
                }
                Ok(Some(Ok(Message::Close(frame)))) => code = frame.map(|it| it.code.into()),
                Ok(Some(Ok(_))) => {}
            }
        }
    }

    /// Checks and counts a message; returns whether it is an answer.
    fn got(&mut self, text: &str) -> bool {
        if text == "\"keepalive\"" {
            return false;
        }
        self.received += 1;
        if !text.starts_with('{') {
            self.world.mail(self.index).arrived(text, &self.name());
            return false;
        }
        let message: Value = serde_json::from_str(text).unwrap();
        if let Some(id) = message.pointer("/gone/client/id").and_then(Value::as_str) {
            *self.world.record().gone.entry(id.to_owned()).or_default() += 1;
            return false;
        }
        if message["re"] == "count" {
            return true;
        }
        let id = message.pointer("/ok/client/id").and_then(Value::as_str);
        let id = id.unwrap_or_else(|| panic!("{} got {text}", self.name()));
        self.world.mail(self.index).is(id);
        self.world.record().ids.insert(id.to_owned());
        false
    }

    /// Breaks the connection in one of the ways that there are.
    async fn cut(&mut self, mut connection: Connection) {
        let kind = match self.random.below(20) {
            0..5 => {
                connection.line.cut(Break::Reset);
                "reset"
            }
            5..8 => {
                connection.line.cut(Break::Shut);
                "shut"
            }
            8..11 => {
                let frame = CloseFrame { code: 4000.into(), reason: "back soon".into() };
                connection.socket.close(Some(frame)).await.ok();
                let until = Instant::now() + PATIENCE;
                let ended = self.read(&mut connection, until, false).await;
                assert!(matches!(ended, Ended::Closed(_)), "{}: {ended:?}", self.name());
                "closed"
            }
            11..15 => {
                connection.line.cut(Break::Silent(self.random.millis(500)));
                "silent"
            }
            15..17 => {
                self.replace(connection).await;
                "replaced"
            }
            17..18 => {
                connection.line.cut(Break::Reset);
                self.unread = true;
                // It never learns the token of this one.
                drop(self.open(&self.who.clone()).await);
                "unread"
            }
            _ => {
                self.intrude().await;
                connection.line.cut(Break::Reset);
                "intruder"
            }
        };
        *self.world.record().cuts.entry(kind).or_default() += 1;
    }

    /// A second connection of the same client, while it has the first.
    async fn replace(&mut self, mut first: Connection) {
        let Some(mut second) = self.open(&self.who.clone()).await else { return };
        let Some(greeting) = next_json(&mut second.socket).await else { return };
        self.greeted(&greeting, second.generation);
        if greeting["resumed"] == Value::Bool(true) {
            // What comes on the first is what comes on the second again.
            let code = loop {
                match timeout(PATIENCE, first.socket.next()).await.expect("it is not replaced") {
                    Some(Ok(Message::Close(frame))) => break frame.map(|it| u16::from(it.code)),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => break None,
                }
            };
            let restarted =
                first.generation != second.generation || matches!(code, None | Some(1001));
            assert!(code == Some(4009) || restarted, "{}: {code:?}", self.name());
        }
        let until = Instant::now() + self.random.millis(50);
        self.read(&mut second, until, false).await;
        second.line.cut(Break::Reset);
    }

    /// Another user has the token.
    async fn intrude(&self) {
        let Some(mut connection) = self.open("mallory").await else { return };
        let Some(greeting) = next_json(&mut connection.socket).await else { return };
        assert_eq!(greeting["refused"], "unknown", "{}: {greeting}", self.name());
        let frame = CloseFrame { code: 1000.into(), reason: "".into() };
        connection.socket.close(Some(frame)).await.ok();
        while let Some(Ok(_)) = timeout(PATIENCE, connection.socket.next()).await.expect("no end") {
        }
    }

    /// Returns whether all is there and the session is over.
    async fn leave(&mut self, mut connection: Connection) -> bool {
        let until = Instant::now() + PATIENCE;
        // Behind everything that was sent to it.
        let ask = json!({"do": "count"}).to_string();
        if connection.socket.send(ask.into()).await.is_err() {
            return false;
        }
        if self.read(&mut connection, until, true).await != Ended::Answer {
            return false;
        }
        self.world.mail(self.index).assert_complete(&self.name());
        let frame = CloseFrame { code: 1000.into(), reason: "".into() };
        connection.socket.close(Some(frame)).await.ok();
        matches!(self.read(&mut connection, until, false).await, Ended::Closed(Some(1000)))
    }
}
