//! One socket: reads frames, hands messages to dispatch, writes what waits in the outbox, and
//! closes with the right code. Nothing here knows listeners, roles or paths.
//!
//! ```text
//! Serving --peer closed--> Answering --+
//!    |                                 +--> Done
//!    +--we close--> Closing (waits for the peer's close frame) --+
//! ```

mod liveness;
mod socket;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use self::liveness::{Due, Liveness};
use self::socket::Ending;
use crate::close::CloseReason;
use crate::dispatch::{Dispatcher, RouteCache};
use crate::message::Payload;
use crate::session::Session;

pub use socket::websocket_config;

/// Messages read in one go before others get their turn and answers are written.
const READ_BATCH: usize = 64;

/// Answers that may gather before they are written, in bytes.
const WRITE_BATCH_BYTES: usize = 16 << 10;

/// The original's keep-alive message: a JSON string.
const KEEP_ALIVE: &str = "\"keepalive\"";

/// One connected client.
struct Connection<'a, S> {
    socket: WebSocketStream<S>,
    session: &'a Arc<Session>,
    dispatcher: &'a Dispatcher,
    routes: RouteCache,
}

/// What ends the sleep of a connection.
enum Wake {
    Frame(Option<Result<Message, socket::Error>>),
    Outbox,
    Timer,
}

/// Serves a client until it or the gateway ends the connection, and returns how it ended. The
/// socket is closed by then.
pub async fn serve<S>(
    socket: WebSocketStream<S>,
    session: &Arc<Session>,
    dispatcher: &Dispatcher,
) -> CloseReason
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let routes = RouteCache::default();
    let mut connection = Connection { socket, session, dispatcher, routes };
    let ending = match connection.run().await {
        Ok(never) => match never {},
        Err(ending) => ending,
    };
    ending.close(&mut connection.socket, session.policy().close_timeout).await
}

enum Never {}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    async fn run(&mut self) -> Result<Never, Ending> {
        let mut liveness = Liveness::new(self.session.policy());
        self.write_waiting().await?;
        loop {
            let wake = std::future::poll_fn(|context| {
                if let Poll::Ready(frame) = socket::poll_next(&mut self.socket, context) {
                    return Poll::Ready(Wake::Frame(frame));
                }
                if self.session.outbox().poll_news(context.waker()) {
                    return Poll::Ready(Wake::Outbox);
                }
                liveness.poll_due(context).map(|()| Wake::Timer)
            })
            .await;
            self.session.outbox().awake();
            match wake {
                Wake::Frame(frame) => {
                    liveness.heard();
                    self.read_batch(frame).await?;
                }
                Wake::Outbox => {}
                Wake::Timer => match liveness.take_due() {
                    Some(Due::Ping) => self.write(Message::Ping(Default::default())).await?,
                    Some(Due::KeepAlive) => {
                        self.write(Message::Text(Utf8Bytes::from_static(KEEP_ALIVE))).await?;
                    }
                    Some(Due::PeerIsDead) => return Err(Ending::Ours(CloseReason::NO_PONG)),
                    None => {}
                },
            }
            self.write_waiting().await?;
        }
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
            if self.session.outbox().waiting_bytes() >= WRITE_BATCH_BYTES {
                self.write_waiting().await?;
            }
            match std::future::poll_fn(|cx| Poll::Ready(socket::poll_next(&mut self.socket, cx)))
                .await
            {
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
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => return Ok(()),
            Some(Err(error)) => return Err(Ending::from(error)),
            None => return Err(Ending::Lost),
        };
        self.dispatch(payload).await.map_or(Ok(()), |reason| Err(Ending::Ours(reason)))
    }

    /// Hands a message to the listeners. While they take their time, what they flush is written.
    async fn dispatch(&mut self, payload: Payload) -> Option<CloseReason> {
        let Self { socket, session, dispatcher, routes } = self;
        let mut call = pin!(dispatcher.message(session, routes, payload));
        loop {
            let news = std::future::poll_fn(|context| match call.as_mut().poll(context) {
                Poll::Ready(verdict) => Poll::Ready(Some(verdict)),
                Poll::Pending if session.outbox().poll_news(context.waker()) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            })
            .await;
            session.outbox().awake();
            match news {
                Some(verdict) => return verdict,
                None if session.outbox().is_closed() => return call.await,
                // A socket that fails here fails again at the next write, where it is handled.
                None => drop(socket::write_drained(socket, session).await),
            }
        }
    }

    async fn write(&mut self, message: Message) -> Result<(), Ending> {
        socket::write(&mut self.socket, [message], self.session.policy().write_timeout).await
    }

    /// Writes what waits in the outbox; closes if a close was asked for.
    async fn write_waiting(&mut self) -> Result<(), Ending> {
        socket::write_drained(&mut self.socket, self.session).await
    }
}
