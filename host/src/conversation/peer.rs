//! One client of a conversation. A task reads what comes, so that pings are answered and the
//! gateway never waits for somebody who is not asked.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::Said;
use crate::message::KEEP_ALIVE;

/// Messages that may wait to be asked for; then the client reads no more.
const MOST_WAITING: usize = 65_536;

/// Bytes of a binary message that are shown.
const SHOWN_BYTES: usize = 64;

/// What a client hears.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Heard {
    Text(String),
    Binary(Vec<u8>),
    /// The answer to a ping of this number.
    Pong(u64),
    Close {
        code: u16,
        reason: String,
    },
    /// The connection has ended without a close.
    Lost(String),
}

/// A connected client.
pub(super) struct Peer<S> {
    sink: SplitSink<WebSocketStream<S>, Message>,
    heard: mpsc::Receiver<Heard>,
    /// Came while something else was waited for.
    early: VecDeque<Heard>,
    pings: u64,
    reading: tokio::task::JoinHandle<()>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Peer<S> {
    pub(super) fn new(socket: WebSocketStream<S>) -> Self {
        let (sink, stream) = socket.split();
        let (sender, heard) = mpsc::channel(MOST_WAITING);
        let reading = tokio::spawn(read(stream, sender));
        Self { sink, heard, early: VecDeque::new(), pings: 0, reading }
    }

    pub(super) async fn send(&mut self, said: &Said, patience: Duration) -> Result<(), String> {
        let message = match said {
            Said::Text(text) => Message::text(text.as_str()),
            Said::Binary(bytes) => Message::binary(bytes.clone()),
        };
        self.write(message, patience).await
    }

    /// The next message or end; none if nothing comes in time.
    pub(super) async fn next(&mut self, patience: Duration) -> Option<Heard> {
        if let Some(heard) = self.waiting() {
            return Some(heard);
        }
        let next = async {
            loop {
                match self.heard.recv().await {
                    Some(Heard::Pong(_)) => {}
                    heard => return heard,
                }
            }
        };
        timeout(patience, next).await.ok().flatten()
    }

    /// Waits until all that it has sent was handled, and the answers have come.
    pub(super) async fn settle(&mut self, patience: Duration) -> Result<(), String> {
        self.pings += 1;
        let ping = self.pings;
        let message = Message::Ping(ping.to_be_bytes().to_vec().into());
        // A connection that has ended will not answer, and has nothing more to say.
        if self.write(message, patience).await.is_err() {
            let Self { heard, early, .. } = self;
            let rest = async {
                while let Some(heard) = heard.recv().await {
                    early.push_back(heard);
                }
            };
            let late = |_| format!("the connection did not end within {patience:?}");
            return timeout(patience, rest).await.map_err(late);
        }
        let Self { heard, early, .. } = self;
        let answered = async {
            while let Some(heard) = heard.recv().await {
                match heard {
                    Heard::Pong(number) if number == ping => return,
                    Heard::Pong(_) => {}
                    heard => early.push_back(heard),
                }
            }
        };
        let late = |_| format!("the gateway did not answer a ping within {patience:?}");
        timeout(patience, answered).await.map_err(late)
    }

    /// What has come and was not asked for.
    pub(super) fn waiting(&mut self) -> Option<Heard> {
        self.early.pop_front()
    }

    /// Closes, and waits for the gateway to do the same.
    pub(super) async fn close(
        &mut self,
        code: u16,
        reason: &str,
        patience: Duration,
    ) -> Result<(), String> {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        self.write(Message::Close(Some(frame)), patience).await?;
        self.ended(patience).await
    }

    /// Waits for the end of a connection that is closing.
    pub(super) async fn ended(&mut self, patience: Duration) -> Result<(), String> {
        let ended = async { while self.heard.recv().await.is_some() {} };
        let late = |_| format!("the gateway did not close in turn within {patience:?}");
        timeout(patience, ended).await.map_err(late)
    }

    /// Ends the connection, as it is.
    pub(super) async fn leave(mut self) {
        self.reading.abort();
        let _ = (&mut self.reading).await;
    }

    async fn write(&mut self, message: Message, patience: Duration) -> Result<(), String> {
        match timeout(patience, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(format!("it cannot be sent: {error}")),
            Err(_) => Err(format!("the gateway did not take it within {patience:?}")),
        }
    }
}

impl<S> Drop for Peer<S> {
    /// The connection ends with whoever holds it, not with the task that reads it.
    fn drop(&mut self) {
        self.reading.abort();
    }
}

async fn read<S>(mut stream: SplitStream<WebSocketStream<S>>, sender: mpsc::Sender<Heard>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut closed = false;
    while let Some(message) = stream.next().await {
        let heard = match message {
            Ok(Message::Text(text)) if text.as_str() == KEEP_ALIVE => continue,
            Ok(Message::Text(text)) => Heard::Text(text.to_string()),
            Ok(Message::Binary(bytes)) => Heard::Binary(bytes.to_vec()),
            Ok(Message::Pong(payload)) => {
                let number = payload.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
                Heard::Pong(number)
            }
            Ok(Message::Close(frame)) => {
                closed = true;
                let (code, reason) = frame.map_or((1005, String::new()), |frame| {
                    (frame.code.into(), frame.reason.to_string())
                });
                Heard::Close { code, reason }
            }
            Ok(Message::Ping(_) | Message::Frame(_)) => continue,
            // After a close the end of the stream is no news.
            Err(_) if closed => return,
            Err(error) => Heard::Lost(error.to_string()),
        };
        let lost = matches!(heard, Heard::Lost(_));
        if sender.send(heard).await.is_err() || lost {
            return;
        }
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "the text {text}"),
            Self::Binary(bytes) => {
                write!(f, "the bytes")?;
                bytes.iter().take(SHOWN_BYTES).try_for_each(|byte| write!(f, " {byte:02x}"))?;
                match bytes.len().saturating_sub(SHOWN_BYTES) {
                    0 => Ok(()),
                    more => write!(f, " ... and {more} more"),
                }
            }
            Self::Pong(_) => write!(f, "a pong"),
            Self::Close { code, reason } => write!(f, "the close {code} {reason:?}"),
            Self::Lost(why) => write!(f, "the end of the connection: {why}"),
        }
    }
}
