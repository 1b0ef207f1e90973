//! The life of a session, from its first connection to the time after its last one.
//!
//! Each connection has a task. That of the last one waits for the client after it is gone, and is
//! the one that ends the session, unless another connection takes it over.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::intake::Intake;
use super::{Peer, Server};
use crate::admission::{AddressKey, Admission};
use crate::close::{CloseCause, CloseReason};
use crate::connection;
use crate::counters::{Closed, OfPath, PathCounters};
use crate::gate::Returning;
use crate::limits::SharedPolicy;
use crate::path::ConnectPath;
use crate::principal::Principal;
use crate::registry::Refused;
use crate::session::{Attachment, Left, Over, ReconnectToken, Session};

/// What of an entry outlives the answer to its handshake.
pub(super) struct Client {
    /// As far as the configured proxies know.
    pub(super) address: AddressKey,
    pub(super) path: ConnectPath,
    pub(super) principal: Principal,
    pub(super) policy: SharedPolicy,
    pub(super) counters: Arc<PathCounters>,
    pub(super) returning: Option<Returning>,
    pub(super) admission: Admission,
}

/// The whole life of a connection, and of its session where it is the last one.
pub(super) async fn run(server: Arc<Server>, peer: Peer, client: Box<Client>, upgrade: OnUpgrade) {
    let Some((stream, early)) = Box::pin(upgraded(&server, upgrade)).await else { return };
    let since = Instant::now();
    let begun = Box::pin(begin(&server, &client)).await;
    // All else of the client is part of its session now.
    let Client { address, admission, .. } = *client;
    let (attachment, greeting) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            tracing::error!(%error, "no random numbers from the operating system");
            return;
        }
    };
    attachment.has_place(&admission);
    if !server.is_ready() {
        attachment.close(server.settings.drain.farewell.clone());
    }
    server.counters.accepted.increment();
    let connected = Connected::new(&attachment);
    tracing::debug!(
        connection = peer.connection,
        peer = %peer.address,
        client = attachment.id_text(),
        path = attachment.path().as_str(),
        user = attachment.principal().username().map(|name| &**name),
        back = attachment.is_return(),
        "connected"
    );
    let mut socket = Box::pin(connection::open(stream, early, attachment.policy())).await;
    let (reason, left) =
        connection::serve(&mut socket, &attachment, &server.dispatcher, greeting).await;
    drop(socket);
    drop(connected);
    note_end(&server, (peer, address), &attachment, &reason, since);
    drop(admission);
    // What only the end of a session needs is not part of the task before.
    Box::pin(after(&server, attachment, reason, left)).await;
}

/// The session for a client: the one it comes back to, or a new one; and what it is told of it.
///
/// # Errors
/// The operating system has no random numbers.
async fn begin(
    server: &Server,
    client: &Client,
) -> Result<(Attachment, Option<String>), getrandom::Error> {
    let mut used = None;
    let (attachment, outcome) = match &client.returning {
        None => (open(server, client)?, String::new()),
        Some(returning) => match resume(server, client, returning).await {
            Ok(Resumed::Whole(attachment)) => {
                server.counters.resumed.increment();
                used = returning.token.as_ref().map(ReconnectToken::hash);
                (attachment, r#","resumed":true"#.to_owned())
            }
            // It is told so in its close.
            Ok(Resumed::Replaced(attachment)) => return Ok((attachment, None)),
            Err(refused) => {
                server.counters.resumes_refused.increment(refused.name());
                tracing::debug!(reason = refused.name(), "a client did not get its session back");
                (open(server, client)?, format!(r#","refused":"{}""#, refused.told()))
            }
        },
    };
    let mut greeting = None;
    if client.policy.greeting {
        let token = server.registry.issue_token(attachment.session(), used)?;
        // What the client may come back with after a crash, too: then it is told that there is a gap,
        // not that nobody knows it.
        attachment.session().save();
        let token = token.reveal();
        greeting = Some(format!(r#"{{"type":"setClientId","payload":"{token}"{outcome}}}"#));
    }
    if let Some(store) = attachment.store() {
        // A crash must not leave the session as it was before: what is written from now on would be
        // a gap that nobody knows.
        Box::pin(store.settled()).await;
    }
    Ok((attachment, greeting))
}

/// A session that begins.
fn open(server: &Server, client: &Client) -> Result<Attachment, getrandom::Error> {
    let Client { path, principal, policy, counters, .. } = client;
    let session = Session::new(
        server.registry.next_order(),
        path.clone(),
        principal.clone(),
        Arc::clone(policy),
        Arc::clone(counters),
        Arc::clone(server.registry.kept()),
    )?;
    let session = Arc::new(session.kept_in(server.store.as_ref()));
    server.registry.insert(&session);
    server.counters.sessions_opened.increment();
    Ok(Attachment::first(session, principal.expires_at()))
}

/// A session that a client has come back to.
enum Resumed {
    /// With all that it has not received.
    Whole(Attachment),
    /// It has come again on another connection, which has the session now.
    Replaced(Attachment),
}

async fn resume(
    server: &Server,
    client: &Client,
    returning: &Returning,
) -> Result<Resumed, Refused> {
    let token = returning.token.as_ref().ok_or(Refused::Unknown)?;
    let attachment = server.registry.claim(token, &client.principal, &client.path)?;
    // A connection that is replaced has its last message with a listener, perhaps.
    let alone = poll_fn(|context| attachment.poll_alone(context.waker())).await;
    if alone.is_err() {
        return Ok(Resumed::Replaced(attachment));
    }
    if attachment.rewind(returning.received).is_err() {
        // Nobody can have all of it any more.
        attachment.leave(&CloseReason::REPLACED);
        end(server, attachment.session(), &CloseReason::LOST, Some(Refused::Gap)).await;
        return Err(Refused::Gap);
    }
    Ok(Resumed::Whole(attachment))
}

/// What follows a connection: the wait for its client, the end of its session, or nothing.
pub(super) async fn after(
    server: &Server,
    attachment: Attachment,
    reason: CloseReason,
    left: Left,
) {
    let session = attachment.session();
    let why = match left {
        Left::Replaced => return,
        Left::Ended => end_of(&reason),
        Left::Detached => {
            server.registry.went_away(&attachment);
            tracing::debug!(client = session.id_text(), "away");
            let timeout = session.policy().reconnect_timeout.unwrap_or_default();
            let over = poll_fn(|context| attachment.poll_over(context.waker()));
            let over = tokio::select! {
                over = tokio::time::timeout(timeout, over) => over.ok(),
                () = server.stopping.cancelled() => match session.store() {
                    // The next start goes on with it.
                    Some(store) if store.is_well() => {
                        server.counters.sessions_handed_over.increment();
                        return;
                    }
                    Some(_) | None => None,
                },
            };
            if over == Some(Over::Back) || !attachment.expire() {
                return;
            }
            match over {
                Some(Over::Closed(closed)) => {
                    let why = end_of(&closed);
                    return end(server, session, &closed, why).await;
                }
                Some(Over::Evicted) => Some(Refused::Evicted),
                Some(Over::Back) | None => Some(Refused::Expired),
            }
        }
    };
    end(server, session, &reason, why).await;
}

/// What a client is told that comes back to a session that was closed for this.
fn end_of(reason: &CloseReason) -> Option<Refused> {
    (reason.cause() == CloseCause::SlowConsumer).then_some(Refused::Gap)
}

async fn end(server: &Server, session: &Arc<Session>, reason: &CloseReason, why: Option<Refused>) {
    server.registry.forget(session, why);
    tell_end(server, session, reason).await;
}

/// Ends a session that nobody can come back to any more.
pub(super) async fn tell_end(server: &Server, session: &Arc<Session>, reason: &CloseReason) {
    session.save_end(reason);
    server.dispatcher.disconnected(session, reason).await;
    session.forget_saved();
    server.counters.sessions_ended.increment();
}

/// A client that counts as connected as long as this lives.
struct Connected<'a>(&'a Session);

impl<'a> Connected<'a> {
    fn new(session: &'a Session) -> Self {
        session.counters().add(OfPath::Accepted, 1);
        session.counters().add(OfPath::Connections, 1);
        Self(session)
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.counters().take(OfPath::Connections, 1);
    }
}

/// Counts and tells how a connection ended.
fn note_end(
    server: &Server,
    (peer, address): (Peer, AddressKey),
    session: &Session,
    reason: &CloseReason,
    since: Instant,
) {
    let label = Closed::from(reason);
    server.counters.closed.increment(label);
    let traffic = session.traffic();
    macro_rules! tell {
        ($level:ident, $($more:tt)*) => {
            tracing::$level!(
                connection = peer.connection,
                client = session.id_text(),
                code = reason.code(),
                reason = label.reason,
                initiator = label.initiator,
                seconds = since.elapsed().as_secs_f64(),
                messages_received = traffic.messages_received(),
                bytes_received = traffic.bytes_received(),
                messages_sent = traffic.messages_sent(),
                bytes_sent = traffic.bytes_sent(),
                $($more)*
            )
        };
    }
    // What a client brought upon itself is told to operators, at a limited rate.
    let told = match is_abuse(reason.cause()) {
        true => server.ended_lines.admit(label.reason, address),
        false => None,
    };
    match told {
        Some(told) => tell!(info, peer = %peer.address, more = told.dropped_before, "disconnected"),
        None => tell!(debug, "disconnected"),
    }
}

/// Whether a client of good will and in good health is never closed for this.
fn is_abuse(cause: CloseCause) -> bool {
    match cause {
        CloseCause::Protocol
        | CloseCause::WrongKind
        | CloseCause::Utf8
        | CloseCause::NotJson
        | CloseCause::Fragments
        | CloseCause::MessageTime
        | CloseCause::ControlRate
        | CloseCause::TooBig
        | CloseCause::Rate
        | CloseCause::ByteRate
        | CloseCause::SlowConsumer => true,
        CloseCause::Client
        | CloseCause::Listener
        | CloseCause::GoingAway
        | CloseCause::ListenerFailed
        | CloseCause::Unavailable
        | CloseCause::NoPong
        | CloseCause::Idle
        | CloseCause::Lifetime
        | CloseCause::Expired
        | CloseCause::Replaced
        | CloseCause::Lost => false,
    }
}

/// The socket and what was read of it beyond the request.
async fn upgraded(server: &Server, upgrade: OnUpgrade) -> Option<(TcpStream, Bytes)> {
    let limit = server.settings.handshake_timeout;
    let upgraded = tokio::time::timeout(limit, upgrade).await.ok()?.ok()?;
    let parts = Upgraded::downcast::<TokioIo<Intake>>(upgraded).ok()?;
    Some((parts.io.into_inner().into_stream(), parts.read_buf))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every idle connection pays for the largest moment of its life.
    #[test]
    fn the_task_of_a_connection_stays_small() {
        fn bytes<F>(_: impl Fn(Arc<Server>, Peer, Box<Client>, OnUpgrade) -> F) -> usize {
            size_of::<F>()
        }
        let bytes = bytes(run);
        assert!(bytes <= 1_024, "{bytes} bytes");
    }
}
