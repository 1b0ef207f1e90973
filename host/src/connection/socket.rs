//! The WebSocket library at arm's length: its errors become endings, its frames become messages,
//! and every wait for the peer has an end.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::gulp::Fragmented;
use super::liveness::Liveness;
use super::{Gulp, Socket, once};
use crate::close::CloseReason;
use crate::limits::ConnectionPolicy;
use crate::message::Payload;
use crate::session::{Attachment, Drained, Sent};

pub(super) use tokio_tungstenite::tungstenite::Error;

/// The library zero-fills its whole read buffer before each read and keeps it while a client is
/// idle: small is both faster and smaller. [`Gulp`] makes up for it under load.
const READ_BUFFER_BYTES: usize = 1 << 10;

/// Written out whenever this much has gathered.
const WRITE_BUFFER_BYTES: usize = 16 << 10;

/// What may wait in the library besides one message: pongs to a client that pings and never reads.
const WRITE_BUFFER_SLACK_BYTES: usize = 256 << 10;

/// How a connection ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// The peer sent a close frame.
    Peer(CloseReason),
    /// The gateway closes, for this reason.
    Ours(CloseReason),
    /// The gateway closes because of what the peer sent; the rest of it is not read as frames.
    Broken(CloseReason),
    /// The connection is gone.
    Lost,
}

/// How a closing handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// There is nothing left to wait for.
    Over,
    /// The peer did not do its half in time.
    CutOff,
}

/// A server's end of an upgraded stream.
pub(super) async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: Gulp<S>,
    policy: &ConnectionPolicy,
) -> Socket<S> {
    let config = Some(websocket_config(policy));
    WebSocketStream::from_raw_socket(stream, Role::Server, config).await
}

/// Settings of the library for connections under a policy.
fn websocket_config(policy: &ConnectionPolicy) -> WebSocketConfig {
    let largest = policy.message_bytes.max(policy.outbox_bytes);
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BUFFER_SLACK_BYTES + largest)
        .max_message_size(Some(policy.message_bytes))
        .max_frame_size(Some(policy.message_bytes))
}

pub(super) fn poll_next<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    context: &mut Context<'_>,
) -> Poll<Option<Result<Message, Error>>> {
    Pin::new(socket).poll_next(context)
}

/// The bytes of a text message, shared with the library.
pub(super) fn text_payload(text: Utf8Bytes) -> Result<Payload, Ending> {
    let text = bytestring::ByteString::try_from(Bytes::from(text));
    text.map(Payload::Text).map_err(|_| Ending::Broken(CloseReason::INVALID_UTF8))
}

/// Writes what waits for the session; an asked-for close comes last.
pub(super) async fn write_drained<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    session: &Attachment,
    liveness: &mut Liveness<'_>,
) -> Result<(), Ending> {
    let close = feed_drained(socket, session, liveness).await?;
    flush(socket, liveness).await?;
    close.map_or(Ok(()), |reason| Err(Ending::Ours(reason)))
}

/// Feeds what waits for the session, as much as an outbox may hold at most: who is sent more all
/// the time is read now and then, too. Returns the close that was asked for.
pub(super) async fn feed_drained<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    session: &Attachment,
    liveness: &mut Liveness<'_>,
) -> Result<Option<CloseReason>, Ending> {
    let most = session.policy().outbox_bytes as u64;
    let mut bytes = 0;
    loop {
        let Drained { messages, more, close, ask } = session.drain();
        if ask {
            liveness.ask_soon();
        }
        if !messages.is_empty() {
            let mut sent = Sent::default();
            let fed = feed_all(socket, messages, liveness, &mut sent).await;
            session.sent(sent);
            fed?;
            bytes += sent.bytes;
        }
        if !more || bytes >= most {
            return Ok(close);
        }
    }
}

/// Feeds these messages, and counts those that were.
async fn feed_all<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    messages: VecDeque<Payload>,
    liveness: &mut Liveness<'_>,
    sent: &mut Sent,
) -> Result<(), Ending> {
    for payload in messages {
        let bytes = payload.len() as u64;
        feed(socket, message(payload), liveness).await?;
        sent.messages += 1;
        sent.bytes += bytes;
    }
    Ok(())
}

/// Writes one message at once.
pub(super) async fn write<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    message: Message,
    liveness: &mut Liveness<'_>,
) -> Result<(), Ending> {
    feed(socket, message, liveness).await?;
    flush(socket, liveness).await
}

/// Hands a message to the library, which writes once enough has gathered, or at the next
/// [`flush`]. What it writes has been taken when this returns.
async fn feed<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    message: Message,
    liveness: &mut Liveness<'_>,
) -> Result<(), Ending> {
    // It is ready: whoever made it wait has waited.
    socket.start_send_unpin(message).map_err(Ending::from)?;
    taken(socket, liveness, |socket, context| socket.poll_ready_unpin(context)).await
}

/// Writes what was fed.
pub(super) async fn flush<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    liveness: &mut Liveness<'_>,
) -> Result<(), Ending> {
    taken(socket, liveness, |socket, context| socket.poll_flush_unpin(context)).await
}

/// Waits for the end of a write. Whatever the peer takes meanwhile, be it a part of a message, is
/// progress: too slow is who takes nothing at all for the write time-out. Since that may go on for
/// long, the end of the connection's own time is looked at meanwhile.
async fn taken<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    liveness: &mut Liveness<'_>,
    poll: impl Fn(&mut Socket<S>, &mut Context<'_>) -> Poll<Result<(), Error>>,
) -> Result<(), Ending> {
    // Nearly always the socket takes all at once: then no clock is read.
    if let Poll::Ready(result) = once(|cx| poll(socket, cx)).await {
        return result.map_err(Ending::from);
    }
    let timeout = liveness.write_timeout();
    let mut too_late = pin!(tokio::time::sleep(timeout));
    let mut before = socket.get_ref().taken_bytes();
    let result = std::future::poll_fn(|context| {
        if let Poll::Ready(result) = poll(socket, context) {
            return Poll::Ready(result.map_err(Ending::from));
        }
        let now = socket.get_ref().taken_bytes();
        if now != before {
            before = now;
            too_late.as_mut().reset(Instant::now() + timeout);
        }
        if let Poll::Ready(reason) = liveness.poll_end(context) {
            return Poll::Ready(Err(Ending::Ours(reason)));
        }
        let slow = |()| Err(Ending::Ours(CloseReason::SLOW_CONSUMER));
        too_late.as_mut().poll(context).map(slow)
    })
    .await;
    liveness.resume();
    result
}

fn message(payload: Payload) -> Message {
    match payload {
        // Valid by construction; the check is a few nanoseconds and saves an unsafe block.
        Payload::Text(text) => match Utf8Bytes::try_from(text.into_bytes()) {
            Ok(text) => Message::Text(text),
            Err(_) => Message::Text(Utf8Bytes::default()),
        },
        Payload::Binary(bytes) => Message::Binary(bytes),
    }
}

impl Ending {
    pub(super) fn peer_closed(frame: Option<CloseFrame>) -> Self {
        Self::Peer(match frame {
            Some(frame) => CloseReason::from_peer(frame.code.into(), frame.reason.as_str()),
            None => CloseReason::NO_STATUS,
        })
    }

    /// Why, as listeners are told.
    pub(super) fn reason(&self) -> &CloseReason {
        match self {
            Self::Peer(reason) | Self::Ours(reason) | Self::Broken(reason) => reason,
            Self::Lost => &CloseReason::LOST,
        }
    }

    /// Does what the closing handshake still needs, within `timeout`; gives the reason that
    /// listeners are told, and whether the peer did its half.
    pub(super) async fn close<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        socket: &mut Socket<S>,
        timeout: Duration,
    ) -> (CloseReason, Farewell) {
        let (reason, in_time) = match self {
            Self::Lost => return (CloseReason::LOST, Farewell::Over),
            Self::Peer(reason) => {
                // The library has queued the answering close frame.
                let answered = tokio::time::timeout(timeout, socket.flush()).await;
                let ended = tokio::time::timeout(timeout, socket.get_mut().shutdown()).await;
                (reason, answered.is_ok() && ended.is_ok())
            }
            Self::Ours(reason) => {
                let handshake = async {
                    socket.close(Some(close_frame(&reason))).await?;
                    while let Some(frame) = socket.next().await {
                        frame?;
                        // Nobody waits for what it still sends: everybody else comes first.
                        tokio::task::yield_now().await;
                    }
                    Ok::<_, Error>(())
                };
                let ended = tokio::time::timeout(timeout, handshake).await;
                (reason, ended.is_ok())
            }
            Self::Broken(reason) => {
                let goodbye = async {
                    socket.close(Some(close_frame(&reason))).await?;
                    let stream = socket.get_mut();
                    stream.shutdown().await?;
                    discard(stream).await;
                    Ok::<_, Error>(())
                };
                let ended = tokio::time::timeout(timeout, goodbye).await;
                (reason, ended.is_ok())
            }
        };
        (reason, if in_time { Farewell::Over } else { Farewell::CutOff })
    }
}

impl From<Error> for Ending {
    fn from(error: Error) -> Self {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => {
                Self::Broken(CloseReason::TOO_BIG)
            }
            Error::Utf8(_) => Self::Broken(CloseReason::INVALID_UTF8),
            Error::Io(error) if error.get_ref().is_some_and(|error| error.is::<Fragmented>()) => {
                Self::Broken(CloseReason::FRAGMENTS)
            }
            Error::WriteBufferFull(_) => Self::Ours(CloseReason::SLOW_CONSUMER),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
            | Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Io(_) => Self::Lost,
            _ => Self::Broken(CloseReason::PROTOCOL_ERROR),
        }
    }
}

fn close_frame(reason: &CloseReason) -> CloseFrame {
    CloseFrame { code: reason.code().into(), reason: reason.text().into() }
}

/// Reads until the peer closes: unread bytes would turn our close into a reset, and the peer
/// might never see the close frame.
async fn discard<S: AsyncRead + Unpin>(stream: &mut S) {
    // Not on the stack: that would be part of every connection's task.
    let mut bytes = vec![0; 4096];
    while matches!(stream.read(&mut bytes).await, Ok(count) if count > 0) {
        tokio::task::yield_now().await;
    }
}
