//! A token bucket, as one point in time: when it will be full again. Pure; the time is given.

use std::time::Duration;

use tokio::time::Instant;

/// So much per second, and so much at once after a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    /// Above zero.
    pub(super) per_second: u64,
    /// What is taken at once is never more.
    pub(super) burst: u64,
}

/// What has been taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    full_at: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// What it is after `amount` was taken; it is not taken yet. What it got after `since` has not
    /// overflowed.
    ///
    /// # Errors
    /// So much is not in it; it will be after this time.
    pub(super) fn less(
        self,
        amount: u64,
        limit: Limit,
        now: Instant,
        since: Instant,
    ) -> Result<Self, Duration> {
        let full_at = self.full_at.max(since.min(now)) + limit.time_of(amount);
        match full_at.saturating_duration_since(now).checked_sub(limit.time_of(limit.burst)) {
            None | Some(Duration::ZERO) => Ok(Self { full_at }),
            Some(wait) => Err(wait),
        }
    }
}

impl Limit {
    fn time_of(self, amount: u64) -> Duration {
        // 64 bits are enough for the largest of each: 1 GiB, and 10^9 ns.
        Duration::from_nanos(amount.saturating_mul(1_000_000_000) / self.per_second.max(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEN: Limit = Limit { per_second: 10, burst: 3 };

    fn take(bucket: &mut Bucket, limit: Limit, now: Instant) -> bool {
        let left = bucket.less(1, limit, now, now);
        left.map(|left| *bucket = left).is_ok()
    }

    #[test]
    fn a_burst_then_its_rate() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut bucket = Bucket::new(start);
        assert_eq!([0; 4].map(|ms| take(&mut bucket, TEN, at(ms))), [true, true, true, false]);
        let wait = bucket.less(1, TEN, at(0), at(0)).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        assert!(!take(&mut bucket, TEN, at(99)));
        assert!(take(&mut bucket, TEN, at(100)));
        assert!(!take(&mut bucket, TEN, at(100)));
        // It is never fuller than full.
        assert_eq!([9_000; 4].map(|ms| take(&mut bucket, TEN, at(ms))), [true, true, true, false]);
    }

    #[test]
    fn what_came_while_nobody_looked_is_not_too_much() {
        let start = Instant::now();
        let bucket = Bucket::new(start);
        let now = start + Duration::from_secs(2);
        let since = now - Duration::from_secs(1);
        assert!(bucket.less(13, TEN, now, since).is_ok());
        assert!(bucket.less(14, TEN, now, since).is_err());
        assert!(bucket.less(4, TEN, now, now).is_err());
    }

    proptest! {
        /// Over any stretch of time no more than the burst and what the rate gives.
        #[test]
        fn no_stretch_of_time_has_more_than_it_may(
            per_second in 1_u64..2_000,
            burst in 1_u64..50,
            gaps_us in prop::collection::vec(0_u64..20_000, 1..200),
        ) {
            let limit = Limit { per_second, burst };
            let start = Instant::now();
            let mut bucket = Bucket::new(start);
            let mut now = start;
            let mut taken = Vec::new();
            for gap in gaps_us {
                now += Duration::from_micros(gap);
                if take(&mut bucket, limit, now) {
                    taken.push(now);
                }
            }
            for (from, begin) in taken.iter().enumerate() {
                for (to, end) in taken.iter().enumerate().skip(from) {
                    let allowed = burst as f64 + (*end - *begin).as_secs_f64() * per_second as f64;
                    prop_assert!((to - from + 1) as f64 <= allowed + 0.001);
                }
            }
        }
    }
}
