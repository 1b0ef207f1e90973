//! Sessions that outlive their connections: what a client gets that comes back, who gets it, and
//! what listeners see of it.

mod chaos;
mod ends;
mod flushed;
mod refused;
mod restart;
mod resume;

use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, Setup, TestGateway, token, until};

/// A gateway whose sessions wait for so long.
fn waiting(timeout: &str) -> Setup {
    TestGateway::with()
        .set(&format!("reconnect_timeout = \"{timeout}\""))
        .module("probe", "probe")
        .module("echo", "echo")
}

/// Until so many clients are away.
async fn away(gateway: &TestGateway, sessions: usize) {
    let registry = gateway.gateway().server().registry();
    until("they are away", || registry.kept().sessions() == sessions).await;
}

/// A client that may come back.
struct Returning {
    client: Client,
    /// With what.
    token: String,
    /// The whole first message of its connection.
    greeting: Value,
}

impl Returning {
    /// Connects user `alice`; the query may ask for a session.
    async fn connect(gateway: &TestGateway, path: &str) -> Self {
        Self::connect_as(gateway, "alice", &[], path).await
    }

    async fn connect_as(gateway: &TestGateway, user: &str, roles: &[&str], path: &str) -> Self {
        let mut client = gateway.connect(path, Some(&token(user, roles))).await.unwrap();
        let greeting = client.json().await;
        assert_eq!(greeting["type"], "setClientId", "{greeting}");
        let token = greeting["payload"].as_str().unwrap().to_owned();
        Self { client, token, greeting }
    }

    fn is_resumed(&self) -> bool {
        assert!(self.greeting["refused"].is_null(), "{}", self.greeting);
        self.greeting["resumed"] == Value::Bool(true)
    }

    fn refusal(&self) -> &str {
        assert!(self.greeting["resumed"].is_null(), "{}", self.greeting);
        self.greeting["refused"].as_str().unwrap_or("none")
    }
}

/// Sends to the client with this public id, from another.
async fn send(from: &mut Client, to: &str, text: &str) {
    from.ok(serde_json::json!({"do": "send", "to": to, "text": text})).await;
}

/// Whether nothing but an answer to a ping comes.
async fn is_silent(client: &mut Client) -> bool {
    client.send(Message::Ping(Default::default())).await;
    loop {
        match client.frame().await {
            Some(Ok(Message::Pong(_))) => return true,
            Some(Ok(Message::Ping(_))) => {}
            _ => return false,
        }
    }
}
