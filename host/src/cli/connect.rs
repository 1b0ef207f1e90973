//! `sporegate connect`: a plain client. It sends what it is told and prints what comes; it never
//! interprets either, nor lets a terminal do so. It reads while it writes, so that neither side ever
//! waits for the other.

use std::cell::Cell;
use std::io::IsTerminal;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use sporegate::config::parse_duration;
use sporegate::printable::{excerpt, printable};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{Response, StatusCode};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::config_args::TOKEN_VARIABLE;
use super::output::{self, OutputError};
use super::{Outcome, UsageError, runtime};

pub(super) const HELP: &str = "\
Each line of standard input is sent as a text message; each message received is printed as a line,
a binary one as `binary N bytes: ..` in hexadecimal. On a terminal control characters are escaped;
elsewhere a message is printed as it came. At the end the close code and reason go to standard
error. Exit code 0: closed with 1000, by either side. 1: any other end.

Examples:
  sporegate connect ws://127.0.0.1:8080/websocket/echo --token \"$TOKEN\"
  echo hello | SPOREGATE_TOKEN=$TOKEN sporegate connect ws://127.0.0.1:8080/websocket/echo";

#[derive(Debug, Args)]
pub(super) struct ConnectArgs {
    /// Where to connect: `ws://host:port/path`.
    url: String,
    /// Bearer token. In a script prefer the variable: other users can see the arguments.
    #[arg(long, env = TOKEN_VARIABLE, hide_env_values = true)]
    token: Option<String>,
    /// After the end of the input, close once nothing has come for this long.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    linger: Duration,
}

/// Time for the connection and its handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for the gateway's half of the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(super) fn run(args: &ConnectArgs) -> Outcome {
    runtime::block_on(async {
        let socket = open(args).await?;
        let close = converse(socket, args.linger).await?;
        let (code, reason) = match &close {
            Some(frame) => (frame.code.into(), frame.reason.as_str()),
            None => (1006, "connection lost"),
        };
        // Whoever closes chooses the reason: a listener, by what a client says.
        output::note(format_args!("closed: {code} {}", excerpt(reason)).to_string().trim_end());
        Ok(if code == u16::from(CloseCode::Normal) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

async fn open(args: &ConnectArgs) -> anyhow::Result<Socket> {
    let url = &args.url;
    if url.starts_with("wss://") {
        bail!(UsageError(
            "wss:// is not supported: connect to the gateway itself with ws://".into()
        ));
    }
    if !url.starts_with("ws://") {
        bail!(UsageError(format!("`{url}` is not a WebSocket URL: write ws://host:port/path")));
    }
    let mut request = url.as_str().into_client_request().map_err(|error| {
        UsageError(format!("`{url}` is not a URL ({error}): write ws://host:port/path"))
    })?;
    if let Some(token) = &args.token {
        let value = format!("Bearer {token}").parse();
        let value =
            value.map_err(|_| UsageError("the token holds characters that no token has".into()))?;
        request.headers_mut().insert("authorization", value);
    }
    match timeout(CONNECT_TIMEOUT, tokio_tungstenite::connect_async(request)).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(answer))) => {
            let hint = match (answer.status(), &args.token) {
                (StatusCode::UNAUTHORIZED, None) => {
                    "; give one with --token or the variable SPOREGATE_TOKEN"
                }
                (StatusCode::NOT_FOUND, _) => ", /websocket unless it is configured otherwise",
                _ => "",
            };
            Err(anyhow!("{url}: {}{hint}", refusal(&answer)))
        }
        Ok(Err(Error::Io(error))) => {
            Err(anyhow!("cannot connect to {url}: {error}; is the gateway running there?"))
        }
        Ok(Err(error)) => Err(anyhow!("{url}: no WebSocket there: {error}")),
        Err(_) => Err(anyhow!("{url}: no answer within {CONNECT_TIMEOUT:?}")),
    }
}

/// What an answer other than 101 says.
fn refusal(answer: &Response<Option<Vec<u8>>>) -> String {
    let body = answer.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    let status = answer.status();
    let said = body.lines().next().unwrap_or_default().trim_start_matches(status.as_str()).trim();
    let said = if said.is_empty() { status.canonical_reason().unwrap_or_default() } else { said };
    format!("refused with {}: {}", status.as_u16(), excerpt(said))
}

/// Sends lines and prints messages until either side closes. None: without a close frame.
async fn converse(socket: Socket, linger: Duration) -> anyhow::Result<Option<CloseFrame>> {
    let (sink, stream) = socket.split();
    let quiet_since = Cell::new(Instant::now());
    let mut receiving = pin!(receive(stream, &quiet_since));
    tokio::select! {
        close = &mut receiving => return Ok(close?),
        sent = send(sink, &quiet_since, linger) => sent?,
    }
    match timeout(CLOSE_TIMEOUT, receiving).await {
        Ok(close) => Ok(close?),
        Err(_) => Ok(None),
    }
}

/// Prints messages until the other side closes, or the connection breaks.
async fn receive(
    mut stream: SplitStream<Socket>,
    quiet_since: &Cell<Instant>,
) -> Result<Option<CloseFrame>, OutputError> {
    // What others say could make a terminal show what it likes, or do more.
    let terminal = std::io::stdout().is_terminal();
    while let Some(Ok(message)) = stream.next().await {
        match message {
            Message::Close(frame) => {
                // Completes the closing handshake.
                while let Some(Ok(_)) = stream.next().await {}
                let without_code = CloseFrame { code: CloseCode::Status, reason: "".into() };
                return Ok(Some(frame.unwrap_or(without_code)));
            }
            Message::Text(text) if terminal => output::line(printable(&text))?,
            Message::Text(text) => output::line(text)?,
            Message::Binary(bytes) => output::line(hexadecimal(&bytes))?,
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
        }
        quiet_since.set(Instant::now());
    }
    Ok(None)
}

/// Sends every line; after the last one waits for silence, and closes. A broken connection ends
/// it early: whoever receives finds out what happened.
async fn send(
    mut sink: SplitSink<Socket, Message>,
    quiet_since: &Cell<Instant>,
    linger: Duration,
) -> anyhow::Result<()> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await.context("standard input is not text")? {
        if sink.send(Message::text(line)).await.is_err() {
            return Ok(());
        }
    }
    quiet_since.set(Instant::now());
    loop {
        let until = quiet_since.get() + linger;
        if until <= Instant::now() {
            break;
        }
        sleep_until(until).await;
    }
    let close = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    // As above.
    let _ = sink.send(Message::Close(Some(close))).await;
    Ok(())
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!(" {byte:02x}")).collect::<String>();
    format!("binary {} bytes:{digits}", bytes.len())
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}
