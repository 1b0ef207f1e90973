//! How long something took, counted in fixed buckets. A record is a search among a few bounds
//! and two additions.

use std::time::Duration;

use super::per_thread::PerThread;

/// Upper bounds of the buckets in nanoseconds, from a microsecond to ten seconds; what is longer
/// is in one bucket more.
pub const BOUNDS_NS: [u64; 18] = [
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    50_000_000,
    100_000_000,
    500_000_000,
    1_000_000_000,
    10_000_000_000,
];

const BUCKETS: usize = BOUNDS_NS.len() + 1;
const SUM: usize = BUCKETS;

/// A histogram of durations.
#[derive(Debug, Default)]
pub struct Histogram {
    cells: PerThread<{ BUCKETS + 1 }>,
}

/// What a histogram holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Sum of all durations.
    pub sum: Duration,
    /// Their number.
    pub count: u64,
    /// Number in each bucket, not those below it; the last is without a bound.
    pub buckets: Vec<u64>,
}

impl Histogram {
    /// Counts a duration.
    pub fn record(&self, elapsed: Duration) {
        let ns = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_NS.partition_point(|bound| *bound < ns);
        self.cells.add_all([(bucket, 1), (SUM, ns)]);
    }

    /// What was counted so far.
    pub fn snapshot(&self) -> Snapshot {
        let buckets: Vec<u64> = (0..BUCKETS).map(|bucket| self.cells.get(bucket)).collect();
        let sum = Duration::from_nanos(self.cells.get(SUM));
        Snapshot { sum, count: buckets.iter().sum(), buckets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_first_bucket_whose_bound_is_not_below_it() {
        let histogram = Histogram::default();
        for ns in [0, 1_000, 1_001, 2_500, 10_000_000_000, 10_000_000_001] {
            histogram.record(Duration::from_nanos(ns));
        }
        let snapshot = histogram.snapshot();
        assert_eq!(snapshot.buckets.len(), BUCKETS);
        assert_eq!(snapshot.buckets[..3], [2, 2, 0]);
        assert_eq!(snapshot.buckets[BUCKETS - 2..], [1, 1]);
        assert_eq!((snapshot.count, snapshot.sum), (6, Duration::from_nanos(20_000_004_502)));
    }
}
