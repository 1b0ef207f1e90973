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
            self.set_timer();
        }
    }

    /// What is due now, if anything.
    fn take_due(&mut self) -> Option<Due> {
        let due = self.advance(Instant::now());
        self.set_timer();
        due
    }

    fn set_timer(&mut self) {
        let next = match self.awaiting {
            Awaiting::Ping(at) | Awaiting::Sign { before: at } => at,
        };
        let next = self.next_keep_alive.map_or(next, |at| at.min(next));
        self.sleep.as_mut().reset(next);
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
        let next = at + interval;
        self.next_keep_alive = Some(if next > now { next } else { now + interval });
        Some(Due::KeepAlive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All times in seconds.
    fn liveness(ping_interval: u64, pong_timeout: u64, keep_alive: Option<u64>) -> Liveness {
        let seconds = Duration::from_secs;
        Liveness::new(&ConnectionPolicy {
            ping_interval: seconds(ping_interval),
            pong_timeout: seconds(pong_timeout),
            keep_alive_interval: keep_alive.map(seconds),
            ..ConnectionPolicy::default()
        })
    }

    /// What is due next, and after how many seconds since `start`.
    async fn next(liveness: &mut Liveness, start: Instant) -> (u64, Due) {
        let due = std::future::poll_fn(|context| liveness.poll_due(context)).await;
        (start.elapsed().as_secs(), due)
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_peer_is_dead_when_the_time_for_its_pong_is_over() {
        let start = Instant::now();
        let mut liveness = liveness(25, 10, Some(15));
        assert_eq!(next(&mut liveness, start).await, (15, Due::KeepAlive));
        assert_eq!(next(&mut liveness, start).await, (25, Due::Ping));
        assert_eq!(next(&mut liveness, start).await, (30, Due::KeepAlive));
        assert_eq!(next(&mut liveness, start).await, (35, Due::PeerIsDead));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sign_of_life_leads_to_the_next_ping_at_its_interval() {
        // The time for a pong may be longer than the interval.
        for (interval, timeout) in [(25, 10), (2, 10)] {
            let start = Instant::now();
            let mut liveness = liveness(interval, timeout, None);
            for round in 1..=3 {
                assert_eq!(next(&mut liveness, start).await, (round * interval, Due::Ping));
                liveness.heard();
            }
            liveness.heard();
            assert_eq!(next(&mut liveness, start).await, (4 * interval, Due::Ping));
            let dead = 4 * interval + timeout;
            assert_eq!(next(&mut liveness, start).await, (dead, Due::PeerIsDead));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_long_stall_one_keep_alive_is_enough() {
        let start = Instant::now();
        let mut liveness = liveness(3_600, 10, Some(15));
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(next(&mut liveness, start).await, (100, Due::KeepAlive));
        assert_eq!(next(&mut liveness, start).await, (115, Due::KeepAlive));
    }
}
