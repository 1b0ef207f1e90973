//! When to ping, when to send a keep-alive, and when a silent peer counts as dead. Whatever the
//! peer sends proves that it lives; no clock is read for it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::limits::ConnectionPolicy;

/// The timers of one connection: one entry in the runtime's timer wheel.
pub(super) struct Liveness {
    sleep: Pin<Box<Sleep>>,
    ping_interval: Duration,
    pong_timeout: Duration,
    keep_alive_interval: Option<Duration>,
    next_keep_alive: Option<Instant>,
    awaiting: Awaiting,
}

#[derive(Clone, Copy)]
enum Awaiting {
    /// The next ping is due at this time.
    Ping(Instant),
    /// A ping is out; something must be heard before this time.
    Sign { before: Instant },
}

/// What the timer rang for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Ping,
    KeepAlive,
    PeerIsDead,
}

impl Liveness {
    pub(super) fn new(policy: &ConnectionPolicy) -> Self {
        let now = Instant::now();
        let next_ping = now + policy.ping_interval;
        let next_keep_alive = policy.keep_alive_interval.map(|interval| now + interval);
        let first = next_keep_alive.map_or(next_ping, |at| at.min(next_ping));
        Self {
            sleep: Box::pin(tokio::time::sleep_until(first)),
            ping_interval: policy.ping_interval,
            pong_timeout: policy.pong_timeout,
            keep_alive_interval: policy.keep_alive_interval,
            next_keep_alive,
            awaiting: Awaiting::Ping(next_ping),
        }
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

    /// The peer sent something.
    pub(super) fn heard(&mut self) {
        if let Awaiting::Sign { before } = self.awaiting {
            let next_ping = before - self.pong_timeout + self.ping_interval;
            self.awaiting = Awaiting::Ping(next_ping);
        }
    }

    /// What is due now, if anything.
    fn take_due(&mut self) -> Option<Due> {
        let now = Instant::now();
        let due = self.advance(now);
        let next = match self.awaiting {
            Awaiting::Ping(at) | Awaiting::Sign { before: at } => at,
        };
        let next = self.next_keep_alive.map_or(next, |at| at.min(next));
        self.sleep.as_mut().reset(next);
        due
    }

    fn advance(&mut self, now: Instant) -> Option<Due> {
        match self.awaiting {
            Awaiting::Sign { before } if before <= now => return Some(Due::PeerIsDead),
            Awaiting::Ping(at) if at <= now => {
                let before = now + self.pong_timeout;
                self.awaiting = Awaiting::Sign { before };
                return Some(Due::Ping);
            }
            Awaiting::Ping(_) | Awaiting::Sign { .. } => {}
        }
        let at = self.next_keep_alive.filter(|at| *at <= now)?;
        let interval = self.keep_alive_interval?;
        // After a long stall one keep-alive is enough.
        let next = (at + interval).max(now);
        self.next_keep_alive = Some(next);
        Some(Due::KeepAlive)
    }
}
