//! One bucket: what is in it, within its limits, and which of it a store does not know yet.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{BucketId, Saver};
use crate::limits::KeyValueLimits;

/// What a key takes besides its text and value.
const KEY_BYTES: usize = 64;

/// Keys on one page of a list.
const PAGE: usize = 1_000;

/// Keys that one call may name.
const MAX_MANY: usize = 1_000;

/// Keys and values.
pub struct Bucket {
    id: BucketId,
    contents: Mutex<Contents>,
    saver: Option<Saver>,
}

/// Some of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The keys, in the order in which they came into the bucket.
    pub keys: Vec<String>,
    /// Where the next page begins; none on the last one.
    pub next: Option<u64>,
}

/// Why something is not done. Nothing of it is, then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A key is empty or too long.
    #[error("a key has 1 to {0} bytes (keyvalue.key_size)")]
    Key(usize),
    /// A value is too long.
    #[error("a value has at most {0} bytes (keyvalue.value_size)")]
    Value(usize),
    /// No room for more keys.
    #[error("the bucket is full: {0} keys (keyvalue.keys)")]
    Keys(u32),
    /// No room for more bytes.
    #[error("the bucket is full: {0} bytes (keyvalue.bucket_size)")]
    Bytes(usize),
    /// Too many keys in one call.
    #[error("more than {MAX_MANY} keys at once")]
    Many,
    /// The values of the keys would be more than a bucket may have.
    #[error("the values are more than {0} bytes at once (keyvalue.bucket_size)")]
    Answer(usize),
    /// The value is none that can be added to.
    #[error("the value is not a number in decimal digits below 2^64")]
    NotANumber,
    /// The sum is none that can be kept.
    #[error("the sum is not below 2^64")]
    TooLarge,
}

#[derive(Debug, Default)]
struct Contents {
    values: HashMap<Arc<str>, Held>,
    /// Keys by their number: a list goes on where it was, whatever changes meanwhile.
    order: BTreeMap<u64, Arc<str>>,
    next: u64,
    bytes: usize,
    unsaved: BTreeSet<Arc<str>>,
}

#[derive(Debug)]
struct Held {
    value: Bytes,
    number: u64,
}

impl Bucket {
    pub(super) fn new(id: BucketId, pairs: Vec<(String, Bytes)>, saver: Option<Saver>) -> Self {
        let mut contents = Contents::default();
        pairs.into_iter().for_each(|(key, value)| contents.put(key.into(), value));
        contents.unsaved.clear();
        Self { id, contents: Mutex::new(contents), saver }
    }

    /// Whose it is.
    pub fn id(&self) -> &BucketId {
        &self.id
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Bytes> {
        self.lock().values.get(key).map(|held| held.value.clone())
    }

    /// Values of several keys, in their order.
    pub fn get_many(
        &self,
        keys: &[String],
        limits: &KeyValueLimits,
    ) -> Result<Vec<Option<Bytes>>, Refusal> {
        if keys.len() > MAX_MANY {
            return Err(Refusal::Many);
        }
        let found: Vec<_> = {
            let contents = self.lock();
            keys.iter().map(|key| contents.values.get(&**key).map(|it| it.value.clone())).collect()
        };
        let bytes: usize = found.iter().flatten().map(Bytes::len).sum();
        // One key may be named again and again.
        if bytes > limits.bucket_bytes {
            return Err(Refusal::Answer(limits.bucket_bytes));
        }
        Ok(found)
    }

    /// Sets keys to values: all of them, or none.
    pub fn set(
        self: &Arc<Self>,
        pairs: Vec<(String, Vec<u8>)>,
        limits: &KeyValueLimits,
    ) -> Result<(), Refusal> {
        if pairs.len() > MAX_MANY {
            return Err(Refusal::Many);
        }
        let mut last: BTreeMap<Arc<str>, Bytes> = BTreeMap::new();
        for (key, value) in pairs {
            check_key(&key, limits)?;
            if value.len() > limits.value_bytes {
                return Err(Refusal::Value(limits.value_bytes));
            }
            last.insert(key.into(), value.into());
        }
        self.change(|contents| {
            contents.check_room(&last, limits)?;
            last.into_iter().for_each(|(key, value)| contents.put(key, value));
            Ok(())
        })
    }

    /// Adds to a number in decimal digits, which is zero where there is none.
    pub fn increment(
        self: &Arc<Self>,
        key: &str,
        delta: u64,
        limits: &KeyValueLimits,
    ) -> Result<u64, Refusal> {
        check_key(key, limits)?;
        self.change(|contents| {
            let number = match contents.values.get(key) {
                None => 0,
                Some(held) => number(&held.value).ok_or(Refusal::NotANumber)?,
            };
            let sum = number.checked_add(delta).ok_or(Refusal::TooLarge)?;
            let pair = BTreeMap::from([(Arc::from(key), Bytes::from(sum.to_string()))]);
            contents.check_room(&pair, limits)?;
            pair.into_iter().for_each(|(key, value)| contents.put(key, value));
            Ok(sum)
        })
    }

    /// Forgets keys; those that are not there are passed over.
    pub fn delete(self: &Arc<Self>, keys: &[String]) -> Result<(), Refusal> {
        if keys.len() > MAX_MANY {
            return Err(Refusal::Many);
        }
        self.change(|contents| {
            keys.iter().for_each(|key| contents.remove(key));
            Ok(())
        })
    }

    /// Whether a key is there.
    pub fn has(&self, key: &str) -> bool {
        self.lock().values.contains_key(key)
    }

    /// Keys from a place on.
    pub fn keys(&self, from: Option<u64>) -> Page {
        let contents = self.lock();
        let mut rest = contents.order.range(from.unwrap_or(0)..);
        let keys = rest.by_ref().take(PAGE).map(|(_, key)| key.to_string()).collect();
        Page { keys, next: rest.next().map(|(number, _)| *number) }
    }

    /// What a store does not know yet; a key without a value is gone. It counts as known then.
    pub fn take_unsaved(&self) -> Vec<(Arc<str>, Option<Bytes>)> {
        let mut contents = self.lock();
        let keys = std::mem::take(&mut contents.unsaved);
        let pair = |key: Arc<str>| {
            let value = contents.values.get(&key).map(|held| held.value.clone());
            (key, value)
        };
        keys.into_iter().map(pair).collect()
    }

    /// The store knows nothing any more.
    pub fn forget_saved(&self) {
        let mut contents = self.lock();
        contents.unsaved = contents.values.keys().cloned().collect();
    }

    /// Changes something, and tells the store where it does not know yet that it has to look.
    fn change<T>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Contents) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut contents = self.lock();
        let told = !contents.unsaved.is_empty();
        let result = change(&mut contents);
        if self.saver.is_none() {
            contents.unsaved.clear();
        }
        let tell = !told && !contents.unsaved.is_empty();
        drop(contents);
        if let Some(saver) = self.saver.as_ref().filter(|_| tell) {
            saver(self);
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn put(&mut self, key: Arc<str>, value: Bytes) {
        let size = value.len();
        self.unsaved.insert(Arc::clone(&key));
        if let Some(held) = self.values.get_mut(&key) {
            self.bytes = self.bytes + size - held.value.len();
            held.value = value;
            return;
        }
        self.bytes += key.len() + size + KEY_BYTES;
        self.order.insert(self.next, Arc::clone(&key));
        self.values.insert(key, Held { value, number: self.next });
        self.next += 1;
    }

    fn remove(&mut self, key: &str) {
        if let Some((key, held)) = self.values.remove_entry(key) {
            self.bytes -= key.len() + held.value.len() + KEY_BYTES;
            self.order.remove(&held.number);
            self.unsaved.insert(key);
        }
    }

    /// Whether all of it fits together.
    fn check_room(
        &self,
        pairs: &BTreeMap<Arc<str>, Bytes>,
        limits: &KeyValueLimits,
    ) -> Result<(), Refusal> {
        let (mut bytes, mut keys, before) = (self.bytes, self.values.len(), self.bytes);
        for (key, value) in pairs {
            match self.values.get(key) {
                Some(held) => bytes = bytes + value.len() - held.value.len(),
                None => {
                    bytes += key.len() + value.len() + KEY_BYTES;
                    keys += 1;
                }
            }
        }
        // What is smaller than before is let through, whatever the limits are now.
        match () {
            () if keys > self.values.len() && keys > limits.keys as usize => {
                Err(Refusal::Keys(limits.keys))
            }
            () if bytes > before && bytes > limits.bucket_bytes => {
                Err(Refusal::Bytes(limits.bucket_bytes))
            }
            () => Ok(()),
        }
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("id", &self.id).finish_non_exhaustive()
    }
}

fn check_key(key: &str, limits: &KeyValueLimits) -> Result<(), Refusal> {
    match (1..=limits.key_bytes).contains(&key.len()) {
        true => Ok(()),
        false => Err(Refusal::Key(limits.key_bytes)),
    }
}

fn number(value: &[u8]) -> Option<u64> {
    let digits = value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::super::{Buckets, StoredValue};
    use super::*;

    const LIMITS: KeyValueLimits =
        KeyValueLimits { bucket_bytes: 1_000, keys: 5, key_bytes: 8, value_bytes: 400 };

    fn bucket() -> Arc<Bucket> {
        let grant = Buckets::default().grant(&"m".into(), ["b"].into_iter(), LIMITS);
        Arc::clone(grant.open("b").unwrap())
    }

    fn pair(key: &str, bytes: usize) -> (String, Vec<u8>) {
        (key.to_owned(), vec![b'x'; bytes])
    }

    #[test]
    fn every_limit_refuses_and_changes_nothing() {
        let bucket = bucket();
        let set = |pairs: Vec<_>| bucket.set(pairs, &LIMITS);
        assert_eq!(set(vec![pair("", 1)]), Err(Refusal::Key(8)));
        assert_eq!(set(vec![pair("123456789", 1)]), Err(Refusal::Key(8)));
        assert_eq!(set(vec![pair("a", 401)]), Err(Refusal::Value(400)));
        assert_eq!(set((0..6).map(|n| pair(&n.to_string(), 1)).collect()), Err(Refusal::Keys(5)));
        assert_eq!(
            set(vec![pair("a", 400), pair("b", 400), pair("c", 400)]),
            Err(Refusal::Bytes(1_000))
        );
        assert_eq!(set(vec![pair("a", 1); 1_001]), Err(Refusal::Many));
        assert_eq!(bucket.keys(None).keys, Vec::<String>::new());
        assert_eq!(set(vec![pair("a", 400), pair("b", 400)]), Ok(()));
        assert_eq!(set(vec![pair("c", 7)]), Err(Refusal::Bytes(1_000)));
        assert_eq!(bucket.increment("c", 1, &LIMITS), Ok(1));
        let again = vec!["a".to_owned(); 3];
        assert_eq!(bucket.get_many(&again, &LIMITS), Err(Refusal::Answer(1_000)));
        // What fits under no limit can still become less.
        let less = KeyValueLimits { bucket_bytes: 1, keys: 1, ..LIMITS };
        assert_eq!(bucket.set(vec![pair("a", 399)], &less), Ok(()));
        bucket.delete(&["a".into(), "b".into(), "c".into(), "gone".into()]).unwrap();
        assert_eq!(bucket.lock().bytes, 0);
    }

    #[test]
    fn only_decimal_digits_can_be_added_to() {
        let bucket = bucket();
        assert_eq!(bucket.increment("n", 3, &LIMITS), Ok(3));
        assert_eq!(bucket.increment("n", u64::MAX - 3, &LIMITS), Ok(u64::MAX));
        assert_eq!(bucket.increment("n", 1, &LIMITS), Err(Refusal::TooLarge));
        for wrong in ["", "+1", " 1", "1.0", "18446744073709551616", "x"] {
            bucket.set(vec![("n".into(), wrong.into())], &LIMITS).unwrap();
            assert_eq!(bucket.increment("n", 1, &LIMITS), Err(Refusal::NotANumber), "{wrong:?}");
        }
    }

    #[test]
    fn a_list_goes_on_where_it_was_whatever_changes() {
        let limits = KeyValueLimits { keys: 3_000, bucket_bytes: 1 << 20, ..LIMITS };
        let bucket = bucket();
        for thousand in 0..2 {
            let pairs = (0..900).map(|n| pair(&format!("{thousand}-{n:03}"), 1)).collect();
            bucket.set(pairs, &limits).unwrap();
        }
        let first = bucket.keys(None);
        assert_eq!((first.keys.len(), first.next), (1_000, Some(1_000)));
        bucket.delete(&first.keys).unwrap();
        bucket.set(vec![pair("new", 1)], &limits).unwrap();
        let second = bucket.keys(first.next);
        assert_eq!((second.keys.len(), second.next), (801, None));
        assert_eq!(second.keys.last().map(String::as_str), Some("new"));
    }

    #[test]
    fn a_store_is_told_once_until_it_has_looked_and_never_of_what_it_knows() {
        let told = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&told);
        let saver: Saver = Arc::new(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let id = BucketId { module: "m".into(), bucket: "b".into() };
        let known = StoredValue { id, key: "k".into(), value: "v".into() };
        let buckets = Buckets::new(vec![known], Some(saver));
        let grant = buckets.grant(&"m".into(), ["b"].into_iter(), LIMITS);
        let bucket = grant.open("b").unwrap();
        assert_eq!((told.load(Ordering::Relaxed), bucket.take_unsaved()), (1, vec![]));
        for value in 0..9 {
            bucket.set(vec![pair("a", value)], &LIMITS).unwrap();
        }
        bucket.delete(&["k".into()]).unwrap();
        assert_eq!(told.load(Ordering::Relaxed), 2);
        let unsaved = vec![("a".into(), Some(vec![b'x'; 8].into())), ("k".into(), None)];
        assert_eq!(bucket.take_unsaved(), unsaved);
        bucket.forget_saved();
        assert_eq!(bucket.take_unsaved().len(), 1);
    }
}
