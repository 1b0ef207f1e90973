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
use crate::session::Session;

/// The timers of one connection: one entry in the runtime's timer wheel.
pub(super) struct Liveness<'a> {
    policy: &'a ConnectionPolicy,
    sleep: Pin<Box<Sleep>>,
    next_keep_alive: Option<Instant>,
    awaiting: Awaiting,
    ping: Ping,
    /// When the peer has been idle for too long; none where it may be.
    idle_at: Option<Instant>,
    unfinished: Option<Unfinished>,
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

/// The last ping.
#[derive(Clone, Copy, Default)]
struct Ping {
    /// What it carries; wraps.
    number: u32,
    /// When it was sent, as long as its pong is waited for.
    sent: Option<Instant>,
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
    /// The connection is over for this reason.
    End(CloseReason),
}

impl<'a> Liveness<'a> {
    pub(super) fn of(session: &'a Session) -> Self {
        let now = Instant::now();
        let mut liveness = Self::new(session.policy(), now);
        liveness.ends = Ends::of(session, now, SystemTime::now()).map(Box::new);
        liveness.set_timer();
        liveness
    }

    fn new(policy: &'a ConnectionPolicy, now: Instant) -> Self {
        let next_ping = now + policy.ping_interval;
        let mut liveness = Self {
            policy,
            sleep: Box::pin(tokio::time::sleep_until(next_ping)),
            next_keep_alive: policy.keep_alive_interval.map(|interval| now + interval),
            awaiting: Awaiting::Ping(next_ping),
            ping: Ping::default(),
            idle_at: policy.idle_timeout.map(|timeout| now + timeout),
            unfinished: None,
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

    /// What the ping that is due carries.
    pub(super) fn ping_payload(&self) -> [u8; 4] {
        self.ping.number.to_be_bytes()
    }

    /// A pong of the peer. Returns how long its ping took, if it is that of the last one.
    pub(super) fn had_pong(&mut self, payload: &[u8]) -> Option<Duration> {
        let own = payload == self.ping_payload();
        own.then(|| self.ping.sent.take()).flatten().map(|sent| sent.elapsed())
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
        if let Awaiting::Ping(at) = self.awaiting
            && at <= now
        {
            self.awaiting = Awaiting::Sign { before: now + self.policy.pong_timeout };
            self.ping = Ping { number: self.ping.number.wrapping_add(1), sent: Some(now) };
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
mod tests {
    use std::time::Duration;

    use super::*;

    /// All times in seconds.
    fn policy(ping_interval: u64, pong_timeout: u64, keep_alive: Option<u64>) -> ConnectionPolicy {
        let seconds = Duration::from_secs;
        ConnectionPolicy {
            ping_interval: seconds(ping_interval),
            pong_timeout: seconds(pong_timeout),
            keep_alive_interval: keep_alive.map(seconds),
            ..ConnectionPolicy::default()
        }
    }

    /// What is due next, and after how many seconds since `start`.
    async fn next(liveness: &mut Liveness<'_>, start: Instant) -> (u64, Due) {
        let due = std::future::poll_fn(|context| liveness.poll_due(context)).await;
        (start.elapsed().as_secs(), due)
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_peer_is_dead_when_the_time_for_its_pong_is_over() {
        let (start, policy) = (Instant::now(), policy(25, 10, Some(15)));
        let mut liveness = Liveness::new(&policy, start);
        assert_eq!(next(&mut liveness, start).await, (15, Due::KeepAlive));
        assert_eq!(next(&mut liveness, start).await, (25, Due::Ping));
        assert_eq!(next(&mut liveness, start).await, (30, Due::KeepAlive));
        assert_eq!(next(&mut liveness, start).await, (35, Due::PeerIsDead));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sign_of_life_leads_to_the_next_ping_at_its_interval() {
        // The time for a pong may be longer than the interval.
        for (interval, timeout) in [(25, 10), (2, 10)] {
            let (start, policy) = (Instant::now(), policy(interval, timeout, None));
            let mut liveness = Liveness::new(&policy, start);
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
    async fn only_the_pong_of_the_last_ping_tells_how_long_it_took_and_only_once() {
        let (start, policy) = (Instant::now(), policy(25, 10, None));
        let mut liveness = Liveness::new(&policy, start);
        assert_eq!(liveness.had_pong(&liveness.ping_payload()), None, "nothing was asked");
        assert_eq!(next(&mut liveness, start).await, (25, Due::Ping));
        let first = liveness.ping_payload();
        liveness.heard();
        assert_eq!(next(&mut liveness, start).await, (50, Due::Ping));
        tokio::time::advance(Duration::from_secs(3)).await;
        let second = liveness.ping_payload();
        assert_eq!(liveness.had_pong(&first), None, "too late");
        assert_eq!(liveness.had_pong(b""), None);
        assert_eq!(liveness.had_pong(&second), Some(Duration::from_secs(3)));
        assert_eq!(liveness.had_pong(&second), None, "again");
        liveness.heard();
        assert_eq!(next(&mut liveness, start).await, (75, Due::Ping));
        liveness.forget_ping();
        assert_eq!(liveness.had_pong(&liveness.ping_payload()), None, "nobody looked");
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_long_stall_one_keep_alive_is_enough() {
        let (start, policy) = (Instant::now(), policy(3_600, 10, Some(15)));
        let mut liveness = Liveness::new(&policy, start);
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(next(&mut liveness, start).await, (100, Due::KeepAlive));
        assert_eq!(next(&mut liveness, start).await, (115, Due::KeepAlive));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_is_idle_as_long_after_its_last_message_as_it_may_be() {
        let start = Instant::now();
        let idle_timeout = Some(Duration::from_secs(40));
        let policy = ConnectionPolicy { idle_timeout, ..policy(25, 10, None) };
        let mut liveness = Liveness::new(&policy, start);
        assert_eq!(next(&mut liveness, start).await, (25, Due::Ping));
        liveness.heard();
        liveness.had_message();
        assert_eq!(next(&mut liveness, start).await, (50, Due::Ping));
        // A pong is no message.
        liveness.heard();
        assert_eq!(next(&mut liveness, start).await, (65, Due::End(CloseReason::IDLE)));
    }

    #[tokio::test(start_paused = true)]
    async fn each_message_has_its_own_time() {
        let start = Instant::now();
        let message_time = Duration::from_secs(5);
        let policy = ConnectionPolicy { message_time, ..policy(3_600, 10, None) };
        let mut liveness = Liveness::new(&policy, start);
        for number in 1..4 {
            liveness.set_unfinished(Some(number));
            tokio::time::advance(Duration::from_secs(4)).await;
            liveness.set_unfinished(Some(number));
        }
        liveness.set_unfinished(None);
        tokio::time::advance(Duration::from_secs(90)).await;
        // The last one began a second before.
        liveness.set_unfinished(Some(4));
        tokio::time::advance(Duration::from_secs(1)).await;
        liveness.set_unfinished(Some(4));
        assert_eq!(next(&mut liveness, start).await, (107, Due::MessageTime));
    }
}
