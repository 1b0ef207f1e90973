//! A component behind a real gateway, as a stage for conversations.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use sporegate::config::{Conversation, Newcomer};
use sporegate::conversation::Stage;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::answering::answering;
use super::components::Component;
use crate::support::{TestGateway, token_with};

/// Where the sidecars of the examples expect a service.
const SERVICE: &str = "127.0.0.1:9000";

/// A gateway with one module.
pub struct Served {
    gateway: TestGateway,
    name: String,
    /// The module's file, in its latest revision.
    bytes: Vec<u8>,
    revisions: u32,
}

impl Served {
    /// Starts a gateway with a component and the sidecar beside it, and the services that the
    /// conversation speaks of.
    pub async fn start(component: &Component, played: &Conversation) -> Result<Self, String> {
        let name = &component.name;
        let bytes = std::fs::read(&component.file).unwrap();
        let mut setup = TestGateway::with()
            .table("[[paths]]\npattern = \"/*\"\nanonymous = true")
            .file(&format!("{name}.wasm"), &bytes);
        if let Ok(mut sidecar) = std::fs::read_to_string(component.file.with_extension("toml")) {
            if !played.http.is_empty() {
                let address = answering(&played.http).await;
                sidecar = sidecar.replace(SERVICE, &address.to_string());
            }
            setup = setup.sidecar(name, &sidecar);
        }
        let gateway = setup.start().await;
        match gateway.gateway().refused() {
            [] => Ok(Self { gateway, name: name.clone(), bytes, revisions: 1 }),
            [refused, ..] => Err(refused.to_string()),
        }
    }

    /// Puts another file in the place of the module, and waits until it serves.
    pub async fn put(&mut self, bytes: Vec<u8>) -> Result<(), String> {
        let modules = self.gateway.directory().join("modules");
        let new = self.gateway.directory().join("new");
        std::fs::write(&new, &bytes).unwrap();
        std::fs::rename(new, modules.join(format!("{}.wasm", self.name))).unwrap();
        self.bytes = bytes;
        let upshots = self.gateway.gateway().keeper().reload().await;
        let upshots = upshots.map_err(|refusal| refusal.to_string())?;
        match upshots.as_slice() {
            [upshot] if !upshot.failed && upshot.revision.is_some() => Ok(()),
            other => Err(format!("the module was not swapped: {other:?}")),
        }
    }

    pub async fn stop(self) -> bool {
        self.gateway.stop().await
    }
}

impl Stage for Served {
    type Stream = TcpStream;

    async fn connect(&mut self, who: &Newcomer) -> Result<WebSocketStream<TcpStream>, String> {
        let url = format!("{}{}", self.gateway.url(), who.path.as_str());
        let mut request = url.into_client_request().unwrap();
        if let Some(user) = &who.user {
            let mut claims: Value = match &who.claims {
                Some(claims) => serde_json::from_str(claims).unwrap(),
                None => json!({}),
            };
            claims["sub"] = json!(user);
            claims["roles"] = json!(who.roles);
            let bearer = HeaderValue::from_str(&format!("Bearer {}", token_with(claims))).unwrap();
            request.headers_mut().insert("authorization", bearer);
        }
        let stream = TcpStream::connect(self.gateway.address()).await.unwrap();
        let opened = tokio_tungstenite::client_async(request, stream).await;
        let (mut socket, _) = opened.map_err(|error| match error {
            Error::Http(answer) => format!("turned away with {}", answer.status()),
            error => error.to_string(),
        })?;
        match socket.next().await {
            Some(Ok(Message::Text(text))) if text.contains("\"setClientId\"") => Ok(socket),
            other => Err(format!("no greeting, but {other:?}")),
        }
    }

    async fn gone(&mut self, clients: u64) {
        while self.gateway.counters().sessions_ended.get() < clients {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The same code in another file: a custom section makes the difference.
    async fn swap(&mut self) -> Result<(), String> {
        let mut bytes = self.bytes.clone();
        let name = format!("revision-{}", self.revisions);
        self.revisions += 1;
        let length = u8::try_from(name.len()).unwrap();
        bytes.extend([0, length + 1, length]);
        bytes.extend(name.as_bytes());
        self.put(bytes).await
    }
}
