//! One socket: reads frames, hands messages to dispatch, writes what waits in the outbox, and
//! closes with the right code. Nothing here knows listeners, roles or paths.
//!
//! ```text
//! Serving --peer closed--> Answering --+
//!    |                                 +--> Done
//!    +--we close--> Closing (waits for the peer's close frame) --+
//! ```

mod bucket;
mod frame_meter;
mod gulp;
mod liveness;
mod meanwhile;
mod pace;
mod socket;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use self::gulp::Ahead;
pub use self::gulp::Gulp;
use self::liveness::{Due, Liveness};
use self::pace::{Pace, Verdict};
use self::socket::{Ending, Farewell};
use crate::close::CloseReason;
use crate::dispatch::{Dispatcher, RouteCache};
use crate::limits::ConnectionPolicy;
use crate::message::{KEEP_ALIVE, Payload};
use crate::session::{Attachment, Left, Sent};

/// Messages read in one go before others get their turn and answers are written.
const READ_BATCH: usize = 64;

/// Wake-ups in a row for frames and messages, after which the timers come first: a client that
/// always has more to say must not put off the end of its time.
const WAKES_BEFORE_TIMERS: u32 = 16;

/// A socket after its upgrade.
pub type Socket<S> = WebSocketStream<Gulp<S>>;

/// One connected client.
struct Connection<'a, S> {
    socket: &'a mut Socket<S>,
    session: &'a Attachment,
    dispatcher: &'a Dispatcher,
    routes: RouteCache,
    /// Beside the task, which is kept small.
    liveness: Box<Liveness<'a>>,
    pace: Option<Box<Pace>>,
    /// Since the last sleep, the client has sent a message.
    had_message: bool,
}

/// What ends the sleep of a connection.
enum Wake {
    Frame(Option<Result<Message, socket::Error>>),
    Outbox,
    Timer(Due),
}

/// Takes over an upgraded stream. `early` is what the client sent along with its request.
pub async fn open<S>(stream: S, early: Bytes, policy: &ConnectionPolicy) -> Socket<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    socket::open(Gulp::new(stream, early, policy.fragments), policy).await
}

/// Serves a client until it, or the gateway, or another connection of the client ends the
/// connection, and returns how it ended and what becomes of its session. The closing handshake is
/// over by then, and was after all that concerns the session. The greeting is written first.
pub async fn serve<S>(
    socket: &mut Socket<S>,
    session: &Attachment,
    dispatcher: &Dispatcher,
    greeting: Option<String>,
) -> (CloseReason, Left)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = Connection {
        socket,
        session,
        dispatcher,
        routes: RouteCache::default(),
        liveness: Box::new(Liveness::of(session)),
        pace: Pace::of(session.policy()),
        had_message: false,
    };
    let ending = match Box::pin(connection.greet(greeting)).await {
        Ok(()) => match connection.run().await {
            Ok(never) => match never {},
            Err(ending) => ending,
        },
        Err(ending) => ending,
    };
    // If nobody can come back, whoever sends from now on is told that it is too late.
    let left = session.leave(ending.reason());
    dispatcher.count_dropped(session.outbox().take_dropped());
    // Only an ending connection needs room for this.
    let closing = Box::pin(ending.close(connection.socket, session.policy().close_timeout));
    let (reason, farewell) = closing.await;
    if farewell == Farewell::CutOff {
        dispatcher.count_close_timeout();
    }
    (reason, left)
}

enum Never {}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    /// Writes what comes before all messages.
    async fn greet(&mut self, greeting: Option<String>) -> Result<(), Ending> {
        let Some(greeting) = greeting else { return Ok(()) };
        let bytes = greeting.len() as u64;
        self.write(Message::Text(greeting.into())).await?;
        self.session.count_sent(Sent { messages: 1, bytes });
        if self.session.is_return() {
            // Its pong shows that the client has the new token: then the one before is worthless.
            let ping = ping(self.session, &mut self.liveness);
            self.write(ping).await?;
        }
        Ok(())
    }

    async fn run(&mut self) -> Result<Never, Ending> {
        Box::pin(self.write_waiting()).await?;
        let mut wakes = 0;
        loop {
            let wake = std::future::poll_fn(|context| {
                if wakes >= WAKES_BEFORE_TIMERS
                    && let Poll::Ready(due) = self.liveness.poll_due(context)
                {
                    return Poll::Ready(Wake::Timer(due));
                }
                if let Poll::Ready(frame) = socket::poll_next(self.socket, context) {
                    return Poll::Ready(Wake::Frame(frame));
                }
                // A part of a message is no frame yet, and its time has begun.
                self.liveness.set_unfinished(self.socket.get_mut().meter().unfinished());
                if self.session.poll_news(context.waker()) {
                    return Poll::Ready(Wake::Outbox);
                }
                self.liveness.poll_due(context).map(Wake::Timer)
            })
            .await;
            wakes = if wakes >= WAKES_BEFORE_TIMERS { 0 } else { wakes + 1 };
            self.session.awake();
            let arrived = self.socket.get_mut().take_arrived()
                // The timers may come first, and after a long write its answer still waits.
                || (matches!(wake, Wake::Timer(Due::PeerIsDead)) && self.is_more_there().await);
            match &wake {
                // What came before the ping is no answer to it.
                Wake::Timer(Due::Ping) => {}
                // A large message may take longer than a pong, and no pong can come within it.
                Wake::Timer(Due::PeerIsDead) if arrived => {
                    self.liveness.heard();
                    continue;
                }
                Wake::Frame(_) | Wake::Outbox | Wake::Timer(_) if arrived => self.liveness.heard(),
                Wake::Frame(_) | Wake::Outbox | Wake::Timer(_) => {}
            }
            // In a box, so that the room for it is taken only while there is something to do:
            // idle connections are many.
            Box::pin(self.work(wake)).await?;
            self.note()?;
        }
    }

    /// Whether something of the client has not been looked at.
    async fn is_more_there(&mut self) -> bool {
        once(|cx| self.socket.get_mut().poll_ahead(cx)).await == Ahead::Arrived
    }

    /// Looks at what the client has sent and how, now that all of it has been handled.
    fn note(&mut self) -> Result<(), Ending> {
        let controls = self.socket.get_mut().meter().take_controls();
        if std::mem::take(&mut self.had_message) {
            self.liveness.had_message();
        }
        self.dispatcher.count_dropped(self.session.outbox().take_dropped());
        match self.liveness.had_controls(controls) {
            true => Ok(()),
            false => Err(Ending::Broken(CloseReason::CONTROL_RATE)),
        }
    }

    /// Does what it was woken for, then writes what waits.
    async fn work(&mut self, wake: Wake) -> Result<(), Ending> {
        match wake {
            Wake::Frame(frame) => {
                if let Some(pace) = &mut self.pace {
                    pace.wake();
                }
                self.read_batch(frame).await?;
            }
            Wake::Outbox => {}
            Wake::Timer(Due::Ping) => {
                let ping = ping(self.session, &mut self.liveness);
                self.write(ping).await?;
            }
            Wake::Timer(Due::KeepAlive) => self.write(keep_alive()).await?,
            Wake::Timer(Due::Report) => {
                report_due(self.session, &mut self.pace, &mut self.liveness);
            }
            Wake::Timer(Due::PeerIsDead) => return Err(Ending::Ours(CloseReason::NO_PONG)),
            Wake::Timer(Due::End(reason)) => return Err(Ending::Ours(reason)),
            Wake::Timer(Due::MessageTime) => {
                return Err(Ending::Broken(CloseReason::MESSAGE_TIME));
            }
        }
        self.write_waiting().await
    }

    /// Handles a frame and those that have arrived with it. Bounded, so that one busy client does
    /// not hold the thread.
    async fn read_batch(
        &mut self,
        first: Option<Result<Message, socket::Error>>,
    ) -> Result<(), Ending> {
        let mut next = first;
        for _ in 0..READ_BATCH {
            self.handle(next).await?;
            match once(|cx| socket::poll_next(self.socket, cx)).await {
                Poll::Ready(frame) => next = frame,
                Poll::Pending => return Ok(()),
            }
        }
        // More may have arrived already: come back for it after the others.
        self.handle(next).await?;
        self.write_waiting().await?;
        tokio::task::yield_now().await;
        Ok(())
    }

    async fn handle(
        &mut self,
        frame: Option<Result<Message, socket::Error>>,
    ) -> Result<(), Ending> {
        let payload = match frame {
            Some(Ok(Message::Text(text))) => socket::text_payload(text)?,
            Some(Ok(Message::Binary(bytes))) => Payload::Binary(bytes),
            Some(Ok(Message::Close(frame))) => return Err(Ending::peer_closed(frame)),
            Some(Ok(Message::Pong(payload))) => {
                self.had_pong(&payload);
                return Ok(());
            }
            Some(Ok(Message::Ping(_) | Message::Frame(_))) => return Ok(()),
            Some(Err(error)) => return Err(Ending::from(error)),
            None => return Err(Ending::Lost),
        };
        self.had_message = true;
        if !self.admit(&payload)? {
            return Ok(());
        }
        let verdict = self.dispatch(payload).await?;
        if let Some(pace) = &mut self.pace {
            pace.handled();
        }
        // Before the next frame is looked at: the library answers a close as soon as it reads it,
        // and then takes no message any more.
        let close = socket::feed_drained(self.socket, self.session, &mut self.liveness).await?;
        match close.or(verdict) {
            None => Ok(()),
            Some(reason) => {
                socket::flush(self.socket, &mut self.liveness).await?;
                Err(Ending::Ours(reason))
            }
        }
    }

    fn had_pong(&mut self, payload: &[u8]) {
        let Some(pong) = self.liveness.had_pong(payload) else { return };
        self.dispatcher.count_round_trip(pong.round_trip);
        // What was written before the ping came before it, too.
        self.session.acknowledge(pong.after);
        self.dispatcher.confirm_token(self.session);
    }

    /// Whether a message is for the listeners: not too much, and of the kind that the path takes.
    /// What came before it has been fed to the socket, and leaves before a close does.
    fn admit(&mut self, payload: &Payload) -> Result<bool, Ending> {
        if let Some(pace) = &mut self.pace {
            match pace.admit(payload.len()) {
                Verdict::Pass => {}
                Verdict::Close(excess) => return Err(Ending::Broken(excess.close_reason())),
                Verdict::Drop(excess) => {
                    self.dispatcher.count_over_rate(&excess.close_reason());
                    let now = pace.now();
                    report(self.session, pace, &mut self.liveness, now);
                    return Ok(false);
                }
            }
        }
        match self.session.policy().messages.refuses(payload) {
            None => Ok(true),
            Some(reason) => Err(Ending::Ours(reason)),
        }
    }

    /// Hands a message to the listeners.
    async fn dispatch(&mut self, payload: Payload) -> Result<Option<CloseReason>, Ending> {
        let Self { socket, session, dispatcher, routes, liveness, pace, .. } = self;
        let mut call = pin!(dispatcher.message(session, routes, payload));
        match once(|cx| call.as_mut().poll(cx)).await {
            Poll::Ready(verdict) => Ok(verdict),
            // Rare, and its room is not needed before.
            Poll::Pending => {
                Box::pin(meanwhile::attend(call, socket, session, liveness, pace)).await
            }
        }
    }

    async fn write(&mut self, message: Message) -> Result<(), Ending> {
        socket::write(self.socket, message, &mut self.liveness).await
    }

    /// Writes what waits in the outbox; closes if a close was asked for.
    async fn write_waiting(&mut self) -> Result<(), Ending> {
        socket::write_drained(self.socket, self.session, &mut self.liveness).await
    }
}

/// What there is at once: polls, and does not wait.
async fn once<T>(mut poll: impl FnMut(&mut Context<'_>) -> T) -> T {
    std::future::poll_fn(|context| Poll::Ready(poll(context))).await
}

/// Tells a client what was dropped of it, if it is time to, and sees to it that what is not told
/// now will be.
fn report(session: &Attachment, pace: &mut Pace, liveness: &mut Liveness<'_>, now: Instant) {
    pace.report(now, |text| session.send(text));
    liveness.set_report(pace.report_at());
}

/// The same when the time for it has come.
fn report_due(session: &Attachment, pace: &mut Option<Box<Pace>>, liveness: &mut Liveness<'_>) {
    if let Some(pace) = pace {
        report(session, pace, liveness, Instant::now());
    }
}

/// The ping that is due, after everything that was drained.
fn ping(session: &Attachment, liveness: &mut Liveness<'_>) -> Message {
    let payload = liveness.ping_after(session.last_drained());
    Message::Ping(Bytes::copy_from_slice(&payload))
}

fn keep_alive() -> Message {
    Message::Text(Utf8Bytes::from_static(KEEP_ALIVE))
}
