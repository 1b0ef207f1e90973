//! The bare library that the gateway builds on: an echo server of tokio-tungstenite.
//!
//! Invariant: nothing but the library and its documented settings; `--read-buffer BYTES` sets the
//! read buffer, otherwise all is as it comes.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_async_with_config;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

#[tokio::main]
async fn main() -> Result<()> {
    let mut config = WebSocketConfig::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        anyhow::ensure!(argument == "--read-buffer", "unknown argument {argument}");
        let bytes = arguments.next().context("--read-buffer needs a number of bytes")?;
        config = config.read_buffer_size(bytes.parse()?);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "listening on ws://{}/", listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(echo(stream, config));
    }
}

/// Sends every message back until the client goes; a lost connection is no error here.
async fn echo(stream: TcpStream, config: WebSocketConfig) {
    let Ok(mut socket) = accept_async_with_config(stream, Some(config)).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err() {
            return;
        }
    }
}
