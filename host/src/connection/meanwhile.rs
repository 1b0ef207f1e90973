//! What a connection does while a message waits for a listener, or is with one: it writes what the
//! listener flushes, pings its peer, tells it what was dropped, and ends when its time is up.
//!
//! Invariant: the call is polled all the while, whatever the peer does. It may have the turn at an
//! instance, or be called as the next in line for it, and others wait behind it.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Message;

use super::gulp::Ahead;
use super::liveness::{Due, Liveness};
use super::pace::Pace;
use super::socket::{self, Ending};
use super::{Socket, keep_alive, once, ping, report_due};
use crate::close::CloseReason;
use crate::session::Attachment;

enum Event {
    Over(Option<CloseReason>),
    News,
    Timer(Due),
    /// The connection is over, and no instance has the message.
    GivenUp,
}

enum Outgoing {
    Waiting,
    Message(Message),
}

/// Waits for the end of a call, and gives its verdict.
///
/// # Errors
/// The connection is over. A call that still waits in line has been given up then; one that had
/// begun has come to its end, for others depend on its instance.
pub(super) async fn attend<S, C>(
    mut call: Pin<&mut C>,
    socket: &mut Socket<S>,
    session: &Attachment,
    liveness: &mut Liveness<'_>,
    pace: &mut Option<Box<Pace>>,
) -> Result<Option<CloseReason>, Ending>
where
    S: AsyncRead + AsyncWrite + Unpin,
    C: Future<Output = Option<CloseReason>>,
{
    // Nothing is read meanwhile, so nothing can be finished.
    liveness.set_unfinished(None);
    liveness.forget_ping();
    let mut ending: Option<Ending> = None;
    // A close that was asked for comes after this message.
    let mut closing = false;
    loop {
        let event = poll_fn(|context| {
            if let Poll::Ready(verdict) = call.as_mut().poll(context) {
                return Poll::Ready(Event::Over(verdict));
            }
            if ending.is_some() {
                return match session.is_in_call() {
                    true => Poll::Pending,
                    false => Poll::Ready(Event::GivenUp),
                };
            }
            if !closing && session.poll_news(context.waker()) {
                return Poll::Ready(Event::News);
            }
            liveness.poll_due(context).map(Event::Timer)
        })
        .await;
        session.awake();
        let outgoing = match event {
            Event::Over(verdict) => return ending.map_or(Ok(verdict), Err),
            Event::GivenUp => return ending.map_or(Ok(None), Err),
            Event::News if session.is_closing() => {
                closing = true;
                None
            }
            Event::News => Some(Outgoing::Waiting),
            Event::Timer(Due::Ping) => {
                liveness.forget_ping();
                Some(Outgoing::Message(ping(session, liveness)))
            }
            Event::Timer(Due::KeepAlive) => Some(Outgoing::Message(keep_alive())),
            Event::Timer(Due::Report) => {
                // It waits with what the listener flushes.
                report_due(session, pace, liveness);
                None
            }
            Event::Timer(Due::PeerIsDead) => {
                match once(|cx| socket.get_mut().poll_ahead(cx)).await {
                    Ahead::Arrived => liveness.heard(),
                    Ahead::Nothing => ending = Some(Ending::Ours(CloseReason::NO_PONG)),
                    Ahead::Ended => ending = Some(Ending::Lost),
                }
                None
            }
            Event::Timer(Due::End(reason)) => {
                ending = Some(Ending::Ours(reason));
                None
            }
            Event::Timer(Due::MessageTime) => None,
        };
        if let Some(outgoing) = outgoing {
            let mut verdict = None;
            let written = {
                let mut writing = pin!(write(outgoing, socket, session, liveness));
                poll_fn(|context| {
                    if verdict.is_none()
                        && let Poll::Ready(over) = call.as_mut().poll(context)
                    {
                        verdict = Some(over);
                    }
                    writing.as_mut().poll(context)
                })
                .await
            };
            ending = written.err();
            if let Some(verdict) = verdict {
                return ending.map_or(Ok(verdict), Err);
            }
        }
    }
}

async fn write<S: AsyncRead + AsyncWrite + Unpin>(
    outgoing: Outgoing,
    socket: &mut Socket<S>,
    session: &Attachment,
    liveness: &mut Liveness<'_>,
) -> Result<(), Ending> {
    match outgoing {
        Outgoing::Waiting => socket::write_drained(socket, session, liveness).await,
        Outgoing::Message(message) => socket::write(socket, message, liveness).await,
    }
}
