//! When to ping, when to send a keep-alive, and when a connection is over: because its peer is
//! silent, or idle, or takes too long over a message, or because its time or its credentials are
//! up. Whatever the peer sends proves that it lives; how long a ping took is known only from the
//! pong that has its number.

mod ends;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use std::time::SystemTime;

use tokio::time::{Instant, Sleep};

use self::ends::Ends;
use super::bucket::{Bucket, Limit};
use crate::close::CloseReason;
use crate::limits::ConnectionPolicy;
use crate::session::Attachment;

/// The timers of one connection: one entry in the runtime's timer wheel.
pub(super) struct Liveness<'a> {
    policy: &'a ConnectionPolicy,
    /// None in tests.
    session: Option<&'a Attachment>,
    sleep: Pin<Box<Sleep>>,
    next_keep_alive: Option<Instant>,
    awaiting: Awaiting,
    /// When the last ping was due; before the first one, when the connection began.
    last_ping: Instant,
    ping: Ping,
    /// When the peer has been idle for too long; none where it may be.
    idle_at: Option<Instant>,
    unfinished: Option<Unfinished>,
    /// When the client is told of messages that were dropped; none where there are none to tell of.
    report_at: Option<Instant>,
    ends: Option<Box<Ends>>,
    /// Pings and pongs of the peer.
    controls: Option<Bucket>,
}

#[derive(Clone, Copy)]
enum Awaiting {
    /// The next ping is due at this time.
    Ping(Instant),
    /// A ping is out; something must be heard before this time.
    Sign { before: Instant },
}

/// Shortest time between pings that ask what has arrived.
const ASK_INTERVAL: Duration = Duration::from_secs(1);

/// The last ping.
#[derive(Clone, Copy, Default)]
struct Ping {
    /// What it carries; wraps.
    number: u32,
    /// Number of the last message before it.
    after: u64,
    /// When it was sent, as long as its pong is waited for.
    sent: Option<Instant>,
}

/// The answer to the last ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pong {
    /// How long it took, if that says something of the peer.
    pub(super) round_trip: Option<Duration>,
    /// Number of the last message before the ping.
    pub(super) after: u64,
}

/// A message that has begun and not ended.
#[derive(Clone, Copy)]
struct Unfinished {
    number: u32,
    before: Instant,
}

/// What the timer rang for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Ping,
    KeepAlive,
    PeerIsDead,
    /// A message takes too long; what comes of it is not waited for.
    MessageTime,
    /// The client is to be told of messages that were dropped.
    Report,
    /// The connection is over for this reason.
    End(CloseReason),
}

impl<'a> Liveness<'a> {
    pub(super) fn of(session: &'a Attachment) -> Self {
        let now = Instant::now();
        let mut liveness = Self::new(session.policy(), now);
        liveness.session = Some(session);
        liveness.ends = Ends::of(session, now, SystemTime::now()).map(Box::new);
        liveness.set_timer();
        liveness
    }

    fn new(policy: &'a ConnectionPolicy, now: Instant) -> Self {
        let next_ping = now + policy.ping_interval;
        let mut liveness = Self {
            policy,
            session: None,
            sleep: Box::pin(tokio::time::sleep_until(next_ping)),
            next_keep_alive: policy.keep_alive_interval.map(|interval| now + interval),
            awaiting: Awaiting::Ping(next_ping),
            last_ping: now,
            ping: Ping::default(),
            idle_at: policy.idle_timeout.map(|timeout| now + timeout),
            unfinished: None,
            report_at: None,
            ends: None,
            controls: None,
        };
        liveness.set_timer();
        liveness
    }

    /// Ready with what is due; the timer is set for what comes next.
    pub(super) fn poll_due(&mut self, context: &mut Context<'_>) -> Poll<Due> {
        loop {
            std::task::ready!(self.sleep.as_mut().poll(context));
            // It may ring for a ping that has meanwhile become unnecessary.
            if let Some(due) = self.take_due() {
                return Poll::Ready(due);
            }
        }
    }

    /// Ready with why the connection is over though its peer is well: for a wait in which nothing
    /// else can be done. When it is over, the timer is for [`Self::resume`] to set.
    pub(super) fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<CloseReason> {
        if self.session.is_some_and(|session| session.poll_replaced(context.waker())) {
            return Poll::Ready(CloseReason::REPLACED);
        }
        let Some(ends) = &mut self.ends else { return Poll::Pending };
        loop {
            if let Some(reason) = ends.due(Instant::now(), SystemTime::now()) {
                return Poll::Ready(reason);
            }
            let Some(next) = ends.next() else { return Poll::Pending };
            self.sleep.as_mut().reset(next);
            std::task::ready!(self.sleep.as_mut().poll(context));
        }
    }

    /// Time in which a peer must take something of what is written.
    pub(super) fn write_timeout(&self) -> Duration {
        self.policy.write_timeout
    }

    /// Everything that can be due is waited for again.
    pub(super) fn resume(&mut self) {
        self.set_timer();
    }

    /// The peer sent something.
    pub(super) fn heard(&mut self) {
        let Awaiting::Sign { before } = self.awaiting else { return };
        let pinged = before - self.policy.pong_timeout;
        self.awaiting = Awaiting::Ping(pinged + self.policy.ping_interval);
        self.set_timer();
    }

    /// What the ping carries that is due, or comes unasked for. The last message before it has this
    /// number.
    pub(super) fn ping_after(&mut self, number: u64) -> [u8; 4] {
        self.ping.after = number;
        self.ping.number.to_be_bytes()
    }

    /// It would be good to know what has arrived: the next ping comes soon.
    pub(super) fn ask_soon(&mut self) {
        let Awaiting::Ping(at) = self.awaiting else { return };
        let soon = self.last_ping + ASK_INTERVAL;
        if soon < at {
            self.awaiting = Awaiting::Ping(soon);
            if soon < self.sleep.deadline() {
                self.sleep.as_mut().reset(soon);
            }
        }
    }

    /// A pong of the peer; none if it is not that of the last ping.
    pub(super) fn had_pong(&mut self, payload: &[u8]) -> Option<Pong> {
        let own = payload == self.ping.number.to_be_bytes();
        own.then(|| {
            let round_trip = self.ping.sent.take().map(|sent| sent.elapsed());
            Pong { round_trip, after: std::mem::take(&mut self.ping.after) }
        })
    }

    /// The peer is not read for a while: how long its pong takes would say nothing of it.
    pub(super) fn forget_ping(&mut self) {
        self.ping.sent = None;
    }

    /// A message of the peer has been handled. The timer stays: it rings too early and is set then.
    pub(super) fn had_message(&mut self) {
        if let Some(timeout) = self.policy.idle_timeout {
            self.idle_at = Some(Instant::now() + timeout);
        }
    }

    /// The peer has sent so many pings and pongs; returns whether it may.
    pub(super) fn had_controls(&mut self, count: u32) -> bool {
        if count == 0 {
            return true;
        }
        let now = Instant::now();
        let rate = u64::from(self.policy.controls_per_second);
        let limit = Limit { per_second: rate, burst: rate };
        let bucket = self.controls.unwrap_or_else(|| Bucket::new(now));
        let left = bucket.less(u64::from(count), limit, now, now);
        left.map(|left| self.controls = Some(left)).is_ok()
    }

    /// What the peer has begun and not ended, now that all that has arrived has been read.
    pub(super) fn set_unfinished(&mut self, number: Option<u32>) {
        let Some(number) = number else {
            self.unfinished = None;
            return;
        };
        if self.unfinished.is_none_or(|known| known.number != number) {
            let before = Instant::now() + self.policy.message_time;
            self.unfinished = Some(Unfinished { number, before });
            if before < self.sleep.deadline() {
                self.sleep.as_mut().reset(before);
            }
        }
    }

    /// Messages were dropped, or told of: this is when there is something to tell. A timer that was
    /// set for it stays, rings too early, and is set then.
    pub(super) fn set_report(&mut self, at: Option<Instant>) {
        self.report_at = at;
        if let Some(at) = at
            && at < self.sleep.deadline()
        {
            self.sleep.as_mut().reset(at);
        }
    }

    /// What is due now, if anything.
    fn take_due(&mut self) -> Option<Due> {
        let due = self.advance(Instant::now());
        self.set_timer();
        due
    }

    fn set_timer(&mut self) {
        let mut next = match self.awaiting {
            Awaiting::Ping(at) | Awaiting::Sign { before: at } => at,
        };
        let others = [
            self.next_keep_alive,
            self.idle_at,
            self.unfinished.map(|message| message.before),
            self.report_at,
            self.ends.as_ref().and_then(|ends| ends.next()),
        ];
        for at in others.into_iter().flatten() {
            next = next.min(at);
        }
        self.sleep.as_mut().reset(next);
    }

    fn advance(&mut self, now: Instant) -> Option<Due> {
        match self.awaiting {
            Awaiting::Sign { before } if before <= now => return Some(Due::PeerIsDead),
            Awaiting::Ping(_) | Awaiting::Sign { .. } => {}
        }
        if let Some(reason) = self.ends.as_mut().and_then(|ends| ends.due(now, SystemTime::now())) {
            return Some(Due::End(reason));
        }
        if self.unfinished.is_some_and(|message| message.before <= now) {
            return Some(Due::MessageTime);
        }
        if self.idle_at.is_some_and(|at| at <= now) {
            return Some(Due::End(CloseReason::IDLE));
        }
        if self.report_at.take_if(|at| *at <= now).is_some() {
            return Some(Due::Report);
        }
        if let Awaiting::Ping(at) = self.awaiting
            && at <= now
        {
            self.awaiting = Awaiting::Sign { before: now + self.policy.pong_timeout };
            self.last_ping = now;
            let number = self.ping.number.wrapping_add(1);
            self.ping = Ping { number, sent: Some(now), ..self.ping };
            return Some(Due::Ping);
        }
        let at = self.next_keep_alive.filter(|at| *at <= now)?;
        let interval = self.policy.keep_alive_interval?;
        // After a long stall one keep-alive is enough.
        let next = at + interval;
        self.next_keep_alive = Some(if next > now { next } else { now + interval });
        Some(Due::KeepAlive)
    }
}

#[cfg(test)]
mod tests;
