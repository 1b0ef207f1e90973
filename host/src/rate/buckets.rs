//! Token buckets by key, in a table of bounded size. A bucket that is full again is the same as
//! none, so only those who did something lately are remembered. When the table is full, those who
//! did nothing for longest are forgotten, and start anew with a full bucket: an attacker with more
//! addresses than the table has room for has as many buckets anyway, and nobody else is locked out.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Buckets, each of which holds `burst` tokens and gets so many a second.
#[derive(Debug)]
pub struct Buckets<K> {
    /// Time in which a bucket gets one token.
    interval: Duration,
    /// Time in which an empty bucket gets full.
    whole: Duration,
    table: Mutex<Table<K>>,
}

/// Two generations: what is touched moves to the young one; when that is full it becomes the old
/// one, and what the old one had is forgotten.
#[derive(Debug)]
struct Table<K> {
    generation: usize,
    /// When the bucket of a key will be full again.
    young: HashMap<K, Instant>,
    old: HashMap<K, Instant>,
}

/// The bucket is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Empty {
    /// When it will have a token again.
    pub retry_after: Duration,
}

impl<K: Eq + Hash + Clone> Buckets<K> {
    /// Buckets of at least one token, refilled with `tokens` in each `period`; at most `keys` keys
    /// are remembered. None where `tokens` is zero: then there is no limit.
    pub fn new(tokens: u32, period: Duration, burst: u32, keys: usize) -> Option<Self> {
        let interval = period.checked_div(tokens)?;
        let whole = interval.saturating_mul(burst.max(1));
        let generation = (keys / 2).max(1);
        let table = Table { generation, young: HashMap::new(), old: HashMap::new() };
        Some(Self { interval, whole, table: Mutex::new(table) })
    }

    /// Takes a token.
    ///
    /// # Errors
    /// There is none.
    pub fn take(&self, key: &K, now: Instant) -> Result<(), Empty> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = table.full_at(key).max(Some(now)).unwrap_or(now);
        let after = full_at + self.interval;
        self.check(full_at, now)?;
        table.set(key, after);
        Ok(())
    }

    /// Whether there is a token, without taking it.
    ///
    /// # Errors
    /// There is none.
    pub fn look(&self, key: &K, now: Instant) -> Result<(), Empty> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.full_at(key).map_or(Ok(()), |full_at| self.check(full_at, now))
    }

    /// A bucket has a token if taking it leaves no more to refill than the whole of it.
    fn check(&self, full_at: Instant, now: Instant) -> Result<(), Empty> {
        let waiting = (full_at + self.interval).saturating_duration_since(now);
        match waiting.checked_sub(self.whole) {
            None | Some(Duration::ZERO) => Ok(()),
            Some(retry_after) => Err(Empty { retry_after }),
        }
    }

    #[cfg(test)]
    fn remembered(&self) -> usize {
        let table = self.table.lock().unwrap();
        table.young.len() + table.old.len()
    }
}

impl<K: Eq + Hash + Clone> Table<K> {
    fn full_at(&self, key: &K) -> Option<Instant> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }

    fn set(&mut self, key: &K, full_at: Instant) {
        if self.young.len() >= self.generation && !self.young.contains_key(key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key.clone(), full_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_bucket_gives_its_burst_and_then_so_many_a_second() {
        let buckets = Buckets::new(2, SECOND, 3, 10).unwrap();
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(buckets.take(&"a", start), Ok(()));
        }
        let wait = Empty { retry_after: SECOND / 2 };
        assert_eq!(buckets.take(&"a", start), Err(wait));
        // A refusal costs nothing, and others have buckets of their own.
        assert_eq!(buckets.take(&"a", start), Err(wait));
        assert_eq!(buckets.take(&"b", start), Ok(()));
        assert_eq!(buckets.look(&"a", start), Err(wait));
        assert_eq!(buckets.look(&"a", start + SECOND / 2), Ok(()));
        assert_eq!(buckets.take(&"a", start + SECOND / 2), Ok(()));
        assert_eq!(buckets.take(&"a", start + SECOND / 2), Err(wait));
        // Full again after a while, and never more than full.
        let later = start + 100 * SECOND;
        for _ in 0..3 {
            assert_eq!(buckets.take(&"a", later), Ok(()));
        }
        assert_eq!(buckets.take(&"a", later), Err(wait));
    }

    #[test]
    fn a_rate_of_zero_is_no_limit_and_a_burst_of_zero_is_one() {
        assert!(Buckets::<u8>::new(0, SECOND, 5, 10).is_none());
        let buckets = Buckets::new(1, SECOND, 0, 10).unwrap();
        let now = Instant::now();
        assert_eq!(buckets.take(&1, now), Ok(()));
        assert!(buckets.take(&1, now).is_err());
    }

    #[test]
    fn the_table_stays_bounded_and_forgets_who_did_nothing_for_longest() {
        let buckets = Buckets::new(1, SECOND, 1, 100).unwrap();
        let now = Instant::now();
        assert!(buckets.take(&0, now).is_ok());
        for key in 1..10_000_u32 {
            let _ = buckets.take(&key, now);
            assert!(buckets.remembered() <= 100);
        }
        assert!(buckets.take(&0, now).is_ok(), "forgotten, thus full again");
        assert!(buckets.take(&9_999, now).is_err(), "the last ones are remembered");
    }
}
