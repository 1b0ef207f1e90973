//! `sporegate connect`: a plain client. It sends what it is told and prints what comes; it never
//! interprets either.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use futures_util::{SinkExt, StreamExt};
use sporegate::config::parse_duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::{Outcome, UsageError, runtime};

#[derive(Debug, Args)]
pub(super) struct ConnectArgs {
    /// Where to connect: `ws://host:port/path`.
    url: String,
    /// Bearer token. In a script prefer the variable: other users can see the arguments.
    #[arg(long, env = "SPOREGATE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// After the end of the input, close once nothing has come for this long.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    linger: Duration,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(super) fn run(args: &ConnectArgs) -> Outcome {
    runtime::block_on(async {
        let mut socket = open(args).await?;
        let close = converse(&mut socket, args.linger).await?;
        let clean = match &close {
            Some(frame) => {
                let reason = if frame.reason.is_empty() { "" } else { " " };
                eprintln!("closed: {}{reason}{}", u16::from(frame.code), frame.reason);
                frame.code == CloseCode::Normal
            }
            None => {
                eprintln!("closed: 1006 connection lost");
                false
            }
        };
        // Standard input cannot be given up while it is read, so the process ends here.
        std::process::exit(i32::from(!clean))
    })
}

async fn open(args: &ConnectArgs) -> anyhow::Result<Socket> {
    if args.url.starts_with("wss://") {
        bail!(UsageError(
            "wss:// is not supported: connect to the gateway itself with ws://".into()
        ));
    }
    let mut request =
        args.url.as_str().into_client_request().map_err(|error| {
            UsageError(format!("{}: {error}; write ws://host:port/path", args.url))
        })?;
    if let Some(token) = &args.token {
        let value = format!("Bearer {token}").parse();
        let value =
            value.map_err(|_| UsageError("--token holds characters that no token has".into()))?;
        request.headers_mut().insert("authorization", value);
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => {
            let body = answer.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            Err(anyhow!("{}: refused with {}: {}", args.url, answer.status(), body.trim()))
        }
        Err(error) => Err(anyhow!("{}: {error}; is the gateway running there?", args.url)),
    }
}

/// Sends lines and prints messages until either side closes. None: without a close frame.
async fn converse(socket: &mut Socket, linger: Duration) -> anyhow::Result<Option<CloseFrame>> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut input_ended = false;
    let mut quiet_until = Instant::now() + linger;
    loop {
        tokio::select! {
            line = lines.next_line(), if !input_ended => match line.context("standard input")? {
                Some(line) => {
                    if socket.send(Message::text(line)).await.is_err() {
                        return Ok(last_words(socket).await);
                    }
                }
                None => {
                    input_ended = true;
                    quiet_until = Instant::now() + linger;
                }
            },
            message = socket.next() => match message {
                Some(Ok(Message::Close(frame))) => {
                    // Completes the closing handshake.
                    while let Some(Ok(_)) = socket.next().await {}
                    return Ok(Some(frame.unwrap_or(CloseFrame {
                        code: CloseCode::Status,
                        reason: Default::default(),
                    })));
                }
                Some(Ok(message)) => {
                    print(&message)?;
                    quiet_until = Instant::now() + linger;
                }
                Some(Err(_)) | None => return Ok(None),
            },
            () = sleep_until(quiet_until), if input_ended => {
                let frame = CloseFrame { code: CloseCode::Normal, reason: Default::default() };
                socket.close(Some(frame)).await.ok();
                return Ok(last_words(socket).await);
            }
        }
    }
}

/// What still comes before the other side closes.
async fn last_words(socket: &mut Socket) -> Option<CloseFrame> {
    let mut close = None;
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Close(frame) => close = frame,
            message => print(&message).ok()?,
        }
    }
    close
}

fn print(message: &Message) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match message {
        Message::Text(text) => writeln!(out, "{text}")?,
        Message::Binary(bytes) => {
            write!(out, "binary {} bytes:", bytes.len())?;
            bytes.iter().try_for_each(|byte| write!(out, " {byte:02x}"))?;
            writeln!(out)?;
        }
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => {}
    }
    out.flush()
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}
