//! When a connection must end although its peer is well: at its greatest age, and when the
//! credentials of its client expire. Credentials are judged by the wall clock, which may be set
//! while a connection lasts: it is looked at again and again, not only when they are due.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::close::CloseReason;
use crate::session::Attachment;

/// Longest time between looks at the wall clock: after it was set, credentials end so late at most.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);

/// At most this part of a lifetime is taken off it.
const JITTER: u32 = 10;

/// Both ends of one connection, of which one is there.
#[derive(Debug)]
pub(super) struct Ends {
    lifetime_at: Option<Instant>,
    expiry: Option<Expiry>,
}

#[derive(Debug)]
struct Expiry {
    expires_at: SystemTime,
    look_at: Instant,
}

impl Ends {
    /// Those of a session that begins now; none if it may go on for ever.
    pub(super) fn of(session: &Attachment, now: Instant, wall: SystemTime) -> Option<Self> {
        // Random, and its own.
        let dice = (session.id().bits() % 1_000) as u32;
        let lifetime = session.policy().lifetime.map(|lifetime| jittered(lifetime, dice));
        Self::new(lifetime, session.expires_at(), now, wall)
    }

    fn new(
        lifetime: Option<Duration>,
        expires_at: Option<SystemTime>,
        now: Instant,
        wall: SystemTime,
    ) -> Option<Self> {
        let expiry = |expires_at| Expiry { expires_at, look_at: next_look(expires_at, now, wall) };
        let ends = Self {
            lifetime_at: lifetime.and_then(|lifetime| now.checked_add(lifetime)),
            expiry: expires_at.map(expiry),
        };
        (ends.lifetime_at.is_some() || ends.expiry.is_some()).then_some(ends)
    }

    /// When there is something to look at.
    pub(super) fn next(&self) -> Option<Instant> {
        let look_at = self.expiry.as_ref().map(|expiry| expiry.look_at);
        self.lifetime_at.into_iter().chain(look_at).min()
    }

    /// Why the connection is over, if it is.
    pub(super) fn due(&mut self, now: Instant, wall: SystemTime) -> Option<CloseReason> {
        if let Some(expiry) = &mut self.expiry {
            if expiry.expires_at <= wall {
                return Some(CloseReason::EXPIRED);
            }
            if expiry.look_at <= now {
                expiry.look_at = next_look(expiry.expires_at, now, wall);
            }
        }
        self.lifetime_at.filter(|at| *at <= now).map(|_| CloseReason::LIFETIME)
    }
}

/// The moment of expiry as it looks from here, or the next look before it.
fn next_look(expires_at: SystemTime, now: Instant, wall: SystemTime) -> Instant {
    let left = expires_at.duration_since(wall).unwrap_or_default();
    now + left.min(LOOK_INTERVAL)
}

/// A lifetime shortened by up to a tenth; `dice` is below 1,000.
fn jittered(lifetime: Duration, dice: u32) -> Duration {
    lifetime - lifetime / JITTER * dice / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_lifetime_is_shortened_by_a_tenth_at_most() {
        assert_eq!(jittered(HOUR, 0), HOUR);
        assert_eq!(jittered(HOUR, 500), seconds(3_420));
        assert!(jittered(HOUR, 999) > seconds(3_240));
        // The longest there is.
        assert!(jittered(HOUR * 24 * 30, 999) > HOUR * 24 * 27);
    }

    #[test]
    fn without_either_there_is_nothing_to_look_at() {
        assert!(Ends::new(None, None, Instant::now(), SystemTime::now()).is_none());
    }

    #[test]
    fn the_lifetime_ends_by_the_clock_that_nobody_sets() {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let mut ends = Ends::new(Some(HOUR), None, now, wall).unwrap();
        assert_eq!(ends.next(), Some(now + HOUR));
        assert_eq!(ends.due(now + seconds(3_599), wall + HOUR * 24), None);
        assert_eq!(ends.due(now + HOUR, wall), Some(CloseReason::LIFETIME));
    }

    #[test]
    fn credentials_expire_when_the_wall_clock_says_so() {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let mut ends = Ends::new(None, Some(wall + seconds(25)), now, wall).unwrap();
        for (after, next) in [(0, 10), (10, 20), (20, 25)] {
            assert_eq!(ends.due(now + seconds(after), wall + seconds(after)), None);
            assert_eq!(ends.next(), Some(now + seconds(next)));
        }
        // Just before, and at it.
        let early = seconds(25) - Duration::from_millis(1);
        assert_eq!(ends.due(now + early, wall + early), None);
        assert_eq!(ends.due(now + seconds(25), wall + seconds(25)), Some(CloseReason::EXPIRED));
    }

    #[test]
    fn a_wall_clock_that_is_set_is_noticed_at_the_next_look() {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let mut ends = Ends::new(None, Some(wall + HOUR), now, wall).unwrap();
        let look = ends.next().unwrap();
        assert!(look <= now + LOOK_INTERVAL);
        // Set forward by a day.
        assert_eq!(ends.due(look, wall + HOUR * 24), Some(CloseReason::EXPIRED));
        // Set back by a day: they hold for a day more.
        let mut ends = Ends::new(None, Some(wall + seconds(5)), now, wall).unwrap();
        assert_eq!(ends.due(now + seconds(5), wall - HOUR * 24), None);
        assert_eq!(ends.next(), Some(now + seconds(5) + LOOK_INTERVAL));
    }

    #[test]
    fn credentials_that_have_expired_before_are_due_at_once() {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let mut ends = Ends::new(Some(HOUR), Some(wall - seconds(1)), now, wall).unwrap();
        assert_eq!(ends.next(), Some(now));
        assert_eq!(ends.due(now, wall), Some(CloseReason::EXPIRED));
    }
}
